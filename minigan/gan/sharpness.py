"""How sharp are pictures?  Two plain measures, to be read beside the same figure of real pictures.

Both take host arrays (N, C, H, W) in [-1, 1] and return one number for each picture, (N,), from its luminance
(the mean of its channels).  Noise counts as sharp, so a figure above the real pictures' is no praise.
"""

from __future__ import annotations

import numpy as np

from minigan.errors import ShapeError


def gradient_energy(images: np.ndarray) -> np.ndarray:
    """Mean squared difference of neighbouring pixels, down and across: large where edges are steep.

    Tenengrad's idea (Krotkov 1988) without smoothing.
    """
    grey = _grey(images)
    down, across = np.diff(grey, axis=1), np.diff(grey, axis=2)
    return ((down**2).mean(axis=(1, 2)) + (across**2).mean(axis=(1, 2))) / 2


def laplacian_variance(images: np.ndarray) -> np.ndarray:
    """Variance of the Laplacian (4 x - its four neighbours) over a picture's inner pixels.

    Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    """
    grey = _grey(images)
    inner = grey[:, 1:-1, 1:-1]
    neighbours = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:]
    return (4 * inner - neighbours).var(axis=(1, 2))


def _grey(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images, np.float64)
    if images.ndim != 4 or min(images.shape[2:]) < 3:
        raise ShapeError(f"sharpness: expected (N, C, H, W) of at least 3 x 3 pixels, got {images.shape}")
    return images.mean(axis=1)
