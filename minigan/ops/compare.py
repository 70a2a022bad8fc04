"""Questions about elements: comparisons, and which element is the largest.  Answers are constants.

Shape line of the comparisons: inputs of shapes that broadcast -> bool of the common shape.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minigan import backend
from minigan.backend import namespace
from minigan.errors import ArgumentError, ShapeError
from minigan.ops.operands import normalize_axes, one_axis, takes_dim
from minigan.ops.select import gather
from minigan.tensor import Tensor


class Extremes(NamedTuple):
    """Values along an axis, through which gradients flow, and where they were, int64."""

    values: Tensor
    indices: Tensor


def raw(value: Any) -> Any:
    """Return a tensor's array; anything else as it is."""
    return value._data if isinstance(value, Tensor) else value


def _constant(found: Any) -> Tensor:
    return Tensor._wrap(np.asarray(found) if isinstance(found, (np.generic, bool)) else found)


def _compared(name: str, sign: str, function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Tensor]:
    def compare(input: Any, other: Any) -> Tensor:
        left, right = raw(input), raw(other)
        try:
            return _constant(function(left, right))
        except ValueError:
            raise ShapeError(
                f"{name}: shapes {np.shape(left)} and {np.shape(right)} do not broadcast"
            ) from None

    compare.__name__ = compare.__qualname__ = name
    compare.__doc__ = f"Return input {sign} other, element by element, as bool."
    return compare


eq = _compared("eq", "==", lambda x, y: x == y)
ne = _compared("ne", "!=", lambda x, y: x != y)
lt = _compared("lt", "<", lambda x, y: x < y)
le = _compared("le", "<=", lambda x, y: x <= y)
gt = _compared("gt", ">", lambda x, y: x > y)
ge = _compared("ge", ">=", lambda x, y: x >= y)
bitwise_and = _compared("bitwise_and", "&", lambda x, y: x & y)
bitwise_or = _compared("bitwise_or", "|", lambda x, y: x | y)
bitwise_xor = _compared("bitwise_xor", "^", lambda x, y: x ^ y)
logical_and = _compared("logical_and", "and", lambda x, y: (x != 0) & (y != 0))
logical_or = _compared("logical_or", "or", lambda x, y: (x != 0) | (y != 0))
logical_xor = _compared("logical_xor", "xor", lambda x, y: (x != 0) ^ (y != 0))


def bitwise_not(input: Tensor) -> Tensor:
    """Return ~input, of bool or whole numbers."""
    return _constant(~raw(input))


def logical_not(input: Tensor) -> Tensor:
    """Return whether each element is 0."""
    return _constant(raw(input) == 0)


def isnan(input: Tensor) -> Tensor:
    """Return where elements are NaN."""
    return _constant(namespace(input.array).isnan(input.array))


def isinf(input: Tensor) -> Tensor:
    """Return where elements are infinite."""
    return _constant(namespace(input.array).isinf(input.array))


def isfinite(input: Tensor) -> Tensor:
    """Return where elements are neither NaN nor infinite."""
    return _constant(namespace(input.array).isfinite(input.array))


def equal(input: Tensor, other: Tensor) -> bool:
    """Return whether shapes and all elements are equal."""
    return input.shape == other.shape and bool((input.array == other.array).all())


def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Return whether |input - other| <= atol + rtol |other| everywhere."""
    return bool(
        np.allclose(backend.to_host(input.array), backend.to_host(other.array), rtol, atol, equal_nan)
    )


@takes_dim
def any(input: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return whether any element over ``axis`` is not 0."""
    return _constant(input.array.any(axis=normalize_axes(axis, input.ndim, "any"), keepdims=keepdims))


@takes_dim
def all(input: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return whether no element over ``axis`` is 0."""
    return _constant(input.array.all(axis=normalize_axes(axis, input.ndim, "all"), keepdims=keepdims))


def _arg(name: str, input: Tensor, axis: Any, keepdims: bool) -> Tensor:
    if axis is None:
        return _constant(getattr(input.array.reshape(-1), name)())
    place = one_axis(axis, input.ndim, name)
    found = getattr(input.array, name)(axis=place)
    return _constant(namespace(input.array).expand_dims(found, place) if keepdims else found)


@takes_dim
def argmax(input: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return where the largest element is over one axis, or in the flattened tensor: the first of equals."""
    return _arg("argmax", input, axis, keepdims)


@takes_dim
def argmin(input: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return where the smallest element is over one axis, or in the flattened tensor: the first of equals."""
    return _arg("argmin", input, axis, keepdims)


def extremes(name: str, input: Tensor, axis: int, keepdims: bool) -> Extremes:
    """Return values and indices along one axis; the gradient goes to the element at the index."""
    place = one_axis(axis, input.ndim, name)
    indices = _arg(f"arg{name}", input, place, True)
    values = gather(input, place, indices)
    if keepdims:
        return Extremes(values, indices)
    shape = input.shape[:place] + input.shape[place + 1 :]
    return Extremes(values.reshape(shape), _constant(indices.array.reshape(shape)))


@takes_dim
def sort(input: Tensor, axis: int = -1, descending: bool = False, *, stable: bool = True) -> Extremes:
    """Return values in order along one axis, and where they were; always stable."""
    place = one_axis(axis, input.ndim, "sort")
    keys = backend.to_host(input.array)
    if descending:  # stable the other way round: sort the reversed array, and reverse twice
        n = input.shape[place]
        order = n - 1 - np.flip(np.argsort(np.flip(keys, place), axis=place, kind="stable"), place)
    else:
        order = np.argsort(keys, axis=place, kind="stable")
    indices = _constant(backend.of(input.array).from_host(order))
    return Extremes(gather(input, place, indices), indices)


@takes_dim
def argsort(input: Tensor, axis: int = -1, descending: bool = False) -> Tensor:
    """Return the indices that sort along one axis."""
    return sort(input, axis, descending).indices


@takes_dim
def topk(input: Tensor, k: int, axis: int = -1, largest: bool = True) -> Extremes:
    """Return the k largest (or smallest) values along one axis in order, and where they were."""
    place = one_axis(axis, input.ndim, "topk")
    if not 0 <= k <= input.shape[place]:
        raise ArgumentError(f"topk: expected k from 0 to {input.shape[place]}, got {k}")
    found = sort(input, place, largest)
    cut = (slice(None),) * place + (slice(0, k),)
    return Extremes(found.values[cut], found.indices[cut])
