"""Labelled digits drawn at run time: the data set that needs no download.

Each character is drawn once per font (those that matplotlib carries), thinned to the line a pen would
follow, and kept as a map of distances to that line.  A picture is then one warped look into such a map:
choose a font, bend the paper (affine and elastic), and ink every point closer to the line than half the
width of the pen.  So stroke width is a number, not a font weight, and the digits look written by many hands.

The elastic bending follows Simard, Steinkraus and Platt, "Best practices for convolutional neural
networks applied to visual document analysis", ICDAR 2003; the thinning is Zhang and Suen, "A fast
parallel algorithm for thinning digital patterns", CACM 27(3), 1984.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from minigan.errors import ArgumentError, DataError

DIGITS = "0123456789"
FONTS = (
    "DejaVuSans.ttf",
    "DejaVuSans-Oblique.ttf",
    "DejaVuSerif-Italic.ttf",
    "STIXGeneral.ttf",
    "STIXGeneralItalic.ttf",
    "STIXGeneralBol.ttf",
    "STIXGeneralBolIta.ttf",
    "cmr10.ttf",
    "cmss10.ttf",
    "cmtt10.ttf",
)
_SIDE = 96  # pixels of a distance map; the character's own box is [-1, 1] squared in its units
_INK = 60  # pixels that the longer side of that box spans, so the map reaches to 1.6 units
_KNOTS = 4  # knots a side of the elastic bending
_CHUNK = 256  # pictures warped at a time, so that their coordinates stay in the cache


def render_glyphs(
    count: int,
    *,
    size: int = 28,
    channels: int = 1,
    characters: str = DIGITS,
    distortion: float = 1.0,
    seed: int | np.random.Generator = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw ``count`` labelled characters.

    Args:
        count: number of pictures N, at least 0.
        size: height and width in pixels, at least 8.
        channels: 1 for white on black, 3 for coloured ink on coloured paper.
        characters: the classes, letters and digits of ASCII, each once; label i is the i-th character.
        distortion: 0 prints upright characters, 1 writes with a careful hand, 2 with a careless one.
        seed: a number or a generator; equal seeds give equal pictures.

    Returns:
        images, float32 (N, channels, size, size) in [-1, 1], and labels, int64 (N,).

    Raises:
        ArgumentError: for a value outside its range.
        DataError: if a font of matplotlib's cannot be read.
    """
    _check(count, size, channels, characters, distortion)
    maps = _distance_maps(characters)  # (fonts, classes, _SIDE, _SIDE)
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, len(characters), count)
    fonts = generator.integers(0, len(maps), count)
    scale, affine = _affine(generator, count, distortion)
    knots = generator.normal(0, 0.1 * distortion, (count, 2, _KNOTS, _KNOTS)).astype(np.float32)
    pen = 0.07 + 0.025 * distortion * generator.uniform(-1, 1, count).astype(np.float32)
    paper, ink = _colours(generator, count, channels)  # each (N, channels, 1, 1)
    images = np.empty((count, channels, size, size), np.float32)
    for start in range(0, count, _CHUNK):
        part = slice(start, start + _CHUNK)
        which = fonts[part] * len(characters) + labels[part]
        away = _look(maps, which, affine[part], knots[part], size) * scale[part, None, None]
        # A pixel is 2 / size wide and the ink fades over that distance, so edges are smooth.
        cover = np.clip((pen[part, None, None] - away) * (size / 2) + 0.5, 0, 1)[:, None]
        images[part] = paper[part] + cover * (ink[part] - paper[part])
    return images, labels.astype(np.int64)


def _check(count: int, size: int, channels: int, characters: str, distortion: float) -> None:
    if not isinstance(count, int) or count < 0:
        raise ArgumentError(f"glyphs: count must be a whole number, at least 0, got {count!r}")
    if not isinstance(size, int) or size < 8:
        raise ArgumentError(f"glyphs: size must be a whole number of pixels, at least 8, got {size!r}")
    if channels not in (1, 3):
        raise ArgumentError(f"glyphs: channels must be 1 (grey) or 3 (colour), got {channels!r}")
    if not (characters.isascii() and characters.isalnum() and len(set(characters)) == len(characters)):
        raise ArgumentError(f"glyphs: characters must be letters and digits, each once, got {characters!r}")
    if not 0 <= distortion <= 3:
        raise ArgumentError(f"glyphs: distortion must be from 0 to 3, got {distortion!r}")


# ---- from fonts to distance maps -------------------------------------------------------------------


