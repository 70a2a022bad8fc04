"""Look at a set of pictures before training: which are nearly the same, and what that means."""

from __future__ import annotations

import numpy as np

from minigan.errors import ShapeError

SIDE = 8  # pictures are compared as small as this
ALIKE = 0.02  # root mean square difference, of a range of 2, below which two small pictures count as one
MOST = 20_000  # pictures that are compared; the cost grows with the square
_ROWS = 500


def near_duplicates(images: np.ndarray, *, alike: float = ALIKE) -> list[tuple[int, int]]:
    """Return pairs (i, j), i < j, of images (N, C, H, W) in [-1, 1] that look the same when small.

    Each picture that resembles an earlier one is paired with the first such.  Pictures are averaged to 8 x 8
    and compared by root mean square difference; of more than 20,000 only the first are looked at.  Raises
    ShapeError for anything but (N, C, H, W).
    """
    if images.ndim != 4:
        raise ShapeError(f"near_duplicates: expected images (N, C, H, W), got {images.shape}")
    small = _shrunk(images[:MOST])
    small = small.reshape(len(small), -1).astype(np.float64)
    squares = (small**2).sum(axis=1)
    pairs = []
    for start in range(0, len(small), _ROWS):
        rows = slice(start, start + _ROWS)
        apart = (squares[rows, None] + squares - 2 * small[rows] @ small.T) / small.shape[1]
        for row, same in enumerate(apart < alike**2, start=start):
            if (first := int(same.argmax())) < row and same[first]:
                pairs.append((first, row))
    return pairs


def _shrunk(images: np.ndarray) -> np.ndarray:
    """Averages over an 8 x 8 grid of nearly equal tiles: (N, C, 8, 8) at most."""
    for axis in (2, 3):
        size = images.shape[axis]
        ends = np.linspace(0, size, min(SIDE, size) + 1).round().astype(int)
        lengths = np.diff(ends).reshape((-1,) + (1,) * (3 - axis))
        images = np.add.reduceat(images, ends[:-1], axis=axis) / lengths
    return images
