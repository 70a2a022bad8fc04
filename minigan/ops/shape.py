"""Operations that move elements without computing: reshape, permute, join, index, flip, pad.

Each is linear, so its derivative is its adjoint, and the adjoints close on themselves: indexing and
scattering are one pair, padding and folding another.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from minigan import backend
from minigan.backend import Array, namespace
from minigan.errors import ArgumentError, ShapeError
from minigan.ops.operands import as_tensor, normalize_axes, takes_dim, whole_numbers
from minigan.tensor import Op, Tensor


class Reshape(Op):
    """(any shape) -> (shape).  y = x with other sizes; gx = g with x's sizes."""

    any_dtype = True
    exact = True

    def __init__(self, shape: tuple[int, ...]):
        self.target = shape

    def forward(self, x: Array) -> Array:
        return x.reshape(self.target)

    def backward(self, g: Tensor) -> Tensor:
        return reshape(g, self.input_shapes[0])


class Permute(Op):
    """(d0, d1, ...) -> (d[axes0], d[axes1], ...).  gx = g permuted back."""

    any_dtype = True
    exact = True

    def __init__(self, axes: tuple[int, ...]):
        self.axes = axes

    def forward(self, x: Array) -> Array:
        return x.transpose(self.axes)

    def backward(self, g: Tensor) -> Tensor:
        inverse = [0] * len(self.axes)
        for position, axis in enumerate(self.axes):
            inverse[axis] = position
        return permute(g, *inverse)


class Concatenate(Op):
    """(.., n_i, ..) for each input -> (.., sum n_i, ..).  gx_i = the slice of g that came from x_i."""

    any_dtype = True
    exact = True

    def __init__(self, axis: int):
        self.axis = axis

    def forward(self, *arrays: Array) -> Array:
        return namespace(arrays[0]).concatenate(arrays, axis=self.axis)

    def backward(self, g: Tensor) -> tuple[Tensor | None, ...]:
        pieces: list[Tensor | None] = []
        start = 0
        for i, shape in enumerate(self.input_shapes):
            stop = start + shape[self.axis]
            where = (slice(None),) * self.axis + (slice(start, stop),)
            pieces.append(getitem(g, where) if self.needs(i) else None)
            start = stop
        return tuple(pieces)


class GetItem(Op):
    """x -> x[index] for slices, integers, None, ... and integer or boolean arrays.

    gx is zero except at ``index``, where g is added: an element taken twice gets both gradients.
    """

    any_dtype = True
    exact = True

    def __init__(self, index: Any):
        self.index = index

    def forward(self, x: Array) -> Array:
        return x[self.index]

    def backward(self, g: Tensor) -> Tensor:
        return Scatter(self.index, self.input_shapes[0])(g)


class Scatter(Op):
    """g (shape of x[index]) -> zeros of ``shape`` with g added at ``index``: the adjoint of GetItem."""

    any_dtype = True

    def __init__(self, index: Any, shape: tuple[int, ...]):
        self.index, self.target = index, shape

    def forward(self, g: Array) -> Array:
        xp = namespace(g)
        out = xp.zeros(self.target, g.dtype)
        if _is_basic(self.index):
            out[self.index] = g  # slices never repeat an element
        else:
            xp.add.at(out, self.index, g)
        return out

    def backward(self, g: Tensor) -> Tensor:
        return GetItem(self.index)(g)


class Flip(Op):
    """(any shape) -> same, reversed along ``axes``.  gx = g reversed."""

    any_dtype = True
    exact = True

    def __init__(self, axes: tuple[int, ...]):
        self.axes = axes

    def forward(self, x: Array) -> Array:
        return namespace(x).flip(x, self.axes)

    def backward(self, g: Tensor) -> Tensor:
        return flip(g, self.axes)


