"""The lesson's DCGAN: every change of size is a strided convolution, forwards in D, transposed in G.

Radford et al., arXiv 1511.06434.  For 28 x 28 pictures only: the sizes 1-3-7-15-28 come out of these kernels.
"""

from __future__ import annotations

import numpy as np

from minigan import nn
from minigan.errors import ArgumentError
from minigan.gan.config import Config


def generator(latent: int, channels: int, *, rng: np.random.Generator) -> nn.Sequential:
    """Latents (N, latent) -> pictures (N, channels, 28, 28) in [-1, 1]; 600,512 parameters for 100 and 1."""
    layers: list[nn.Module] = [nn.Unflatten(1, (latent, 1, 1))]
    for before, after in ((latent, 256), (256, 128), (128, 64)):  # 1 -> 3 -> 7 -> 15 pixels a side
        layers += [
            nn.ConvTranspose2d(before, after, 3, stride=2, bias=False, generator=rng),
            nn.BatchNorm2d(after),
            nn.ReLU(),
        ]
    last = nn.ConvTranspose2d(
        64, channels, 3, stride=2, padding=2, output_padding=1, bias=False, generator=rng
    )
    return nn.Sequential(*layers, last, nn.Tanh())


def discriminator(channels: int, *, rng: np.random.Generator) -> nn.Sequential:
    """Pictures (N, channels, 28, 28) -> logits (N,); 661,248 parameters for one channel."""

    def halve(before: int, after: int) -> nn.Conv2d:
        return nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False, generator=rng)

    return nn.Sequential(
        halve(channels, 64), nn.LeakyReLU(0.2),  # 14
        halve(64, 128), nn.BatchNorm2d(128), nn.LeakyReLU(0.2),  # 7
        halve(128, 256), nn.BatchNorm2d(256), nn.LeakyReLU(0.2),  # 3
        halve(256, 1), nn.Flatten(0),  # 1
    )  # fmt: skip


def build(config: Config, rng: np.random.Generator) -> tuple[nn.Module, nn.Module]:
    """Return (generator, discriminator), weights N(0, 0.02), batch norm's N(1, 0.02); 28 x 28 only."""
    channels, *size = config.shape
    if size != [28, 28]:
        raise ArgumentError(
            f"model strided: expected pictures of 28 x 28 pixels, got {size[0]} x {size[1]}; "
            "use the dcgan model, or --size 28"
        )
    pair = generator(config.latent, channels, rng=rng), discriminator(channels, rng=rng)
    for network in pair:
        nn.init.dcgan_(network, 0.02, generator=rng)
    return pair