@lru_cache(maxsize=4)
def _distance_maps(characters: str) -> np.ndarray:
    """(fonts, classes, _SIDE, _SIDE): distance of each point to the pen's line, in the character's units."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    solid = np.stack([[_draw(font, character) for character in characters] for font in FONTS])
    lines = _thin(solid).reshape(-1, _SIDE, _SIDE)
    # A little blur takes the pixel steps out of the line; the distances away from it stay as they are.
    distances = [gaussian_filter(distance_transform_edt(~line), 1) for line in lines]
    maps = np.array(distances, np.float32).reshape(solid.shape) * np.float32(2 / _INK)
    maps.flags.writeable = False  # the cache hands the same array to everyone
    return maps


def _draw(font: str, character: str) -> np.ndarray:
    """Boolean (_SIDE, _SIDE): the printed character in the middle, its longer side _INK pixels long."""
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont

    path = Path(matplotlib.get_data_path(), "fonts", "ttf", font)
    try:
        face = ImageFont.truetype(str(path), 100)
    except OSError as error:
        raise DataError(f"glyphs: the font {path} cannot be read ({error}); reinstall matplotlib") from error
    left, top, right, bottom = face.getbbox(character)
    face = face.font_variant(size=100 * _INK / max(right - left, bottom - top))
    left, top, right, bottom = face.getbbox(character)
    corner = (_SIDE - left - right) / 2, (_SIDE - top - bottom) / 2
    sheet = Image.new("L", (_SIDE, _SIDE))
    ImageDraw.Draw(sheet).text(corner, character, fill=255, font=face)
    return np.asarray(sheet) >= 128


def _thin(solid: np.ndarray) -> np.ndarray:
    """Thin boolean shapes (..., H, W) to lines one pixel wide (Zhang and Suen 1984)."""
    lines = solid.copy()
    changed = True
    while changed:
        changed = False
        for first in (True, False):
            n, ne, e, se, s, sw, w, nw = _neighbours(lines)
            ring = (n, ne, e, se, s, sw, w, nw, n)
            filled = sum(side.astype(np.int8) for side in ring[:-1])
            edges = sum((~a & b).astype(np.int8) for a, b in zip(ring, ring[1:], strict=False))
            open_side = ~(n & e & s) & ~(e & s & w) if first else ~(n & e & w) & ~(n & s & w)
            peel = lines & (filled >= 2) & (filled <= 6) & (edges == 1) & open_side
            lines &= ~peel
            changed |= bool(peel.any())
    return lines


def _neighbours(shapes: np.ndarray) -> list[np.ndarray]:
    """The eight neighbours of every pixel, clockwise from the one above."""
    steps = ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))
    return [np.roll(shapes, step, axis=(-2, -1)) for step in steps]


# ---- one hand, one sheet of paper ------------------------------------------------------------------


def _affine(generator: np.random.Generator, count: int, distortion: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw scales (N,) and the maps (N, 2, 3) from picture points (x, y, 1) to character points."""
    angle, slant, widen, grow, left, up = distortion * generator.uniform(-1, 1, (6, count))
    angle, slant, widen = 0.2 * angle, 0.3 * slant, np.exp(0.22 * widen)
    scale = 0.68 * np.exp(0.12 * grow)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.stack([[cos, sin], [-sin, cos]])  # (2, 2, N)
    lean = np.stack([[widen, slant], [np.zeros(count), np.ones(count)]])
    affine = np.empty((count, 2, 3), np.float32)
    affine[..., :2] = np.einsum("ijn,jkn->nik", lean, turn) / scale[:, None, None]
    affine[..., 2] = 0.1 * np.stack([left, up], axis=1)
    return scale.astype(np.float32), affine


def _look(
    maps: np.ndarray, which: np.ndarray, affine: np.ndarray, knots: np.ndarray, size: int
) -> np.ndarray:
    """Read maps[which] at the warped points of a (size, size) picture: (N, size, size), bilinear."""
    centres = (np.arange(size, dtype=np.float32) + 0.5) * (2 / size) - 1
    basis = _spline_basis(centres)  # (size, _KNOTS)
    bend = basis @ knots @ basis.T  # (N, 2, size, size)
    x, y = centres[None, :], centres[:, None]
    column, row = (
        affine[:, i, 0, None, None] * x
        + affine[:, i, 1, None, None] * y
        + affine[:, i, 2, None, None]
        + bend[:, i]
        for i in (0, 1)
    )
    column, row = ((v * (_INK / 2) + (_SIDE - 1) / 2).clip(0, _SIDE - 1.001) for v in (column, row))
    left, top = column.astype(np.int32), row.astype(np.int32)
    column -= left
    row -= top
    flat, corner = maps.ravel(), left + top * _SIDE + (which * _SIDE**2).astype(np.int32)[:, None, None]
    above = flat[corner] * (1 - column) + flat[corner + 1] * column
    below = flat[corner + _SIDE] * (1 - column) + flat[corner + _SIDE + 1] * column
    return above * (1 - row) + below * row


def _spline_basis(points: np.ndarray) -> np.ndarray:
    """Cubic B-spline weights (len(points), _KNOTS) of knots spread evenly over [-1, 1]."""
    away = np.abs(points[:, None] * ((_KNOTS - 1) / 2) + (_KNOTS - 1) / 2 - np.arange(_KNOTS))
    near = 2 / 3 - away**2 + away**3 / 2
    far = (2 - away).clip(0) ** 3 / 6
    return np.where(away < 1, near, far).astype(np.float32)


def _colours(generator: np.random.Generator, count: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Colours of paper and ink, each (N, channels, 1, 1); white on black when there is one channel."""
    if channels == 1:
        white = np.ones((count, 1, 1, 1), np.float32)
        return -white, white
    paper, ink = generator.uniform(-1, 1, (2, count, 3, 1, 1)).astype(np.float32)
    # Legible means unlike in lightness: one half-way to white, the other half-way to black.
    side = (2 * generator.integers(0, 2, (count, 1, 1, 1)) - 1).astype(np.float32)
    return (paper + side) / 2, (ink - side) / 2
