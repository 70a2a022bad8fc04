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


def _whole(index: Any, where_: str) -> Any:
    array = index.array if isinstance(index, Tensor) else index
    if array.dtype.kind not in "iu":
        raise DTypeError(f"{where_}: expected whole numbers for indices, got {array.dtype}")
    return array


@takes_dim
def gather(x: Tensor, axis: int, index: Tensor) -> Tensor:
    """Return x[.., index[.., i, ..], ..]: for every place of ``index`` the element of x along ``axis``."""
    place, array = one_axis(axis, x.ndim, "gather"), _whole(index, "gather")
    if array.ndim != x.ndim:
        raise ShapeError(f"gather: expected an index of {x.ndim} axes, got shape {array.shape}")
    if array.size and not 0 <= array.min().item() <= array.max().item() < x.shape[place]:
        raise ShapeError(f"gather: indices must lie in [0, {x.shape[place]}) for axis {axis} of {x.shape}")
    xp = namespace(x.array)
    grids = [
        array if i == place else xp.arange(n).reshape([-1 if k == i else 1 for k in range(x.ndim)])
        for i, n in enumerate(array.shape)
    ]
    return getitem(x, tuple(xp.broadcast_to(grid, array.shape) for grid in grids))


@takes_dim
def index_select(x: Tensor, axis: int, index: Tensor) -> Tensor:
    """Return the slices of x along ``axis`` that ``index`` (n,) names, in its order."""
    place = one_axis(axis, x.ndim, "index_select")
    return getitem(x, (slice(None),) * place + (_whole(index, "index_select"),))


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