class Pad(Op):
    """(.., n, ..) -> (.., before + n + after, ..), filled by ``mode``.

    mode "constant" adds ``value``, "reflect" mirrors without repeating the edge, "replicate" repeats
    the edge.  gx = Fold(g): the gradient of each copy is added to its original.
    """

    def __init__(self, widths: tuple[tuple[int, int], ...], mode: str, value: float):
        self.widths, self.mode, self.value = widths, mode, value

    def forward(self, x: Array) -> Array:
        xp = namespace(x)
        if self.mode == "constant":
            return xp.pad(x, self.widths, constant_values=self.value)
        return xp.pad(x, self.widths, mode="reflect" if self.mode == "reflect" else "edge")

    def backward(self, g: Tensor) -> Tensor:
        return Fold(self.widths, self.mode)(g)


class Fold(Op):
    """(.., before + n + after, ..) -> (.., n, ..): the adjoint of Pad, each border added to its source."""

    def __init__(self, widths: tuple[tuple[int, int], ...], mode: str):
        self.widths, self.mode = widths, mode

    def forward(self, g: Array) -> Array:
        for axis, (before, after) in enumerate(self.widths):
            if before or after:
                g = self._fold_axis(namespace(g).moveaxis(g, axis, 0), before, after)
                g = namespace(g).moveaxis(g, 0, axis)
        return g

    def _fold_axis(self, g: Array, before: int, after: int) -> Array:
        stop = g.shape[0] - after
        inner = g[before:stop].copy()
        n = inner.shape[0]
        if self.mode == "reflect":
            inner[1 : before + 1] += g[:before][::-1]
            inner[n - 1 - after : n - 1] += g[stop:][::-1]
        elif self.mode == "replicate":
            inner[:1] += g[:before].sum(axis=0, keepdims=True)
            inner[n - 1 :] += g[stop:].sum(axis=0, keepdims=True)
        return inner

    def backward(self, g: Tensor) -> Tensor:
        """Pad (linearly: a constant border contributes nothing)."""
        return Pad(self.widths, self.mode, 0.0)(g)


