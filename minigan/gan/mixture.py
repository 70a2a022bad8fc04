"""A mixture of Gaussians: where the codes of an autoencoder really lie.

A VAE's loss asks that the codes of all pictures together look like N(0, 1), and gets it only in part:
latents drawn from N(0, 1) fall between the codes, where the decoder has learnt nothing.  Drawing from a
mixture fitted to the codes after the fact mends that (Ghosh et al., "From Variational to Deterministic
Autoencoders", arXiv 1903.12436, section 4).
"""

from __future__ import annotations

import warnings
from math import log, pi

import numpy as np

from minigan.errors import ShapeError

ROUNDS = 25  # of expectation and maximisation
LEAST_VARIANCE = 1e-3  # added to every variance: a component cannot shrink to a point

Mixture = tuple[np.ndarray, np.ndarray, np.ndarray]  # shares (K,), means (K, L), factors (K, L, L)


def fit(codes: np.ndarray, components: int, generator: np.random.Generator) -> Mixture:
    """Fit K Gaussians to codes (N, L): shares (K,), means (K, L) and factors F (K, L, L), covariance F F^T.

    Expectation and maximisation from the clusters of k-means: r_nk = p_k N(x_n; m_k, C_k) / sum over k, then
    p_k, m_k, C_k are the share, mean and covariance of the samples weighted by r_nk.  A cluster gets at least
    4 L samples on average, so K is cut for few of them.  Raises ShapeError unless codes are (N, L), N >= 2.
    Dempster, Laird and Rubin 1977; Bishop, "Pattern Recognition and Machine Learning", section 9.2.
    """
    from scipy.cluster.vq import kmeans2
    from scipy.special import softmax

    codes = np.asarray(codes, np.float64)
    if codes.ndim != 2 or len(codes) < 2:
        raise ShapeError(f"mixture: expected codes (N, L) with N of at least 2, got {codes.shape}")
    samples, numbers = codes.shape
    components = max(1, min(components, samples // (4 * numbers)))
    if not np.ptp(codes, axis=0).any():
        components = 1  # nothing to tell apart
    start = codes[generator.choice(samples, components, replace=False)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a cluster that stays empty: it gets a share of next to nothing
        _, nearest = kmeans2(codes, start, minit="matrix", missing="warn")
    belongs = np.eye(components)[nearest]
    for _ in range(ROUNDS):
        shares, means, factors = _weighted(codes, belongs + 1e-6)
        likely = np.stack([_log_density(codes, *part) for part in zip(means, factors, strict=True)], axis=1)
        belongs = softmax(likely + np.log(shares), axis=1)
    return _weighted(codes, belongs + 1e-6)


def _weighted(codes: np.ndarray, belongs: np.ndarray) -> Mixture:
    """Shares, means and factors of the samples, weighted by how far each belongs to each component (N, K)."""
    total = belongs.sum(axis=0)
    means = (belongs.T @ codes) / total[:, None]
    factors = []
    for weight, mean, sum_ in zip(belongs.T, means, total, strict=True):
        away = codes - mean
        covariance = (away * weight[:, None]).T @ away / sum_
        factors.append(np.linalg.cholesky(covariance + LEAST_VARIANCE * np.eye(codes.shape[1])))
    return total / total.sum(), means, np.stack(factors)


def _log_density(codes: np.ndarray, mean: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """log N(x; mean, F F^T) = -1/2 |F^-1 (x - mean)|^2 - log det F - L/2 log 2 pi, for each sample: (N,)."""
    from scipy.linalg import solve_triangular

    away = solve_triangular(factor, (codes - mean).T, lower=True)
    return -0.5 * (away**2).sum(axis=0) - np.log(np.diag(factor)).sum() - 0.5 * codes.shape[1] * log(2 * pi)


def carry(latents: np.ndarray, mixture: Mixture) -> np.ndarray:
    """Turn draws z ~ N(0, 1), (N, L), into draws of the mixture: x = m_k + F_k z.

    The first number of z also chooses k: component k owns a stretch of the normal distribution as long as its
    share, and where in the stretch the number lies is again uniform, so it is made a draw of N(0, 1) anew.
    """
    from scipy.special import ndtr, ndtri

    shares, means, factors = mixture
    ends = np.cumsum(shares, dtype=np.float64)
    place = ndtr(latents[:, 0].astype(np.float64)) * ends[-1]
    chosen = np.minimum(np.searchsorted(ends, place, side="right"), int(np.flatnonzero(shares)[-1]))
    inside = (place - (ends - shares)[chosen]) / shares[chosen]
    z = latents.astype(np.float64)
    z[:, 0] = ndtri(inside.clip(1e-7, 1 - 1e-7))
    return (means[chosen] + np.einsum("nij,nj->ni", factors[chosen], z)).astype(latents.dtype)
