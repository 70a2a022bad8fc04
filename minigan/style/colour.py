"""Colours: keeping the content's, and drawing noise that has the style's.

Pictures are (3, H, W) in [0, 1]. Gatys, Bethge, Hertzmann and Shechtman, arXiv 1606.05897: luminance-only
transfer (section 5.2), and matching of means and covariances (section 5.1).
"""

from __future__ import annotations

import numpy as np

# Rec. 601 luma and two colour differences (YIQ), as in the paper.
_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])


def with_colours_of(painting: np.ndarray, content: np.ndarray) -> np.ndarray:
    """The painting's light with the content's colours; same shape, in [0, 1]."""
    light = np.tensordot(_YIQ, painting, 1)[:1]
    tints = np.tensordot(_YIQ, content, 1)[1:]
    return np.tensordot(np.linalg.inv(_YIQ), np.concatenate([light, tints]), 1).clip(0, 1).astype(np.float32)


def colour_statistics(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (3,) and covariance (3, 3) of the colours."""
    flat = picture.reshape(3, -1).astype(np.float64)
    return flat.mean(1), np.cov(flat) + 1e-6 * np.eye(3)


def match_colours(picture: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Move a picture's colours so that their mean and covariance are the target's; same shape, in [0, 1].

    x -> A (x - mean) + target mean with A = C_target^(1/2) C^(-1/2) (symmetric roots). arXiv 1606.05897, eq.
    10.
    """
    mean, covariance = colour_statistics(picture)
    wanted_mean, wanted = colour_statistics(target)
    matrix = _root(wanted, 0.5) @ _root(covariance, -0.5)
    moved = np.tensordot(matrix, picture - mean[:, None, None], 1) + wanted_mean[:, None, None]
    return moved.clip(0, 1).astype(np.float32)


def noise_like(style: np.ndarray, height: int, width: int, generator: np.random.Generator) -> np.ndarray:
    """Noise (3, height, width) in [0, 1] whose colours have the style's mean and covariance."""
    mean, covariance = colour_statistics(style)
    noise = generator.standard_normal((3, height, width))
    return (
        (np.tensordot(_root(covariance, 0.5), noise, 1) + mean[:, None, None]).clip(0, 1).astype(np.float32)
    )


def _root(matrix: np.ndarray, power: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.maximum(values, 1e-9) ** power) @ vectors.T
