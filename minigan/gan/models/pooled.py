"""The lesson's discriminator in words: convolutions with pooling, dense layers that give a feature vector.

The textbook classifier turned into a discriminator; its generator is that classifier turned round: a dense
layer to the starting shape, then upscaling and convolutions.  Sizes as for `dcgan`.
"""

from __future__ import annotations

import numpy as np

from minigan import nn
from minigan.gan.config import Config
from minigan.gan.models.dcgan import plan

FEATURES = 128


def generator(
    latent: int, shape: tuple[int, int, int], base: int, *, rng: np.random.Generator
) -> nn.Sequential:
    """Latents (N, latent) -> pictures (N, C, H, W) in [-1, 1]; upscaling by repetition, convolution."""
    channels, height, width = shape
    start_height, start_width, filters = plan(height, width, base)
    start = (filters[0], start_height, start_width)
    layers: list[nn.Module] = [
        nn.Linear(latent, start[0] * start[1] * start[2], bias=False, generator=rng),
        nn.Unflatten(1, start),
        nn.BatchNorm2d(filters[0]),
        nn.ReLU(),
    ]
    for before, after in zip(filters, filters[1:], strict=False):
        layers += [
            nn.Upsample(scale_factor=2),
            nn.Conv2d(before, after, 3, padding=1, bias=False, generator=rng),
            nn.BatchNorm2d(after),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers, nn.Conv2d(filters[-1], channels, 3, padding=1, generator=rng), nn.Tanh())


def discriminator(shape: tuple[int, int, int], base: int, *, rng: np.random.Generator) -> nn.Sequential:
    """Pictures (N, C, H, W) -> logits (N,), by way of a vector of 128 features."""
    channels, height, width = shape
    start_height, start_width, filters = plan(height, width, base)
    layers: list[nn.Module] = []
    for after in filters[:0:-1]:
        layers += [
            nn.Conv2d(channels, after // 2, 3, padding=1, generator=rng),
            nn.LeakyReLU(0.2),
            nn.AvgPool2d(2),
        ]
        channels = after // 2
    return nn.Sequential(
        *layers,
        nn.Conv2d(channels, filters[0], 3, padding=1, generator=rng),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(filters[0] * start_height * start_width, FEATURES, generator=rng),
        nn.LeakyReLU(0.2),
        nn.Linear(FEATURES, 1, generator=rng),
        nn.Flatten(0),
    )


def build(config: Config, rng: np.random.Generator) -> tuple[nn.Module, nn.Module]:
    """Return (generator, discriminator) for the options."""
    return (
        generator(config.latent, config.shape, config.base, rng=rng),
        discriminator(config.shape, config.base, rng=rng),
    )
