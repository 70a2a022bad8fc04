"""The 2-D laboratory: what D thinks of every point of the plane, and where G puts its points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigan import backend
from minigan.errors import ArgumentError, NumericError, ShapeError
from minigan.viz.grid import write_text

# D's probability of "real" from 0 to 1; light in the middle, where D cannot tell.
_FAKE, _UNSURE, _REAL = np.array([(70, 110, 190), (247, 247, 247), (230, 140, 60)], np.float64)
_LABEL, _LINE = 225, 18  # shade and height of the bands that carry text
CLOUDS = ((30, 30, 30), (190, 20, 60), (20, 120, 60), (120, 40, 160))  # the first for the real points


def plane_points(extent: float, resolution: int) -> np.ndarray:
    """Return float32 (resolution**2, 2): the centres of a square raster over [-extent, extent] squared.

    In the order that :func:`draw_plane` reads: row by row from the top, y falling, x growing.
    """
    line = ((np.arange(resolution) + 0.5) * (2 / resolution) - 1) * extent
    x, y = np.meshgrid(line, -line)
    return np.stack([x, y], axis=-1).reshape(-1, 2).astype(np.float32)


def draw_plane(
    scores: Any, clouds: Mapping[str, Any], *, extent: float, size: int = 480, dot: int = 3, title: str = ""
) -> np.ndarray:
    """Draw a heat map of D and clouds of points on it, as one frame of a film.

    Args:
        scores: D's probability of "real" in [0, 1], (R * R,) at :func:`plane_points`, or (R, R); on any
            device; None leaves the ground white.
        clouds: name -> points (N, 2), at most four clouds, drawn in order, each in its colour (``CLOUDS``).
            Points outside the plane, and such as are not finite, are left out.
        extent: the plane is [-extent, extent] squared.
        size: pixels of each side.
        dot: pixels of a point's side.
        title: one line at the top left; the names of the clouds stand at the bottom in their colours.

    Returns:
        pixels, uint8 (size, size, 3).
    """
    if extent <= 0 or size < 1 or not 1 <= dot <= size or len(clouds) > len(CLOUDS):
        raise ArgumentError(
            f"plane: extent, size and dot must be positive and clouds at most {len(CLOUDS)}, "
            f"got {extent}, {size}, {dot}, {len(clouds)}"
        )
    pixels = np.full((size, size, 3), 255, np.uint8) if scores is None else _heat(scores, size)
    for (name, points), colour in zip(clouds.items(), CLOUDS, strict=False):
        points = backend.to_host(points)
        if points.ndim != 2 or points.shape[1] != 2:
            raise ShapeError(f"plane: cloud {name!r} has shape {points.shape}, expected (N, 2)")
        with np.errstate(invalid="ignore"):
            inside = points[(np.abs(points) < extent).all(axis=1)]
        corner = ((inside * [1, -1] / extent + 1) * (size / 2) - dot / 2).round().astype(int)
        across, down = np.meshgrid(np.arange(dot), np.arange(dot))
        columns = (corner[:, 0, None] + across.ravel()).clip(0, size - 1)
        rows = (corner[:, 1, None] + down.ravel()).clip(0, size - 1)
        pixels[rows, columns] = colour
    return _legend(pixels, clouds, title)


def _heat(scores: Any, size: int) -> np.ndarray:
    scores = backend.to_host(scores).astype(np.float64)
    side = round(scores.size**0.5)
    if side == 0 or scores.size != side**2 or scores.shape not in ((side, side), (side**2,), (side**2, 1)):
        raise ShapeError(f"plane: scores have shape {scores.shape}, expected (R, R) or (R * R,)")
    if not np.isfinite(scores).all():
        raise NumericError("plane: scores hold NaN or infinity; the discriminator has diverged")
    nearest = np.arange(size) * side // size
    value = scores.reshape(side, side)[nearest][:, nearest, None].clip(0, 1)
    away = np.abs(2 * value - 1)
    return np.rint(_UNSURE + away * (np.where(value > 0.5, _REAL, _FAKE) - _UNSURE)).astype(np.uint8)


def _legend(pixels: np.ndarray, clouds: Mapping[str, Any], title: str) -> np.ndarray:
    size, texts = len(pixels), []
    if title:
        pixels[:_LINE] = _LABEL
        texts.append((6, 2, title))
    if clouds:
        pixels[size - _LINE :] = _LABEL
    for i, (name, colour) in enumerate(zip(clouds, CLOUDS, strict=False)):
        left = 6 + i * size // len(clouds)
        pixels[size - 13 : size - 5, left : left + 8] = colour
        texts.append((left + 14, size - 16, name))
    return write_text(pixels, texts, shade=30) if texts else pixels
