"""Writing by index: where `select.gather` and `select.index_select` read, numbers are put or added.

Where an index comes twice, added values add up; of put values the last stays (PyTorch leaves that open).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan import backend
from minigan.backend import namespace
from minigan.errors import ArgumentError, ShapeError
from minigan.ops.broadcast import broadcast_to
from minigan.ops.creation import randint
from minigan.ops.inplace import SetItem, in_place
from minigan.ops.operands import as_tensor, one_axis
from minigan.ops.select import along, whole
from minigan.ops.shape import Scatter, getitem
from minigan.tensor import Tensor


def _put(x: Tensor, place: Any, value: Any) -> Tensor:
    value = as_tensor(value, like=x)
    return SetItem(place)(x, value if value.dtype == x.dtype else value.astype(x.dtype))


def _cut(src: Any, shape: tuple[int, ...], x: Tensor) -> Tensor:
    """The part of ``src`` that an index of a shape reads; a number for every place."""
    if not isinstance(src, Tensor):
        return broadcast_to(as_tensor(src, like=x), shape)
    if src.ndim != len(shape) or any(n > m for n, m in zip(shape, src.shape, strict=True)):
        raise ShapeError(f"scatter: an index of shape {shape} does not fit a source of shape {src.shape}")
    return src if src.shape == shape else getitem(src, tuple(slice(n) for n in shape))


def scatter(
    x: Tensor, dim: int, index: Tensor, src: Any = None, value: Any = None, *, reduce: Any = None
) -> Tensor:
    """Return x with ``src`` (or the number ``value``) put at index[.., i, ..] along ``dim``.

    ``reduce="add"`` adds instead.  gx is 0 where something was put, gsrc reads g at the index.
    """
    src = value if src is None else src
    if reduce not in (None, "add"):
        raise ArgumentError(f"scatter: expected reduce None or 'add', got {reduce!r}")
    if reduce == "add":
        return scatter_add(x, dim, index, src)
    place = along(x, dim, index, "scatter")
    return _put(x, place, _cut(src, index.shape, x))


def scatter_add(x: Tensor, dim: int, index: Tensor, src: Any) -> Tensor:
    """Return x with ``src`` added at index[.., i, ..] along ``dim``.  gx = g, gsrc reads g at the index."""
    place = along(x, dim, index, "scatter_add")
    return x + Scatter(place, x.shape)(_cut(src, index.shape, x))


def _slices(x: Tensor, dim: int, index: Tensor, where: str) -> tuple[Any, ...]:
    return (slice(None),) * one_axis(dim, x.ndim, where) + (whole(index, where),)


def index_add(x: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """Return x with slices ``source`` times alpha added along ``dim`` where ``index`` (n,) says."""
    return x + Scatter(_slices(x, dim, index, "index_add"), x.shape)(source * alpha)


def index_copy(x: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """Return x with slices ``source`` put along ``dim`` where ``index`` (n,) says."""
    return _put(x, _slices(x, dim, index, "index_copy"), source)


def index_fill(x: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """Return x with one number in the slices along ``dim`` that ``index`` (n,) names."""
    return _put(x, _slices(x, dim, index, "index_fill"), value)


def masked_scatter(x: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """Return x with the first elements of ``source``, in their order, where the boolean ``mask`` holds."""
    wide = namespace(x.array).broadcast_to(mask.array, x.shape)
    return _put(x, wide, getitem(source.reshape(-1), slice(int(wide.sum()))))


def fill_diagonal_(x: Tensor, fill_value: float) -> Tensor:
    """Overwrite the diagonal of a matrix with one number."""
    places = np.arange(min(x.shape))
    x[places, places] = fill_value
    return x


def random_(x: Tensor, start: int = 0, to: int | None = None, *, generator: Any = None) -> Tensor:
    """Overwrite with whole numbers from [start, to), or from [0, start) where it is alone."""
    low, high = (0, start) if to is None else (start, to)
    return x.copy_(backend.to_host(randint(low, high, x.shape, generator=generator).array))


scatter_ = in_place("scatter_", scatter)
scatter_add_ = in_place("scatter_add_", scatter_add)
index_add_ = in_place("index_add_", index_add)
index_copy_ = in_place("index_copy_", index_copy)
index_fill_ = in_place("index_fill_", index_fill)
masked_scatter_ = in_place("masked_scatter_", masked_scatter)
