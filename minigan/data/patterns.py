"""The patterns of the procedural textures, one short function a family.

A family maps a :class:`Canvas` (every pixel's coordinates, turned and scaled) to a *height* in [0, 1] and,
where the pattern has parts (bricks, scales), a *part number* per pixel; the painted families lay brush
strokes and give a picture at once. Cells are Worley's (A cellular texture basis function, SIGGRAPH 1996); the
smearing of noise along a flow is Cabral and Leedom's line integral convolution (SIGGRAPH 1993).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigan.data import brush
from minigan.data.noise import noise, octaves, soft

Field = np.ndarray


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
        row, column = np.mgrid[0 : self.size, 0 : self.size] / self.period
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
    "stripes": _stripes,
    "zigzag": _zigzag,
    "waves": _waves,
    "checks": _checks,
    "bricks": _bricks,
    "weave": _weave,
    "grid": _grid,
    "plaid": _plaid,
    "triangles": _triangles,
    "hexagons": _hexagons,
    "scales": _scales,
    "dots": _dots,
    "spatter": _spatter,
    "voronoi": _voronoi,
    "cracks": _cracks,
    "pebbles": _pebbles,
    "clouds": _clouds,
    "ridges": _ridges,
    "marble": _marble,
    "wood": _wood,
    "rings": _rings,
    "swirls": _swirls,
    "eddies": _eddies,
    "hatching": _hatching,
    "crosshatch": _crosshatch,
    "fur": _fur,
}
PAINTED: dict[str, Callable[[Canvas, Field], Field]] = {
    "parallel strokes": _parallel_strokes,
    "flowing strokes": _flowing_strokes,
    "whirling strokes": _whirling_strokes,
    "dabs": _dabs,
    "scumble": _scumble,
}
