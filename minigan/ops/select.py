"""Picking and rearranging elements under PyTorch's names: thin over indexing, reshaping and broadcasting."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from minigan.backend import namespace
from minigan.errors import ArgumentError, DTypeError, ShapeError
from minigan.ops.broadcast import broadcast_to
from minigan.ops.choice import where
from minigan.ops.operands import normalize_axes, one_axis, takes_dim, whole_numbers
from minigan.ops.shape import concatenate, getitem, permute, reshape
from minigan.tensor import Tensor


def view(x: Tensor, *shape: Any) -> Tensor:
    """Return x with other sizes, as `reshape`; ``view(dtype)`` is refused."""
    if (
        len(shape) == 1
        and not isinstance(shape[0], (int, tuple, list))
        and not hasattr(shape[0], "__index__")
    ):
        raise ArgumentError("view: expected sizes; to change the dtype use .to(dtype)")
    return reshape(x, *shape)


def view_as(x: Tensor, other: Tensor) -> Tensor:
    """Return x with the sizes of ``other``."""
    return reshape(x, other.shape)


@takes_dim
def squeeze(x: Tensor, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """Return x without its axes of size 1, or without those of ``axis`` that are."""
    axes = normalize_axes(axis, x.ndim, "squeeze")
    return reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in axes or n != 1))


@takes_dim
def unsqueeze(x: Tensor, axis: int) -> Tensor:
    """Return x with a new axis of size 1 at place ``axis``."""
    place = one_axis(axis, x.ndim + 1, "unsqueeze")
    return reshape(x, (*x.shape[:place], 1, *x.shape[place:]))


def expand(x: Tensor, *sizes: Any) -> Tensor:
    """Return x with axes of size 1 repeated to ``sizes``, without a copy; -1 leaves a size as it is."""
    wanted = whole_numbers(*sizes)
    own = (1,) * (len(wanted) - x.ndim) + x.shape
    if len(own) != len(wanted):
        raise ShapeError(f"expand: {len(wanted)} sizes for {x.ndim} axes of shape {x.shape}")
    return broadcast_to(x, tuple(n if size == -1 else size for n, size in zip(own, wanted, strict=True)))


def expand_as(x: Tensor, other: Tensor) -> Tensor:
    """Return x expanded to the sizes of ``other``."""
    return broadcast_to(x, other.shape)


def repeat(x: Tensor, *sizes: Any) -> Tensor:
    """Return x laid out ``sizes[i]`` times along axis i (as NumPy's tile)."""
    times = whole_numbers(*sizes)
    if len(times) < x.ndim:
        raise ShapeError(f"repeat: expected at least {x.ndim} numbers for shape {x.shape}, got {times}")
    own = (1,) * (len(times) - x.ndim) + x.shape
    apart = [n for size in own for n in (1, size)]
    spread = [n for pair in zip(times, own, strict=True) for n in pair]
    whole = tuple(t * n for t, n in zip(times, own, strict=True))
    return reshape(broadcast_to(reshape(x, tuple(apart)), tuple(spread)), whole)


@takes_dim
def repeat_interleave(x: Tensor, repeats: int, axis: int) -> Tensor:
    """Return each element along ``axis`` repeated in its place."""
    place = one_axis(axis, x.ndim, "repeat_interleave")
    wide = broadcast_to(unsqueeze(x, place + 1), (*x.shape[: place + 1], repeats, *x.shape[place + 1 :]))
    return reshape(wide, (*x.shape[:place], x.shape[place] * repeats, *x.shape[place + 1 :]))


@takes_dim
def split(x: Tensor, split_size_or_sections: int | Sequence[int], axis: int = 0) -> tuple[Tensor, ...]:
    """Return x cut along ``axis`` into pieces of one size (the last may be shorter) or of the given sizes."""
    place = one_axis(axis, x.ndim, "split")
    n = x.shape[place]
    if isinstance(split_size_or_sections, int):
        size = split_size_or_sections
        if size < 1:
            raise ArgumentError(f"split: expected a size of at least 1, got {size}")
        sizes = [min(size, n - start) for start in range(0, n, size)] or [0]
    else:
        sizes = list(split_size_or_sections)
        if sum(sizes) != n:
            raise ShapeError(f"split: sizes {sizes} do not add up to {n}, axis {axis} of shape {x.shape}")
    pieces, start = [], 0
    for size in sizes:
        pieces.append(getitem(x, (slice(None),) * place + (slice(start, start + size),)))
        start += size
    return tuple(pieces)


@takes_dim
def chunk(x: Tensor, chunks: int, axis: int = 0) -> tuple[Tensor, ...]:
    """Return x cut along ``axis`` into at most ``chunks`` pieces of one size, the last perhaps shorter."""
    if chunks < 1:
        raise ArgumentError(f"chunk: expected at least 1 chunk, got {chunks}")
    place = one_axis(axis, x.ndim, "chunk")
    return split(x, max(1, -(-x.shape[place] // chunks)), place)


@takes_dim
def unbind(x: Tensor, axis: int = 0) -> tuple[Tensor, ...]:
    """Return the slices of x along ``axis``, without that axis."""
    place = one_axis(axis, x.ndim, "unbind")
    return tuple(getitem(x, (slice(None),) * place + (i,)) for i in range(x.shape[place]))


def whole(index: Any, where_: str) -> Any:
    """Return an index of whole numbers as a raw array."""
    array = index.array if isinstance(index, Tensor) else index
    if array.dtype.kind not in "iu":
        raise DTypeError(f"{where_}: expected whole numbers for indices, got {array.dtype}")
    return array


def along(x: Tensor, axis: int, index: Tensor, where_: str) -> tuple[Any, ...]:
    """Return the places x[.., index[.., i, ..], ..] of all elements of ``index``, as an index of x."""
    place, array = one_axis(axis, x.ndim, where_), whole(index, where_)
    if array.ndim != x.ndim:
        raise ShapeError(f"{where_}: expected an index of {x.ndim} axes, got shape {array.shape}")
    if array.size and not 0 <= array.min().item() <= array.max().item() < x.shape[place]:
        raise ShapeError(f"{where_}: indices must lie in [0, {x.shape[place]}) for axis {axis} of {x.shape}")
    xp = namespace(x.array)
    grids = [
        array if i == place else xp.arange(n).reshape([-1 if k == i else 1 for k in range(x.ndim)])
        for i, n in enumerate(array.shape)
    ]
    return tuple(xp.broadcast_to(grid, array.shape) for grid in grids)


@takes_dim
def gather(x: Tensor, axis: int, index: Tensor) -> Tensor:
    """Return x[.., index[.., i, ..], ..]: for every place of ``index`` the element of x along ``axis``."""
    return getitem(x, along(x, axis, index, "gather"))


@takes_dim
def index_select(x: Tensor, axis: int, index: Tensor) -> Tensor:
    """Return the slices of x along ``axis`` that ``index`` (n,) names, in its order."""
    place = one_axis(axis, x.ndim, "index_select")
    return getitem(x, (slice(None),) * place + (whole(index, "index_select"),))


def masked_fill(x: Tensor, mask: Tensor, value: Any) -> Tensor:
    """Return x with ``value`` where the boolean ``mask``, which broadcasts to x, holds."""
    return where(mask, value if isinstance(value, Tensor) else float(value), x)


def masked_select(x: Tensor, mask: Tensor) -> Tensor:
    """Return the elements of x where the boolean ``mask`` holds, (count,)."""
    wide = namespace(x.array).broadcast_to(mask.array, x.shape)
    return getitem(x, wide)


def roll(x: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor:
    """Return x moved by ``shifts`` along ``dims`` (flattened where None); what leaves comes in again."""
    if dims is None:
        return reshape(roll(reshape(x, -1), shifts, 0), x.shape)
    pairs = zip(whole_numbers(shifts), whole_numbers(dims), strict=True)
    for shift, axis in pairs:
        place = one_axis(axis, x.ndim, "roll")
        n = x.shape[place]
        cut = (n - shift % n) % n if n else 0
        before = (slice(None),) * place
        x = concatenate(
            [getitem(x, (*before, slice(cut, None))), getitem(x, (*before, slice(0, cut)))], place
        )
    return x


def _triangle(x: Tensor, keep: Any) -> Tensor:
    xp = namespace(x.array)
    return where(xp.broadcast_to(keep, x.shape), x, 0.0 if x.dtype.kind == "f" else 0)


def tril(x: Tensor, diagonal: int = 0) -> Tensor:
    """Return the lower triangles of the matrices in the last two axes, 0 above."""
    return _triangle(x, namespace(x.array).tri(*x.shape[-2:], diagonal, dtype=bool))


def triu(x: Tensor, diagonal: int = 0) -> Tensor:
    """Return the upper triangles of the matrices in the last two axes, 0 below."""
    return _triangle(x, ~namespace(x.array).tri(*x.shape[-2:], diagonal - 1, dtype=bool))


def movedim(x: Tensor, source: int, destination: int) -> Tensor:
    """Return x with one axis moved to another place."""
    a, b = one_axis(source, x.ndim, "movedim"), one_axis(destination, x.ndim, "movedim")
    order = [i for i in range(x.ndim) if i != a]
    order.insert(b, a)
    return permute(x, *order)


def t(x: Tensor) -> Tensor:
    """Return a matrix transposed; vectors and numbers as they are."""
    if x.ndim > 2:
        raise ShapeError(f"t: expected at most 2 axes, got shape {x.shape}; use .mT or .permute")
    return permute(x, *reversed(range(x.ndim))) if x.ndim == 2 else x


def numel(x: Tensor) -> int:
    """Return the number of elements."""
    return prod(x.shape)


def select(x: Tensor, dim: int, index: int) -> Tensor:
    """Return the slice of x at one place of an axis, without that axis."""
    return getitem(x, (slice(None),) * one_axis(dim, x.ndim, "select") + (index,))


def narrow(x: Tensor, dim: int, start: int, length: int) -> Tensor:
    """Return ``length`` slices of x along an axis from ``start`` on."""
    place = one_axis(dim, x.ndim, "narrow")
    start = start + x.shape[place] if start < 0 else start
    if not 0 <= start <= start + length <= x.shape[place]:
        raise ArgumentError(f"narrow: {start} to {start + length} leaves axis {dim} of shape {x.shape}")
    return getitem(x, (slice(None),) * place + (slice(start, start + length),))


def take(x: Tensor, index: Tensor) -> Tensor:
    """Return the elements of x, counted in row-major order, that ``index`` (any shape) names."""
    return getitem(reshape(x, -1), whole(index, "take"))


@takes_dim
def take_along_dim(x: Tensor, index: Tensor, axis: int | None = None) -> Tensor:
    """Return `gather` with all other axes broadcast; without an axis, `take`."""
    return take(x, index) if axis is None else gather(x, axis, index)


def tile(x: Tensor, *dims: Any) -> Tensor:
    """Return x laid out ``dims[i]`` times along axis i, counted from the last axis back."""
    times = whole_numbers(*dims)
    return repeat(x, (1,) * (x.ndim - len(times)) + times)


def ravel(x: Tensor) -> Tensor:
    """Return all elements in a row."""
    return reshape(x, -1)


def reshape_as(x: Tensor, other: Tensor) -> Tensor:
    """Return x with the sizes of ``other``."""
    return reshape(x, other.shape)


@takes_dim
def unflatten(x: Tensor, axis: int, sizes: Sequence[int]) -> Tensor:
    """Return x with one axis spread over several, of which one size may be -1."""
    place = one_axis(axis, x.ndim, "unflatten")
    known = prod(n for n in sizes if n != -1)
    spread = tuple(x.shape[place] // known if n == -1 and known else n for n in sizes)
    if prod(spread) != x.shape[place]:
        raise ShapeError(
            f"unflatten: sizes {tuple(sizes)} do not make up {x.shape[place]}, axis {axis} of {x.shape}"
        )
    return reshape(x, (*x.shape[:place], *spread, *x.shape[place + 1 :]))


@takes_dim
def tensor_split(x: Tensor, indices_or_sections: Any, axis: int = 0) -> tuple[Tensor, ...]:
    """Return x cut along ``axis`` before the given places, or into so many pieces of nearly one size."""
    n = x.shape[one_axis(axis, x.ndim, "tensor_split")]
    if isinstance(indices_or_sections, int):
        least, more = divmod(n, indices_or_sections)
        return split(x, [least + (i < more) for i in range(indices_or_sections)], axis)
    places = [0, *(min(max(k + n if k < 0 else k, 0), n) for k in indices_or_sections), n]
    return split(x, [b - a for a, b in zip(places, places[1:], strict=False)], axis)


def unfold(x: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Return the windows of ``size`` along an axis, each ``step`` further, in a new last axis."""
    place = one_axis(dimension, x.ndim, "unfold")
    if not 0 < size <= x.shape[place] or step < 1:
        raise ArgumentError(
            f"unfold: no windows of {size} every {step} along axis {dimension} of shape {x.shape}"
        )
    starts = namespace(x.array).arange(0, x.shape[place] - size + 1, step)
    windows = getitem(x, (slice(None),) * place + (starts[:, None] + namespace(x.array).arange(size),))
    return movedim(windows, place + 1, -1)
