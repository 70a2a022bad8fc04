"""Computation graphs as data, so that the engine can be held against plain NumPy.

A `Graph` is a list of steps, each naming an operation and the earlier values it reads; values are used once,
many times or never.  `evaluate(graph, inputs)` runs it on Tensors.  `complex_gradient` runs it on complex
NumPy arrays, where the derivative of an analytic function is Im f(x + ih) / h for h = 1e-20, exact to the
last digit (Squire and Trapp, "Using complex variables to estimate derivatives of real functions", SIAM
Review 40, 1998). A value that is detached, or computed inside `no_grad`, is a constant to the derivative:
its imaginary part is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan import ops
from minigan.modes import no_grad
from minigan.tensor import Tensor

TINY = 1e-20


@dataclass(frozen=True)
class Step:
    """`operation` (a key of `OPERATIONS`) on the values `reads`, with one setting; perhaps inside no_grad."""

    operation: str
    reads: tuple[int, ...]
    setting: Any = None
    constant: bool = False


@dataclass(frozen=True)
class Graph:
    """Input shapes and steps; value i is input i, or the result of step i - len(inputs)."""

    inputs: tuple[tuple[int, ...], ...]
    steps: tuple[Step, ...]


# Each operation twice: on Tensors, and in NumPy for complex arrays.
OPERATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "add": (lambda x, y, _: x + y, lambda x, y, _: x + y),
    "sub": (lambda x, y, _: x - y, lambda x, y, _: x - y),
    "mul": (lambda x, y, _: x * y, lambda x, y, _: x * y),
    "div": (lambda x, y, _: x / (y * y + 1.0), lambda x, y, _: x / (y * y + 1.0)),
    "matmul": (lambda x, y, _: ops.matmul(x, ops.transpose(y)), lambda x, y, _: x @ y.swapaxes(-1, -2)),
    "concatenate": (lambda x, y, _: ops.concatenate([x, y], 0), lambda x, y, _: np.concatenate([x, y], 0)),
    "scale": (lambda x, c: x * c, lambda x, c: x * c),
    "neg": (lambda x, _: -x, lambda x, _: -x),
    "square": (lambda x, _: x**2, lambda x, _: x * x),
    "bell": (lambda x, _: ops.exp(-(x * x)), lambda x, _: np.exp(-x * x)),
    "root": (lambda x, _: ops.sqrt(x * x + 1.0), lambda x, _: (x * x + 1.0) ** 0.5),
    "log": (lambda x, _: ops.log(x * x + 1.0), lambda x, _: np.log(x * x + 1.0)),
    "sum": (lambda x, s: ops.sum(x, *s), lambda x, s: x.sum(axis=s[0], keepdims=s[1])),
    "mean": (lambda x, s: ops.mean(x, *s), lambda x, s: x.mean(axis=s[0], keepdims=s[1])),
    "flatten": (lambda x, _: ops.reshape(x, -1), lambda x, _: x.reshape(-1)),
    "transpose": (lambda x, _: ops.transpose(x), lambda x, _: x.swapaxes(-1, -2)),
    "flip": (lambda x, a: ops.flip(x, a), lambda x, a: np.flip(x, a)),
    "take": (lambda x, i: x[i], lambda x, i: x[i]),
    "pad": (lambda x, w: ops.pad(x, w), lambda x, w: np.pad(x, [(0, 0)] * (x.ndim - 1) + [w])),
    "broadcast": (
        lambda x, n: ops.broadcast_to(x, (n, *x.shape)),
        lambda x, n: np.broadcast_to(x, (n, *x.shape)),
    ),
    "detach": (lambda x, _: x.detach(), lambda x, _: x),
}


def evaluate(graph: Graph, inputs: Sequence[Tensor]) -> Tensor:
    """Run the graph on Tensors; the result is that of the last step."""
    values = list(inputs)
    for step in graph.steps:
        function = OPERATIONS[step.operation][0]
        arguments = [values[i] for i in step.reads]
        if step.constant:
            with no_grad():
                values.append(function(*arguments, step.setting))
        else:
            values.append(function(*arguments, step.setting))
    return values[-1]


def constants_of(graph: Graph, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The values at this point that are constants to the derivative, in order of the steps."""
    return [value for step, value in zip(graph.steps, _run(graph, inputs, None), strict=True) if _cut(step)]


def _cut(step: Step) -> bool:
    return step.constant or step.operation == "detach"


def _run(
    graph: Graph, inputs: Sequence[np.ndarray], constants: Sequence[np.ndarray] | None
) -> list[np.ndarray]:
    """Values of all steps in NumPy; where a step is cut its value is the next of `constants`, if given."""
    values, stored = list(inputs), iter(constants or ())
    for step in graph.steps:
        value = OPERATIONS[step.operation][1](*(values[i] for i in step.reads), step.setting)
        if _cut(step):
            value = np.real(value) if constants is None else next(stored)
        values.append(value)
    return values[len(inputs) :]


def complex_gradient(
    graph: Graph,
    inputs: Sequence[np.ndarray],
    weights: np.ndarray,
    constants: Sequence[np.ndarray] | None = None,
) -> list[np.ndarray]:
    """The gradient of sum(weights * result) for each input, entry by entry, exact to rounding.

    `constants` (of `constants_of`) holds the detached values at those of another point.
    """
    found = [np.zeros(array.shape) for array in inputs]
    for position, array in enumerate(inputs):
        for place in np.ndindex(*array.shape):
            moved = [np.array(a, complex) for a in inputs]
            moved[position][place] += 1j * TINY
            result = _run(graph, moved, constants)[-1]
            found[position][place] = np.sum(weights * np.imag(result)) / TINY
    return found
