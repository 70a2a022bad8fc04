"""Networks for points in the plane, where mode collapse can be seen and counted.

"Pictures" of two channels and one pixel: (N, 2, 1, 1).  No batch norm (the two networks must judge and make
each point on its own) and no tanh at the end (points may lie anywhere), but tanh between the layers: modes
lie far apart, so G has to be a staircase, flat on a mode and steep in between, and a unit that saturates is a
step.  With leaky ReLU the same training leaves four times as many points between the modes.
"""

from __future__ import annotations

from math import prod

import numpy as np

from minigan import nn
from minigan.gan.config import Config

HIDDEN = 4  # layers


def network(sizes: tuple[int, ...], rng: np.random.Generator) -> list[nn.Module]:
    """Dense layers of these sizes with tanh between them."""
    layers: list[nn.Module] = []
    for before, after in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Linear(before, after, generator=rng), nn.Tanh()]
        nn.init.kaiming_normal_(layers[-2].weight, generator=rng)
        nn.init.zeros_(layers[-2].bias)
    return layers[:-1]


def build(config: Config, rng: np.random.Generator) -> tuple[nn.Module, nn.Module]:
    """Return (generator, discriminator), `HIDDEN` hidden layers of ``base`` units each."""
    hidden, size = (config.base,) * HIDDEN, prod(config.shape)
    generator = nn.Sequential(*network((config.latent, *hidden, size), rng), nn.Unflatten(1, config.shape))
    discriminator = nn.Sequential(nn.Flatten(), *network((size, *hidden, 1), rng), nn.Flatten(0))
    return generator, discriminator
