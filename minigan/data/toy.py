"""Two-dimensional mixtures of Gaussians, in which mode collapse can be counted.

The ring and the grid, and the counting, are those of Srivastava et al., "VEEGAN" (arXiv 1705.07761) and
Lin et al., "PacGAN" (arXiv 1712.04086).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minigan.errors import ArgumentError, ShapeError


@dataclass(frozen=True)
class ModeStatistics:
    """What :meth:`Mixture.statistics` counts: of M modes and N points."""

    modes: int  # modes with at least one (or as many as asked) high-quality points
    high_quality: float  # share of points within 3 sigma of their mode, 0 to 1
    kl: float  # KL divergence (nats) of the points' distribution over the modes from the uniform one
    spread: float  # deviation of the high-quality points from their centre, in sigmas; NaN without any
    counts: np.ndarray  # (M,) points whose nearest centre this is


@dataclass(frozen=True)
class Mixture:
    """Equally likely round Gaussians: centres (M, 2) and one standard deviation."""

    centres: np.ndarray
    sigma: float

    def sample(self, count: int, generator: np.random.Generator) -> np.ndarray:
        """Draw points: float32 (count, 2)."""
        modes = generator.integers(0, len(self.centres), count)
        noise = self.sigma * generator.standard_normal((count, 2))
        return (self.centres[modes] + noise).astype(np.float32)

    def statistics(self, points: np.ndarray, *, at_least: int = 1) -> ModeStatistics:
        """Count which modes the points (N, 2) reach, N >= 1; a mode needs ``at_least`` good points.

        A point belongs to its nearest centre and is of high quality within 3 sigma of it.  The KL divergence
        is sum_m p_m log(M p_m), p_m the share of all points that belong to m: 0 when all modes get their
        share, log M when one gets all.  The spread is the root mean square of x and y; points of the mixture
        itself have 0.974, because those beyond 3 sigma are not counted.  A point that is not finite belongs
        nowhere.
        """
        points = np.asarray(points, np.float64)
        if points.ndim != 2 or points.shape[1] != 2 or not len(points):
            raise ShapeError(f"statistics: expected points of shape (N, 2), N >= 1, got {points.shape}")
        finite = points[np.isfinite(points).all(axis=1)]
        distance = np.linalg.norm(finite[:, None] - self.centres, axis=2)  # (N, M)
        nearest = distance.argmin(axis=1)
        away = distance.min(axis=1) / self.sigma
        good = away <= 3
        spread = float(np.sqrt((away[good] ** 2).mean() / 2)) if good.any() else float("nan")
        mode_count = len(self.centres)
        counts = np.bincount(nearest, minlength=mode_count)
        reached = np.bincount(nearest[good], minlength=mode_count) >= max(at_least, 1)
        share = counts[counts > 0] / max(counts.sum(), 1)
        kl = float(np.sum(share * np.log(mode_count * share))) if len(finite) else float("inf")
        return ModeStatistics(int(reached.sum()), float(good.sum() / len(points)), kl, spread, counts)


def ring(modes: int = 8, *, radius: float = 1.0, sigma: float = 0.01) -> Mixture:
    """Return the mixture of ``modes`` Gaussians on a circle around the origin."""
    _check("ring", modes, radius, sigma)
    angles = 2 * np.pi * np.arange(modes) / modes
    return Mixture(radius * np.stack([np.cos(angles), np.sin(angles)], axis=1), sigma)


def grid(side: int = 5, *, step: float = 2.0, sigma: float = 0.05) -> Mixture:
    """Return side x side Gaussians on a square lattice around the origin, by default from -4 to 4."""
    _check("grid", side, step, sigma)
    line = step * (np.arange(side) - (side - 1) / 2)
    return Mixture(np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2), sigma)


def _check(name: str, modes: int, size: float, sigma: float) -> None:
    if modes < 1 or size <= 0 or sigma <= 0:
        raise ArgumentError(
            f"{name}: the number of modes, the size and sigma must be positive, "
            f"got {modes!r}, {size!r}, {sigma!r}"
        )
