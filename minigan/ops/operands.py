"""What callers may pass: numbers, arrays and axes, turned into what the operations expect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from operator import index
from typing import Any, TypeVar

import numpy as np

from minigan import backend
from minigan.backend import Array
from minigan.errors import ArgumentError, DTypeError, ShapeError
from minigan.tensor import Op, Tensor

R = TypeVar("R")
NUMBERS = (int, float, np.number)


def is_number(value: Any) -> bool:
    """Return whether ``value`` is a Python or NumPy number (which never changes a dtype)."""
    return isinstance(value, NUMBERS)


def number(value: Any, name: str, where: str) -> float:
    """Return a setting as a float; ArgumentError for what is no number."""
    if isinstance(value, bool) or not is_number(value):
        raise ArgumentError(f"{where}: {name} must be a number, got {value!r}")
    return float(value)


def as_tensor(value: Any, like: Tensor | None = None) -> Tensor:
    """Return ``value`` as a Tensor; other than a Tensor it takes ``like``'s dtype and device."""
    if isinstance(value, Tensor):
        return value
    return _alone(value) if like is None else Tensor._wrap(_constant(value, like))


def _alone(value: Any) -> Tensor:
    """Numbers by their own type: whole ones int64, fractions the default dtype."""
    if isinstance(value, (bool, int, list, tuple)):
        array = np.asarray(value)
        return Tensor(array if array.dtype != np.float64 else array.astype(backend.get_default_dtype()))
    return Tensor(value)


def _constant(value: Any, like: Tensor) -> Array:
    if isinstance(value, (bool, int, float, np.generic, list, tuple)):
        return backend.of(like._data).from_host(np.asarray(value, dtype=like.dtype))
    try:
        array = backend.to_device(value, like.device)
    except TypeError:
        raise DTypeError(f"expected a tensor, an array or numbers, got {type(value).__name__}") from None
    if array.dtype.kind not in "fbiu":
        raise DTypeError(f"expected a tensor, an array or numbers, got dtype {array.dtype}")
    return array.astype(like.dtype) if array.dtype.kind in "biu" else array


class AsType(Op):
    """y = x in another floating-point type;  gx = g in x's type."""

    exact = True

    def __init__(self, dtype: Any, source: Any):
        self.dtype, self.source = dtype, source

    def forward(self, x: Array) -> Array:
        return x.astype(self.dtype)

    def backward(self, g: Tensor) -> Tensor:
        return AsType(self.source, self.dtype)(g)


def astype(x: Tensor, dtype: Any) -> Tensor:
    """Return x in another dtype.  A float result carries the gradient back; others are constants."""
    target = np.dtype(dtype)
    if target == x.dtype:
        return x
    if target.kind != "f" or x.dtype.kind != "f":
        return Tensor._wrap(x.array.astype(target))
    return AsType(target, x.dtype)(x)


def floating(x: Tensor) -> Tensor:
    """Return x itself, or whole numbers and truth values in the default dtype, as constants."""
    return x if x.dtype.kind == "f" else astype(x, backend.get_default_dtype())


def operands(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Return both as tensors: what is none (an array, a list, a number) joins the other's device."""
    if not isinstance(x, Tensor):
        x = as_tensor(x, like=y if isinstance(y, Tensor) else None)
    return x, y if isinstance(y, Tensor) else as_tensor(y, like=x)


def common_dtype(x: Tensor, y: Tensor) -> np.dtype:
    """Return the dtype of a result of both, by PyTorch's rule.

    Floats win over integers and integers over bools; within a kind the wider one, but a tensor without axes
    counts only where its kind is higher.
    """
    ranks = [("b", "i", "f").index(t.dtype.kind.replace("u", "i")) for t in (x, y)]
    if ranks[0] != ranks[1]:
        return (x if ranks[0] > ranks[1] else y).dtype
    if (x.ndim == 0) != (y.ndim == 0):
        return (x if x.ndim else y).dtype
    return np.result_type(x.dtype, y.dtype)


def pair(x: Any, y: Any, where: str) -> tuple[Tensor, Tensor]:
    """Two tensors of one dtype (see `common_dtype`) whose shapes broadcast."""
    if not (isinstance(x, Tensor) and isinstance(y, Tensor)):
        x, y = operands(x, y)
    a, b = x._data, y._data
    if a.shape != b.shape:
        broadcast_shapes(a.shape, b.shape, where)
    if a.dtype is not b.dtype and a.dtype != b.dtype:
        dtype = common_dtype(x, y)
        x, y = astype(x, dtype), astype(y, dtype)
    return x, y


def takes_dim(function: Callable[..., R]) -> Callable[..., R]:
    """Decorator: let PyTorch's ``dim`` and ``keepdim`` stand for ``axis`` and ``keepdims``."""

    @wraps(function)
    def named(*args: Any, **kwargs: Any) -> Any:
        for theirs, ours in (("dim", "axis"), ("keepdim", "keepdims")) if kwargs else ():
            if theirs in kwargs:
                if ours in kwargs:
                    raise TypeError(f"{function.__name__}: got both {theirs} and {ours}")
                kwargs[ours] = kwargs.pop(theirs)
        return function(*args, **kwargs)

    return named


def promote_types(type1: Any, type2: Any) -> np.dtype:
    """Return the dtype of a result of tensors of two dtypes; see `common_dtype`."""
    one, two = (Tensor._wrap(np.empty(1, dtype)) for dtype in (type1, type2))
    return common_dtype(one, two)


def is_floating_point(input: Tensor) -> bool:
    """Return whether a tensor holds floating-point numbers."""
    return input.dtype.kind == "f"


def broadcast_shapes(
    a: tuple[int, ...], b: tuple[int, ...], where: str = "broadcast_shapes"
) -> tuple[int, ...]:
    """Return the common shape of two operands; ShapeError naming ``where`` if there is none."""
    n = max(len(a), len(b))
    sizes = list(zip((1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b, strict=True))
    if any(p != q and p != 1 and q != 1 for p, q in sizes):
        raise ShapeError(
            f"{where}: shapes {a} and {b} do not broadcast; sizes must be equal or 1, from the last axis back"
        )
    return tuple(q if p == 1 else p for p, q in sizes)


def whole_numbers(*values: Any) -> tuple[int, ...]:
    """Return sizes or axes, given one by one or as one sequence, as Python integers; TypeError for others."""
    one = values[0] if len(values) == 1 else values
    return tuple(map(index, one)) if isinstance(one, (tuple, list)) else (index(one),)


def normalize_axes(axis: int | Sequence[int] | None, ndim: int, where: str) -> tuple[int, ...]:
    """Return axes as sorted non-negative integers (None: all); ShapeError if out of range or repeated."""
    if axis is None:
        return tuple(range(ndim))
    try:
        axes = whole_numbers(axis)
    except TypeError:
        raise ShapeError(f"{where}: expected an axis (an integer) or a tuple of them, got {axis!r}") from None
    if any(not -ndim <= a < ndim for a in axes):
        raise ShapeError(f"{where}: axis {axis} is out of range for {ndim} axes")
    found = tuple(sorted(a % ndim for a in axes))
    if len(set(found)) != len(found):
        raise ShapeError(f"{where}: axis {axis} names an axis twice")
    return found


def one_axis(axis: int, ndim: int, where: str) -> int:
    """Return one axis as a non-negative integer; ArgumentError for what is no integer."""
    if not isinstance(axis, (int, np.integer)) or isinstance(axis, bool):
        raise ArgumentError(f"{where}: axis must be one integer, got {axis!r}")
    return normalize_axes(axis, ndim, where)[0]
