"""The windows of a picture as columns of a matrix, and back: what a convolution by one product reads.

With x's patches as columns, conv2d(x, w) is w.reshape(O, C KH KW) @ columns.  The two operations are each
other's adjoint, so each is the other's derivative, of every order.

Chellapilla, Puri and Simard, "High performance convolutional neural networks for document processing", 2006.
"""

from __future__ import annotations

from minigan.backend import Array
from minigan.ops.windows import Axes, fold, unfold
from minigan.tensor import Op, Tensor


class Unfold(Op):
    """(N, C, H, W) -> (N, C KH KW, OH OW): column l holds window l;  gx = Fold(g)."""

    def __init__(self, axes: Axes):
        self.axes = axes

    def forward(self, x: Array) -> Array:
        rows, columns = self.axes
        cells = x.shape[1] * rows.kernel * columns.kernel
        windows = unfold(x, self.axes).transpose(0, 1, 4, 5, 2, 3)
        return windows.reshape(x.shape[0], cells, rows.out * columns.out)

    def backward(self, g: Tensor) -> Tensor:
        return Fold(self.axes)(g)


class Fold(Op):
    """(N, C KH KW, OH OW) -> (N, C, H, W): each value added to the cell it belongs to;  gx = Unfold(g)."""

    def __init__(self, axes: Axes):
        self.axes = axes

    def forward(self, x: Array) -> Array:
        rows, columns = self.axes
        channels = x.shape[1] // (rows.kernel * columns.kernel)
        windows = x.reshape(x.shape[0], channels, rows.kernel, columns.kernel, rows.out, columns.out)
        return fold(windows.transpose(0, 1, 4, 5, 2, 3), self.axes)

    def backward(self, g: Tensor) -> Tensor:
        return Unfold(self.axes)(g)
