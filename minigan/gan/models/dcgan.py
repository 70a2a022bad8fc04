"""minigan's own DCGAN: grey or colour, any size that is a small number times a power of two.

The generator widens a small map by factors of two; the discriminator is the generator turned round.  Sizes
are a start of 4 to 7 pixels (or an odd number of them) times a power of two: 28 = 7 * 4, 32 = 4 * 8,
48 = 6 * 8, 64 = 4 * 16.

After Radford et al., arXiv 1511.06434, with three departures: a 3 x 3 convolution at half size in both nets,
the size at which strokes are drawn; no feature maps at full size, which would cost most of the time; and no
batch norm in the discriminator, because its gradient penalty wants each picture judged on its own.

Two options change it.  ``upsampling`` "bilinear" enlarges maps smoothly before a 3 x 3 convolution, makes
four pixels of every position at the end, and lets D see pictures through `Jitter`: that leaves less of a
grid than transposed convolutions and the gradients of strided ones do (Odena et al., "Deconvolution and
Checkerboard Artifacts", 2016).  ``minibatch_std`` lets D compare the pictures of a batch just before it
decides (Karras et al., arXiv 1710.10196, section 3), so that a missing kind of picture shows.
"""

from __future__ import annotations

import numpy as np

from minigan import backend, nn, ops
from minigan.errors import ArgumentError
from minigan.gan.config import Config
from minigan.tensor import Tensor

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
    latent: int,
    shape: tuple[int, int, int],
    base: int,
    *,
    rng: np.random.Generator,
    upsampling: str = "transposed",
) -> nn.Sequential:
    """Latents (N, latent) -> pictures (N, C, H, W) in [-1, 1]; ``base`` filters at half size."""
    channels, height, width = shape
    start_height, start_width, filters = plan(height, width, base)
    filters = filters[1:]  # none at full size
    start = (filters[0], start_height, start_width)

    def norm(count: int) -> list[nn.Module]:
        return [nn.BatchNorm2d(count), nn.ReLU()]

    def doubled(before: int, after: int) -> list[nn.Module]:
        if upsampling == "transposed":
            return [nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False, generator=rng)]
        larger = nn.Upsample(scale_factor=2, mode="bilinear")
        return [larger, nn.Conv2d(before, after, 3, padding=1, bias=False, generator=rng)]

    layers: list[nn.Module] = [
        nn.Linear(latent, start[0] * start[1] * start[2], bias=False, generator=rng),
        nn.Unflatten(1, start),
        *norm(filters[0]),
    ]
    for before, after in zip(filters, filters[1:], strict=False):
        layers += [*doubled(before, after), *norm(after)]
    layers += [
        nn.Conv2d(filters[-1], filters[-1], 3, padding=1, bias=False, generator=rng),
        *norm(filters[-1]),
    ]
    if upsampling == "transposed":
        layers += [nn.ConvTranspose2d(filters[-1], channels, 4, stride=2, padding=1, generator=rng)]
    else:
        four = nn.Conv2d(filters[-1], 4 * channels, 3, padding=1, generator=rng)
        layers += [alike(four), nn.PixelShuffle(2)]
    return nn.Sequential(*layers, nn.Tanh())


def alike(layer: nn.Module) -> nn.Module:
    """Let the four pixels that `PixelShuffle` makes of a position start alike; return the layer.

    Weights drawn one by one would lay a grid of two pixels' period over every picture, which training takes
    long to smooth.  Aitken et al., "Checkerboard artifact free sub-pixel convolution", arXiv 1707.02937.
    """
    for parameter in layer.parameters():  # the first axis is the outputs', four neighbours a channel
        parameter.array = backend.namespace(parameter.array).repeat(parameter.array[::4], 4, axis=0)
    return layer


class Jitter(nn.Module):
    """In training shift a batch of pictures up and to the left, each by 0 or 1 pixel; edges are repeated.

    As D's first layer: a strided convolution treats even and odd pixels differently, and so does its
    gradient, from which G learns a grid.  With a shift drawn for every batch it has to treat them alike.
    """

    def __init__(self, rng: np.random.Generator):
        super().__init__()
        self.generator = rng.spawn(1)[0]

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        if not self.training:
            return x
        height, width = x.shape[2:]
        down, right = int(self.generator.integers(2)), int(self.generator.integers(2))
        framed = ops.pad(x, (0, 1, 0, 1), mode="replicate")
        return framed[:, :, down : down + height, right : right + width]


def discriminator(
    shape: tuple[int, int, int],
    base: int,
    *,
    rng: np.random.Generator,
    jitter: bool = False,
    minibatch_std: bool = False,
) -> nn.Sequential:
    """Pictures (N, C, H, W) -> logits (N,); ``base`` filters at half size."""
    channels, height, width = shape
    start_height, start_width, filters = plan(height, width, base)
    filters = filters[:0:-1]
    layers: list[nn.Module] = [Jitter(rng)] if jitter else []
    layers += [
        nn.Conv2d(channels, filters[0], 4, stride=2, padding=1, generator=rng),
        nn.LeakyReLU(0.2),
        nn.Conv2d(filters[0], filters[0], 3, padding=1, generator=rng),
        nn.LeakyReLU(0.2),
    ]
    for before, after in zip(filters, filters[1:], strict=False):
        layers += [nn.Conv2d(before, after, 4, stride=2, padding=1, generator=rng), nn.LeakyReLU(0.2)]
    deepest = filters[-1]
    if minibatch_std:
        compare = nn.Conv2d(deepest + 1, deepest, 3, padding=1, generator=rng)
        layers += [nn.MinibatchStdDev(), compare, nn.LeakyReLU(0.2)]
    features = deepest * start_height * start_width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(features, 1, generator=rng), nn.Flatten(0))


def build(config: Config, rng: np.random.Generator) -> tuple[nn.Module, nn.Module]:
    """Return (generator, discriminator) for the options."""
    jitter = config.upsampling == "bilinear"
    return (
        generator(config.latent, config.shape, config.base, rng=rng, upsampling=config.upsampling),
        discriminator(config.shape, config.base, rng=rng, jitter=jitter, minibatch_std=config.minibatch_std),
    )
