"""Networks for points in the plane, where mode collapse can be seen and counted.

"Pictures" of two channels and one pixel: (N, 2, 1, 1).  No batch norm (the two networks must judge and make
each point on its own) and no tanh (points may lie anywhere).
"""

from __future__ import annotations

from math import prod

import numpy as np

from minigan import nn
from minigan.gan.config import Config


def network(sizes: tuple[int, ...], rng: np.random.Generator) -> list[nn.Module]:
    """Dense layers of these sizes with leaky ReLU between them."""
    layers: list[nn.Module] = []
    for before, after in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Linear(before, after, generator=rng), nn.LeakyReLU(0.2)]
        nn.init.kaiming_normal_(layers[-2].weight, a=0.2, generator=rng)
        nn.init.zeros_(layers[-2].bias)
    return layers[:-1]


def build(config: Config, rng: np.random.Generator) -> tuple[nn.Module, nn.Module]:
    """Return (generator, discriminator), three hidden layers of ``base`` units each."""
    hidden, size = (config.base,) * 3, prod(config.shape)
    generator = nn.Sequential(*network((config.latent, *hidden, size), rng), nn.Unflatten(1, config.shape))
    discriminator = nn.Sequential(nn.Flatten(), *network((size, *hidden, 1), rng), nn.Flatten(0))
    return generator, discriminator
