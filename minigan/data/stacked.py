"""Stacked digits: three grey digits as the red, green and blue of one picture, which makes 1,000 modes.

The test for mode collapse of Metz et al. (arXiv 1611.02163), counted as in VEEGAN (arXiv 1705.07761) and
PacGAN (arXiv 1712.04086): draw 26,000 pictures, let a classifier of the grey digits read each channel, count
how many of the 1,000 numbers occur, and compare their histogram with the even one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minigan.errors import DataError, ShapeError

DIGITS = 10
MODES = DIGITS**3
SAMPLES = 26_000  # the protocol's


def stack(
    images: np.ndarray, labels: np.ndarray, count: int, *, seed: int | np.random.Generator = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw ``count`` triples of grey digits.

    Args:
        images: (N, 1, H, W), N >= 1.
        labels: (N,), 0 to 9.
        count: number of pictures.
        seed: of the draw.

    Returns:
        pictures (count, 3, H, W) of the images' dtype, and labels (count,), 0 to 999: red is the hundreds.

    Raises:
        ShapeError, DataError: the images are not grey, or the labels no digits of theirs.
    """
    if images.ndim != 4 or images.shape[1] != 1 or not len(images):
        raise ShapeError(f"stack: expected grey images (N, 1, H, W), N >= 1, got {images.shape}")
    if len(labels) != len(images) or not 0 <= int(np.min(labels)) <= int(np.max(labels)) < DIGITS:
        raise DataError(f"stack: expected {len(images)} labels from 0 to 9, one for each image")
    rows = np.random.default_rng(seed).integers(0, len(images), (count, 3))
    return images[rows, 0], number_of(np.asarray(labels)[rows])


def number_of(digits: np.ndarray) -> np.ndarray:
    """Digits (N, 3) -> numbers (N,) from 0 to 999."""
    return digits.astype(np.int64) @ np.array([DIGITS**2, DIGITS, 1])


def channels(pictures: np.ndarray) -> np.ndarray:
    """Pictures (N, 3, H, W) -> what a classifier reads: grey ones (3 N, 1, H, W), a picture's in a row."""
    if pictures.ndim != 4 or pictures.shape[1] != 3:
        raise ShapeError(f"channels: expected pictures (N, 3, H, W), got {pictures.shape}")
    return pictures.reshape(-1, 1, *pictures.shape[2:])


@dataclass(frozen=True)
class StackedStatistics:
    """What `statistics` counts."""

    modes: int  # of the 1,000, those that occur
    kl: float  # nats, of the pictures' distribution over the modes from the uniform one
    counts: np.ndarray  # (1000,) pictures a mode


def statistics(read: np.ndarray) -> StackedStatistics:
    """Count the modes from the digits (3 N,) that a classifier read in `channels` of N pictures.

    kl = sum_m p_m log(1000 p_m): 0 when all come as often, log 1000 = 6.9 when one gets all.  With N samples
    even a perfect generator has about 1000 / (2 N): 0.02 for the 26,000 of the protocol.
    """
    read = np.asarray(read)
    if read.ndim != 1 or not len(read) or len(read) % 3 or read.min() < 0 or read.max() >= DIGITS:
        raise ShapeError(f"statistics: expected digits (3 N,), N >= 1, got shape {read.shape}")
    counts = np.bincount(number_of(read.reshape(-1, 3)), minlength=MODES)
    share = counts[counts > 0] / counts.sum()
    return StackedStatistics(int((counts > 0).sum()), float(np.sum(share * np.log(MODES * share))), counts)
