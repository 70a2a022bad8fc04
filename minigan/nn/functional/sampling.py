"""Patches of pictures as columns, and pictures read along a grid, with PyTorch's arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigan import backend, ops
from minigan.backend import namespace
from minigan.errors import ArgumentError, ShapeError
from minigan.nn.functional.image import Size, _batched
from minigan.ops.half import in_single
from minigan.ops.patches import Fold, Unfold
from minigan.ops.windows import Axes, Windows, pair
from minigan.tensor import Tensor


def _windows(size: Sequence[int], kernel: Any, dilation: Any, padding: Any, stride: Any, where: str) -> Axes:
    """The windows along both axes; ShapeError where none fits."""
    settings = zip(
        size,
        pair(kernel, "kernel_size", minimum=1),
        pair(stride, "stride", minimum=1),
        pair(padding, "padding", minimum=0),
        pair(dilation, "dilation", minimum=1),
        strict=True,
    )
    rows, columns = (Windows(*along) for along in settings)
    if rows.out < 1 or columns.out < 1:
        raise ShapeError(f"{where}: no window of {kernel} fits into a picture of {tuple(size)}")
    return rows, columns


def unfold(
    input: Tensor, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
) -> Tensor:
    """(N, C, H, W) -> (N, C KH KW, L): every window of the picture as a column, L windows row by row.

    The columns of im2col: ``weight.reshape(O, -1) @ unfold(x, ..)`` is a convolution.  Linear; gx = `fold` of
    g.  Raises ShapeError where no window fits.
    """

    def columns(x: Tensor) -> Tensor:
        return Unfold(_windows(x.shape[2:], kernel_size, dilation, padding, stride, "unfold"))(x)

    return _batched(columns, input, 4, "unfold")


def fold(
    input: Tensor,
    output_size: Size,
    kernel_size: Size,
    dilation: Size = 1,
    padding: Size = 0,
    stride: Size = 1,
) -> Tensor:
    """(N, C KH KW, L) -> (N, C, *output_size): every column added where its window lies; adjoint of `unfold`.

    Raises ShapeError unless KH KW divides the rows and L is the number of windows.
    """
    axes = _windows(
        pair(output_size, "output_size", minimum=1), kernel_size, dilation, padding, stride, "fold"
    )
    cells, windows = axes[0].kernel * axes[1].kernel, axes[0].out * axes[1].out

    def picture(x: Tensor) -> Tensor:
        if x.shape[1] % cells or x.shape[2] != windows:
            raise ShapeError(f"fold: expected (N, C * {cells}, {windows}), got {x.shape}")
        return Fold(axes)(x)

    return _batched(picture, input, 3, "fold")


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """(N, 2, 3), size (N, C, H, W) -> (N, H, W, 2): where `grid_sample` reads for an affine map.

    Each output place (x, y), from -1 to 1, becomes theta (x, y, 1).  Jaderberg et al., arXiv 1506.02025,
    equation 1.  Linear in theta.  ShapeError for other shapes.
    """
    if theta.ndim != 3 or theta.shape[1:] != (2, 3) or len(size) != 4 or size[0] != theta.shape[0]:
        raise ShapeError(
            f"affine_grid: expected theta (N, 2, 3) and size (N, C, H, W), got {theta.shape}, {size}"
        )
    H, W = size[2:]
    places = np.ones((H, W, 3))
    places[..., 0], places[..., 1] = _places(W, align_corners), _places(H, align_corners)[:, None]
    host = places.reshape(1, H * W, 3).astype(theta.dtype)
    base = Tensor._wrap(backend.of(theta.array).from_host(host))
    return ops.reshape(ops.matmul(base, ops.transpose(theta, 1, 2)), theta.shape[0], H, W, 2)


def _places(n: int, align_corners: bool | None) -> np.ndarray:
    """The middles of n cells between -1 and 1, or n places from -1 to 1."""
    if align_corners:
        return np.linspace(-1, 1, n) if n > 1 else np.zeros(n)
    return (2 * np.arange(n) + 1) / n - 1


@in_single
def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """(N, C, H, W), (N, OH, OW, 2) -> (N, C, OH, OW): input read at the places (x, y) of the grid.

    -1 and 1 are the picture's edges, with ``align_corners`` the middles of its outer cells; between four
    cells each counts by its nearness.  Beyond the edge lies 0 ("zeros") or the edge's cell ("border").
    Jaderberg et al., arXiv 1506.02025, equation 5.  Linear in input; in grid it has a kink at each cell.
    Raises ArgumentError for other modes, ShapeError for other shapes.
    """
    if mode != "bilinear" or padding_mode not in ("zeros", "border"):
        raise ArgumentError(
            "grid_sample: expected mode bilinear and padding_mode zeros or border, "
            f"got {mode!r} and {padding_mode!r}"
        )
    shapes = input.shape, grid.shape
    if input.ndim != 4 or grid.ndim != 4 or grid.shape[3] != 2 or input.shape[0] != grid.shape[0]:
        raise ShapeError(
            f"grid_sample: expected (N, C, H, W) and a grid (N, OH, OW, 2), got {shapes[0]}, {shapes[1]}"
        )
    N, _, H, W = input.shape
    column = _neighbours(grid[..., 0], W, padding_mode, align_corners)
    row = _neighbours(grid[..., 1], H, padding_mode, align_corners)
    batch = namespace(input.array).arange(N).reshape(N, 1, 1)
    total: Any = 0.0
    for i, a in row:
        for j, b in column:
            cells = ops.getitem(input, (batch, slice(None), i, j))  # (N, OH, OW, C)
            total = cells * ops.unsqueeze(a * b, -1) + total
    return ops.permute(total, 0, 3, 1, 2)


def _neighbours(
    place: Tensor, n: int, padding_mode: str, align_corners: bool | None
) -> list[tuple[Any, Tensor]]:
    """The two cells of n around each place on an axis from -1 to 1, and how much each counts."""
    at = (place + 1.0) * ((n - 1) / 2) if align_corners else ((place + 1.0) * n - 1.0) * 0.5
    if padding_mode == "border":
        at = ops.clip(at, 0.0, float(n - 1))
    xp = namespace(at.array)
    low = xp.floor(at.array)
    share = at - Tensor._wrap(low)
    found = []
    for cell, weight in ((low, 1.0 - share), (low + 1, share)):
        inside = (cell >= 0) & (cell <= n - 1)
        found.append((cell.clip(0, n - 1).astype(np.int64), ops.where(inside, weight, 0.0)))
    return found


@in_single
def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """(N, C, ...) -> same: x / (k + alpha mean of x**2)**beta, the mean over ``size`` channels around.

    Channels that are not there count as 0.  Krizhevsky et al., NeurIPS 2012, section 3.3, whose alpha is
    alpha / size here.
    """
    if input.ndim < 3 or size < 1:
        raise ShapeError(
            f"local_response_norm: expected (N, C, ...) and size >= 1, got {input.shape}, {size}"
        )
    C = input.shape[1]
    square = input * input
    widths = [0, 0] * (input.ndim - 2) + [size // 2, (size - 1) // 2]
    padded = ops.pad(square, widths, "constant", 0.0)
    total: Any = 0.0
    for first in range(size):
        total = padded[:, first : first + C] + total
    return input / (total * (alpha / size) + k) ** beta
