"""Pooling: the largest element or the mean of every window of an image.

One idea carries the file.  A window has K taps along an axis; over all windows at once, tap k reads
the strided view x[k - P], x[k - P + S], ...  `Windows.tap` gives that view and the outputs that it
serves, leaving out whatever would fall on padding.  Pooling then loops over the few taps and not over
the many windows, and padding is never built.

All maps here but max itself are linear and come in adjoint pairs, so every order of derivative
exists: SumWindows and SpreadWindows, Scatter by the saved position of the maximum and its Gather.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from minigan import backend, cuda, parallel
from minigan.backend import Array, namespace
from minigan.cuda import windows as kernels
from minigan.errors import ArgumentError, ShapeError
from minigan.ops.choice import kept
from minigan.ops.conv.spec import pair
from minigan.ops.half import in_single
from minigan.ops.linalg import along_axis
from minigan.ops.reduce import mean
from minigan.tensor import Op, Tensor

Settings = int | tuple[int, int]


@dataclass(frozen=True)
class Windows:
    """Windows along one axis: ``size`` cells, ``out`` windows of ``kernel`` taps."""

    size: int
    kernel: int
    stride: int
    padding: int
    dilation: int
    ceil_mode: bool

    @property
    def out(self) -> int:
        """How many windows; in ceil_mode also a last partial one, if it starts before the far padding."""
        room = self.size + 2 * self.padding - self.dilation * (self.kernel - 1) - 1
        if not self.ceil_mode:
            return room // self.stride + 1
        out = -(-room // self.stride) + 1
        return out - 1 if (out - 1) * self.stride >= self.size + self.padding else out

    def tap(self, k: int) -> tuple[slice, slice]:
        """Windows that have a cell at tap k, and those cells."""
        first = k * self.dilation - self.padding  # the cell that window 0 has there; may be negative
        low = max(0, -(first // self.stride))
        high = max(low, min(self.out, (self.size - 1 - first) // self.stride + 1))
        start = first + low * self.stride
        return slice(low, high), slice(start, start + (high - low) * self.stride, self.stride)

    @property
    def tiles(self) -> bool:
        """Whether no cell is in two windows."""
        return self.stride >= self.kernel and self.dilation == 1

    @property
    def covers(self) -> bool:
        """Whether every cell is in exactly one window."""
        exact = self.stride == self.kernel and self.padding == 0 and self.out * self.kernel == self.size
        return exact and self.dilation == 1

    def counts(self, include_pad: bool) -> np.ndarray:
        """Cells in each window, (out,); with the padding's cells (but none beyond it) or without."""
        start = np.arange(self.out) * self.stride - self.padding
        stop = np.minimum(start + self.kernel, self.size + self.padding)
        return stop - start if include_pad else np.minimum(stop, self.size) - np.maximum(start, 0)


Axes = tuple[Windows, Windows]


