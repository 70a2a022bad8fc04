"""Procedural textures: pictures with known family, scale and orientation, from a seed.

A texture is painted in three steps, each a few NumPy lines:

1. a **canvas**: the coordinates of every pixel, turned by the orientation and divided by the scale, so that a
   pattern repeats about once per unit;
2. a **family** (stripes, scales, weave, brush strokes along a flow, ...): from coordinates to a *height* in
   [0, 1] and, where the pattern has parts (bricks, scales), a *part number* per pixel;
3. a **palette**: heights and parts become colours.

They teach the style extractor that ships (``examples/train_style_features.py``): a net that names the family
and the scale has to look at what painters vary. Cells are Worley's (A cellular texture basis
function, SIGGRAPH 1996); the smearing of noise along a flow is Cabral and Leedom's line integral convolution
(SIGGRAPH 1993). Everything is drawn from the Generator passed in: the same seed gives the same picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigan.data import brush
from minigan.data.noise import noise, octaves, soft
from minigan.errors import DataError

Field = np.ndarray
SCALES = (5.0, 9.0, 17.0)  # pixels per repetition: fine, middle, coarse
ORIENTATIONS = (0.0, 45.0, 90.0, 135.0)  # degrees, each with a jitter of up to 10


@dataclass
class Canvas:
    """Where a texture is painted: ``x``, ``y`` (size, size) in repetitions of ``period`` pixels each."""

    size: int
    period: float
    angle: float
    generator: np.random.Generator
    x: Field = field(init=False)
    y: Field = field(init=False)

    def __post_init__(self) -> None:
        row, column = np.mgrid[0:self.size, 0:self.size] / self.period
        cosine, sine = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        shift = self.generator.uniform(100, 200, 2)  # far from 0, so that integer parts are positive
        self.x = column * cosine + row * sine + shift[0]
        self.y = row * cosine - column * sine + shift[1]
        if self.generator.random() < 0.6:  # a hand is never exact: bend the coordinates a little
            strength = self.generator.uniform(0.1, 0.7)
            self.x += strength * (noise(self.generator, self.size, 3 * self.period) - 0.5)
            self.y += strength * (noise(self.generator, self.size, 3 * self.period) - 0.5)

    def between(self, low: float, high: float) -> float:
        """Draw a number from U(low, high)."""
        return float(self.generator.uniform(low, high))


# ---- shapes that several families share ------------------------------------------------------------


def _triangle(values: Field) -> Field:
    """Triangle wave of period 1 in [0, 1]: 0 at integers, 1 half-way."""
    return 1 - np.abs(2 * (values - np.floor(values)) - 1)


def _cells(c: Canvas, jitter: float) -> tuple[Field, Field, Field]:
    """Worley's cells: distance to the nearest and second nearest point, and the nearest point's number."""
    table = c.generator.random((2, 64, 64))
    column, row = np.floor(c.x).astype(int), np.floor(c.y).astype(int)
    distances, numbers = [], []
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            wrapped = (row + i) & 63, (column + j) & 63
            dx = column + j + 0.5 + jitter * (table[0][wrapped] - 0.5) - c.x
            dy = row + i + 0.5 + jitter * (table[1][wrapped] - 0.5) - c.y
            distances.append(dx * dx + dy * dy)
            numbers.append(wrapped[0] * 64 + wrapped[1])
    stack = np.stack(distances)
    nearest = stack.argmin(0)[None]
    first = np.take_along_axis(stack, nearest, 0)[0]
    np.put_along_axis(stack, nearest, np.inf, 0)
    return np.sqrt(first), np.sqrt(stack.min(0)), np.take_along_axis(np.stack(numbers), nearest, 0)[0]


# ---- families: canvas -> height in [0, 1], or (height, part number) ------------------------------------


def _stripes(c: Canvas) -> Any:
    return soft(_triangle(c.x) - c.between(0.3, 0.7), c.between(0.1, 1.0))


def _zigzag(c: Canvas) -> Any:
    return soft(_triangle(c.x + c.between(0.5, 1.0) * _triangle(c.y)) - 0.5, c.between(0.2, 0.8))


def _waves(c: Canvas) -> Any:
    bend = c.between(0.2, 0.6) * np.sin(2 * np.pi * c.y * c.between(0.4, 0.8))
    return 0.5 + 0.5 * np.sin(2 * np.pi * (c.x + bend))


def _checks(c: Canvas) -> Any:
    column, row = np.floor(c.x).astype(int), np.floor(c.y).astype(int)
    edge = np.minimum(_triangle(c.x), _triangle(c.y))
    return 0.35 + 0.65 * soft(edge - 0.05, 0.3), (column + row) % 2 * 7 + (row % 3) * c.generator.integers(2)


def _bricks(c: Canvas) -> Any:
    row = np.floor(2 * c.y).astype(int)
    along = c.x * 0.8 + 0.5 * (row % 2)
    mortar = np.minimum(_triangle(along) / 0.8, _triangle(2 * c.y) / 2)
    part = row * 31 + np.floor(along).astype(int)
    return soft(mortar - 0.12, 0.12), part


def _weave(c: Canvas) -> Any:
    over = (np.floor(c.x) + np.floor(c.y)).astype(int) % 2
    across, along = np.sin(np.pi * (c.x % 1)), np.sin(np.pi * (c.y % 1))
    height = np.where(over == 1, across * (0.6 + 0.4 * along), along * (0.6 + 0.4 * across))
    return height, over * 5 + 1


def _grid(c: Canvas) -> Any:
    width = c.between(0.15, 0.4)
    return 1 - soft(np.minimum(_triangle(c.x), _triangle(c.y)) - width, 0.2)


def _plaid(c: Canvas) -> Any:
    threads = c.generator.random((2, 9))
    return 0.5 * threads[0][(3 * c.x).astype(int) % 9] + 0.5 * threads[1][(3 * c.y).astype(int) % 9]


def _triangles(c: Canvas) -> Any:
    x, y = c.x + 0.5 * c.y, c.y * 0.866
    upper = (x % 1 + y % 1 > 1).astype(int)
    part = np.floor(x).astype(int) * 13 + np.floor(y).astype(int) * 7 + upper * 3
    return 0.4 + 0.6 * (x % 1), part


def _hexagons(c: Canvas) -> Any:
    row = np.floor(c.y).astype(int)
    candidates = []
    for r in (row, row + 1):
        centre = np.floor(c.x + 0.5 * (r % 2) + 0.5) - 0.5 * (r % 2)
        candidates.append(((c.x - centre) ** 2 + ((c.y - r) * 0.866) ** 2, r * 17 + centre.astype(int)))
    first = candidates[0][0] < candidates[1][0]
    gap = np.abs(candidates[0][0] - candidates[1][0])
    return soft(gap - 0.08, 0.2), np.where(first, candidates[0][1], candidates[1][1])


def _scales(c: Canvas) -> Any:
    """Rows of discs, each row lying over the one above it, like a fish's."""
    row = np.floor(2 * c.y).astype(int)
    height, part, free = np.zeros_like(c.x), np.zeros_like(row), np.ones(c.x.shape, bool)
    for k in (1, 0, -1):
        r = row - k
        centre = np.floor(c.x + 0.5 * (r % 2) + 0.5) - 0.5 * (r % 2)
        distance = np.hypot(c.x - centre, c.y - (r + 0.2) / 2)
        inside = free & (distance < 0.56)
        height = np.where(inside, soft(0.56 - distance, 0.8), height)
        part = np.where(inside, r * 19 + (2 * centre).astype(int), part)
        free &= ~inside
    return height, part


