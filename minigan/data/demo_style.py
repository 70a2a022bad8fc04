"""The style picture that travels with the package: not a file, but a few lines that paint it.

A bay at night: a sky wound up round three lights, hills, and water that carries the lights down. First the
colours are planned as smooth fields, then three coats of strokes are laid over the plan along its flow,
from broad to fine.
"""

from __future__ import annotations

import numpy as np

from minigan.data import brush
from minigan.data.noise import noise, octaves, soft
from minigan.errors import DataError

Field = np.ndarray
_LIGHTS = ((0.20, 0.24, 0.085), (0.60, 0.14, 0.05), (0.84, 0.33, 0.065))  # x, y, radius of each light
_HORIZON = 0.64
_NIGHT = np.array([[0.05, 0.10, 0.33], [0.09, 0.24, 0.55], [0.24, 0.52, 0.70], [0.72, 0.78, 0.66]])
_WATER = np.array([[0.03, 0.14, 0.30], [0.07, 0.33, 0.46], [0.28, 0.58, 0.58]])
_GOLD = np.array([[0.98, 0.92, 0.55], [0.96, 0.70, 0.20], [0.80, 0.38, 0.13]])
_HILLS = np.array([[0.07, 0.09, 0.17], [0.16, 0.22, 0.24], [0.36, 0.25, 0.22]])


def paint_demo_style(size: int = 512, seed: int = 7) -> np.ndarray:
    """Paint the demo's style picture: (3, size, size) float32 in [0, 1]. Same size and seed, same picture.

    About 0.6 seconds at 512 pixels. Raises DataError below 32 pixels.
    """
    if size < 32:
        raise DataError(f"demo style of size {size}: expected at least 32 pixels")
    generator = np.random.default_rng(seed)
    plan, flow = _plan(generator, size)
    picture = plan
    for share, density in ((1.0, 2.5), (0.6, 1.6), (0.35, 0.6)):
        picture = brush.cover(
            generator,
            flow,
            plan,
            length=share * size / 11,
            width=share * size / 55,
            picture=picture,
            density=density,
            spread=0.075,
        )
    return np.clip(picture, 0, 1).astype(np.float32).transpose(2, 0, 1)


def _plan(generator: np.random.Generator, size: int) -> tuple[Field, Field]:
    """The colours (size, size, 3) and the flow (size, size) that the strokes follow."""
    y, x = np.mgrid[0:size, 0:size] / size
    flow_x, flow_y = np.full_like(x, 0.9), 0.7 * (noise(generator, size, size / 4) - 0.5)
    glow, whirl = np.zeros_like(x), np.zeros_like(x)
    for k, (light_x, light_y, radius) in enumerate(_LIGHTS):
        dx, dy = x - light_x, y - light_y
        away = np.hypot(dx, dy) + 1e-6
        turn = (1 if k % 2 else -1) * 3.0 * np.exp(-((away / (2.6 * radius)) ** 2))
        flow_x, flow_y = flow_x - turn * dy / away, flow_y + turn * dx / away
        glow = np.maximum(glow, np.clip(1.5 - away / (1.7 * radius), 0, 1))
        whirl += np.exp(-((away / (3 * radius)) ** 2)) * np.cos(away / radius * 5.0)
    bands = np.clip(
        0.25 + 0.45 * y / _HORIZON + 0.25 * whirl + 0.5 * (octaves(generator, size, size / 5, 3) - 0.5), 0, 1
    )
    plan = _ramp(_NIGHT, bands)
    plan = _over(plan, _ramp(_GOLD, 1 - glow), np.clip(1.3 * glow, 0, 1))
    hill = _HORIZON - 0.10 - 0.09 * np.sin(5.0 * x + 0.6) - 0.05 * np.sin(11 * x)
    on_hill = soft(y - hill, 0.004)
    plan = _over(plan, _ramp(_HILLS, np.clip(noise(generator, size, size / 9) * 1.1, 0, 1)), on_hill)
    swell = 60 * (y - _HORIZON) / (0.35 + y) + 5 * noise(generator, size, size / 6)
    ripple = np.clip(0.35 + 0.4 * np.sin(swell) + 0.6 * (noise(generator, size, size / 14) - 0.5), 0, 1)
    water = _ramp(_WATER, ripple)
    for light_x, _, radius in _LIGHTS:
        column = np.exp(-(((x - light_x - 0.03 * np.sin(50 * y)) / (0.75 * radius)) ** 2))
        water = _over(water, _ramp(_GOLD, 1 - ripple), 0.9 * column * (ripple > 0.35))
    in_water = soft(y - _HORIZON - 0.012 * np.sin(9 * x), 0.004)
    plan = _over(plan, water, in_water)
    angle = np.arctan2(flow_y, flow_x)
    angle = np.where(on_hill > 0.5, 0.9 * np.cos(5.0 * x + 0.6) * -1.0, angle)
    angle = np.where(in_water > 0.5, 0.25 * np.sin(14 * x + 40 * y), angle)
    return plan, angle


def _ramp(colours: Field, place: Field) -> Field:
    """Colours (count, 3) read at places in [0, 1], shape (size, size) -> (size, size, 3)."""
    knots = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(place, knots, colours[:, k]) for k in range(3)], axis=-1)


def _over(below: Field, above: Field, share: Field) -> Field:
    return below + share[..., None] * (above - below)