def _is_basic(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    kinds = (int, np.integer, slice, type(None), type(...))
    return all(isinstance(part, kinds) and not isinstance(part, bool) for part in parts)


def plain_index(x: Tensor, index: Any) -> Any:
    """Return an index with its tensors and lists as raw arrays on the device of x."""

    def plain(part: Any) -> Any:
        if isinstance(part, Tensor):
            return part.array
        if isinstance(part, (list, bool)):
            return namespace(x.array).asarray(part)
        return backend.of(x.array).from_host(part) if type(part) is np.ndarray else part

    return tuple(plain(part) for part in index) if isinstance(index, tuple) else plain(index)


def reshape(x: Tensor, *shape: Any) -> Tensor:
    """Return x with other sizes: ``reshape(x, 2, -1)`` or ``reshape(x, (2, -1))``; one size may be -1.

    Elements keep their row-major order.  Raises ShapeError when the counts differ.
    """
    try:
        sizes = whole_numbers(*shape) if shape else ()
    except TypeError:
        raise ShapeError(f"reshape: expected sizes (integers), got {shape}") from None
    if sizes == x.shape:
        return x
    known = prod(n for n in sizes if n != -1)
    free = sizes.count(-1)
    fits = x.size == known if not free else known and x.size % known == 0
    if free > 1 or min(sizes, default=0) < -1 or not fits:
        raise ShapeError(f"reshape: cannot give {x.size} elements of shape {x.shape} the shape {sizes}")
    return Reshape(sizes)(x)


def permute(x: Tensor, *axes: Any) -> Tensor:
    """Return x with axes in the given order, ``permute(x, 0, 3, 1, 2)``; a view, no copy."""
    order = axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes
    if len(normalize_axes(order, x.ndim, "permute")) != x.ndim:
        raise ShapeError(f"permute: expected {x.ndim} axes for shape {x.shape}, got {order}")
    return Permute(tuple(a % x.ndim for a in order))(x)


def transpose(x: Tensor, dim0: int = -2, dim1: int = -1) -> Tensor:
    """Return x with two axes swapped (the last two by default); a view, no copy."""
    normalize_axes((dim0, dim1), x.ndim, "transpose")
    a, b = dim0 % x.ndim, dim1 % x.ndim
    order = list(range(x.ndim))
    order[a], order[b] = b, a
    return Permute(tuple(order))(x)


def flatten(x: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Join axes ``start_dim`` to ``end_dim`` into one: (N, C, H, W) -> (N, C*H*W) with start_dim=1."""
    if x.ndim == 0:
        return reshape(x, 1)
    normalize_axes(start_dim, x.ndim, "flatten")
    normalize_axes(end_dim, x.ndim, "flatten")
    first, last = start_dim % x.ndim, end_dim % x.ndim
    if first > last:
        raise ShapeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    return reshape(x, *x.shape[:first], prod(x.shape[first : last + 1]), *x.shape[last + 1 :])


def _tensors(values: Sequence[Any], where: str) -> list[Tensor]:
    """Return tensors and arrays as tensors; arrays join the first tensor's device."""
    if not values:
        raise ShapeError(f"{where}: expected at least one tensor, got none")
    like = next((value for value in values if isinstance(value, Tensor)), None)
    return [as_tensor(value, like) for value in values]


@takes_dim
def concatenate(tensors: Sequence[Any], axis: int = 0) -> Tensor:
    """Join tensors (or arrays) along an existing axis; their other sizes must agree (ShapeError)."""
    tensors = _tensors(tensors, "concatenate")
    (where,) = normalize_axes(axis, tensors[0].ndim, "concatenate")
    rest = {(t.ndim, t.shape[:where] + t.shape[where + 1 :]) for t in tensors}
    if len(rest) != 1:
        raise ShapeError(
            f"concatenate: sizes other than axis {axis} must agree, got {[t.shape for t in tensors]}"
        )
    return Concatenate(where)(*tensors)


@takes_dim
def stack(tensors: Sequence[Any], axis: int = 0) -> Tensor:
    """Join tensors (or arrays) of one shape along a new axis."""
    tensors = _tensors(tensors, "stack")
    if len({t.shape for t in tensors}) != 1:
        raise ShapeError(f"stack: expected tensors of one shape, got {[t.shape for t in tensors]}")
    (where,) = normalize_axes(axis, tensors[0].ndim + 1, "stack")
    shape = tensors[0].shape
    return concatenate([reshape(t, *shape[:where], 1, *shape[where:]) for t in tensors], where)


def getitem(x: Tensor, index: Any) -> Tensor:
    """Return ``x[index]``: integers, slices, None, ``...``, integer or boolean arrays (repeats allowed)."""
    try:
        return GetItem(plain_index(x, index))(x)
    except IndexError as error:
        raise ShapeError(f"getitem: {error} (shape {x.shape})") from error


def flip(x: Tensor, *dims: Any) -> Tensor:
    """Return x reversed along ``dims``."""
    return Flip(normalize_axes(dims[0] if len(dims) == 1 else dims, x.ndim, "flip"))(x)


def pad(x: Tensor, pad: Sequence[int], mode: str = "constant", value: float = 0.0) -> Tensor:
    """Pad the last axes: ``pad`` = (last before, last after, second-last before, ...), as in PyTorch.

    ``mode`` is "constant" (filled with ``value``), "reflect" (width below the axis size) or
    "replicate".  Raises ArgumentError for negative or too large widths.
    """
    if len(pad) % 2 or len(pad) // 2 > x.ndim:
        raise ArgumentError(f"pad: expected pairs for at most {x.ndim} axes, got {tuple(pad)}")
    if mode not in ("constant", "reflect", "replicate"):
        raise ArgumentError(f"pad: unknown mode {mode!r}; expected constant, reflect or replicate")
    widths = [(0, 0)] * x.ndim
    for pair in range(len(pad) // 2):
        widths[x.ndim - 1 - pair] = (pad[2 * pair], pad[2 * pair + 1])
    for (before, after), n in zip(widths, x.shape, strict=True):
        if before < 0 or after < 0:
            raise ArgumentError(f"pad: widths must be >= 0, got {tuple(pad)}")
        if max(before, after) > 0 and (
            mode == "reflect" and max(before, after) >= n or mode == "replicate" and n == 0
        ):
            raise ArgumentError(f"pad: {mode} needs widths below the axis size {n}, got {(before, after)}")
    return Pad(tuple(widths), mode, value)(x)
