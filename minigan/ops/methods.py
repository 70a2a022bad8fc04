"""The one table that installs operators and methods on Tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minigan import autograd
from minigan.ops import activation, arithmetic, broadcast, elementwise, linalg, reduce, shape
from minigan.tensor import Op, Tensor


def _compare(function: Callable[[Any, Any], Any]) -> Callable[[Tensor, Any], Tensor]:
    def compare(x: Tensor, y: Any) -> Tensor:
        return Tensor._wrap(
            np.asarray(result) if isinstance(result := function(x.data, _raw(y)), np.generic) else result
        )

    return compare


def _raw(value: Any) -> Any:
    return value.data if isinstance(value, Tensor) else value


def _rows(x: Tensor) -> Iterator[Tensor]:
    return (shape.getitem(x, i) for i in range(len(x)))


OPERATORS: dict[str, Callable[..., Any]] = {
    "__add__": arithmetic.add,
    "__radd__": lambda x, y: arithmetic.add(y, x),
    "__sub__": arithmetic.sub,
    "__rsub__": lambda x, y: arithmetic.sub(y, x),
    "__mul__": arithmetic.mul,
    "__rmul__": lambda x, y: arithmetic.mul(y, x),
    "__truediv__": arithmetic.div,
    "__rtruediv__": lambda x, y: arithmetic.div(y, x),
    "__pow__": elementwise.pow,
    "__matmul__": linalg.matmul,
    "__neg__": arithmetic.neg,
    "__abs__": elementwise.abs,
    "__getitem__": shape.getitem,
    "__iter__": _rows,
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

# What `Op.__call__` runs in memory order on a GPU: functions of one element that keep no arrays of their own.
_ARITHMETIC = "Add Sub Mul Div AddScalar MulScalar PowScalar Neg"
_ELEMENTWISE = "Pow Exp Log Sqrt Abs Clip Maximum Minimum AsType"
_ACTIVATIONS = "Relu LeakyRelu Elu Sigmoid Tanh Softplus NormalCdf"
for _module, _names in ((arithmetic, _ARITHMETIC), (elementwise, _ELEMENTWISE), (activation, _ACTIVATIONS)):
    for _name in _names.split():
        _op: type[Op] = getattr(_module, _name)
        _op.elementwise = True
