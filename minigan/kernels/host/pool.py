"""Pooling tap by tap.

A window has K taps along an axis; over all windows at once, tap k reads the strided view x[k D - P],
x[k D - P + S], ...  `tap` gives that view and the outputs that it serves, leaving out whatever would fall on
padding.  Pooling then loops over the few taps and not over the many windows, and padding is never built.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.kernels import parallel
from minigan.kernels.host.arithmetic import kept
from minigan.kernels.registry import kernel
from minigan.ops.pool import GatherMax, MaxPool2d, ScatterMax, SpreadWindows, SumWindows
from minigan.ops.windows import Axes, Windows, out_shape


def tap(windows: Windows, k: int) -> tuple[slice, slice]:
    """Windows that have a cell at tap k, and those cells."""
    first = k * windows.dilation - windows.padding  # the cell that window 0 has there; may be negative
    low = max(0, -(first // windows.stride))
    high = max(low, min(windows.out, (windows.size - 1 - first) // windows.stride + 1))
    start = first + low * windows.stride
    return slice(low, high), slice(start, start + (high - low) * windows.stride, windows.stride)


def tiles(windows: Windows) -> bool:
    """Whether no cell is in two windows."""
    return windows.stride >= windows.kernel and windows.dilation == 1


def covers(windows: Windows) -> bool:
    """Whether every cell is in exactly one window."""
    exact = windows.stride == windows.kernel and windows.padding == 0
    return exact and windows.out * windows.kernel == windows.size and windows.dilation == 1


def taps(axes: Axes) -> Iterator[tuple[int, Any, Any]]:
    """(number, outputs, cells) for every tap of the window, from the last (number 1) to the first."""
    rows, columns = axes
    count = rows.kernel * columns.kernel
    for place in reversed(range(count)):
        out_rows, in_rows = tap(rows, place // columns.kernel)
        out_columns, in_columns = tap(columns, place % columns.kernel)
        yield count - place, (..., out_rows, out_columns), (..., in_rows, in_columns)


@kernel(MaxPool2d, "numpy")
def max_pool(op: MaxPool2d, x: Array) -> Array:
    """Go through the taps from the last to the first, so that >= leaves ties to the first.

    Their numbers rise on the way: the winner is the largest number of a tap that was not beaten.
    """
    shape = out_shape(x.shape, op.axes)
    best = np.empty_like(x, shape=shape)
    best.fill(-np.inf)
    count = op.axes[0].kernel * op.axes[1].kernel
    winner = np.zeros_like(x, shape=shape, dtype=np.min_scalar_type(count)) if op.recording else None

    def fill(some: Any) -> None:
        for number, outputs, cells in taps(op.axes):
            seen, top = x[some][cells], best[some][outputs]
            if winner is not None:
                place = winner[some][outputs]
                np.maximum(place, (seen >= top) * winner.dtype.type(number), out=place)
            np.maximum(top, seen, out=top)

    parallel.apart(fill, x, channels=True)
    op.saved = winner
    return best


@kernel(ScatterMax, "numpy")
def scatter_max(op: ScatterMax, g: Array) -> Array:
    """Each tap takes the windows that it won."""
    gx = np.zeros_like(g, shape=op.target)
    apart = all(map(tiles, op.axes))

    def fill(some: Any) -> None:
        for number, outputs, cells in taps(op.axes):
            won, given = op.winner[some][outputs] == number, g[some][outputs]
            if apart:
                kept(given, won, gx[some][cells])
            else:
                gx[some][cells] += kept(given, won)

    parallel.apart(fill, gx, channels=True)
    return gx


@kernel(GatherMax, "numpy")
def gather_max(op: GatherMax, x: Array) -> Array:
    """Each tap fills the windows that it won."""
    y = np.zeros_like(x, shape=out_shape(x.shape, op.axes))
    for number, outputs, cells in taps(op.axes):
        y[outputs] += kept(x[cells], op.winner[outputs] == number)
    return y


@kernel(SumWindows, "numpy")
def sum_windows(op: SumWindows, x: Array) -> Array:
    """Sum along W, then along H, then scale: KH + KW taps instead of KH * KW."""
    rows, columns = op.axes
    y, scale = np.empty_like(x, shape=out_shape(x.shape, op.axes)), _typed(op.scale, x)

    def fill(some: Any) -> None:
        part = y[some]
        sum_along(sum_along(x[some], columns, 3), rows, 2, part)
        part *= scale

    parallel.apart(fill, x)
    return y


@kernel(SpreadWindows, "numpy")
def spread_windows(op: SpreadWindows, g: Array) -> Array:
    """Scale, then spread along H, then along W."""
    rows, columns = op.axes
    gx, scale = np.empty_like(g, shape=(*g.shape[:2], rows.size, columns.size)), _typed(op.scale, g)

    def fill(some: Any) -> None:
        spread_along(spread_along(g[some] * scale, rows, 2), columns, 3, gx[some])

    parallel.apart(fill, gx)
    return gx


def _typed(scale: Any, like: Array) -> Any:
    return scale.astype(like.dtype) if isinstance(scale, np.ndarray) else scale


def _taps_along(windows: Windows, axis: int) -> Iterator[tuple[Any, Any]]:
    before = (slice(None),) * axis
    for k in range(windows.kernel):
        outputs, cells = tap(windows, k)
        yield (*before, outputs), (*before, cells)


def sum_along(x: Array, windows: Windows, axis: int, out: Array = None) -> Array:
    """Sum the cells of every window along one axis."""
    shape = (*x.shape[:axis], windows.out, *x.shape[axis + 1 :])
    y = np.empty_like(x, shape=shape) if out is None else out
    for k, (outputs, cells) in enumerate(_taps_along(windows, axis)):
        if k == 0 and outputs[axis] == slice(0, windows.out):
            y[...] = x[cells]
            continue
        if k == 0:
            y.fill(0)
        y[outputs] += x[cells]
    return y


def spread_along(g: Array, windows: Windows, axis: int, out: Array = None) -> Array:
    """Add every window's value to its cells along one axis: the adjoint of `sum_along`."""
    shape = (*g.shape[:axis], windows.size, *g.shape[axis + 1 :])
    gx = np.empty_like(g, shape=shape) if out is None else out
    if not covers(windows):
        gx.fill(0)
    for outputs, cells in _taps_along(windows, axis):
        if tiles(windows):
            gx[cells] = g[outputs]
        else:
            gx[cells] += g[outputs]
    return gx
