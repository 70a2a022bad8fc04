"""Pieces that the growing and the multi-scale networks share: those of `dcgan`, one size each.

Maps are half as large as the pictures they belong to: the last layer of a generator makes four pixels of
every position, the first of a discriminator folds four into one.  Maps at full size would cost most of the
time, and have the fewest filters.

Departure from Karras et al., arXiv 1710.10196: batch norm in G and weights as they are, where the paper has
pixel norm and equalised learning rates.  Those keep training calm for the days that pictures of 1,024 pixels
take; batch norm keeps the pictures of a batch apart, and learns in minutes.
"""

from __future__ import annotations

import numpy as np

from minigan import nn
from minigan.errors import ArgumentError
from minigan.gan.models import dcgan


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


def first(latent: int, filters: int, size: tuple[int, int], rng: np.random.Generator) -> nn.Sequential:
    """Latents (N, latent) -> maps (N, filters, *size)."""
    return nn.Sequential(
        nn.Linear(latent, filters * size[0] * size[1], bias=False, generator=rng),
        nn.Unflatten(1, (filters, *size)), nn.BatchNorm2d(filters), nn.ReLU(),
    )  # fmt: skip


def wider(before: int, after: int, rng: np.random.Generator) -> nn.Sequential:
    """(N, before, H, W) -> (N, after, 2H, 2W): smooth upscaling, then a 3 x 3 convolution."""
    return nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), *_normed(before, after, rng))


def to_picture(filters: int, channels: int, rng: np.random.Generator) -> nn.Sequential:
    """(N, filters, H, W) -> (N, channels, 2H, 2W), the picture before tanh: four pixels of every position."""
    four = dcgan.alike(nn.Conv2d(filters, 4 * channels, 3, padding=1, generator=rng))
    return nn.Sequential(*_normed(filters, filters, rng), four, nn.PixelShuffle(2))


def _normed(before: int, after: int, rng: np.random.Generator) -> list[nn.Module]:
    layer = nn.Conv2d(before, after, 3, padding=1, bias=False, generator=rng)
    return [layer, nn.BatchNorm2d(after), nn.ReLU()]


def from_picture(channels: int, filters: int, rng: np.random.Generator) -> nn.Sequential:
    """Pictures (N, channels, 2H, 2W) -> (N, filters, H, W)."""
    same = nn.Conv2d(filters, filters, 3, padding=1, generator=rng)
    return nn.Sequential(dcgan.Jitter(rng), *narrower(channels, filters, rng), same, nn.LeakyReLU(0.2))


def narrower(before: int, after: int, rng: np.random.Generator) -> nn.Sequential:
    """(N, before, H, W) -> (N, after, H/2, W/2)."""
    return nn.Sequential(nn.Conv2d(before, after, 4, stride=2, padding=1, generator=rng), nn.LeakyReLU(0.2))


def last(before: int, after: int, size: tuple[int, int], rng: np.random.Generator) -> nn.Sequential:
    """(N, before, *size) -> logits (N,): minibatch deviation, 3 x 3 convolution to ``after``, dense layer.

    The added channel lets D compare the pictures of a batch and so see collapse.  arXiv 1710.10196, table 2.
    """
    compare = nn.Conv2d(before + 1, after, 3, padding=1, generator=rng)
    features = after * size[0] * size[1]
    return nn.Sequential(
        nn.MinibatchStdDev(), compare, nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(features, 1, generator=rng), nn.Flatten(0),
    )  # fmt: skip
