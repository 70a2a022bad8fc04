"""The algorithms by name, and the choice among them.

An algorithm is three functions on raw arrays (never Tensors), plus what it needs to be chosen:

    forward(x, weight, spec, prepared=None)      (N, C, H, W), (O, C / groups, KH, KW) -> (N, O, OH, OW)
    input_grad(g, weight, spec, prepared=None)   (N, O, OH, OW), weight -> (N, C, H, W)
    weight_grad(x, g, spec)                      (N, C, H, W), (N, O, OH, OW) -> (O, C / groups, KH, KW)
    supports(spec, function) -> str              "" or the reason why not
    cost(spec, function, frozen) -> float        estimated seconds; frozen: the weight is prepared already
    prepare(weight, spec, function) -> object    optional: what depends on the weight alone, to be kept for
                                                 frozen weights and handed back as ``prepared``

``function`` is "forward", "input_grad" or "weight_grad". Inputs may have any memory layout; what is
returned is a fresh array, in channels-last memory where it is an image. ``choose`` takes the supported
algorithm of the lowest estimated cost; ``use`` forces one; ``explain`` prints the reasoning.
"""

from collections.abc import Callable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module

from minigan import backend
from minigan.errors import ArgumentError
from minigan.kernels import cuda

FUNCTIONS = ("forward", "input_grad", "weight_grad")


@dataclass(frozen=True)
class Algorithm:
    """One way to compute the three functions of a convolution (see the module's docstring for each field)."""

    name: str
    forward: Callable
    input_grad: Callable
    weight_grad: Callable
    supports: Callable
    cost: Callable
    prepare: Callable | None = None
    cuda: bool = False  # runs CUDA kernels: for arrays on a GPU only, and there before all that does not


_algorithms: dict[str, Algorithm] = {}
measured: Callable | None = None  # autotune.py puts its chooser here
_forced: ContextVar[tuple[str, bool]] = ContextVar("minigan_conv", default=("auto", False))


def _first_choice():
    """Calibrate the numbers behind the costs; a room that is loaded for it, so that importing stays light."""
    global calibrate
    calibrate = None
    import_module("minigan.kernels.conv.calibration").ensure()


calibrate: Callable | None = _first_choice  # called before the first choice, and then no more


def register(algorithm):
    """Add an algorithm to the choice. Raises ArgumentError if its name is taken."""
    if algorithm.name in _algorithms or algorithm.name in ("auto", "measured"):
        raise ArgumentError(
            f"a convolution algorithm named {algorithm.name!r} is already registered; choose another name"
        )
    _algorithms[algorithm.name] = algorithm
    _cheapest.cache_clear()
    return algorithm


def names():
    """Names of all registered algorithms, in order of registration."""
    return tuple(_algorithms)


def get(name):
    """The algorithm of that name; ArgumentError lists the known ones."""
    if name not in _algorithms:
        raise ArgumentError(
            f"no convolution algorithm {name!r}; known: auto, measured, {', '.join(_algorithms)}"
        )
    return _algorithms[name]


@contextmanager
def use(name, *, strict=False):
    """Force one algorithm in a ``with`` block.

    "auto" gives the choice back to the cost model; "measured" leaves it to a measurement (autotune.py).

    Where the forced algorithm does not support a convolution, the automatic choice does that one, unless
    ``strict``, which raises ArgumentError with the reason. The setting is per thread (a context variable).
    """
    if name not in ("auto", "measured"):
        get(name)
    token = _forced.set((name, strict))
    try:
        yield
    finally:
        _forced.reset(token)


def choose(spec, function="forward", frozen=False, like=None):
    """The algorithm for one function of a convolution: the forced one, else the cheapest that can.

    ``like`` is an array that says on which device; None: the current one.
    """
    name, strict = _forced.get()
    here = like is None or backend.of(like) is backend.current()  # where measurements are made
    if name == "measured" and measured is not None and here:
        return measured(spec, function, frozen)
    if name not in ("auto", "measured"):
        reason = why_not(get(name), spec, function, like)
        if not reason:
            return get(name)
        if strict:
            raise ArgumentError(
                f"convolution algorithm {name!r} cannot do {function} of {spec}: {reason}; "
                "use another or 'auto'"
            )
    if calibrate is not None:
        calibrate()
    device = backend.current() if like is None else backend.of(like)
    on_gpu = device.kernels is not None and (like is None or cuda.available(like))
    return _cheapest(spec, function, frozen, on_gpu)


@lru_cache(4096)
def _cheapest(spec, function, frozen, on_gpu):
    """The algorithm of the lowest estimate; kept, as all the estimates take a quarter of a millisecond."""
    able = [a for a in _algorithms.values() if (on_gpu or not a.cuda) and not a.supports(spec, function)]
    return min([a for a in able if a.cuda] or able, key=lambda a: a.cost(spec, function, frozen))


def candidates(spec, function, like=None):
    """Algorithms that support this function of this convolution on the device of ``like``."""
    return [a for a in _algorithms.values() if not why_not(a, spec, function, like)]


def why_not(algorithm, spec, function, like=None):
    """The reason why an algorithm cannot do this, or "" where it can."""
    here = backend.current() if like is None else backend.of(like)
    if algorithm.cuda and (here.kernels is None or like is not None and not cuda.available(like)):
        return "needs float32 or float64 arrays on a GPU"
    return algorithm.supports(spec, function)


def explain(spec, function="forward", frozen=False):
    """In words: what each algorithm is estimated to cost, which do not apply and why, and the choice."""
    chosen = choose(spec, function, frozen)
    lines = [f"{function} of {spec.x_shape} * {spec.weight_shape} -> {spec.y_shape}, stride {spec.stride}, "
             f"padding {spec.padding}, dilation {spec.dilation}, groups {spec.groups}"]  # fmt: skip
    able = sorted(candidates(spec, function), key=lambda a: (not a.cuda, a.cost(spec, function, frozen)))
    for algorithm in able:
        mark = "->" if algorithm is chosen else "  "
        lines.append(
            f"{mark} {algorithm.name:<12} {1e3 * algorithm.cost(spec, function, frozen):10.3f} ms estimated"
        )
    for algorithm in _algorithms.values():
        if algorithm not in able:
            lines.append(f"   {algorithm.name:<12} no: {why_not(algorithm, spec, function)}")
    if chosen is not able[0]:
        lines.append(f"{chosen.name} is forced by use({chosen.name!r}); auto would take {able[0].name}")
    return "\n".join(lines)
