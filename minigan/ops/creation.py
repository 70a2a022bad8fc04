"""New tensors: from values, of one value, in steps, at random.  None of them is recorded.

Random numbers are drawn on the host, so that all devices see the same, from ``generator``; without it from
the default one, which `manual_seed` sets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigan import backend
from minigan.backend import get_default_dtype, set_default_dtype  # noqa: F401
from minigan.errors import ArgumentError
from minigan.ops.operands import whole_numbers
from minigan.tensor import Tensor

if TYPE_CHECKING:
    Generator = np.random.Generator

_default: Generator | None = None


def __getattr__(name: str) -> Any:
    if name == "Generator":  # NumPy loads its generators when they are first asked for
        return np.random.Generator
    raise AttributeError(f"minigan.ops.creation has no {name!r}")


def default_generator() -> Generator:
    """Return the generator that draws where none was passed; seeded with 0 until `manual_seed`."""
    return _default or manual_seed(0)


def manual_seed(seed: int) -> Generator:
    """Start a new default generator from ``seed`` and return it."""
    global _default
    _default = np.random.default_rng(seed)
    return _default


def get_rng_state() -> dict[str, Any]:
    """Return where the default generator stands, for `set_rng_state`."""
    return dict(default_generator().bit_generator.state)


def set_rng_state(new_state: dict[str, Any]) -> None:
    """Put the default generator where `get_rng_state` found it."""
    default_generator().bit_generator.state = new_state


def _placed(array: np.ndarray, dtype: Any, device: str | None, requires_grad: bool) -> Tensor:
    """A host array on its device, in its type, as a leaf."""
    array = array if dtype is None else array.astype(dtype, copy=False)
    here = backend.current() if device is None else backend.get(backend.device_name(device))
    return Tensor._wrap(here.from_host(array)).requires_grad_(requires_grad)


def tensor(data: Any, *, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """Return a new leaf with a copy of ``data``: a number, (nested) lists of numbers or tensors, an array.

    Python floats become the default dtype, Python integers int64, arrays keep theirs.
    """
    if isinstance(data, (list, tuple)):
        data = _nested(data)
    plain = not hasattr(data, "dtype")
    array = np.array(data.numpy() if isinstance(data, Tensor) else backend.host_array(data))
    if plain and array.dtype == np.float64:
        array = array.astype(get_default_dtype())
    return _placed(array, dtype, device, requires_grad)


def _nested(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_nested(part) for part in value]
    return value.numpy().tolist() if isinstance(value, Tensor) else value


def as_tensor(data: Any, dtype: Any = None, device: str | None = None) -> Tensor:
    """Return ``data`` as a tensor: itself or the array's own memory where that will do, else a copy."""
    if isinstance(data, Tensor):
        found = data if dtype is None else data.astype(dtype)
        return found if device is None else found.to(device)
    if not hasattr(data, "dtype"):
        return tensor(data, dtype=dtype, device=device)
    found = Tensor(data) if dtype is None else Tensor(data, dtype=dtype)
    return found if device is None else found.to(device)


def from_numpy(array: np.ndarray) -> Tensor:
    """Return a tensor that shares an array's memory (on NumPy)."""
    if not isinstance(array, np.ndarray):
        raise ArgumentError(f"from_numpy: expected a NumPy array, got {type(array).__name__}")
    return Tensor(array)


