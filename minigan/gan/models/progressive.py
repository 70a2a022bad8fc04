"""Growing: learn 8 x 8 pictures first, then 16 x 16, 32 x 32 ... each new size faded in as training goes on.

Karras et al., "Progressive Growing of GANs", arXiv 1710.10196.  What is coarse is settled before what is
fine begins, and the early steps are cheap.  At every level G hands over full-size pictures (small ones with
each pixel repeated) and D averages them down again, so that the training loop and the sampling need not know
how far the networks have grown: ``set_progress`` is all they call.

Departures: maps are half as large as their pictures (see `blocks`), real pictures are not blended during
a fade (D's own fade hides the fine detail as long as G has none), the losses are those of the
configuration (the paper: WGAN-GP), and G ends in tanh.
"""

from __future__ import annotations

import numpy as np

from minigan import nn, ops
from minigan.gan.config import Config
from minigan.gan.models import blocks
from minigan.tensor import Tensor

GROWING = 0.3  # share of the run in which the networks grow; the rest trains at full size
_WHOLE = 10**9  # a share is kept as a whole number of billionths, exact on every device and in every file


def schedule(progress: float, levels: int) -> tuple[int, float]:
    """Return (level, alpha) when a share ``progress`` in [0, 1] of the run is done.

    Level k trains alone, then level k + 1 fades in while its weight alpha climbs from 0 to 1; both last
    equally long, and the last level is whole after GROWING of the run.  Section 2 and figure 2.
    """
    passed = min(max(progress, 0.0), 1.0) / GROWING * (levels - 1)  # levels grown so far, with a fraction
    if passed >= levels - 1:
        return levels - 1, 1.0
    level, share = int(passed), passed % 1.0
    return (level, 1.0) if share < 0.5 else (level + 1, 2 * share - 1)


class _Grower(nn.Module):
    """Keeps how far the run is; part of the state that is saved, so a loaded network has its size."""

    def __init__(self, sizes: list[tuple[int, int]]):
        super().__init__()
        self.sizes = sizes
        self.register_buffer("growth", Tensor(np.zeros((), np.int64)))

    def set_progress(self, progress: float) -> None:
        """Say what share of the run is done, in [0, 1]."""
        self.growth.copy_(np.asarray(round(min(max(progress, 0.0), 1.0) * _WHOLE), np.int64))

    def grown(self) -> tuple[int, float]:
        """Return the level that is trained and its weight alpha."""
        return schedule(int(self.growth.item()) / _WHOLE, len(self.sizes))

    def factor(self, level: int) -> int:
        """Return how many pixels of the full size a pixel of the level's pictures is wide."""
        return self.sizes[-1][0] // self.sizes[level][0]


class Generator(_Grower):
    """Latents (N, latent) -> full-size pictures (N, C, H, W) in [-1, 1], as fine as the growth allows."""

    def __init__(
        self, latent: int, channels: int, sizes: list, filters: list[int], *, rng: np.random.Generator
    ):
        super().__init__(sizes)
        pairs = zip(filters, filters[1:], strict=False)
        self.blocks = nn.ModuleList(
            [blocks.first(latent, filters[0], sizes[0], rng), *(blocks.wider(a, b, rng) for a, b in pairs)]
        )
        self.to_picture = nn.ModuleList(blocks.to_picture(n, channels, rng) for n in filters)

    def forward(self, z: Tensor) -> Tensor:
        """Run the blocks up to the level, and mix the last two sizes while it fades in."""
        level, alpha = self.grown()
        x = before = self.blocks[0](z)
        for block in self.blocks[1 : level + 1]:
            x, before = block(x), x
        picture = enlarge(self.to_picture[level](x), self.factor(level))
        if alpha < 1:
            coarse = enlarge(self.to_picture[level - 1](before), self.factor(level - 1))
            picture = picture * alpha + coarse * (1 - alpha)
        return ops.tanh(picture)


class Discriminator(_Grower):
    """Full-size pictures (N, C, H, W) -> logits (N,), judged at the size the growth allows."""

    def __init__(self, channels: int, sizes: list, filters: list[int], *, rng: np.random.Generator):
        super().__init__(sizes)
        self.from_picture = nn.ModuleList(blocks.from_picture(channels, n, rng) for n in filters)
        self.blocks = nn.ModuleList(
            [
                blocks.last(filters[0], filters[0], sizes[0], rng),
                *(blocks.narrower(b, a, rng) for a, b in zip(filters, filters[1:], strict=False)),
            ]
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """Average down to the level, then run the blocks from there to the logit."""
        level, alpha = self.grown()
        x = self.from_picture[level](shrink(pictures, self.factor(level)))
        for k in range(level, -1, -1):
            x = self.blocks[k](x)
            if k == level and alpha < 1:
                coarse = self.from_picture[level - 1](shrink(pictures, self.factor(level - 1)))
                x = x * alpha + coarse * (1 - alpha)
        return x


def enlarge(x: Tensor, factor: int) -> Tensor:
    """Repeat each pixel factor x factor times."""
    return x if factor == 1 else ops.interpolate(x, scale_factor=factor)


def shrink(x: Tensor, factor: int) -> Tensor:
    """Average squares of factor x factor pixels."""
    return x if factor == 1 else ops.avg_pool2d(x, factor)


def build(config: Config, rng: np.random.Generator) -> tuple[nn.Module, nn.Module]:
    """Return (generator, discriminator) for the options, not grown yet."""
    sizes, filters = blocks.plan("progressive", config.shape, config.base)
    channels = config.shape[0]
    return (
        Generator(config.latent, channels, sizes, filters, rng=rng),
        Discriminator(channels, sizes, filters, rng=rng),
    )
