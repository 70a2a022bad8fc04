"""Procedural textures: pictures with known family, scale and orientation, from a seed.

A texture is painted in three steps, each a few NumPy lines:

1. a **canvas**: the coordinates of every pixel, turned by the orientation and divided by the scale, so that a
   pattern repeats about once per unit;
2. a **family** (stripes, scales, weave, brush strokes along a flow, ...): from coordinates to a *height* in
   [0, 1] and, where the pattern has parts (bricks, scales), a *part number* per pixel;
3. a **palette**: heights and parts become colours.

The families are in :mod:`minigan.data.patterns`. They teach the style extractor that ships
(``examples/24_train_style_features.py``): a net that names the family and the scale has to look at what
painters vary. Everything is drawn from the Generator passed in: the same seed gives the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minigan.data.noise import noise
from minigan.data.patterns import FAMILIES, PAINTED, Canvas
from minigan.errors import DataError

Field = np.ndarray
NAMES = (*FAMILIES, *PAINTED)
SCALES = (5.0, 9.0, 17.0)  # pixels per repetition: fine, middle, coarse
ORIENTATIONS = (0.0, 45.0, 90.0, 135.0)  # degrees, each with a jitter of up to 10


# ---- colours and whole pictures ----------------------------------------------------------------------


def random_palette(generator: np.random.Generator, count: int | None = None) -> Field:
    """Draw ``count`` (2 to 6) colours, shape (count, 3) in [0, 1]: free, or kin of one hue with an accent."""
    count = int(generator.integers(2, 7)) if count is None else count
    free = generator.random((count, 3))
    if generator.random() < 0.4:
        return free
    base, spread = generator.random(3), generator.uniform(0.1, 0.35)
    light = np.linspace(-0.4, 0.4, count)[:, None]
    kin = np.clip(base + spread * (free - 0.5) + generator.permutation(light), 0, 1)
    if generator.random() < 0.5:
        kin[-1] = 1 - base  # the accent
    return kin


def colour(c: Canvas, height: Field, part: Field | None, palette: Field) -> Field:
    """Paint heights (and parts) with a palette: (size, size) -> (size, size, 3) in [0, 1]."""
    count = len(palette)
    if part is not None and c.generator.random() < 0.7:
        ground, body = palette[0], palette[c.generator.integers(0, count, 4096)][part % 4096]
        picture = ground + (body - ground) * (0.25 + 0.75 * height)[..., None]
    else:
        place = np.clip(height, 0, 1) * (count - 1)
        left = np.minimum(place.astype(int), count - 2)
        t = (place - left)[..., None]
        picture = palette[left] * (1 - t) + palette[left + 1] * t
    if c.generator.random() < 0.4:  # light from the upper left, as if the height were paint
        slope = np.gradient(height)
        picture = picture + c.between(0.1, 0.4) * (slope[0] + slope[1])[..., None]
    return picture


@dataclass(frozen=True)
class Texture:
    """One texture: ``picture`` (3, size, size) float32 in [0, 1] and the indices of what was painted."""

    picture: np.ndarray
    family: int  # into NAMES
    scale: int  # into SCALES
    orientation: int  # into ORIENTATIONS


def paint_texture(
    generator: np.random.Generator,
    size: int = 64,
    *,
    family: str | None = None,
    scale: int | None = None,
    orientation: int | None = None,
) -> Texture:
    """Paint one texture; what is not given is drawn. Raises DataError for an unknown family or size."""
    if family is not None and family not in NAMES:
        raise DataError(f"texture family {family!r}: expected one of {', '.join(NAMES)}")
    if size < 8:
        raise DataError(f"texture size {size}: expected at least 8 pixels")
    name = NAMES[generator.integers(len(NAMES))] if family is None else family
    scale = int(generator.integers(len(SCALES))) if scale is None else scale
    orientation = int(generator.integers(len(ORIENTATIONS))) if orientation is None else orientation
    period = SCALES[scale] * generator.uniform(0.85, 1.15)
    c = Canvas(size, period, ORIENTATIONS[orientation] + generator.uniform(-10, 10), generator)
    palette = random_palette(generator)
    if name in PAINTED:
        picture = PAINTED[name](c, palette)
    else:
        made = FAMILIES[name](c)
        height, part = made if isinstance(made, tuple) else (made, None)
        picture = colour(c, height, part, palette)
    light = 1 + c.between(0, 0.3) * (noise(generator, size, size / 2) - 0.5)[..., None]
    grain = c.between(0, 0.03) * generator.standard_normal((size, size, 1))
    picture = np.clip(picture * light + grain, 0, 1).astype(np.float32)
    return Texture(picture.transpose(2, 0, 1), NAMES.index(name), scale, orientation)


def paint_textures(
    generator: np.random.Generator, count: int, size: int = 64
) -> tuple[np.ndarray, np.ndarray]:
    """Paint ``count`` textures: pictures (count, 3, size, size) uint8, labels (count, 3) int64.

    The labels are the indices of family, scale and orientation.
    """
    pictures = np.empty((count, 3, size, size), np.uint8)
    labels = np.empty((count, 3), np.int64)
    for i in range(count):
        texture = paint_texture(generator, size)
        pictures[i] = np.rint(texture.picture * 255)
        labels[i] = texture.family, texture.scale, texture.orientation
    return pictures, labels
