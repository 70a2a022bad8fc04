"""Several resolutions at once: G shows a picture at every level, D looks at all of them together.

Karnewar and Wang, "MSG-GAN", arXiv 1903.06048: the gradient reaches every level of G directly, so the coarse
ones learn at once, without the schedule that growing needs.

The picture of a level is the one of the level before, enlarged, and what this level adds to it, as in the
summed generator that grew out of this one (Karras et al., arXiv 1912.04958, section 4.1): scales made one by
one need not agree, and D learns to tell that instead of what is on them.

All scales travel on one sheet, like the mip-maps of computer graphics: the full picture at the left, the half
beside it, the quarter below that, and so on.  A sheet is an ordinary tensor, so losses, penalties and the
training loop need not know about scales.
"""

from __future__ import annotations

import numpy as np

from minigan import nn, ops
from minigan.errors import ArgumentError, ShapeError
from minigan.gan.config import Config
from minigan.gan.models import blocks
from minigan.nn import functional as F
from minigan.tensor import Tensor


def pack(pictures: list[Tensor]) -> Tensor:
    """Pictures (N, C, H, W), (N, C, H/2, W/2), ... -> one sheet (N, C, H, W + W/2), 0 where nothing lies."""
    full, *smaller = pictures
    N, C, H, W = full.shape
    column = W // 2
    strips = [ops.pad(x, (0, column - x.shape[3], 0, 0)) for x in smaller]
    used = sum(x.shape[2] for x in smaller)
    beside = ops.pad(ops.concatenate(strips, axis=2), (0, 0, 0, H - used))
    return ops.concatenate([full, beside], axis=3)


def unpack(sheet: Tensor, sizes: list[tuple[int, int]]) -> list[Tensor]:
    """Sheet -> the pictures on it; ``sizes`` are (height, width) from the smallest up, as the answer."""
    height, width = sizes[-1]
    pictures, top = [sheet[:, :, :height, :width]], 0
    for h, w in sizes[-2::-1]:
        pictures.append(sheet[:, :, top : top + h, width : width + w])
        top += h
    return pictures[::-1]


def scales(pictures: Tensor, levels: int) -> list[Tensor]:
    """Full-size pictures -> all their scales by averaging, the smallest first."""
    found = [pictures]
    while len(found) < levels:
        found.append(ops.avg_pool2d(found[-1], 2))
    return found[::-1]


def doubled(size: tuple[int, int]) -> tuple[int, int]:
    """Return the height and width of the pictures that belong to maps of this size."""
    return 2 * size[0], 2 * size[1]


class Generator(nn.Module):
    """Latents (N, latent) -> in training a sheet of all scales, in evaluation the pictures (N, C, H, W)."""

    def __init__(
        self, latent: int, channels: int, sizes: list, filters: list[int], *, rng: np.random.Generator
    ):
        super().__init__()
        pairs = zip(filters, filters[1:], strict=False)
        self.blocks = nn.ModuleList(
            [blocks.first(latent, filters[0], sizes[0], rng), *(blocks.wider(a, b, rng) for a, b in pairs)]
        )
        self.to_picture = nn.ModuleList(blocks.to_picture(n, channels, rng) for n in filters)

    def forward(self, z: Tensor) -> Tensor:
        """Run all blocks; each adds its detail to the picture so far."""
        x, sums = z, list[Tensor]()
        for block, detail in zip(self.blocks, self.to_picture, strict=True):
            x = block(x)
            coarse = [ops.interpolate(sums[-1], scale_factor=2, mode="bilinear")] if sums else []
            sums.append(sum(coarse, start=detail(x)))
        pictures = [ops.tanh(total) for total in (sums if self.training else sums[-1:])]
        return pack(pictures[::-1]) if self.training else pictures[-1]


class Discriminator(nn.Module):
    """Sheets, or plain pictures that it scales itself -> logits (N,).

    Each block sees the block before it with that level's pictures beside it as further channels (the
    paper's phi_simple, section 3.1).  Plain and generated pictures may come in turn.
    """

    def __init__(self, channels: int, sizes: list, filters: list[int], *, rng: np.random.Generator):
        super().__init__()
        self.sizes = [doubled(size) for size in sizes]
        self.from_picture = blocks.from_picture(channels, filters[-1], rng)
        pairs = list(zip(filters, filters[1:], strict=False))
        # The finest level's pictures come in through from_picture, those of all others beside the maps.
        narrower = [blocks.narrower(b + 4 * channels, a, rng) for a, b in pairs[:-1]]
        narrower.append(blocks.narrower(pairs[-1][1], pairs[-1][0], rng))
        last = blocks.last(filters[0] + 4 * channels, filters[0], sizes[0], rng)
        self.blocks = nn.ModuleList([last, *narrower])

    def forward(self, pictures: Tensor) -> Tensor:
        """Judge all scales together."""
        height, width = self.sizes[-1]
        if pictures.ndim != 4 or pictures.shape[2:] not in ((height, width), (height, width + width // 2)):
            raise ShapeError(
                f"model msg: expected pictures (N, C, {height}, {width}) or sheets, got {pictures.shape}"
            )
        levels = len(self.sizes)
        plain = pictures.shape[3] == width
        found = scales(pictures, levels) if plain else unpack(pictures, self.sizes)
        x = self.blocks[-1](self.from_picture(found[-1]))
        for k in range(levels - 2, -1, -1):
            x = self.blocks[k](ops.concatenate([x, F.pixel_unshuffle(found[k], 2)], axis=1))
        return x


def build(config: Config, rng: np.random.Generator) -> tuple[nn.Module, nn.Module]:
    """Return (generator, discriminator); ArgumentError for options that would cut through a sheet."""
    for option in ("augment", "wgan_gp"):
        if getattr(config, option):
            raise ArgumentError(
                f"{option}: the msg model hands all scales over on one sheet, which {option} would mix up; "
                "leave it out, or use another model"
            )
    sizes, filters = blocks.plan("msg", config.shape, config.base)
    if len(sizes) < 2:
        raise ArgumentError("model msg: expected sides of at least 16 pixels, which have two scales")
    channels = config.shape[0]
    return (
        Generator(config.latent, channels, sizes, filters, rng=rng),
        Discriminator(channels, sizes, filters, rng=rng),
    )
