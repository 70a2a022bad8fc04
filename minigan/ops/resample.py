"""Resizing an image: nearest neighbour, bilinear and bicubic, as PyTorch's interpolate computes them.

All are linear maps that treat rows and columns apart.  Nearest by whole factors repeats cells, which is
the adjoint of summing windows; else each is one small matrix an axis, whose adjoint is the transposed one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import floor
from operator import index
from typing import Any

import numpy as np

from minigan.errors import ArgumentError, ShapeError
from minigan.ops.half import in_single
from minigan.ops.linalg import along_axis
from minigan.ops.pool import SpreadWindows
from minigan.ops.shape import getitem
from minigan.ops.windows import Windows
from minigan.tensor import Tensor


@in_single
def interpolate(
    x: Tensor,
    *,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool = False,
) -> Tensor:
    """Resize (N, C, H, W) to ``size`` or by ``scale_factor`` (one of them; numbers or (height, width)).

    The output size is out = floor(n * factor).  Output cell i reads position s i (nearest, rounded down) or
    s (i + 1/2) - 1/2, cut off at 0 (bilinear; bicubic is not cut off), with s = 1 / factor, or n / size; with
    ``align_corners`` both read i (n - 1) / (out - 1), so that corner cells keep their values.
    As in PyTorch an axis with out = n is copied, and nearest with out = 2 n reads cell i // 2, whatever the
    factor.  y is linear in x; gx is the transposed map.  Raises ArgumentError for settings out of range and
    ShapeError for another number of axes.
    """
    if x.ndim != 4 or min(x.shape[2:]) < 1:
        raise ShapeError(f"interpolate: expected (N, C, H, W) with H, W >= 1, got shape {x.shape}")
    if mode not in ("nearest", *MATRICES):
        raise ArgumentError(f"interpolate: unknown mode {mode!r}; expected nearest, bilinear or bicubic")
    if align_corners and mode == "nearest":
        raise ArgumentError("interpolate: align_corners works with mode bilinear and bicubic only")
    sizes, factors = _target(x.shape[2:], size, scale_factor)
    same = sizes == tuple(x.shape[2:])
    whole = {"nearest": (1, 2), "bilinear": (1,)}.get(mode, ())  # out / n for which out alone counts
    axes = [
        (n, out, None if out in [n * k for k in whole] else factor)
        for n, out, factor in zip(x.shape[2:], sizes, factors, strict=True)
    ]
    if mode != "nearest":
        for axis, (n, out, factor) in enumerate(axes, start=2):
            if n != out or mode == "bicubic" and not same:
                x = along_axis(x, MATRICES[mode](n, out, factor, bool(align_corners)), axis)
        return x
    if all(out % n == 0 and factor in (None, out / n) for n, out, factor in axes):
        rows, columns = (Windows(out, out // n, out // n, 0, 1, False) for n, out, _ in axes)
        return SpreadWindows((rows, columns), 1.0)(x)
    for axis, (n, out, factor) in enumerate(axes, start=2):
        cells = _nearest_index(n, out, factor)
        if isinstance(cells, slice):
            x = getitem(x, (slice(None),) * axis + (cells,))
        else:
            x = along_axis(x, _nearest_matrix(n, out, factor), axis)
    return x


def _target(
    shape: tuple[int, ...], size: Any, scale_factor: Any
) -> tuple[tuple[int, ...], tuple[float | None, ...]]:
    """Output sizes, and the factors that were asked for (None where sizes were)."""
    if (size is None) == (scale_factor is None):
        raise ArgumentError(
            f"interpolate: expected one of size and scale_factor, got size={size!r}, "
            f"scale_factor={scale_factor!r}"
        )
    if size is not None:
        sizes = _two(size, index, "size", "ints >= 1")
        if min(sizes) < 1:
            raise ArgumentError(f"interpolate: size must be at least 1, got {size!r}")
        return sizes, (None, None)
    factors = _two(scale_factor, float, "scale_factor", "numbers > 0")
    if not all(0 < factor < float("inf") for factor in factors):
        raise ArgumentError(f"interpolate: scale_factor must be > 0 and finite, got {scale_factor!r}")
    sizes = tuple(floor(n * factor) for n, factor in zip(shape, factors, strict=True))
    if min(sizes) < 1:
        raise ShapeError(
            f"interpolate: floor({tuple(shape)} * {scale_factor}) = {sizes} must be at least 1; "
            "use a larger factor"
        )
    return sizes, factors


def _two(value: Any, convert: Any, name: str, what: str) -> tuple[Any, ...]:
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    try:
        if len(values) != 2 or any(isinstance(v, (bool, str)) for v in values):
            raise TypeError
        return tuple(convert(v) for v in values)
    except TypeError:
        raise ArgumentError(
            f"interpolate: {name} must be a number or a (height, width) pair of {what}, got {value!r}"
        ) from None


@lru_cache(maxsize=64)
def _nearest_index(n: int, out: int, factor: float | None) -> Any:
    """Which cell each output cell copies: floor(i n / out), or floor(i / factor); a slice where even."""
    cells = np.arange(out)
    source = cells * n // out if factor is None else np.floor(cells / factor).astype(np.int64)
    source = np.minimum(source, n - 1)
    step = int(source[1] - source[0]) if out > 1 else 1
    if step > 0 and bool((np.diff(source) == step).all()):
        return slice(int(source[0]), int(source[-1]) + 1, step)
    return source


@lru_cache(maxsize=64)
def _nearest_matrix(n: int, out: int, factor: float | None) -> np.ndarray:
    """(out, n): a 1 in row i at the cell that output cell i copies."""
    return np.eye(n)[_nearest_index(n, out, factor)]


@lru_cache(maxsize=64)
def _bilinear_matrix(n: int, out: int, factor: float | None, align_corners: bool) -> np.ndarray:
    """(out, n): row i holds the two weights with which output cell i mixes its neighbours."""
    cells = np.arange(out)
    if align_corners:
        position = cells * ((n - 1) / (out - 1) if out > 1 else 0.0)
    else:
        step = n / out if factor is None else 1 / factor
        position = np.maximum((cells + 0.5) * step - 0.5, 0)
    low = np.minimum(np.floor(position).astype(np.int64), n - 1)
    share = np.clip(position - low, 0, 1)
    matrix = np.zeros((out, n))
    matrix[cells, low] += 1 - share
    matrix[cells, np.minimum(low + 1, n - 1)] += share
    return matrix


@lru_cache(maxsize=64)
def _bicubic_matrix(n: int, out: int, factor: float | None, align_corners: bool) -> np.ndarray:
    """(out, n): row i holds the four weights of output cell i; cells beyond an edge are the edge's.

    A cell at distance d weighs (a + 2) d^3 - (a + 3) d^2 + 1 up to d = 1, a (d^3 - 5 d^2 + 8 d - 4) up to 2,
    a = -3/4.  Keys, IEEE Transactions on Acoustics, Speech, and Signal Processing 29, 1981, equation 15.
    """
    cells = np.arange(out)
    if align_corners:
        position = cells * ((n - 1) / (out - 1) if out > 1 else 0.0)
    else:
        position = (cells + 0.5) * (n / out if factor is None else 1 / factor) - 0.5
    low, a = np.floor(position).astype(np.int64), -0.75
    matrix = np.zeros((out, n))
    for step in (-1, 0, 1, 2):
        d = np.abs(position - (low + step))
        near, far = (a + 2) * d**3 - (a + 3) * d**2 + 1, a * (d**3 - 5 * d**2 + 8 * d - 4)
        matrix[cells, np.clip(low + step, 0, n - 1)] += np.where(d <= 1, near, far)
    return matrix


MATRICES = {"bilinear": _bilinear_matrix, "bicubic": _bicubic_matrix}