def _dots(c: Canvas) -> Any:
    near, _, part = _cells(c, c.between(0, 0.4))
    return soft(c.between(0.2, 0.42) - near, c.between(0.08, 0.3)), part


def _spatter(c: Canvas) -> Any:
    near, _, part = _cells(c, 1.0)
    radius = 0.05 + 0.5 * c.generator.random(4096) ** 2
    return soft(radius[part] - near, 0.12)


def _voronoi(c: Canvas) -> Any:
    near, _, part = _cells(c, 1.0)
    return 1 - 0.6 * np.clip(near, 0, 1), part


def _cracks(c: Canvas) -> Any:
    near, second, _ = _cells(c, 1.0)
    return soft(second - near - c.between(0.05, 0.2), 0.15)


def _pebbles(c: Canvas) -> Any:
    near, second, part = _cells(c, 0.7)
    return np.sqrt(np.clip((second - near) * 1.6, 0, 1)), part


def _clouds(c: Canvas) -> Any:
    return octaves(c.generator, c.size, 2 * c.period)


def _ridges(c: Canvas) -> Any:
    return 1 - np.abs(2 * octaves(c.generator, c.size, 2 * c.period, 3) - 1) ** c.between(0.5, 1)


def _marble(c: Canvas) -> Any:
    return 0.5 + 0.5 * np.sin(2 * np.pi * (0.5 * c.x + 2.5 * octaves(c.generator, c.size, 3 * c.period)))


def _wood(c: Canvas) -> Any:
    x, y = c.x - c.x.mean() + c.between(-3, 3), 0.25 * (c.y - c.y.mean())
    rings = np.hypot(x, y) + 0.5 * noise(c.generator, c.size, 2 * c.period)
    return (rings % 1) ** c.between(0.7, 2)


def _rings(c: Canvas) -> Any:
    centre = c.generator.integers(0, c.size, 2)
    away = np.hypot(c.x - c.x[centre[0], centre[1]], c.y - c.y[centre[0], centre[1]])
    return soft(_triangle(away) - 0.5, c.between(0.3, 1.0))


def _swirls(c: Canvas) -> Any:
    """Spirals: every cell of a loose lattice turns round its own middle."""
    near, _, part = _cells(c, 0.6)
    turn = c.generator.choice([-1.0, 1.0], 4096)[part]
    angle = np.arctan2(c.y % 1 - 0.5, c.x % 1 - 0.5)
    return 0.5 + 0.5 * np.sin(angle * turn + c.between(6, 12) * near)


