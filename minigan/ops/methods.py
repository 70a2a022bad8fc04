"""The one table that installs operators and methods on Tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minigan import autograd
from minigan.errors import GraphError
from minigan.modes import is_grad_enabled
from minigan.ops import activation, arithmetic, broadcast, elementwise, linalg, reduce, shape
from minigan.tensor import Tensor


def _compare(function: Callable[[Any, Any], Any]) -> Callable[[Tensor, Any], Tensor]:
    def compare(x: Tensor, y: Any) -> Tensor:
        return Tensor._wrap(
            np.asarray(result) if isinstance(result := function(x.array, _raw(y)), np.generic) else result
        )

    return compare


def _raw(value: Any) -> Any:
    return value.array if isinstance(value, Tensor) else value


def _reversed(function: Callable[[Any, Any], Tensor]) -> Callable[[Tensor, Any], Tensor]:
    return lambda x, y: function(y, x)


def _as_numpy(value: Any) -> Any:
    """Replace every tensor inside an argument of a NumPy function by its numbers."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(_as_numpy, value)) if type(value) in (list, tuple) else value
    return to_array(value) if isinstance(value, Tensor) else value


def to_array(x: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    """Return what ``np.asarray(x)`` gives: the numbers, on the host (from a GPU always a copy).

    Raises GraphError where ``x`` records, as NumPy would lose its gradient without a word.
    """
    if x.requires_grad and is_grad_enabled():
        raise GraphError(
            "NumPy would lose this tensor's gradient: use minigan's functions, or x.detach() or x.numpy()"
        )
    return np.array(x.numpy(), dtype, copy=copy)


def call_numpy(x: Tensor, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
    """Run a NumPy function (np.mean, np.concatenate, ...) on the numbers; the result is NumPy's."""
    return function(*map(_as_numpy, args), **{name: _as_numpy(value) for name, value in kwargs.items()})


def _rows(x: Tensor) -> Iterator[Tensor]:
    return (shape.getitem(x, i) for i in range(len(x)))


OPERATORS: dict[str, Callable[..., Any]] = {
    "__add__": arithmetic.add,
    "__radd__": _reversed(arithmetic.add),
    "__sub__": arithmetic.sub,
    "__rsub__": _reversed(arithmetic.sub),
    "__mul__": arithmetic.mul,
    "__rmul__": _reversed(arithmetic.mul),
    "__truediv__": arithmetic.div,
    "__rtruediv__": _reversed(arithmetic.div),
    "__pow__": elementwise.pow,
    "__rpow__": _reversed(elementwise.pow),
    "__matmul__": linalg.matmul,
    "__rmatmul__": _reversed(linalg.matmul),
    "__neg__": arithmetic.neg,
    "__abs__": elementwise.abs,
    "__getitem__": shape.getitem,
    "__iter__": _rows,
    "__array__": to_array,
    "__array_function__": call_numpy,
    "__eq__": _compare(lambda x, y: x == y),
    "__ne__": _compare(lambda x, y: x != y),
    "__lt__": _compare(lambda x, y: x < y),
    "__le__": _compare(lambda x, y: x <= y),
    "__gt__": _compare(lambda x, y: x > y),
    "__ge__": _compare(lambda x, y: x >= y),
}

METHODS: dict[str, Callable[..., Any]] = {
    **{f.__name__: f for f in (shape.reshape, shape.permute, shape.transpose, shape.flatten, shape.flip)},
    **{f.__name__: f for f in (broadcast.broadcast_to, broadcast.sum)},
    **{f.__name__: f for f in (elementwise.exp, elementwise.log, elementwise.sqrt, elementwise.abs)},
    **{f.__name__: f for f in (elementwise.pow, elementwise.clip, elementwise.astype)},
    **{f.__name__: f for f in (reduce.mean, reduce.var, reduce.max, reduce.min, reduce.logsumexp)},
    **{f.__name__: f for f in (activation.relu, activation.leaky_relu, activation.sigmoid, activation.tanh)},
    **{f.__name__: f for f in (activation.softmax, activation.log_softmax)},
    "matmul": linalg.matmul,
    "backward": autograd.backward,
}


def install(table: dict[str, Callable[..., Any]]) -> None:
    """Make each function of the table a method of Tensor."""
    for name, function in table.items():
        setattr(Tensor, name, function)


install(OPERATORS)
install(METHODS)
