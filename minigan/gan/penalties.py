"""Gradient penalties: how steep the discriminator may be.

Each takes the critic as a function of pictures, so that it works with any network, and returns one
number, the mean over the batch of a function of each sample's own gradient

    slope(x_n) = d critic(x)_n / d x_n,        steepness s_n = |slope(x_n)|  (Euclidean, over all pixels).

One backward pass gives all slopes at once, because sample n's logit depends on sample n's pixels only
(true of every discriminator here without batch norm; with it the slopes get mixed, and the papers advise
against the pair).  The penalty's own gradient is a derivative of a derivative: ``create_graph=True``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minigan import backend
from minigan.autograd import grad
from minigan.errors import ShapeError
from minigan.modes import enable_grad
from minigan.ops.half import in_single
from minigan.tensor import Tensor

Critic = Callable[[Tensor], Tensor]  # pictures (N, ...) -> logits (N,) or (N, 1)


def squared_steepness(critic: Critic, x: Tensor) -> Tensor:
    """Return s_n squared for each sample: (N, ...) -> (N,), differentiable in the critic's parameters."""
    return _per_sample(critic, x, _squares)


def _per_sample(critic: Critic, x: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """function(slopes), recorded."""
    x = x.detach().requires_grad_()
    with enable_grad():
        logits = critic(x)
        (slope,) = grad(logits.sum(), x, create_graph=True)
        assert slope is not None
        return function(slope)


@in_single
def _squares(slope: Tensor) -> Tensor:
    return (slope * slope).sum(axis=tuple(range(1, slope.ndim)))


@in_single
def _lengths(slope: Tensor) -> Tensor:
    return (_squares(slope) + 1e-12).sqrt()


def steepness(critic: Critic, x: Tensor) -> Tensor:
    """Return s_n for each sample: (N, ...) -> (N,).

    A slope of exactly 0 would have an infinite derivative here; 1e-12 under the root keeps it finite.
    """
    return _per_sample(critic, x, _lengths)


def zero_centred(critic: Critic, x: Tensor) -> Tensor:
    """Return mean s_n^2 / 2: flat where the samples are.  Multiply by gamma.

    On real pictures this is R1, on generated ones R2 (Mescheder et al., arXiv 1801.04406, eq. 9):
    D may not build cliffs at the data, so training settles instead of circling.
    """
    return squared_steepness(critic, x).mean() * 0.5


def r1(critic: Critic, real: Tensor) -> Tensor:
    """Return R1 = mean over real pictures of s^2 / 2.  arXiv 1801.04406, eq. 9."""
    return zero_centred(critic, real)


def r2(critic: Critic, fake: Tensor) -> Tensor:
    """Return R2 = mean over generated pictures of s^2 / 2.  arXiv 1801.04406, eq. 9."""
    return zero_centred(critic, fake)


def wgan_gp(critic: Critic, real: Tensor, fake: Tensor, generator: np.random.Generator) -> Tensor:
    """Return mean (s - 1)^2 at random points between real and fake.

    One uniform mixing weight a sample, drawn from ``generator``.  Raises ShapeError if the batches differ.
    Gulrajani et al., arXiv 1704.00028, eq. 3.
    """
    return ((steepness(critic, between(real, fake, generator)) - 1.0) ** 2).mean()


def between(real: Tensor, fake: Tensor, generator: np.random.Generator) -> Tensor:
    """Return u x + (1 - u) y with one u ~ U[0, 1) a sample."""
    if real.shape != fake.shape:
        raise ShapeError(
            f"gradient penalty: real and fake must have one shape, got {real.shape} and {fake.shape}"
        )
    weight = backend.uniform(generator, 0, 1, (len(real),) + (1,) * (real.ndim - 1), real.dtype)
    return Tensor(fake.array + (real.array - fake.array) * backend.to_device(weight, real.device))


def dragan(critic: Critic, real: Tensor, generator: np.random.Generator, *, spread: float = 0.5) -> Tensor:
    """Return mean (s - 1)^2 around real pictures.  Kodali et al., arXiv 1705.07215, eq. 2.

    The points are x + spread * std(x) * u, u ~ U[0, 1) a pixel, as in the authors' code.
    """
    noise = backend.to_device(backend.uniform(generator, 0, 1, real.shape, real.dtype), real.device)
    points = Tensor(real.array + noise * (spread * real.array.std()))
    return ((steepness(critic, points) - 1.0) ** 2).mean()
