"""The windows of an image, and their adjoint: what convolution and pooling have in common.

Along one axis a window has K cells that are D apart, the next window starts S cells further, and P cells of
padding lie before and behind the image, so that window i has at its k-th place the cell i S + k D - P.

`unfold` shows all windows of an image at once, as a view; `fold` adds every window's values back to the cells
they belong to.  Each is the other's adjoint: <fold(w), x> = <w, unfold(x)>.

Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", arXiv 1603.07285.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np

from minigan.backend import Array, namespace
from minigan.errors import ArgumentError


@dataclass(frozen=True)
class Windows:
    """Windows along one axis of ``size`` cells, each of ``kernel`` cells."""

    size: int
    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    ceil_mode: bool = False

    @property
    def out(self) -> int:
        """How many windows: (size + 2 P - D (K - 1) - 1) / S + 1, rounded down.

        In ceil_mode rounded up, if the last window starts before the far padding.
        """
        room = self.size + 2 * self.padding - self.dilation * (self.kernel - 1) - 1
        if not self.ceil_mode:
            return room // self.stride + 1
        out = -(-room // self.stride) + 1
        return out - 1 if (out - 1) * self.stride >= self.size + self.padding else out

    @property
    def end(self) -> int:
        """Cells from the first of the padding to the last of the padding or of the last window."""
        last = (self.out - 1) * self.stride + self.dilation * (self.kernel - 1) + 1
        return max(last, self.size + 2 * self.padding)

    def place(self, k: int) -> slice:
        """The padded cells at the k-th place of all windows."""
        first = k * self.dilation
        return slice(first, first + (self.out - 1) * self.stride + 1, self.stride)

    def counts(self, include_pad: bool) -> np.ndarray:
        """Cells in each window, (out,); with the padding's cells (but none beyond it) or without."""
        start = np.arange(self.out) * self.stride - self.padding
        stop = np.minimum(start + self.kernel, self.size + self.padding)
        return stop - start if include_pad else np.minimum(stop, self.size) - np.maximum(start, 0)


Axes = tuple[Windows, Windows]


def out_shape(shape: tuple[int, ...], axes: Axes) -> tuple[int, ...]:
    """(N, C, OH, OW) for an image's shape (N, C, H, W)."""
    return (*shape[:2], axes[0].out, axes[1].out)


def unfold(x: Array, axes: Axes, fill: float = 0.0) -> Array:
    """(N, C, H, W) -> (N, C, OH, OW, KH, KW): the cells of every window, ``fill`` in the padding; a view."""
    rows, columns = axes
    beyond = [(axis.padding, axis.end - axis.size - axis.padding) for axis in axes]
    padded = namespace(x).pad(x, [(0, 0), (0, 0), *beyond], constant_values=fill)
    n, c, h, w = padded.strides
    strides = (n, c, h * rows.stride, w * columns.stride, h * rows.dilation, w * columns.dilation)
    shape = (*out_shape(x.shape, axes), rows.kernel, columns.kernel)
    return namespace(x).lib.stride_tricks.as_strided(padded, shape, strides)


def fold(values: Array, axes: Axes) -> Array:
    """(N, C, OH, OW, KH, KW) -> (N, C, H, W): each value added to the cell it belongs to."""
    rows, columns = axes
    padded = namespace(values).zeros((*values.shape[:2], rows.end, columns.end), values.dtype)
    for i in range(rows.kernel):
        for j in range(columns.kernel):
            padded[:, :, rows.place(i), columns.place(j)] += values[..., i, j]
    top, left = rows.padding, columns.padding
    return padded[:, :, top : top + rows.size, left : left + columns.size]


def pair(value: Any, name: str, *, minimum: int) -> tuple[int, int]:
    """An int or a (height, width) pair as a pair of ints >= minimum; ArgumentError otherwise."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    try:
        values = tuple(index(v) for v in values if not isinstance(v, bool))
    except TypeError:
        values = ()
    if len(values) != 2 or min(values) < minimum:
        raise ArgumentError(
            f"{name} must be an int or a (height, width) pair of ints >= {minimum}, got {value!r}"
        )
    return values
