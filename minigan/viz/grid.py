"""Many pictures in one."""

from __future__ import annotations

import math

import numpy as np

from minigan.errors import ArgumentError, NumericError, ShapeError


def image_grid(
    images: np.ndarray, *, columns: int | None = None, scale: int = 1, gap: int = 2, background: float = 1.0
) -> np.ndarray:
    """Lay pictures out in rows, left to right, top to bottom.

    Args:
        images: (N, C, H, W) in [-1, 1] (what lies outside is clipped), C 1 or 3, N >= 1.
        columns: pictures in a row; by default the grid is about square.
        scale: each pixel becomes a square of so many.
        gap: pixels between pictures.
        background: of gaps and of the places left over in the last row, in [0, 1].

    Returns:
        float32 (C, height, width) in [0, 1].

    Raises:
        ShapeError, ArgumentError: another shape; sizes below their least.
        NumericError: a pixel is NaN or infinite.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape:
        raise ShapeError(f"image_grid: expected (N, 1 or 3, H, W) with N >= 1, got {images.shape}")
    count, channels, height, width = images.shape
    columns = math.ceil(math.sqrt(count)) if columns is None else columns
    for name, value, least in (("columns", columns, 1), ("scale", scale, 1), ("gap", gap, 0)):
        if value < least:
            raise ArgumentError(f"image_grid: {name} must be at least {least}, got {value}")
    if not np.isfinite(images).all():
        raise NumericError("image_grid: a picture holds NaN or infinity; the run that made it diverged")
    rows = math.ceil(count / columns)
    high, wide = height * scale + gap, width * scale + gap
    canvas = np.full((channels, rows * high - gap, columns * wide - gap), background, np.float32)
    for i, image in enumerate(images):
        top, left = i // columns * high, i % columns * wide
        large = image.repeat(scale, axis=1).repeat(scale, axis=2)
        canvas[:, top : top + height * scale, left : left + width * scale] = large.clip(-1, 1) * 0.5 + 0.5
    return canvas


def fitting_scale(size: int, *, wanted: int = 64) -> int:
    """Return the whole factor that brings a picture of ``size`` pixels closest to ``wanted``, at least 1."""
    return max(1, round(wanted / size))
