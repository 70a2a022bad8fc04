"""Films: frames over time as an animated GIF or WebP."""

from __future__ import annotations

import os
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from minigan.data.arrays import replace_file
from minigan.errors import ArgumentError, ShapeError
from minigan.viz.grid import to_picture

if TYPE_CHECKING:
    from PIL.Image import Image

_PALETTE_FRAMES = 8  # frames that are looked at to choose a GIF's 256 colours


def save_film(
    path: str | os.PathLike, frames: Sequence[np.ndarray], *, seconds: float = 0.15, hold: float = 1.5
) -> None:
    """Write frames as an endless film, replacing an older file at once.

    Args:
        path: ends in .gif (256 colours, read everywhere) or .webp (smaller).
        frames: pixels, uint8 (H, W, 1) or (H, W, 3), all of one shape, at least one.
        seconds: each frame is shown.
        hold: more seconds for the last one.

    Raises:
        ArgumentError, ShapeError, FileError.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (".gif", ".webp"):
        raise ArgumentError(f"film: {path} ends in {suffix!r}, expected .gif or .webp")
    if not len(frames) or len({frame.shape for frame in frames}) > 1:
        shapes = sorted({frame.shape for frame in frames})
        raise ShapeError(f"film: expected at least one frame, all of one shape, got shapes {shapes}")
    if seconds <= 0 or hold < 0:
        raise ArgumentError(f"film: seconds must be positive and hold at least 0, got {seconds}, {hold}")
    pictures = [to_picture(frame) for frame in frames]
    if suffix == ".gif" and pictures[0].mode == "RGB":
        pictures = _one_palette(pictures)
    times = [round(1000 * seconds)] * len(pictures)
    times[-1] += round(1000 * hold)
    grey = pictures[0].mode == "L"
    options = {} if suffix == ".gif" else {"lossless": True} if grey else {"quality": 90}
    buffer = BytesIO()
    pictures[0].save(
        buffer,
        suffix[1:].upper(),
        save_all=True,
        append_images=pictures[1:],
        duration=times,
        loop=0,
        **options,
    )
    with replace_file(path, needed=buffer.tell()) as file:
        file.write(buffer.getbuffer())


def _one_palette(pictures: list[Image]) -> list[Image]:
    """Reduce all to the same 256 colours, so that what stands still does not flicker."""
    from PIL import Image

    step = max(1, len(pictures) // _PALETTE_FRAMES)
    some = [pictures[-1], *pictures[::step]]
    stack = Image.fromarray(np.concatenate([np.asarray(picture) for picture in some]))
    palette = stack.quantize(256)
    return [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
