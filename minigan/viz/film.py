"""Pictures after one another: an animated GIF or WebP."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import BinaryIO

import numpy as np

from minigan.errors import ArgumentError, DataError, ShapeError


def write_film(
    file: str | os.PathLike | BinaryIO,
    frames: Iterable[np.ndarray],
    *,
    seconds_a_frame: float = 0.15,
    last_seconds: float | None = None,
    form: str = "GIF",
) -> None:
    """Write frames as an endless film.

    Args:
        file: a path, or a file open for writing bytes.
        frames: each (C, H, W) in [0, 1], C 1 or 3, all of one shape.
        seconds_a_frame: how long each is shown.
        last_seconds: how long the last one is shown; by default as long as the others.
        form: "GIF" (256 colours, plays everywhere) or "WEBP".

    Raises:
        DataError: there is no frame.
        ShapeError: frames that differ in shape.
        ArgumentError: another form or a time that is not positive.
    """
    from PIL import Image

    if form not in ("GIF", "WEBP"):
        raise ArgumentError(f"write_film: form must be GIF or WEBP, got {form!r}")
    if not seconds_a_frame > 0 or (last_seconds is not None and not last_seconds > 0):
        raise ArgumentError(f"write_film: times must be positive, got {seconds_a_frame!r}, {last_seconds!r}")
    pictures, shape = [], None
    for frame in frames:
        if frame.ndim != 3 or frame.shape[0] not in (1, 3) or frame.shape != (shape or frame.shape):
            raise ShapeError(
                f"write_film: expected frames of shape {shape or '(1 or 3, H, W)'}, got {frame.shape}"
            )
        shape = frame.shape
        pixels = np.rint(frame.clip(0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)  # (H, W, C)
        pictures.append(Image.fromarray(pixels[..., 0] if shape[0] == 1 else pixels))
    if not pictures:
        raise DataError("write_film: no frame to show")
    times = [round(1000 * seconds_a_frame)] * len(pictures)
    times[-1] = round(1000 * (last_seconds or seconds_a_frame))
    pictures[0].save(file, form, save_all=True, append_images=pictures[1:], duration=times, loop=0)
