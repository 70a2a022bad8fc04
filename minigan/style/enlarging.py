"""From one size to the next: what no smaller picture could hold is put back, for the descent to work on.

An enlarged painting is smooth, and where it is smooth a descent on statistics has nothing to begin a stroke
from: it overworks the edges there are and leaves the rest bare. So the enlarged painting gets the detail that
the content has at this size and not at the last, and noise as strong, and of the colours, as the style's
grain. A finished painting's own grain is then brought to the strength of the style's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minigan.data import resize
from minigan.style.checks import fitted
from minigan.style.colour import colour_statistics, root
from minigan.style.waves import SHORT, frequencies, scaled, short_power

STRENGTH = 1.3  # of the noise, relative to the style's grain: some of it is lost as strokes are made of it
LIMITS = (0.6, 1.6)  # times its own grain that a finished painting may end with


def enlarged(painting: np.ndarray, content: np.ndarray | None, height: int, width: int) -> np.ndarray:
    """A painting (3, h, w) at a larger size with the content's detail; (3, height, width) in [0, 1]."""
    picture = resize(painting, height, width)
    if content is not None:
        small = resize(content, *painting.shape[1:])
        picture = picture + resize(content, height, width) - resize(small, height, width)
    return picture.clip(0, 1)


def roughened(
    picture: np.ndarray,
    styles: Sequence[np.ndarray],
    shares: Sequence[float],
    generator: np.random.Generator,
    scale: float = 1.0,
) -> np.ndarray:
    """A picture (3, H, W) with noise of the covariance of the styles' grain, in [0, 1].

    shares: what each style counts; scale: its longer side, relative to the picture's.
    """
    if not styles:
        return picture
    side = round(max(picture.shape[1:]) * scale)
    covariance = np.zeros((3, 3))
    for sized, share in zip(_sized(styles, side), shares, strict=True):
        covariance += share * colour_statistics(grain(sized))[1]
    noise = np.tensordot(root(covariance, 0.5), generator.standard_normal(picture.shape), 1)
    return (picture + STRENGTH * noise).clip(0, 1).astype(np.float32)


def regrained(
    picture: np.ndarray,
    styles: Sequence[np.ndarray],
    shares: Sequence[float],
    scale: float = 1.0,
    amount: float = 1.0,
) -> np.ndarray:
    """A finished painting (3, H, W) with its shortest waves made as strong as those of the styles.

    By a factor within LIMITS: what was painted far too softly is sharpened a little and no more. Waves of
    twice the length stay, and what lies between follows half-way. ``amount``: 0 leaves all as it is.
    """
    if not styles or not amount:
        return picture
    side = round(max(picture.shape[1:]) * scale)
    sized = _sized(styles, side)
    wanted = sum(share * short_power(one) for one, share in zip(sized, shares, strict=True))
    gain = np.clip((wanted / (short_power(picture) + 1e-12)) ** 0.5, *LIMITS) ** amount
    ramp = (2 * frequencies(*picture.shape[1:]) / SHORT - 1).clip(0, 1)
    return scaled(picture, 1 + (gain - 1) * ramp).clip(0, 1)


def _sized(styles: Sequence[np.ndarray], side: int) -> list[np.ndarray]:
    return [resize(style, *fitted(style.shape[1:], side)) for style in styles]


def grain(picture: np.ndarray) -> np.ndarray:
    """(3, H, W) -> (3, H - 2, W - 2): the picture less its blur by 1 2 1 / 4 each way."""
    rows = picture[:, :-2] + 2 * picture[:, 1:-1] + picture[:, 2:]
    blurred = rows[..., :-2] + 2 * rows[..., 1:-1] + rows[..., 2:]
    return picture[:, 1:-1, 1:-1] - blurred / 16
