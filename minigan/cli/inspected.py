"""What ``minigan inspect`` looks into, and numbers as pictures in text."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minigan.cli.run_folder import RunFolder
from minigan.errors import DataError

if TYPE_CHECKING:
    from minigan.data import Dataset
    from minigan.gan.checkpoint import Sampler

SAMPLES, JUDGED, NEAR = 3, 6, 8  # pictures to choose from; that D looks at; whose neighbours are shown
POSITIONS = np.linspace(-3, 3, 9)  # along a direction, in standard deviations


@dataclass
class Run:
    """What the parts of the page are made from; ``data`` is None where it is gone, ``gone`` says why."""

    folder: RunFolder
    sampler: Sampler
    discriminator: Any
    latents: np.ndarray
    labels: np.ndarray | None
    pictures: np.ndarray  # (SAMPLES, C, H, W), generated
    data: Dataset | None
    gone: str
    seed: int


def wanted(run: Run) -> Dataset:
    """Return the run's training pictures; DataError where they are gone."""
    if run.data is None:
        raise DataError(run.gone)
    return run.data


def encoded(pixels: np.ndarray) -> str:
    """Return pixels, uint8 (H, W, 1 or 3), as a picture in text: PNG where small, else WebP."""
    from io import BytesIO

    from minigan.viz.grid import to_picture

    buffer, picture = BytesIO(), to_picture(pixels)
    kind = "png" if pixels.size <= 5000 or min(pixels.shape[:2]) < 16 else "webp"
    if kind == "png":
        picture.save(buffer, "PNG", optimize=True)
    else:
        picture.save(buffer, "WEBP", quality=82, method=4)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def pictures_of(images: np.ndarray) -> list[str]:
    """Return images (N, C, H, W) in [-1, 1] as pictures in text."""
    from minigan.viz.grid import to_pixels

    return [encoded(pixels) for pixels in to_pixels(images)]


def signed(values: np.ndarray, most: float | None = None) -> np.ndarray:
    """Return numbers (H, W) as pixels (H, W, 3): orange above 0, blue below, white at 0; full at ``most``."""
    top = max(float(np.abs(values).max()) if most is None else most, 1e-12)
    share = (values / top).clip(-1, 1)[..., None]
    white, up, down = np.array([250.0] * 3), np.array([200.0, 90, 0]), np.array([20.0, 80, 180])
    return np.rint(white + np.abs(share) * (np.where(share > 0, up, down) - white)).astype(np.uint8)


Part = Callable[[Run], Any]
