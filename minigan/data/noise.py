"""Value noise and soft steps: the clay of the procedural pictures.

After Perlin (An image synthesizer, SIGGRAPH 1985), with random values in place of random gradients.
"""

from __future__ import annotations

import numpy as np

Field = np.ndarray


def noise(generator: np.random.Generator, size: int, period: float) -> Field:
    """Smooth value noise in [0, 1], shape (size, size), about one hill per ``period`` pixels."""
    rows, columns = _smooth_steps(generator, size, period), _smooth_steps(generator, size, period)
    return rows @ generator.random((rows.shape[1], columns.shape[1])) @ columns.T


def _smooth_steps(generator: np.random.Generator, size: int, period: float) -> Field:
    """Matrix (size, knots) that interpolates knots ``period`` pixels apart with 3t^2 - 2t^3."""
    place = np.arange(size) / period + generator.random()
    left = place.astype(int)
    t = place - left
    t = t * t * (3 - 2 * t)
    matrix = np.zeros((size, left[-1] + 2))
    matrix[np.arange(size), left] = 1 - t
    matrix[np.arange(size), left + 1] = t
    return matrix


def octaves(generator: np.random.Generator, size: int, period: float, count: int = 4) -> Field:
    """Sum of ``count`` noises, each of half the period and half the strength of the one before; in [0, 1]."""
    parts = [noise(generator, size, max(period / 2**k, 1.0)) / 2**k for k in range(count)]
    return stretch(sum(parts[1:], parts[0]))


def stretch(values: Field) -> Field:
    """Map values linearly so that they fill [0, 1]; a constant becomes 0."""
    low, high = values.min(), values.max()
    return (values - low) / max(high - low, 1e-12)


def soft(values: Field, width: float) -> Field:
    """A step from 0 to 1 around 0 that takes ``width`` (antialiasing, or a soft edge)."""
    return np.clip(values / max(width, 1e-6) + 0.5, 0, 1)
