"""The lesson's third pair: dense layer, upscaling and transposed convolutions in G, dropout in D."""

from __future__ import annotations

import numpy as np

from minigan import nn
from minigan.errors import ArgumentError
from minigan.gan.config import Config


def generator(latent: int, shape: tuple[int, int, int], *, rng: np.random.Generator) -> nn.Sequential:
    """Latents (N, latent) -> pictures (N, C, H, W) in [-1, 1], H and W multiples of 4.

    The lesson counts 856,193 parameters for 100 and 28 x 28, batch norm's running statistics (384) included.
    """
    channels, height, width = shape
    start = (128, height // 4, width // 4)

    def widen(before: int, after: int) -> list[nn.Module]:
        return [
            nn.Upsample(scale_factor=2),
            nn.ConvTranspose2d(before, after, 3, padding=1, generator=rng),
            nn.BatchNorm2d(after),
            nn.ReLU(),
        ]

    return nn.Sequential(
        nn.Linear(latent, 128 * start[1] * start[2], generator=rng), nn.ReLU(), nn.Unflatten(1, start),
        *widen(128, 128), *widen(128, 64),
        nn.ConvTranspose2d(64, channels, 3, padding=1, generator=rng), nn.Tanh(),
    )  # fmt: skip


def discriminator(shape: tuple[int, int, int], *, rng: np.random.Generator) -> nn.Sequential:
    """Pictures (N, C, H, W) -> logits (N,).

    The lesson counts 393,729 parameters for 1 x 28 x 28, running statistics (896) included.  Keras pads its
    strided convolutions at the far side only; here both sides get one pixel, which gives the same sizes.
    """
    channels, height, width = shape

    def layer(before: int, after: int, stride: int, norm: bool = True) -> list[nn.Module]:
        convolution = nn.Conv2d(before, after, 3, stride=stride, padding=1, generator=rng)
        middle = [nn.BatchNorm2d(after)] if norm else []
        return [convolution, *middle, nn.LeakyReLU(0.2), nn.Dropout(0.25, generator=rng.spawn(1)[0])]

    features = 256 * -(-height // 8) * -(-width // 8)  # three halvings, rounded up
    return nn.Sequential(
        *layer(channels, 32, 2, norm=False), *layer(32, 64, 2), *layer(64, 128, 2), *layer(128, 256, 1),
        nn.Flatten(), nn.Linear(features, 1, generator=rng), nn.Flatten(0),
    )  # fmt: skip


def build(config: Config, rng: np.random.Generator) -> tuple[nn.Module, nn.Module]:
    """Return (generator, discriminator) for the options; ArgumentError unless the size is a multiple of 4."""
    _, height, width = config.shape
    if height % 4 or width % 4:
        raise ArgumentError(
            f"model upscale: expected height and width that 4 divides, got {height} x {width}"
        )
    return generator(config.latent, config.shape, rng=rng), discriminator(config.shape, rng=rng)
