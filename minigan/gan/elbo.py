"""The variational autoencoder's losses: pure functions.

A VAE lowers minus the evidence lower bound, two terms in nats:

    -ELBO(x) = E_q(z|x)[-log p(x | z)]  +  KL(q(z | x) || p(z))
                 reconstruction              how far the code is from the prior

with q(z | x) = N(mean, exp(log_variance)), each latent number on its own, and the prior p(z) = N(0, 1).
Kingma and Welling, "Auto-Encoding Variational Bayes", arXiv 1312.6114, equation 3.
"""

from __future__ import annotations

from math import log, pi

import numpy as np

from minigan import backend, ops
from minigan.errors import ArgumentError, ShapeError
from minigan.tensor import Tensor


def kl_to_prior(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, 1)) of each sample: (N, L), (N, L) -> (N,), >= 0, in nats.

    KL = 1/2 sum over L of (exp(log_variance) + mean^2 - 1 - log_variance): 0 where the code is the prior.
    arXiv 1312.6114, appendix B.
    """
    if mean.ndim != 2 or mean.shape != log_variance.shape:
        raise ShapeError(f"kl_to_prior: expected (N, L) twice, got {mean.shape} and {log_variance.shape}")
    return (ops.exp(log_variance) + mean * mean - 1.0 - log_variance).sum(axis=1) * 0.5


def gaussian_nll(pictures: Tensor, decoded: Tensor, *, sigma: float) -> Tensor:
    """-log N(pictures; decoded, sigma^2) of each sample, in nats: (N, ...) twice -> (N,).

    1/2 sum of ((x - y) / sigma)^2 + log(2 pi sigma^2).  Raises ArgumentError for sigma <= 0.
    """
    if not sigma > 0:
        raise ArgumentError(f"sigma: expected a number above 0, got {sigma}")
    squares = _squares(pictures, decoded)
    return (squares * sigma**-2 + pictures.size // len(pictures) * log(2 * pi * sigma**2)) * 0.5


def optimal_gaussian_nll(pictures: Tensor, decoded: Tensor) -> Tensor:
    """Return its mean over the batch, (), with the sigma that makes it least: sigma^2 = mean (x - y)^2.

    Then it is D/2 (log(2 pi sigma^2) + 1) for pictures of D numbers, and no weight between the two terms of
    the bound is left to choose.  Rybkin et al., "Simple and Effective VAE Training with Calibrated Decoders",
    arXiv 2006.13202, section 4.2.
    """
    numbers = pictures.size // len(pictures)
    variance = _squares(pictures, decoded).mean() * (1.0 / numbers)
    return (ops.log(variance) + (log(2 * pi) + 1.0)) * (numbers / 2)


def draw_code(mean: Tensor, log_variance: Tensor, generator: np.random.Generator) -> Tensor:
    """z = mean + exp(log_variance / 2) e with e ~ N(0, 1) drawn from ``generator``: (N, L).

    The randomness stands beside the parameters, so the gradient passes to them: the reparametrisation of
    arXiv 1312.6114, section 2.4.
    """
    noise = backend.to_device(backend.standard_normal(generator, mean.shape, mean.dtype), mean.device)
    return mean + ops.exp(log_variance * 0.5) * Tensor(noise)


def _squares(pictures: Tensor, decoded: Tensor) -> Tensor:
    if pictures.shape != decoded.shape:
        raise ShapeError(f"reconstruction: pictures are {pictures.shape}, the decoder gave {decoded.shape}")
    difference = pictures - decoded
    return (difference * difference).sum(axis=tuple(range(1, pictures.ndim)))
