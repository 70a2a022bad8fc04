"""What is differentiated: any function, Op or Module as one function of one flat vector, to any order.

A `Build` makes its own leaves: given the host arrays of all arguments it returns the leaf Tensors and the
results computed from them.  `derivative_of(build)` is again a Build: its arguments are those of `build` and
one incoming gradient per result, its results are the gradients.  Order 2 is therefore the check of order 1,
done once more on this function.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigan import backend
from minigan.autograd import grad
from minigan.errors import ArgumentError
from minigan.modes import enable_grad, no_grad
from minigan.tensor import Op, Tensor

Arrays = list[np.ndarray]
Build = Callable[[Arrays, bool], tuple[list[Tensor], list[Tensor]]]


@dataclass
class Problem:
    """A function under check: how to run it, the point, and what its arguments are called."""

    name: str
    build: Build
    arrays: Arrays
    labels: list[str]
    device: str = "numpy"
    evaluations: int = 0
    shapes: list[tuple[int, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self.shapes = [array.shape for array in self.arrays]

    @property
    def point(self) -> np.ndarray:
        """All arguments as one flat vector."""
        return flat(self.arrays)

    @property
    def scale(self) -> np.ndarray:
        """The size of each entry's argument (its root mean square, 1 for zeros).

        What a step is relative to.
        """
        sizes = [float(np.sqrt(np.mean(a**2))) if a.size else 1.0 for a in self.arrays]
        sizes = [min(max(size, 1e-6), 1e6) if size > 0 and np.isfinite(size) else 1.0 for size in sizes]
        return flat([np.full(a.shape, size) for a, size in zip(self.arrays, sizes, strict=True)])

    def value(self, point: np.ndarray) -> np.ndarray:
        """Evaluate without recording: flat results for a flat point."""
        self.evaluations += 1
        with no_grad():
            _, results = self.build(unflatten(point, self.shapes), False)
        return flat([host(result) for result in results])

    def record(self, arrays: Arrays | None = None) -> Recorded:
        """Evaluate with recording, by default at the point."""
        self.evaluations += 1
        with enable_grad():
            leaves, results = self.build([a.copy() for a in self.arrays] if arrays is None else arrays, True)
        return Recorded(leaves, results)

    def second(self, cotangents: Arrays) -> Problem:
        """The gradient of this problem as a problem: differentiating it checks the second order."""
        labels = [*self.labels, *(f"incoming gradient {i}" for i in range(len(cotangents)))]
        return Problem(
            self.name,
            derivative_of(self.build, len(self.arrays)),
            self.arrays + cotangents,
            labels,
            self.device,
        )

    def argument(self, index: int) -> tuple[int, tuple[int, ...]]:
        """The argument that flat entry `index` belongs to, and the entry's index in it."""
        ends = np.cumsum([array.size for array in self.arrays])
        position = int(np.searchsorted(ends, index, side="right"))
        array = self.arrays[position]
        place = np.unravel_index(index - ends[position] + array.size, array.shape)
        return position, tuple(int(i) for i in place)


@dataclass
class Recorded:
    """One recorded evaluation, whose graph is kept so that many gradients can be asked of it."""

    leaves: list[Tensor]
    results: list[Tensor]

    @property
    def value(self) -> np.ndarray:
        """The results as one flat vector."""
        return flat([host(result) for result in self.results])

    def cotangents(self, weights: np.ndarray) -> list[Tensor]:
        """Flat weights as one incoming gradient per result, of its shape, dtype and device."""
        shapes = [result.shape for result in self.results]
        arrays = unflatten(weights, shapes)
        return [
            Tensor(backend.to_device(array.astype(result.dtype), result.device))
            for array, result in zip(arrays, self.results, strict=True)
        ]

    def gradients(
        self, weights: np.ndarray | list[Tensor], create_graph: bool = False
    ) -> list[Tensor | None]:
        """The gradient of weights . results for each leaf, through `minigan.grad`; the graph stays."""
        cotangents = self.cotangents(weights) if isinstance(weights, np.ndarray) else weights
        return gradients(self.results, self.leaves, cotangents, create_graph)

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        """The same as one flat host vector, zeros where the results do not depend on a leaf."""
        return flattened(self.gradients(weights), self)

    def plain_backward(self, weights: np.ndarray) -> np.ndarray:
        """The same through `.backward()`, which releases the graph, as in training."""
        pairs = zip(self.results, self.cotangents(weights), strict=True)
        roots = [(result, cotangent) for result, cotangent in pairs if result.requires_grad]
        for position, (result, cotangent) in enumerate(roots, start=1):
            result.backward(cotangent, retain_graph=position < len(roots))
        return flattened([leaf.grad for leaf in self.leaves], self)


def flattened(found: Sequence[Tensor | None], recorded: Recorded) -> np.ndarray:
    """Gradients of the leaves as one flat vector, zeros for None."""
    pairs = zip(found, recorded.leaves, strict=True)
    return flat([np.zeros(leaf.shape) if g is None else host(g) for g, leaf in pairs])


def gradients(
    results: Sequence[Tensor], leaves: Sequence[Tensor], cotangents: Sequence[Tensor], create_graph: bool
) -> list[Tensor | None]:
    """`minigan.grad`, but results that depend on nothing are left out instead of being an error."""
    pairs = [(r, c) for r, c in zip(results, cotangents, strict=True) if r.requires_grad]
    if not pairs:
        return [None] * len(leaves)
    kept, seeds = zip(*pairs, strict=True)
    return list(grad(kept, leaves, seeds, create_graph=create_graph, retain_graph=True, allow_unused=True))


