"""The simplest pair: dense layers only.  With 28 x 28 grey pictures, the lesson's dense GAN exactly."""

from __future__ import annotations

from math import prod

import numpy as np

from minigan import nn
from minigan.gan.config import Config


def generator(
    latent: int,
    shape: tuple[int, ...],
    *,
    widths: tuple[int, ...] = (256, 512, 1024),
    rng: np.random.Generator,
) -> nn.Sequential:
    """Latents (N, latent) -> pictures (N, *shape) in [-1, 1]; batch norm and leaky ReLU between layers.

    The lesson's: 100-256-512-1024-784, 1,489,936 parameters.
    """
    layers: list[nn.Module] = []
    for before, after in zip((latent, *widths), widths, strict=False):
        layers += [
            nn.Linear(before, after, generator=rng),
            nn.BatchNorm1d(after, momentum=0.2),
            nn.LeakyReLU(0.2),
        ]
    layers += [nn.Linear(widths[-1], prod(shape), generator=rng), nn.Tanh(), nn.Unflatten(1, shape)]
    return nn.Sequential(*layers)


def discriminator(
    shape: tuple[int, ...], *, widths: tuple[int, ...] = (512, 256), rng: np.random.Generator
) -> nn.Sequential:
    """Pictures (N, *shape) -> logits (N,).

    The lesson's: 784-512-256-1, 533,505 parameters.  Its sigmoid is in the loss here, where it is exact for
    logits of any size.
    """
    layers: list[nn.Module] = [nn.Flatten()]
    for before, after in zip((prod(shape), *widths), widths, strict=False):
        layers += [nn.Linear(before, after, generator=rng), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear(widths[-1], 1, generator=rng), nn.Flatten(0))


def build(config: Config, rng: np.random.Generator) -> tuple[nn.Module, nn.Module]:
    """Return (generator, discriminator) for the options."""
    return generator(config.latent, config.shape, rng=rng), discriminator(config.shape, rng=rng)
