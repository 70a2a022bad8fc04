"""Pooling: the largest element or the mean of every window of an image.

All maps here but max itself are linear and come in adjoint pairs, so every order of derivative exists:
SumWindows and SpreadWindows, GatherMax at the winning cell of each window and its ScatterMax.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from minigan import backend
from minigan.backend import Array, namespace
from minigan.errors import ArgumentError, ShapeError
from minigan.ops.half import in_single
from minigan.ops.linalg import along_axis
from minigan.ops.reduce import mean
from minigan.ops.windows import Axes, Windows, fold, pair, unfold
from minigan.tensor import Op, Tensor

Settings = int | tuple[int, int]


class MaxPool2d(Op):
    """(N, C, H, W) -> (N, C, OH, OW): y = the largest cell of every window; padding never wins.

    gx = ScatterMax(g): g goes to that cell, of equal ones to the first in row-major order, as in PyTorch.
    """

    def __init__(self, axes: Axes):
        self.axes = axes

    def forward(self, x: Array) -> Array:
        """Find the largest cell and its place, counted from the window's last cell, from 1; 0 is for none."""
        cells = _flat(unfold(x, self.axes, fill=-np.inf))
        real = _flat(unfold(namespace(x).ones_like(x[:1, :1]), self.axes)) > 0
        y = cells.max(axis=-1)
        places = namespace(x).arange(cells.shape[-1], 0, -1)
        self.saved = (places * (real & (cells == y[..., None]))).max(axis=-1)
        return y

    def backward(self, g: Tensor) -> Tensor:
        return ScatterMax(self.axes, self.saved, self.input_shapes[0])(g)


class ScatterMax(Op):
    """(N, C, OH, OW) -> (N, C, H, W): g added at the winner of every window; gg = GatherMax."""

    def __init__(self, axes: Axes, winner: Array, shape: tuple[int, ...]):
        self.axes, self.winner, self.target = axes, winner, shape

    def forward(self, g: Array) -> Array:
        """Put g at the winner's place, 0 at the others, and fold."""
        sizes = (*g.shape, self.axes[0].kernel, self.axes[1].kernel)
        return fold(_chosen(g[..., None], self.winner, sizes[-2] * sizes[-1]).reshape(sizes), self.axes)

    def backward(self, g: Tensor) -> Tensor:
        return GatherMax(self.axes, self.winner)(g)


class GatherMax(Op):
    """(N, C, H, W) -> (N, C, OH, OW): the cell at every window's winner; gx = ScatterMax."""

    def __init__(self, axes: Axes, winner: Array):
        self.axes, self.winner = axes, winner

    def forward(self, x: Array) -> Array:
        cells = _flat(unfold(x, self.axes))
        return _chosen(cells, self.winner, cells.shape[-1]).sum(axis=-1)

    def backward(self, g: Tensor) -> Tensor:
        return ScatterMax(self.axes, self.winner, self.input_shapes[0])(g)


class SumWindows(Op):
    """(N, C, H, W) -> (N, C, OH, OW): y = scale * sum of the window; gx = SpreadWindows(g).

    ``scale`` is a number or an (OH, OW) array on the host.
    """

    def __init__(self, axes: Axes, scale: Any):
        self.axes, self.scale = axes, scale

    def forward(self, x: Array) -> Array:
        return unfold(x, self.axes).sum(axis=(-2, -1)) * _on_device(self.scale, x)

    def backward(self, g: Tensor) -> Tensor:
        return SpreadWindows(self.axes, self.scale)(g)


class SpreadWindows(Op):
    """(N, C, OH, OW) -> (N, C, H, W): scale * g added to every cell of its window; gg = SumWindows."""

    def __init__(self, axes: Axes, scale: Any):
        self.axes, self.scale = axes, scale

    def forward(self, g: Array) -> Array:
        scaled = (g * _on_device(self.scale, g))[..., None, None]
        sizes = (*g.shape, self.axes[0].kernel, self.axes[1].kernel)
        return fold(namespace(g).broadcast_to(scaled, sizes), self.axes)

    def backward(self, g: Tensor) -> Tensor:
        return SumWindows(self.axes, self.scale)(g)


def _flat(windows: Array) -> Array:
    """(N, C, OH, OW, KH, KW) -> (N, C, OH, OW, KH KW)."""
    return windows.reshape(*windows.shape[:4], windows.shape[4] * windows.shape[5])


def _chosen(cells: Array, winner: Array, count: int) -> Array:
    """(N, C, OH, OW, KH KW): the cells where the winner is, 0 elsewhere; one cell may stand for all."""
    xp = namespace(cells)
    return xp.where(winner[..., None] == xp.arange(count, 0, -1), cells, 0)


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
