"""How good are the samples?  Numbers about two clouds of feature vectors, real and generated.

All functions take host arrays: features (N, F) of real and of generated pictures, or class probabilities
(N, K).  The features come from minigan's own small classifier (`minigan.gan.classifier`), not from
Inception, so the figures are *not comparable* with published ones.  They are comparable with one another
and, above all, with the floor: the same figure for real pictures against other real pictures.
"""

from __future__ import annotations

import numpy as np

from minigan.errors import DataError, ShapeError

Array = np.ndarray


def frechet_distance(real: Array, fake: Array) -> float:
    """Distance of two clouds taken for Gaussians: |m - m'|^2 + tr(C + C' - 2 (C C')^(1/2)), >= 0.

    Dowson and Landau 1982; with Inception's features this is the FID of Heusel et al., arXiv 1706.08500.
    tr (C C')^(1/2) is the sum of the roots of the eigenvalues of C^(1/2) C' C^(1/2), which is symmetric.
    """
    real, fake = _pair("frechet_distance", real, fake, least=2)
    shift = real.mean(axis=0) - fake.mean(axis=0)
    cov, cov_fake = (np.atleast_2d(np.cov(cloud, rowvar=False)) for cloud in (real, fake))
    root = _root(cov)
    cross = np.linalg.eigvalsh(root @ cov_fake @ root).clip(0)
    value = shift @ shift + np.trace(cov) + np.trace(cov_fake) - 2 * np.sqrt(cross).sum()
    return float(max(value, 0.0))


def _root(symmetric: Array) -> Array:
    values, vectors = np.linalg.eigh(symmetric)
    return (vectors * np.sqrt(values.clip(0))) @ vectors.T


def kernel_distance(real: Array, fake: Array, *, block: int = 1000) -> float:
    """Squared maximum mean discrepancy with the kernel (x.y / F + 1)^3, unbiased: 0 on average for equals.

    It can therefore be a little below 0.  With Inception's features this is the KID of Binkowski et al.,
    arXiv 1801.01401.  The mean over blocks of at most ``block`` samples keeps the cost linear.
    """
    real, fake = _pair("kernel_distance", real, fake, least=2)
    blocks = max(1, min(len(real), len(fake)) // block)
    pairs = zip(np.array_split(real, blocks), np.array_split(fake, blocks), strict=True)
    return float(np.mean([_discrepancy(x, y) for x, y in pairs]))


def _discrepancy(x: Array, y: Array) -> float:
    def kernel(a: Array, b: Array) -> Array:
        return (a @ b.T / a.shape[1] + 1) ** 3

    def others(a: Array) -> float:  # the mean over pairs of different samples: what makes it unbiased
        k = kernel(a, a)
        return (k.sum() - np.trace(k)) / (len(a) * (len(a) - 1))

    return others(x) + others(y) - 2 * kernel(x, y).mean()


def inception_type_score(probabilities: Array) -> float:
    """Return exp of the mean KL(p(class | x) || p(class)), from 1 to the number of classes K.

    High when each sample is surely of one class and all classes occur.  It never looks at real pictures.
    Salimans et al., arXiv 1606.03498, section 4.
    """
    p = np.asarray(probabilities, np.float64).clip(1e-16)
    marginal = p.mean(axis=0)
    return float(np.exp((p * (np.log(p) - np.log(marginal))).sum(axis=1).mean()))


def confident_share(probabilities: Array, *, above: float = 0.9) -> float:
    """Return the share of samples whose likeliest class has a probability over ``above``."""
    return float((np.asarray(probabilities).max(axis=1) > above).mean())


def class_shares(probabilities: Array) -> Array:
    """Return the share of samples in each class, by likeliest class: (K,), sums to 1."""
    probabilities = np.asarray(probabilities)
    return np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1]) / len(probabilities)


def class_divergence(real_shares: Array, fake_shares: Array) -> float:
    """Return KL(fake || real) of two class histograms in nats: 0 when the classes come as often.

    Infinite when a class is generated that the real data does not have.
    """
    p, q = np.asarray(fake_shares, np.float64), np.asarray(real_shares, np.float64)
    if (q[p > 0] == 0).any():
        return float("inf")
    return float((p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum())


def neighbourhoods(real: Array, fake: Array, *, k: int = 5) -> dict[str, float]:
    """Return precision, recall, density and coverage from balls around samples.

    Each sample's ball reaches to its k-th nearest neighbour of its own kind.  precision: share of fakes
    inside some real ball (quality, 0 to 1); recall: share of reals inside some fake ball (variety, 0 to 1);
    density: real balls a fake lies in, over k (quality, not bound by 1); coverage: share of real balls that
    hold a fake (variety, 0 to 1).  Kynkaanniemi et al., arXiv 1904.06991; Naeem et al., arXiv 2002.09797.
    """
    real, fake = _pair("neighbourhoods", real, fake, least=k + 1)
    to_real, to_fake = _reach(real, k), _reach(fake, k)
    distance = _squared_distances(real, fake)  # (real, fake)
    in_real, in_fake = distance <= to_real[:, None], distance <= to_fake[None, :]
    return {
        "precision": float(in_real.any(axis=0).mean()),
        "recall": float(in_fake.any(axis=1).mean()),
        "density": float(in_real.sum(axis=0).mean() / k),
        "coverage": float(in_real.any(axis=1).mean()),
    }


def _reach(cloud: Array, k: int) -> Array:
    """Squared distance of each sample to its k-th nearest neighbour (itself being the 0th)."""
    return np.partition(_squared_distances(cloud, cloud), k, axis=1)[:, k]


def _squared_distances(x: Array, y: Array) -> Array:
    squares = (x * x).sum(axis=1)[:, None] + (y * y).sum(axis=1)
    return (squares - 2 * x @ y.T).clip(0)


def nearest_training_pictures(fake: Array, training: Array) -> tuple[Array, Array]:
    """Return for each fake the index of the nearest training sample and the distance: to see memorising."""
    fake, training = _pair("nearest_training_pictures", fake, training, least=1)
    squared = _squared_distances(fake, training)
    index = squared.argmin(axis=1)
    return index, np.sqrt(squared[np.arange(len(fake)), index])


def compare(real: tuple[Array, Array], fake: tuple[Array, Array], *, at_most: int = 2000) -> dict[str, float]:
    """Return every figure for (features, probabilities) of real and of generated pictures.

    ``at_most`` caps the samples used for the figures whose cost is quadratic.
    """
    (features, probabilities), (fake_features, fake_probabilities) = real, fake
    return {
        "frechet_distance": frechet_distance(features, fake_features),
        "kernel_distance": kernel_distance(features, fake_features),
        "inception_type_score": inception_type_score(fake_probabilities),
        "confident": confident_share(fake_probabilities),
        "classes": int((class_shares(fake_probabilities) >= 0.01).sum()),
        "class_divergence": class_divergence(class_shares(probabilities), class_shares(fake_probabilities)),
        **neighbourhoods(features[:at_most], fake_features[:at_most]),
    }


def _pair(where: str, x: Array, y: Array, *, least: int) -> tuple[Array, Array]:
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ShapeError(f"{where}: expected features (N, F) twice, got {x.shape} and {y.shape}")
    if min(len(x), len(y)) < least:
        raise DataError(f"{where}: expected at least {least} samples of each kind, got {len(x)} and {len(y)}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise DataError(f"{where}: features hold NaN or infinity; did the run diverge?")
    return x, y