def _eddies(c: Canvas) -> Any:
    """Long bands wound up by whirls, as in a stirred pot."""
    x, y = c.x.copy(), c.y.copy()
    for _ in range(4):
        row, column = c.generator.integers(0, c.size, 2)
        dx, dy = x - c.x[row, column], y - c.y[row, column]
        turn = c.between(-4, 4) * np.exp(-(dx * dx + dy * dy) / c.between(1.0, 5.0))
        cosine, sine = np.cos(turn), np.sin(turn)
        x, y = x + dx * (cosine - 1) - dy * sine, y + dx * sine + dy * (cosine - 1)
    return 0.5 + 0.5 * np.sin(2 * np.pi * x)


def _hatching(c: Canvas) -> Any:
    lines = soft(_triangle(2 * c.x) - c.between(0.5, 0.75), 0.4)
    return lines * (0.2 + 0.8 * soft(noise(c.generator, c.size, c.period) - 0.4, 0.3))


def _crosshatch(c: Canvas) -> Any:
    x, y = 2 * (c.x + 0.3 * c.y), 2 * (c.x - 0.3 * c.y) + c.y * c.between(0, 2)
    ink = noise(c.generator, c.size, 2 * c.period)
    return np.maximum(soft(_triangle(x) - 0.65, 0.3), soft(_triangle(y) - 0.65, 0.3) * (ink > 0.45))


def _fur(c: Canvas) -> Any:
    flow = np.radians(c.angle) + 2 * (noise(c.generator, c.size, 5 * c.period) - 0.5)
    hairs = noise(c.generator, c.size, max(c.period / 5, 1.0))
    return brush.smear(hairs, flow, int(c.period))


# ---- families painted stroke by stroke: canvas, palette -> picture (size, size, 3) -------------------


def _flow(c: Canvas, wander: float) -> Field:
    return np.radians(c.angle) + wander * (noise(c.generator, c.size, 4 * c.period) - 0.5)


def _parallel_strokes(c: Canvas, colours: Field) -> Field:
    return brush.cover(c.generator, _flow(c, 0.6), colours, length=2.0 * c.period, width=0.5 * c.period)


def _flowing_strokes(c: Canvas, colours: Field) -> Field:
    return brush.cover(c.generator, _flow(c, 2 * np.pi), colours, length=1.6 * c.period, width=0.4 * c.period)


def _whirling_strokes(c: Canvas, colours: Field) -> Field:
    flow = brush.whirls(c.generator, c.size, max(1, int(c.size / (6 * c.period)) ** 2 + 1))
    return brush.cover(c.generator, flow, colours, length=1.6 * c.period, width=0.4 * c.period)


def _dabs(c: Canvas, colours: Field) -> Field:
    return brush.cover(c.generator, _flow(c, 9.0), colours, length=0.7 * c.period, width=0.6 * c.period)


def _scumble(c: Canvas, colours: Field) -> Field:
    """Short strokes in two directions, one over the other."""
    flow = _flow(c, 0.5) + np.pi / 2 * (noise(c.generator, c.size, c.period) > 0.5)
    return brush.cover(c.generator, flow, colours, length=1.1 * c.period, width=0.35 * c.period)


FAMILIES: dict[str, Callable[[Canvas], Any]] = {
    "stripes": _stripes, "zigzag": _zigzag, "waves": _waves, "checks": _checks, "bricks": _bricks,
    "weave": _weave, "grid": _grid, "plaid": _plaid, "triangles": _triangles, "hexagons": _hexagons,
    "scales": _scales, "dots": _dots, "spatter": _spatter, "voronoi": _voronoi, "cracks": _cracks,
    "pebbles": _pebbles, "clouds": _clouds, "ridges": _ridges, "marble": _marble, "wood": _wood,
    "rings": _rings, "swirls": _swirls, "eddies": _eddies, "hatching": _hatching, "crosshatch": _crosshatch,
    "fur": _fur,
}
PAINTED: dict[str, Callable[[Canvas, Field], Field]] = {
    "parallel strokes": _parallel_strokes, "flowing strokes": _flowing_strokes,
    "whirling strokes": _whirling_strokes, "dabs": _dabs, "scumble": _scumble,
}
NAMES = (*FAMILIES, *PAINTED)


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


def paint_texture(generator: np.random.Generator, size: int = 64, *, family: str | None = None,
                  scale: int | None = None, orientation: int | None = None) -> Texture:
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


def paint_textures(generator: np.random.Generator, count: int,
                   size: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Paint ``count`` textures: pictures (count, 3, size, size) uint8, labels (count, 3) int64.

    The labels are the indices of family, scale and orientation. About 1.5 ms a picture of 64 pixels.
    """
    pictures = np.empty((count, 3, size, size), np.uint8)
    labels = np.empty((count, 3), np.int64)
    for i in range(count):
        texture = paint_texture(generator, size)
        pictures[i] = np.rint(texture.picture * 255)
        labels[i] = texture.family, texture.scale, texture.orientation
    return pictures, labels