def derivative_of(build: Build, count: int) -> Build:
    """The function (arguments, incoming gradients) -> gradients, of the first `count` arrays and the rest."""

    def built(arrays: Arrays, record: bool) -> tuple[list[Tensor], list[Tensor]]:
        with enable_grad():
            leaves, results = build(arrays[:count], True)
        cotangents = [
            Tensor(backend.to_device(array, result.device), requires_grad=record)
            for array, result in zip(arrays[count:], results, strict=True)
        ]
        found = gradients(results, leaves, cotangents, create_graph=record)
        filled = [
            Tensor._wrap(backend.namespace(leaf.array).zeros_like(leaf.array)) if g is None else g
            for g, leaf in zip(found, leaves, strict=True)
        ]
        return leaves + cotangents, filled

    return built


def make_problem(
    fn: Any, inputs: Any, kwargs: dict[str, Any] | None = None, name: str | None = None
) -> Problem:
    """Turn `fn` (function of Tensors, Op, Op class or Module) and its inputs into a Problem in float64.

    Of the inputs, those that are floating-point are differentiated, or only those Tensors that require a
    gradient if any does; of a Module also every parameter that requires one.  Raises ArgumentError if nothing
    is left to differentiate.
    """
    numbers = isinstance(inputs, list) and all(isinstance(value, (int, float)) for value in inputs)
    given = list(inputs) if isinstance(inputs, (tuple, list)) and not numbers else [inputs]
    tensors = [value if isinstance(value, Tensor) else Tensor(value) for value in given]
    some = any(t.requires_grad for t in tensors)
    chosen = [i for i, t in enumerate(tensors) if t.dtype.kind == "f" and (t.requires_grad or not some)]
    arrays, labels = [host(tensors[i]) for i in chosen], [f"argument {i}" for i in chosen]
    if hasattr(fn, "named_parameters"):
        wanted = [(label, p) for label, p in fn.named_parameters() if p.requires_grad]
        arrays += [host(p) for _, p in wanted]
        labels += [f"parameter {label}" for label, _ in wanted]
    if not arrays:
        raise ArgumentError(
            "gradcheck: nothing to differentiate: expected at least one floating-point input (integers are "
            "constants), or a Module with parameters"
        )
    device = tensors[chosen[0]].device if chosen else backend.current().name
    build = _build(fn, tensors, chosen, kwargs or {}, device)
    return Problem(name or _name_of(fn), build, arrays, labels, device)


def _build(fn: Any, tensors: list[Tensor], chosen: list[int], kwargs: dict[str, Any], device: str) -> Build:
    constants = [_double(t) for t in tensors]

    def build(arrays: Arrays, record: bool) -> tuple[list[Tensor], list[Tensor]]:
        leaves = [Tensor(backend.to_device(array, device), requires_grad=record) for array in arrays]
        call, inputs = fn, list(constants)
        for i, leaf in zip(chosen, leaves, strict=False):
            inputs[i] = leaf
        if isinstance(fn, type) and issubclass(fn, Op):
            call = fn()
        elif isinstance(fn, Op):
            call = copy.copy(fn)
        elif hasattr(fn, "named_parameters"):
            call = _twin(fn, leaves, len(chosen))
        result = call(*inputs, **kwargs)
        results = list(result) if isinstance(result, (tuple, list)) else [result]
        for one in results:
            if not isinstance(one, Tensor):
                given = type(one).__name__
                raise TypeError(f"the function returned {given}, expected a Tensor, or a tuple of them")
            if isinstance(one.array, Tensor):
                raise TypeError("an Op's forward returned a Tensor, expected an array")
        return leaves, [r for r in results if r.dtype.kind == "f"]

    return build


def _twin(module: Any, leaves: list[Tensor], first: int) -> Any:
    """A float64 copy of a Module with the values of `leaves[first:]`; its parameters take their places.

    A fresh copy for every call: running statistics, drawn masks and power iterations start from the same
    state each time, and the caller's module stays as it is.
    """
    twin = copy.deepcopy(module)
    position = first
    for _, parameter in twin.named_parameters():
        if parameter.requires_grad:
            parameter.array = leaves[position].array
            parameter.requires_grad = leaves[position].requires_grad
            leaves[position] = parameter
            position += 1
        else:
            parameter.array = parameter.array.astype(np.float64)
    for _, buffer in getattr(twin, "named_buffers", lambda: ())():
        if isinstance(buffer, Tensor) and buffer.dtype.kind == "f":
            buffer.array = buffer.array.astype(np.float64)
    return twin


def _double(tensor: Tensor) -> Tensor:
    return Tensor(tensor.array.astype(np.float64) if tensor.dtype.kind == "f" else tensor.array)


def _name_of(fn: Any) -> str:
    name = getattr(fn, "__name__", type(fn).__name__)
    return "function" if name == "<lambda>" else name


def host(tensor: Tensor) -> np.ndarray:
    """The value as a float64 host array (integers and booleans stay what they are)."""
    array = backend.to_host(tensor.array)
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def flat(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """All arrays end to end in one vector."""
    return np.concatenate([np.ravel(array) for array in arrays]) if arrays else np.zeros(0)


def unflatten(vector: np.ndarray, shapes: Sequence[tuple[int, ...]]) -> Arrays:
    """The opposite of `flat`: fresh arrays of these shapes."""
    parts, begin = [], 0
    for shape in shapes:
        size = int(np.prod(shape))
        parts.append(vector[begin : begin + size].reshape(shape).copy())
        begin += size
    return parts
