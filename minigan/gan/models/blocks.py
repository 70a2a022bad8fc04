"""Pieces that the growing, the multi-scale and the style-based networks share.

Maps are half as large as the pictures they belong to: the last layer of a generator makes four pixels of
every position, the first of a discriminator folds four into one.  Maps at full size would cost most of the
time, and have the fewest filters.

All have equalised learning rates (Karras et al., arXiv 1710.10196, section 4.1): weights are stored N(0, 1)
and scaled at each use, so that Adam moves every layer at one relative rate.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from minigan import nn
from minigan.errors import ArgumentError
from minigan.gan.models import dcgan

DENSE = 128  # most units of the discriminator's last hidden layer


def plan(model: str, shape: tuple[int, int, int], base: int) -> tuple[list[tuple[int, int]], list[int]]:
    """Return sizes (height, width) of the maps and their filters at each level, the smallest first.

    A level's pictures are twice as large as its maps; those of the last level are of full size.  Raises
    ArgumentError, naming the model, for sides that are no small number times a power of two.
    """
    try:
        height, width, filters = dcgan.plan(*shape[1:], base)
    except ArgumentError as error:
        raise ArgumentError(str(error).replace("model dcgan", f"model {model}")) from None
    filters = filters[1:]  # none at full size
    return [(height << k, width << k) for k in range(len(filters))], filters


def convolution(
    before: int,
    after: int,
    size: int,
    rng: np.random.Generator,
    *,
    gain: float = sqrt(2.0),
    bias: bool = True,
) -> nn.Conv2d:
    """Return a convolution that keeps the size (``size`` is odd); ``gain`` 1 where no leaky ReLU follows."""
    layer = nn.Conv2d(before, after, size, padding=size // 2, bias=bias, generator=rng)
    return nn.equalized_lr(layer, gain=gain, generator=rng)


def dense(before: int, after: int, rng: np.random.Generator, *, gain: float = sqrt(2.0)) -> nn.Linear:
    """Return a dense layer; ``gain`` 1 where no leaky ReLU follows."""
    return nn.equalized_lr(nn.Linear(before, after, generator=rng), gain=gain, generator=rng)


def first(latent: int, filters: int, size: tuple[int, int], rng: np.random.Generator) -> nn.Sequential:
    """Latents (N, latent) -> maps (N, filters, *size): dense, 3 x 3, each with leaky ReLU and pixel norm.

    The latents are first put on the sphere.  arXiv 1710.10196, table 2.
    """
    return nn.Sequential(
        nn.PixelNorm(), dense(latent, filters * size[0] * size[1], rng, gain=sqrt(2.0) / 4),
        nn.Unflatten(1, (filters, *size)), nn.LeakyReLU(0.2), nn.PixelNorm(),
        convolution(filters, filters, 3, rng), nn.LeakyReLU(0.2), nn.PixelNorm(),
    )  # fmt: skip


def wider(before: int, after: int, rng: np.random.Generator) -> nn.Sequential:
    """(N, before, H, W) -> (N, after, 2H, 2W): upscaling, then two 3 x 3 convolutions."""
    return nn.Sequential(
        nn.Upsample(scale_factor=2),
        convolution(before, after, 3, rng), nn.LeakyReLU(0.2), nn.PixelNorm(),
        convolution(after, after, 3, rng), nn.LeakyReLU(0.2), nn.PixelNorm(),
    )  # fmt: skip


def to_picture(filters: int, channels: int, rng: np.random.Generator) -> nn.Sequential:
    """(N, filters, H, W) -> (N, channels, 2H, 2W), the picture before tanh: four pixels of every position."""
    four = dcgan.alike(convolution(filters, 4 * channels, 3, rng, gain=1.0))
    return nn.Sequential(four, nn.PixelShuffle(2))


def from_picture(channels: int, filters: int, rng: np.random.Generator) -> nn.Sequential:
    """Pictures (N, channels, 2H, 2W) -> (N, filters, H, W): four pixels become one position's channels."""
    return nn.Sequential(nn.PixelUnshuffle(2), convolution(4 * channels, filters, 3, rng), nn.LeakyReLU(0.2))


def narrower(before: int, after: int, rng: np.random.Generator, *, extra: int = 0) -> nn.Sequential:
    """(N, before + extra, H, W) -> (N, after, H/2, W/2): two 3 x 3 convolutions, then average pooling."""
    return nn.Sequential(
        convolution(before + extra, before, 3, rng), nn.LeakyReLU(0.2),
        convolution(before, after, 3, rng), nn.LeakyReLU(0.2), nn.AvgPool2d(2),
    )  # fmt: skip


def last(filters: int, size: tuple[int, int], rng: np.random.Generator, *, extra: int = 0) -> nn.Sequential:
    """(N, filters + extra, *size) -> logits (N,): minibatch deviation, 3 x 3, two dense layers.

    The added channel lets D compare the pictures of a batch and so see collapse.  arXiv 1710.10196, table 2.
    """
    units = min(4 * filters, DENSE)
    return nn.Sequential(
        nn.MinibatchStdDev(), convolution(filters + extra + 1, filters, 3, rng), nn.LeakyReLU(0.2),
        nn.Flatten(), dense(filters * size[0] * size[1], units, rng), nn.LeakyReLU(0.2),
        dense(units, 1, rng, gain=1.0), nn.Flatten(0),
    )  # fmt: skip
