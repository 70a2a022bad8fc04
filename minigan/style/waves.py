"""A picture in other coordinates: the waves it is made of, the long ones in larger units.

A step of a descent on pixels moves edges and leaves masses of light and dark for later, and there is no
later: a few dozen iterations end long before them. In coordinates where long waves count in larger units one
step moves both. (Olah, Mordvintsev and Schubert, Feature Visualization, Distill 2017, "Preconditioning and
parameterization"; theirs are Fourier's waves, these are cosines, which do not wrap round the edges.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from minigan.style.lbfgs import Function, Outcome, minimise

EVEN = 0.125  # cycles a pixel: waves as short as this and shorter, which strokes are made of, have unit 1
LARGEST = 4.0  # unit, however long the wave
SHORT = 0.25  # cycles a pixel from which on waves are grain


class Waves:
    """Coordinates for pictures (..., H, W): ``picture(coordinates(x))`` is x again.

    The map from coordinates to pictures is linear and its own adjoint, so a gradient by pixels becomes one by
    coordinates through :meth:`picture` too.
    """

    def __init__(self, height: int, width: int) -> None:
        with np.errstate(divide="ignore"):
            self.units = (EVEN / frequencies(height, width)).clip(1, LARGEST).astype(np.float32)

    def picture(self, coordinates: np.ndarray) -> np.ndarray:
        """(..., H, W) -> (..., H, W), float32."""
        return scaled(coordinates, self.units)

    def coordinates(self, picture: np.ndarray) -> np.ndarray:
        """(..., H, W) -> (..., H, W), float32."""
        return scaled(picture, 1 / self.units)


def minimise_in_waves(
    function: Function,
    start: np.ndarray,
    iterations: int,
    on_iteration: Callable[[int, np.ndarray, float], bool],
) -> Outcome:
    """:func:`~minigan.style.lbfgs.minimise` a function of pictures by their waves; all are told in pictures.

    There is no box: pictures may leave [0, 1] on the way, and are cut off by who shows or keeps them.
    """
    waves = Waves(*start.shape[-2:])

    def of_waves(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = function(waves.picture(x))
        return value, waves.picture(gradient)

    outcome = minimise(
        of_waves,
        waves.coordinates(start),
        iterations=iterations,
        box=None,
        on_iteration=lambda number, x, value: on_iteration(number, waves.picture(x), value),
    )
    return replace(outcome, x=waves.picture(outcome.x) if outcome.iterations else start)


def frequencies(height: int, width: int) -> np.ndarray:
    """Cycles a pixel of each cosine of a picture (height, width); the first is the mean."""
    return np.hypot(np.arange(height)[:, None] / (2 * height), np.arange(width) / (2 * width))


def scaled(picture: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """(..., H, W), float32: the picture with the amplitude of each cosine times its factor (H, W)."""
    from scipy.fft import idctn

    return idctn(_amplitudes(picture) * np.asarray(factors, np.float32), axes=(-2, -1), norm="ortho")


def short_power(picture: np.ndarray) -> float:
    """The mean square of what waves of SHORT cycles a pixel and more make of a picture (..., H, W).

    Under Hann's window: the middle counts more than the edges.
    """
    height, width = picture.shape[-2:]
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
    amplitudes = _amplitudes((picture - picture.mean((-2, -1), keepdims=True)) * window)
    power = (amplitudes[..., frequencies(height, width) >= SHORT] ** 2).sum() / (window**2).mean()
    return float(power / picture.size)


def _amplitudes(picture: np.ndarray) -> np.ndarray:
    from scipy.fft import dctn

    return dctn(np.asarray(picture, np.float32), axes=(-2, -1), norm="ortho")