def _taps(axes: Axes) -> Iterator[tuple[int, Any, Any]]:
    """(number, outputs, cells) for every tap of the window, from the last (number 1) to the first."""
    rows, columns = axes
    taps = rows.kernel * columns.kernel
    for tap in reversed(range(taps)):
        out_rows, in_rows = rows.tap(tap // columns.kernel)
        out_columns, in_columns = columns.tap(tap % columns.kernel)
        yield taps - tap, (..., out_rows, out_columns), (..., in_rows, in_columns)


def _out_shape(shape: tuple[int, ...], axes: Axes) -> tuple[int, ...]:
    return (*shape[:2], axes[0].out, axes[1].out)


class MaxPool2d(Op):
    """(N, C, H, W) -> (N, C, OH, OW): the largest cell of every window; padding never wins.

    gx gets g at the position of that cell; of equal cells the first in row-major order has it, as in
    PyTorch.  The position is saved as the tap's number, counted from 1 at the last tap (0: only padding),
    so the scatter is the same at every call.
    """

    def __init__(self, axes: Axes):
        self.axes = axes
        self.winner: Array = None

    def forward(self, x: Array) -> Array:
        """Go through the taps from the last to the first, so that >= leaves ties to the first.

        Their numbers rise on the way: the winner is the largest number of a tap that was not beaten.
        """
        if cuda.available(x):
            best, winner = kernels.max_windows(x, self.axes)
            self.winner = winner if self.recording else None
            return best
        xp = namespace(x)
        shape = _out_shape(x.shape, self.axes)
        best = xp.empty_like(x, shape=shape)
        best.fill(-np.inf)
        taps = self.axes[0].kernel * self.axes[1].kernel
        winner = xp.zeros_like(x, shape=shape, dtype=np.min_scalar_type(taps)) if self.recording else None

        def fill(some: Any) -> None:
            for tap, outputs, cells in _taps(self.axes):
                seen, top = x[some][cells], best[some][outputs]
                if winner is not None:
                    place = winner[some][outputs]
                    xp.maximum(place, (seen >= top) * winner.dtype.type(tap), out=place)
                xp.maximum(top, seen, out=top)

        parallel.apart(fill, x, channels=True)
        self.winner = winner
        return best

    def backward(self, g: Tensor) -> Tensor:
        """Scatter g to the winners."""
        return ScatterMax(self.axes, self.winner, self.input_shapes[0])(g)

    def release(self) -> None:
        """Drop the saved positions too."""
        super().release()
        self.winner = None


class ScatterMax(Op):
    """(N, C, OH, OW) -> (N, C, H, W): g added at the saved winner of every window; gg = GatherMax."""

    def __init__(self, axes: Axes, winner: Array, shape: tuple[int, ...]):
        self.axes, self.winner, self.target = axes, winner, shape

    def forward(self, g: Array) -> Array:
        """Each tap takes the windows that it won."""
        if cuda.available(g):
            return kernels.scatter_max(g, self.winner, self.axes)
        gx = namespace(g).zeros_like(g, shape=self.target)
        tiles = all(axis.tiles for axis in self.axes)

        def fill(some: Any) -> None:
            for tap, outputs, cells in _taps(self.axes):
                won, given = self.winner[some][outputs] == tap, g[some][outputs]
                if tiles:
                    kept(given, won, gx[some][cells])
                else:
                    gx[some][cells] += kept(given, won)

        parallel.apart(fill, gx, channels=True)
        return gx

    def backward(self, g: Tensor) -> Tensor:
        """Read where was written."""
        return GatherMax(self.axes, self.winner)(g)


class GatherMax(Op):
    """(N, C, H, W) -> (N, C, OH, OW): the cell at every window's saved winner; gx = ScatterMax."""

    def __init__(self, axes: Axes, winner: Array):
        self.axes, self.winner = axes, winner

    def forward(self, x: Array) -> Array:
        """Each tap fills the windows that it won."""
        if cuda.available(x):
            return kernels.gather_max(x, self.winner, self.axes)
        y = namespace(x).zeros_like(x, shape=_out_shape(x.shape, self.axes))
        for tap, outputs, cells in _taps(self.axes):
            y[outputs] += kept(x[cells], self.winner[outputs] == tap)
        return y

    def backward(self, g: Tensor) -> Tensor:
        """Write where was read."""
        return ScatterMax(self.axes, self.winner, self.input_shapes[0])(g)


class SumWindows(Op):
    """(N, C, H, W) -> (N, C, OH, OW): y = scale * sum of the window; gx = SpreadWindows(g).

    ``scale`` is a number or an (OH, OW) array.  Rows and columns are summed one after the other:
    KH + KW taps instead of KH * KW.
    """

    def __init__(self, axes: Axes, scale: Any):
        self.axes, self.scale = axes, scale

    def forward(self, x: Array) -> Array:
        """Sum along W, then along H, then scale."""
        rows, columns = self.axes
        if cuda.available(x) and not isinstance(self.scale, np.ndarray):
            return kernels.sum_windows(x, self.axes, self.scale)
        y, scale = namespace(x).empty_like(x, shape=_out_shape(x.shape, self.axes)), _on_device(self.scale, x)

        def fill(some: Any) -> None:
            part = y[some]
            _sum_along(_sum_along(x[some], columns, 3), rows, 2, part)
            part *= scale

        parallel.apart(fill, x)
        return y

    def backward(self, g: Tensor) -> Tensor:
        """Give g back to every cell of the window."""
        return SpreadWindows(self.axes, self.scale)(g)


class SpreadWindows(Op):
    """(N, C, OH, OW) -> (N, C, H, W): scale * g added to every cell of its window; gg = SumWindows."""

    def __init__(self, axes: Axes, scale: Any):
        self.axes, self.scale = axes, scale

    def forward(self, g: Array) -> Array:
        """Scale, then spread along H, then along W."""
        rows, columns = self.axes
        if cuda.available(g) and not isinstance(self.scale, np.ndarray):
            return kernels.spread_windows(g, self.axes, self.scale)
        gx = namespace(g).empty_like(g, shape=(*g.shape[:2], rows.size, columns.size))
        scale = _on_device(self.scale, g)

        def fill(some: Any) -> None:
            _spread_along(_spread_along(g[some] * scale, rows, 2), columns, 3, gx[some])

        parallel.apart(fill, gx)
        return gx

    def backward(self, g: Tensor) -> Tensor:
        """Sum over the window."""
        return SumWindows(self.axes, self.scale)(g)


def _taps_along(windows: Windows, axis: int) -> Iterator[tuple[Any, Any]]:
    before = (slice(None),) * axis
    for k in range(windows.kernel):
        outputs, cells = windows.tap(k)
        yield (*before, outputs), (*before, cells)


def _sum_along(x: Array, windows: Windows, axis: int, out: Array = None) -> Array:
    """Sum the cells of every window along one axis."""
    shape = (*x.shape[:axis], windows.out, *x.shape[axis + 1 :])
    y = namespace(x).empty_like(x, shape=shape) if out is None else out
    for k, (outputs, cells) in enumerate(_taps_along(windows, axis)):
        if k == 0 and outputs[axis] == slice(0, windows.out):
            y[...] = x[cells]
            continue
        if k == 0:
            y.fill(0)
        y[outputs] += x[cells]
    return y


def _spread_along(g: Array, windows: Windows, axis: int, out: Array = None) -> Array:
    """Add every window's value to its cells along one axis: the adjoint of `_sum_along`."""
    shape = (*g.shape[:axis], windows.size, *g.shape[axis + 1 :])
    gx = namespace(g).empty_like(g, shape=shape) if out is None else out
    if not windows.covers:
        gx.fill(0)
    for outputs, cells in _taps_along(windows, axis):
        if windows.tiles:
            gx[cells] = g[outputs]
        else:
            gx[cells] += g[outputs]
    return gx


def _on_device(scale: Any, like: Array) -> Any:
    return backend.of(like).from_host(scale.astype(like.dtype)) if isinstance(scale, np.ndarray) else scale


def window_axes(
    x: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, where: str
) -> Axes:
    """Check the settings of `max_pool2d`, named ``where`` in errors, and return the windows of H and W."""
    if x.ndim != 4:
        raise ShapeError(f"{where}: expected (N, C, H, W), got shape {x.shape}; add the missing axis")
    kernels = pair(kernel_size, "kernel_size", minimum=1)
    strides = kernels if stride is None else pair(stride, "stride", minimum=1)
    paddings = pair(padding, "padding", minimum=0)
    dilations = pair(dilation, "dilation", minimum=1)
    axes = tuple(
        Windows(*setting, bool(ceil_mode))
        for setting in zip(x.shape[2:], kernels, strides, paddings, dilations, strict=True)
    )
    for axis, name in zip(axes, ("height", "width"), strict=True):
        if 2 * axis.padding > axis.kernel:
            raise ArgumentError(
                f"{where}: padding must be at most half of kernel_size, got padding={padding}, "
                f"kernel_size={kernel_size}"
            )
        if axis.out < 1 or axis.size < 1:
            raise ShapeError(
                f"{where}: output {name} would be {axis.out}: floor((in + 2 padding - dilation "
                f"(kernel - 1) - 1) / stride) + 1 with in={axis.size}, padding={axis.padding}, "
                f"dilation={axis.dilation}, kernel={axis.kernel}, stride={axis.stride} "
                "must be at least 1; use a larger input"
            )
    return axes[0], axes[1]


def max_pool2d(
    x: Tensor,
    kernel_size: Settings,
    stride: Settings | None = None,
    padding: Settings = 0,
    dilation: Settings = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the largest cell of every window, (N, C, H, W) -> (N, C, OH, OW).

    ``kernel_size``, ``stride`` (None: kernel_size), ``padding`` (at most half the kernel) and ``dilation``
    are ints or (height, width) pairs.  OH = floor((H + 2 P - D (KH - 1) - 1) / S) + 1; ``ceil_mode`` rounds
    up, but never to a window that starts in the far padding.  gx gets g at the winning cell, the first
    in row-major order of equal ones.  A window that holds nothing but padding (a dilated one may) is -inf, as
    in PyTorch, and gives no cell a gradient.  Raises ArgumentError for a setting out of range and
    ShapeError where sizes do not fit.
    """
    return MaxPool2d(window_axes(x, kernel_size, stride, padding, dilation, ceil_mode, "max_pool2d"))(x)


def avg_pool2d(
    x: Tensor,
    kernel_size: Settings,
    stride: Settings | None = None,
    padding: Settings = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Return the mean of every window, (N, C, H, W) -> (N, C, OH, OW); sizes as in `max_pool2d`.

    ``count_include_pad`` counts the zeros of the padding (not what ``ceil_mode`` adds beyond it);
    ``divisor_override`` replaces the count.  gx = g / count, added over the windows that hold the cell.
    Raises ArgumentError for a setting out of range and ShapeError where sizes do not fit.
    """
    axes = window_axes(x, kernel_size, stride, padding, 1, ceil_mode, "avg_pool2d")
    if divisor_override is not None:
        if type(divisor_override) is not int or divisor_override == 0:
            raise ArgumentError(
                f"avg_pool2d: divisor_override must be an int other than 0, got {divisor_override!r}"
            )
        return SumWindows(axes, 1 / divisor_override)(x)
    rows, columns = (axis.counts(count_include_pad) for axis in axes)
    counts = np.outer(rows, columns)
    same = bool((counts == counts[0, 0]).all())
    return SumWindows(axes, 1 / float(counts[0, 0]) if same else 1 / counts)(x)


@in_single
def adaptive_avg_pool2d(x: Tensor, output_size: Settings) -> Tensor:
    """Return means over a grid of ``output_size`` windows, (N, C, H, W) -> (N, C, OH, OW).

    Window i of an axis of n cells runs from floor(i n / out) up to, not including, ceil((i + 1) n / out):
    neighbours overlap where n does not divide.  Raises ArgumentError and ShapeError as `avg_pool2d`.
    """
    sizes = pair(output_size, "output_size", minimum=1)
    if x.ndim != 4 or min(x.shape[2:]) < 1:
        raise ShapeError(f"adaptive_avg_pool2d: expected (N, C, H, W) with H, W >= 1, got shape {x.shape}")
    if all(n % out == 0 for n, out in zip(x.shape[2:], sizes, strict=True)):
        return avg_pool2d(x, (x.shape[2] // sizes[0], x.shape[3] // sizes[1]))
    for axis, out in zip((2, 3), sizes, strict=True):
        x = along_axis(x, _mean_matrix(x.shape[axis], out), axis)
    return x


@lru_cache(maxsize=64)
def _mean_matrix(n: int, out: int) -> np.ndarray:
    """(out, n): row i holds 1 / length over window i."""
    matrix = np.zeros((out, n))
    for i in range(out):
        start, stop = i * n // out, -(-(i + 1) * n // out)
        matrix[i, start:stop] = 1 / (stop - start)
    return matrix


def global_avg_pool2d(x: Tensor) -> Tensor:
    """Return the mean of every channel, (N, C, H, W) -> (N, C, 1, 1).  gx = g / (H W)."""
    if x.ndim != 4:
        raise ShapeError(f"global_avg_pool2d: expected (N, C, H, W), got shape {x.shape}")
    return mean(x, axis=(2, 3), keepdims=True)