def full(
    size: Any, fill_value: Any, *, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Return a tensor of one value: bool, int64 or the default dtype, by the value, unless ``dtype`` says."""
    if dtype is None:
        kind = np.asarray(fill_value).dtype.kind
        dtype = bool if kind == "b" else np.int64 if kind in "iu" else get_default_dtype()
    return _placed(np.full(whole_numbers(size), fill_value, dtype), None, device, requires_grad)


def zeros(*size: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """Return zeros: ``zeros(2, 3)`` or ``zeros((2, 3))``."""
    sizes = whole_numbers(*size) if size else ()
    return _placed(np.zeros(sizes, dtype or get_default_dtype()), None, device, requires_grad)


def ones(*size: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """Return ones: ``ones(2, 3)`` or ``ones((2, 3))``."""
    sizes = whole_numbers(*size) if size else ()
    return _placed(np.ones(sizes, dtype or get_default_dtype()), None, device, requires_grad)


def empty(*size: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor to be filled (here it holds zeros)."""
    return zeros(*size, dtype=dtype, device=device, requires_grad=requires_grad)


def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return start, start + step, ... below end (from 0 where only one is given); int64 for integers."""
    first, last = (0, start) if end is None else (start, end)
    whole = all(isinstance(value, (int, np.integer)) for value in (first, last, step))
    found = np.arange(first, last, step)
    return _placed(found, dtype or (np.int64 if whole else get_default_dtype()), device, requires_grad)


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return ``steps`` numbers from start to end, both included."""
    return _placed(np.linspace(start, end, steps), dtype or get_default_dtype(), device, requires_grad)


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return the identity matrix (n, m)."""
    return _placed(np.eye(n, m, dtype=dtype or get_default_dtype()), None, device, requires_grad)


def randn(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return draws from N(0, 1)."""
    drawn = (generator or default_generator()).standard_normal(whole_numbers(*size) if size else ())
    return _placed(np.asarray(drawn), dtype or get_default_dtype(), device, requires_grad)


def rand(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return draws from U[0, 1)."""
    drawn = (generator or default_generator()).random(whole_numbers(*size) if size else (), dtype=np.float32)
    return _placed(np.asarray(drawn), dtype or get_default_dtype(), device, requires_grad)


def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return whole numbers in [low, high), int64: ``randint(low, high, size)`` or ``randint(high, size)``."""
    if size is None:
        low, high, size = 0, low, high
    if size is None:
        raise ArgumentError("randint: expected randint(low, high, size) or randint(high, size)")
    drawn = (generator or default_generator()).integers(low, high, whole_numbers(size))
    return _placed(np.asarray(drawn), dtype or np.int64, device, requires_grad)


def randperm(
    n: int, *, generator: Generator | None = None, dtype: Any = None, device: str | None = None
) -> Tensor:
    """Return 0 to n - 1 in random order, int64."""
    return _placed((generator or default_generator()).permutation(n), dtype or np.int64, device, False)


def _alike(maker: Any, name: str, what: str) -> Any:
    def alike(
        input: Tensor, *, dtype: Any = None, device: str | None = None, requires_grad: bool = False
    ) -> Tensor:
        settings = {"dtype": dtype or input.dtype, "device": device or input.device}
        return maker(input.shape, **settings, requires_grad=requires_grad)

    alike.__name__ = alike.__qualname__ = name
    alike.__doc__ = f"Return {what} of the shape, dtype and device of ``input``."
    return alike


zeros_like = _alike(zeros, "zeros_like", "zeros")
ones_like = _alike(ones, "ones_like", "ones")
empty_like = _alike(empty, "empty_like", "a tensor to be filled")
randn_like = _alike(randn, "randn_like", "draws from N(0, 1)")
rand_like = _alike(rand, "rand_like", "draws from U[0, 1)")


def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return one value in the shape, dtype and device of ``input``."""
    kind, place = dtype or input.dtype, device or input.device
    return full(input.shape, fill_value, dtype=kind, device=place, requires_grad=requires_grad)


def normal(
    mean: Any = 0.0, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None
) -> Tensor:
    """Return draws from N(mean, std**2); mean and std are numbers with a ``size``, or tensors."""
    given = [value.numpy() if isinstance(value, Tensor) else value for value in (mean, std)]
    shape = np.broadcast_shapes(*map(np.shape, given)) if size is None else whole_numbers(size)
    drawn = (generator or default_generator()).normal(given[0], given[1], shape)
    return _placed(np.asarray(drawn), get_default_dtype(), None, False)


def bernoulli(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """Return 1 with probability ``input``, else 0, in its shape and dtype."""
    drawn = (generator or default_generator()).random(input.shape) < input.numpy()
    return _placed(drawn, input.dtype, input.device, False)
