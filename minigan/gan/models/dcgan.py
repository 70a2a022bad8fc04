"""minigan's own DCGAN: grey or colour, any size that is a small number times a power of two.

The generator widens a small map by factors of two; the discriminator is the generator turned round.  Sizes
are a start of 4 to 7 pixels (or an odd number of them) times a power of two: 28 = 7 * 4, 32 = 4 * 8,
48 = 6 * 8, 64 = 4 * 16.

After Radford et al., arXiv 1511.06434, with three departures: a 3 x 3 convolution at half size in both nets,
the size at which strokes are drawn; no feature maps at full size, which would cost most of the time; and no
batch norm in the discriminator, because its gradient penalty wants each picture judged on its own.
"""

from __future__ import annotations

import numpy as np

from minigan import nn
from minigan.errors import ArgumentError
from minigan.gan.config import Config

MOST_FILTERS = 512


def plan(height: int, width: int, base: int) -> tuple[int, int, list[int]]:
    """Return the starting height and width, and the filters at each size from the smallest up.

    Halve while both sides are even and stay at least 4: 28 -> 7 gives filters [4 base, 2 base, base].
    Raises ArgumentError for sizes below 8 or that cannot be halved at all.
    """
    doublings = 0
    while height % 2 == 0 and width % 2 == 0 and min(height, width) >= 8:
        height, width, doublings = height // 2, width // 2, doublings + 1
    if not doublings or max(height, width) > 64:
        size = f"{height << doublings} x {width << doublings}"
        raise ArgumentError(
            f"model dcgan: expected sides of at least 8 pixels, a small number times a power "
            f"of two, such as 28, 32, 48 or 64; got {size}; use --size"
        )
    return height, width, [min(base << k, MOST_FILTERS) for k in range(doublings, -1, -1)]


def generator(
    latent: int, shape: tuple[int, int, int], base: int, *, rng: np.random.Generator
) -> nn.Sequential:
    """Latents (N, latent) -> pictures (N, C, H, W) in [-1, 1]; ``base`` filters at half size."""
    channels, height, width = shape
    start_height, start_width, filters = plan(height, width, base)
    filters = filters[1:]  # none at full size
    start = (filters[0], start_height, start_width)

    def norm(count: int) -> list[nn.Module]:
        return [nn.BatchNorm2d(count), nn.ReLU()]

    layers: list[nn.Module] = [
        nn.Linear(latent, start[0] * start[1] * start[2], bias=False, generator=rng),
        nn.Unflatten(1, start),
        *norm(filters[0]),
    ]
    for before, after in zip(filters, filters[1:], strict=False):
        double = nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False, generator=rng)
        layers += [double, *norm(after)]
    return nn.Sequential(
        *layers,
        nn.Conv2d(filters[-1], filters[-1], 3, padding=1, bias=False, generator=rng),
        *norm(filters[-1]),
        nn.ConvTranspose2d(filters[-1], channels, 4, stride=2, padding=1, generator=rng),
        nn.Tanh(),
    )


def discriminator(shape: tuple[int, int, int], base: int, *, rng: np.random.Generator) -> nn.Sequential:
    """Pictures (N, C, H, W) -> logits (N,); ``base`` filters at half size."""
    channels, height, width = shape
    start_height, start_width, filters = plan(height, width, base)
    filters = filters[:0:-1]
    layers: list[nn.Module] = [
        nn.Conv2d(channels, filters[0], 4, stride=2, padding=1, generator=rng),
        nn.LeakyReLU(0.2),
        nn.Conv2d(filters[0], filters[0], 3, padding=1, generator=rng),
        nn.LeakyReLU(0.2),
    ]
    for before, after in zip(filters, filters[1:], strict=False):
        layers += [nn.Conv2d(before, after, 4, stride=2, padding=1, generator=rng), nn.LeakyReLU(0.2)]
    features = filters[-1] * start_height * start_width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(features, 1, generator=rng), nn.Flatten(0))


def build(config: Config, rng: np.random.Generator) -> tuple[nn.Module, nn.Module]:
    """Return (generator, discriminator) for the options."""
    return (
        generator(config.latent, config.shape, config.base, rng=rng),
        discriminator(config.shape, config.base, rng=rng),
    )
