"""A brush: strokes that follow a flow, and the picture the package paints with them for its own demo.

A stroke is a small rotated patch: an ellipse-ended bar, bent along the flow, with bristle marks along it and
a little relief (bright on one side, dark on the other). Strokes are laid one over another, as in Litwinowicz
(Processing images and video for an impressionist effect, SIGGRAPH 1997) and Hertzmann (Painterly rendering
with curved brush strokes of multiple sizes, SIGGRAPH 1998).
"""

from __future__ import annotations

import numpy as np

from minigan.errors import DataError

Field = np.ndarray


def smear(values: Field, flow: Field, reach: int) -> Field:
    """Average values (size, size) along the flow (radians), ``reach`` pixels each way, made [0, 1]."""
    size = len(values)
    rows, columns = np.mgrid[0:size, 0:size] + 0.5
    total = values.copy()
    for sign in (1, -1):
        row, column = rows.copy(), columns.copy()
        for _ in range(reach):
            at = row.astype(int) % size, column.astype(int) % size
            row += sign * np.sin(flow[at])
            column += sign * np.cos(flow[at])
            total += values[row.astype(int) % size, column.astype(int) % size]
    total -= total.min()
    return total / max(total.max(), 1e-12)


def whirls(generator: np.random.Generator, size: int, count: int) -> Field:
    """A flow (size, size) in radians that circles round ``count`` random centres, blended by nearness."""
    rows, columns = np.mgrid[0:size, 0:size]
    x, y = np.full((size, size), 1e-3), np.zeros((size, size))
    for _ in range(count):
        row, column = generator.uniform(0, size, 2)
        turn = generator.choice([-1.0, 1.0])
        dx, dy = columns - column, rows - row
        weight = turn / (dx * dx + dy * dy + size)
        x -= weight * dy
        y += weight * dx
    return np.arctan2(y, x)


def cover(
    generator: np.random.Generator,
    flow: Field,
    colours: Field,
    *,
    length: float,
    width: float,
    picture: Field | None = None,
    density: float = 2.2,
    spread: float = 0.12,
) -> Field:
    """Cover a square with strokes along ``flow`` and return the picture (size, size, 3), about in [0, 1].

    flow: (size, size) angles in radians; colours: (count, 3) to draw from, or (size, size, 3) to pick up from
    under each stroke; length, width: pixels; picture: what to paint over (its copy), else the plan itself or
    one colour of the palette; density: how many strokes lie over each pixel on average; spread: how far a
    stroke's colour wanders. Raises DataError.
    """
    if length <= 0 or width <= 0:
        raise DataError(f"a stroke of length {length} and width {width}: expected positive pixels")
    size = len(flow)
    length, width = max(length, 2.0), max(width, 1.5)
    count = int(density * size * size / (length * width)) + 1
    places = generator.uniform(0, size, (count, 2))
    rows, columns = places.astype(int).T
    if colours.ndim == 3:
        paints = colours[rows, columns]
    else:
        paints = colours[generator.integers(0, len(colours), count)]
    paints = paints + spread * generator.standard_normal((count, 3)) * 0.6
    paints = paints + spread * generator.standard_normal((count, 1))
    angles = flow[rows, columns] + 0.12 * generator.standard_normal(count)
    bends = _bends(flow, rows, columns, angles)
    sizes = generator.uniform(0.7, 1.3, (count, 2)) * [length, width]
    ground = colours if colours.ndim == 3 else np.broadcast_to(paints[0], (size, size, 3))
    canvas = np.array(ground if picture is None else picture, dtype=float)
    bristles = generator.random((8, 64))
    for i in range(count):
        _stroke(canvas, places[i], angles[i], bends[i], sizes[i], paints[i], bristles[i % 8])
    return canvas


def _bends(flow: Field, rows: Field, columns: Field, angles: Field) -> Field:
    """How fast the flow turns along each stroke, in radians per pixel (at most 0.15)."""
    size, step = len(flow), 3.0
    ahead = flow[
        np.clip(rows + step * np.sin(angles), 0, size - 1).astype(int),
        np.clip(columns + step * np.cos(angles), 0, size - 1).astype(int),
    ]
    behind = flow[
        np.clip(rows - step * np.sin(angles), 0, size - 1).astype(int),
        np.clip(columns - step * np.cos(angles), 0, size - 1).astype(int),
    ]
    return np.clip(np.sin(ahead - behind) / (2 * step), -0.15, 0.15)


def _stroke(
    canvas: Field, place: Field, angle: float, bend: float, extent: Field, paint: Field, bristles: Field
) -> None:
    """Lay one stroke on the canvas, in place."""
    size = len(canvas)
    reach = 0.5 * extent[0] + extent[1]
    top, left = max(int(place[0] - reach), 0), max(int(place[1] - reach), 0)
    bottom, right = min(int(place[0] + reach) + 2, size), min(int(place[1] + reach) + 2, size)
    dy = np.arange(top, bottom)[:, None] - place[0]
    dx = np.arange(left, right)[None, :] - place[1]
    cosine, sine = np.cos(angle), np.sin(angle)
    along = dx * cosine + dy * sine
    across = dy * cosine - dx * sine - 0.5 * bend * along * along
    half = 0.5 * extent[1]
    beyond = np.maximum(np.abs(along) - 0.5 * extent[0] + half, 0)
    cover = np.clip(half + 0.5 - np.sqrt(across * across + beyond * beyond), 0, 1)[..., None]
    hair = bristles[(across * 1.5).astype(int) & 63]  # constant along the stroke: the marks of the bristles
    relief = 0.18 * (hair - 0.5) - 0.10 * np.clip(across / half, -1, 1)
    patch = canvas[top:bottom, left:right]
    patch += cover * (paint + relief[..., None] - patch)
