"""Colours: keeping the content's, and drawing noise that has the style's.

Pictures are (3, H, W) in [0, 1]. Gatys, Bethge, Hertzmann and Shechtman, arXiv 1606.05897: luminance-only
transfer (section 5.2), and matching of means and covariances (section 5.1).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Rec. 601 luma and two colour differences (YIQ), as in the paper.
_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])


def with_colours_of(painting: np.ndarray, content: np.ndarray) -> np.ndarray:
    """The painting's light with the content's colours; same shape, in [0, 1]."""
    light = np.tensordot(_YIQ, painting, 1)[:1]
    tints = np.tensordot(_YIQ, content, 1)[1:]
    return np.tensordot(np.linalg.inv(_YIQ), np.concatenate([light, tints]), 1).clip(0, 1).astype(np.float32)


def colour_statistics(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (3,) and covariance (3, 3) of the colours; one pixel has no spread."""
    flat = picture.reshape(3, -1).astype(np.float64)
    return flat.mean(1), np.cov(flat, bias=flat.shape[1] == 1) + 1e-6 * np.eye(3)


def match_colours(picture: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Move a picture's colours so that their mean and covariance are the target's; same shape, in [0, 1].

    x -> A (x - mean) + target mean with A = R^-1 (R C_target R)^(1/2) R^-1, R = C^(1/2): of all linear maps
    that do it, the one that moves colours least (Pitie and Kokaram, The linear Monge-Kantorovitch linear
    colour mapping, CVMP 2007, eq. 9; the style transfer's own paper, arXiv 1606.05897, leaves the choice
    open). No colour difference is enlarged more than three times, lest a grey picture's noise become colours.
    """
    mean, covariance = colour_statistics(picture)
    wanted_mean, wanted = colour_statistics(target)
    forth, back = root(covariance, 0.5), root(covariance, -0.5)
    gains, axes = np.linalg.eigh(back @ root(forth @ wanted @ forth, 0.5) @ back)
    matrix = (axes * gains.clip(0, 3)) @ axes.T
    moved = np.tensordot(matrix, picture - mean[:, None, None], 1) + wanted_mean[:, None, None]
    return moved.clip(0, 1).astype(np.float32)


def recoloured(
    picture: np.ndarray,
    styles: Sequence[np.ndarray],
    shares: Sequence[float],
    masks: Sequence[np.ndarray | None],
    share: float,
) -> np.ndarray:
    """``share`` of the way from a picture's own colours to those of the styles; (3, H, W) in [0, 1].

    Each style counts by its share and, where it has a mask (H, W), by that.
    """
    total, weights = np.zeros_like(picture), np.full_like(picture[:1], 1e-6)
    for style, weight, mask in zip(styles, shares, masks, strict=True):
        here = weight * (np.ones_like(picture[:1]) if mask is None else mask[None])
        total += here * match_colours(picture, style)
        weights += here
    return ((1 - share) * picture + share * (total + 1e-6 * picture) / weights).astype(np.float32)


def noise_like(style: np.ndarray, height: int, width: int, generator: np.random.Generator) -> np.ndarray:
    """Noise (3, height, width) in [0, 1] whose colours have the style's mean and covariance."""
    mean, covariance = colour_statistics(style)
    noise = generator.standard_normal((3, height, width))
    return (np.tensordot(root(covariance, 0.5), noise, 1) + mean[:, None, None]).clip(0, 1).astype(np.float32)


def root(matrix: np.ndarray, power: float) -> np.ndarray:
    """A symmetric matrix to a power, such as 0.5 or -0.5; eigenvalues count as no less than 1e-9."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.maximum(values, 1e-9) ** power) @ vectors.T
