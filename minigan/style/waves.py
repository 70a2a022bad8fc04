"""A picture in other coordinates: the waves it is made of, the long ones in larger units.

A step of a descent on pixels moves edges and leaves masses of light and dark for later, and there is no
later: a few dozen iterations end long before them. In coordinates where long waves count in larger units one
step moves both. (Olah, Mordvintsev and Schubert, Feature Visualization, Distill 2017, "Preconditioning and
parameterization"; theirs are Fourier's waves, these are cosines, which do not wrap round the edges.)
"""

from __future__ import annotations

import numpy as np

SHORT = 0.25  # cycles a pixel: waves up to this length are in units of one
LARGEST = 6.0  # unit, however long the wave


class Waves:
    """Coordinates for pictures (..., H, W): ``picture(coordinates(x))`` is x again.

    The map from coordinates to pictures is linear and its own adjoint, so a gradient by pixels becomes one by
    coordinates through :meth:`picture` too.
    """

    def __init__(self, height: int, width: int) -> None:
        frequency = np.hypot(np.arange(height)[:, None] / (2 * height), np.arange(width) / (2 * width))
        with np.errstate(divide="ignore"):
            self.units = (SHORT / frequency).clip(1, LARGEST).astype(np.float32)

    def picture(self, coordinates: np.ndarray) -> np.ndarray:
        """(..., H, W) -> (..., H, W), float32."""
        return _scaled(coordinates, self.units)

    def coordinates(self, picture: np.ndarray) -> np.ndarray:
        """(..., H, W) -> (..., H, W), float32."""
        return _scaled(picture, 1 / self.units)


def _scaled(array: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """The amplitude of each cosine times its factor (H, W)."""
    from scipy.fft import dctn, idctn

    waves = dctn(np.asarray(array, np.float32), axes=(-2, -1), norm="ortho")
    return idctn(waves * factors, axes=(-2, -1), norm="ortho")
