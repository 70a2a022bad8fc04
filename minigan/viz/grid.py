"""Image grids: many small pictures in one, as pixels or as a PNG file."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from minigan import backend
from minigan.data.arrays import replace_file
from minigan.errors import ArgumentError, NumericError, ShapeError

if TYPE_CHECKING:
    from PIL.Image import Image

LIMIT = 300_000  # bytes of a PNG file; larger pictures lose colours, then size, until they fit
_PAPER, _INK = 32, 235  # shades of the gaps and of the letters
_LETTER, _LINE = 12, 18  # heights in pixels
_WIDTH = 560  # pixels that a grid grows to where no scale is given


def to_pixels(images: Any) -> np.ndarray:
    """Turn images (N, C, H, W) in [-1, 1], on any device, into uint8 (N, H, W, C), C = 1 or 3.

    What lies outside is clipped.  Raises ShapeError, and NumericError for NaN or infinity.
    """
    images = backend.to_host(images)
    if images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape:
        raise ShapeError(f"images: expected shape (N, 1 or 3, H, W) with N >= 1, got {images.shape}")
    broken = ~np.isfinite(images).all(axis=(1, 2, 3))
    if broken.any():
        raise NumericError(
            f"images: NaN or infinite pixels in {broken.sum()} of {len(images)} pictures, "
            f"first in picture {broken.argmax()}; the run has diverged"
        )
    return np.rint((images.clip(-1, 1) + 1) * 127.5).astype(np.uint8).transpose(0, 2, 3, 1)


def image_grid(
    images: Any,
    *,
    columns: int | None = None,
    scale: int | None = None,
    padding: int = 2,
    labels: Sequence[object] | None = None,
    title: str = "",
) -> np.ndarray:
    """Lay images out row by row.

    Args:
        images: (N, 1 or 3, H, W) in [-1, 1], on any device.
        columns: pictures in a row; by default as many as make it square.
        scale: how many pixels wide a pixel becomes; by default so that the grid is about 560 wide.
        padding: pixels between pictures.
        labels: one for each image, written below it.
        title: one line, written above the grid.

    Returns:
        pixels, uint8 (height, width, 1 or 3).
    """
    tiles = to_pixels(images)
    count, height, width, channels = tiles.shape
    columns = min(columns or math.ceil(math.sqrt(count)), count)
    scale = scale or max(1, _WIDTH // (columns * width + (columns - 1) * padding))
    if columns < 1 or scale < 1 or padding < 0:
        raise ArgumentError(
            f"grid: columns and scale must be at least 1 and padding at least 0, "
            f"got {columns}, {scale}, {padding}"
        )
    if labels is not None and len(labels) != count:
        raise ShapeError(f"grid: expected {count} labels, one for each image, got {len(labels)}")
    tiles = tiles.repeat(scale, axis=1).repeat(scale, axis=2)
    height, width = height * scale, width * scale
    above = _LINE if title else 0
    step_down = height + padding + (_LINE if labels is not None else 0)
    step_right = width + padding
    rows = math.ceil(count / columns)
    shape = above + padding + rows * step_down, padding + columns * step_right, channels
    sheet = np.full(shape, _PAPER, np.uint8)
    texts = [(padding + 2, 2, title)] if title else []
    for i, tile in enumerate(tiles):
        top, left = above + padding + i // columns * step_down, padding + i % columns * step_right
        sheet[top : top + height, left : left + width] = tile
        if labels is not None:
            texts.append((left, top + height + 1, str(labels[i])))
    return write_text(sheet, texts) if texts else sheet


def write_text(pixels: np.ndarray, texts: Sequence[tuple[int, int, str]], *, shade: int = _INK) -> np.ndarray:
    """Return the pixels with each (left, top, text) written on them in a shade of grey."""
    from PIL import ImageDraw, ImageFont

    picture = to_picture(pixels)
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(_LETTER)
    for left, top, text in texts:
        pen.text((left, top), text, font=font, fill=shade if picture.mode == "L" else (shade,) * 3)
    return np.asarray(picture).reshape(pixels.shape)


def to_picture(pixels: np.ndarray) -> Image:
    """Make a Pillow image of pixels (H, W), (H, W, 1) or (H, W, 3)."""
    from PIL import Image

    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (1,), (3,)):
        raise ShapeError(f"pixels: expected uint8 (H, W, 1 or 3), got {pixels.dtype} {pixels.shape}")
    return Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels))


def png_bytes(pixels: np.ndarray, *, limit: int | None = LIMIT) -> bytes:
    """Encode pixels as PNG; if it has more than ``limit`` bytes, with 256 colours, then ever smaller."""
    from PIL import Image

    picture = to_picture(pixels)
    content = _encode(picture)
    if limit is None or len(content) <= limit:
        return content
    small = picture
    while len(content) > limit and min(small.size) > 1:
        content = _encode(small.quantize(256) if small.mode == "RGB" else small)
        if len(content) > limit:
            shrink = min(0.9, math.sqrt(limit / len(content)))
            size = [max(1, int(side * shrink)) for side in small.size]
            small = picture.resize((size[0], size[1]), Image.Resampling.LANCZOS)
    return content


def _encode(picture: Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def save_png(path: str | os.PathLike, pixels: np.ndarray, *, limit: int | None = LIMIT) -> None:
    """Write pixels (H, W, 1 or 3) as PNG (:func:`png_bytes`), replacing an older file at once."""
    content = png_bytes(pixels, limit=limit)
    with replace_file(path, needed=len(content)) as file:
        file.write(content)


def save_grid(path: str | os.PathLike, images: Any, **options: Any) -> None:
    """Write images (N, 1 or 3, H, W) in [-1, 1] as a PNG grid; options are those of :func:`image_grid`."""
    save_png(path, image_grid(images, **options))
