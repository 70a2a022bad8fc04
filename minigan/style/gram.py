"""What of a picture is its style: sums over all places of a feature map, so that *where* is forgotten.

Read :func:`gram` first; it is the whole idea (Gatys, Ecker and Bethge, arXiv 1508.06576, equation 3). The
classes say the same in two halves, ``sums`` (which add up over tiles of a large picture, exactly) and
``finish`` (which turns sums into the statistics that are compared).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from minigan import ops
from minigan.errors import ArgumentError, ShapeError
from minigan.ops.half import in_single
from minigan.tensor import Tensor

Sums = tuple[Tensor, ...]


@in_single
def gram(features: Tensor) -> Tensor:
    """(1, C, H, W) -> (C, C): G[i, j] = mean over places of F_i F_j.

    Which features occur together, and how strongly. arXiv 1508.06576, equation 3, divided by the number of
    places so that pictures of different sizes compare.
    """
    flat = places(features)
    return ops.gram(flat) / flat.shape[0]


def mean_covariance(features: Tensor) -> tuple[Tensor, Tensor]:
    """(1, C, H, W) -> means (C,) and covariances (C, C) over places: Gram without the mean."""
    mean, second = Covariance().finish(Covariance().sums(features))
    return mean, second


def shifted_gram(features: Tensor, shift: int) -> tuple[Tensor, Tensor]:
    """(1, C, H, W) -> two (C, C): mean of F_i(place) F_j(place + shift), along width and along height.

    Sees what runs on for ``shift`` pixels of the feature map, such as long strokes
    (Berger and Memisevic, arXiv 1606.01286). Not symmetric.
    """
    across, down, _, _ = Shifted(shift).sums(features)
    _, _, height, width = features.shape
    return across / (height * (width - shift)), down / ((height - shift) * width)


def spread(features: Tensor) -> Tensor:
    """(1, C, H, W) -> standard deviation of each channel over places (C,), kept off zero.

    A tenth of the mean variance is added to each, and 1e-4: a channel that is all but dead in the style is
    not blown up to the size of the others, nor are all of them where the style is one flat colour.
    """
    variance = ops.var(features, axis=(0, 2, 3), correction=0)
    return ops.sqrt(variance + 0.1 * ops.mean(variance) + 1e-4)


def places(features: Tensor, mask: np.ndarray | None = None) -> Tensor:
    """(1, C, H, W) -> (H W, C), a row for each place; with ``mask`` (H, W), each row times its root."""
    if features.ndim != 4 or features.shape[0] != 1:
        raise ShapeError(f"style statistics: expected features (1, C, H, W), got {features.shape}")
    channels = features.shape[1]
    flat = ops.reshape(ops.permute(features, (0, 2, 3, 1)), (-1, channels))  # (H W, C)
    if mask is None:
        return flat
    if mask.shape != features.shape[2:]:
        raise ShapeError(f"style statistics: mask {mask.shape} for features {features.shape[2:]}")
    root = np.sqrt(mask.reshape(-1, 1)).astype(features.dtype)  # so that F_i F_j is weighted once
    return flat * Tensor(root).to(features.device)


def _count(features: Tensor, mask: np.ndarray | None) -> Tensor:
    count = float(np.prod(features.shape[2:])) if mask is None else float(mask.sum(dtype=np.float64))
    return Tensor(np.asarray(count, features.dtype)).to(features.device)


@dataclass(frozen=True)
class Gram:
    """The Gram matrix of :func:`gram`, as sums that add up."""

    reach: int = 0  # how many places to the right and below a place must be known
    balanced: ClassVar[bool] = False  # whether channels are compared in units of their spread in the style

    def sums(self, features: Tensor, mask: np.ndarray | None = None) -> Sums:
        """(1, C, H, W)[, mask (H, W)] -> (sum of F_i F_j, number of places)."""
        flat = places(features, mask)
        return ops.gram(flat), _count(features, mask)

    def finish(self, sums: Sums) -> Sums:
        """Sums -> (Gram matrix,)."""
        return (sums[0] / sums[1],)


@dataclass(frozen=True)
class Covariance:
    """Means and covariances: the Gram matrix with the mean taken out and compared on its own."""

    reach: int = 0
    balanced: ClassVar[bool] = True

    def sums(self, features: Tensor, mask: np.ndarray | None = None) -> Sums:
        """(1, C, H, W)[, mask (H, W)] -> (sum of F_i, sum of F_i F_j, number of places)."""
        flat = places(features, mask)
        ones = np.ones((flat.shape[0], 1)) if mask is None else np.sqrt(mask.reshape(-1, 1))
        row = Tensor(ones.T.astype(features.dtype)).to(features.device)  # (1, H W)
        mean = ops.reshape(ops.matmul(row, flat), (-1,))
        return mean, ops.gram(flat), _count(features, mask)

    def finish(self, sums: Sums) -> Sums:
        """Sums -> (means (C,), covariances (C, C))."""
        mean = sums[0] / sums[2]
        column = ops.reshape(mean, (-1, 1))
        return mean, sums[1] / sums[2] - column * ops.transpose(column)


@dataclass(frozen=True)
class Shifted:
    """Gram matrices between each place and its neighbour ``reach`` places to the right, and below."""

    reach: int = 4
    balanced: ClassVar[bool] = False

    def sums(self, features: Tensor, mask: np.ndarray | None = None) -> Sums:
        """(1, C, H, W)[, mask (H, W)] -> sums for right and below, and the numbers of pairs."""
        _, _, height, width = features.shape
        if min(height, width) <= self.reach:
            raise ArgumentError(
                f"shifted Gram by {self.reach}: the features are only {height} x {width}; "
                "use a larger picture or a smaller shift"
            )
        parts: list[Tensor] = []
        counts: list[Tensor] = []
        for axis in (3, 2):
            first, second = [slice(None)] * 4, [slice(None)] * 4
            first[axis], second[axis] = slice(0, -self.reach), slice(self.reach, None)
            inside = None if mask is None else mask[tuple(first[2:])]
            one, other = features[tuple(first)], features[tuple(second)]
            parts.append(ops.matmul(ops.transpose(places(one, inside)), places(other, inside)))
            counts.append(_count(one, inside))
        return *parts, *counts

    def finish(self, sums: Sums) -> Sums:
        """Sums -> (Gram with the right, Gram with the below), each (C, C); 0 where a mask leaves no pair."""
        right, below = (ops.maximum(count, 1e-12) for count in sums[2:])
        return sums[0] / right, sums[1] / below


Statistic = Gram | Covariance | Shifted
STATISTICS: dict[str, tuple[Statistic, ...]] = {
    "gram": (Gram(),),
    "covariance": (Covariance(),),
    "shifted": (Gram(), Shifted(4)),
    "covariance+shifted": (Covariance(), Shifted(4)),
}


def statistics(name: str) -> tuple[Statistic, ...]:
    """The statistics a style is compared by: "gram", "covariance", "shifted", "covariance+shifted"."""
    if name not in STATISTICS:
        raise ArgumentError(f"style statistic {name!r}: expected one of {', '.join(STATISTICS)}")
    return STATISTICS[name]
