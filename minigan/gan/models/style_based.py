"""A small style-based generator: the latent does not enter at the bottom but steers every layer.

A mapping network turns the latent z into a style w.  The picture grows from a learnt constant; each
convolution's weights are scaled by the style (modulated), noise adds what is random in the picture, and the
colours of every level are added up.  Because levels listen to the style separately, two styles can be mixed:
the coarse layers follow one, the fine ones the other.

Karras et al., "A Style-Based Generator Architecture for GANs", arXiv 1812.04948 (mapping, noise, mixing,
truncation), and "Analyzing and Improving the Image Quality of StyleGAN", arXiv 1912.04958 (modulation in
place of AdaIN, summed colours).  Left out: path length regularisation, smoothed upsampling (bilinear here).
Departure: G ends in tanh.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from minigan import backend, nn, ops
from minigan.errors import ArgumentError, ShapeError
from minigan.gan.config import Config
from minigan.gan.models import blocks, dcgan
from minigan.modes import no_grad
from minigan.nn import functional as F
from minigan.tensor import Tensor

MAPPING_LAYERS = 4  # 8 in the papers
MIXING = 0.9  # share of training batches that get a second style from some layer on
NOISE_RATE = 0.01  # how fast a noise strength moves, next to the weights; 1 in the papers
UNITS = 128  # most of D's last hidden layer
MEAN_DECAY = 0.995  # of the running mean of styles, towards which truncation pulls


def modulated_conv2d(
    x: Tensor, weight: Tensor, style: Tensor, *, demodulate: bool = True, eps: float = 1e-8
) -> Tensor:
    """Convolve each picture with weights of its own: (N, C, H, W), (O, C, k, k), (N, C) -> (N, O, H, W).

    w'_oc = style_c w_oc, then w''_oc = w'_oc / sqrt(sum over c and k of w'^2 + eps): a map that came in with
    deviation 1 leaves with deviation 1.  Scaling the input by the style and the output by the divisor gives
    the same as N different convolutions.  k is odd; the size stays.  arXiv 1912.04958, equations 1 and 3.
    """
    if style.shape != (len(x), weight.shape[1]) or x.shape[1] != weight.shape[1]:
        raise ShapeError(
            f"modulated_conv2d: expected x (N, {weight.shape[1]}, H, W) and style (N, {weight.shape[1]}) for "
            f"weight {weight.shape}, got {x.shape} and {style.shape}"
        )
    y = ops.conv2d(x * style.reshape(*style.shape, 1, 1), weight, padding=weight.shape[2] // 2)
    if not demodulate:
        return y
    squares = (weight * weight).sum(axis=(2, 3))  # (O, C)
    divisor = (ops.linear(style * style, squares) + eps) ** -0.5  # (N, O)
    return y * divisor.reshape(*divisor.shape, 1, 1)


class Modulated(nn.Module):
    """Maps (N, C, H, W) and styles (N, S) -> (N, O, H, W): a modulated convolution.

    A dense layer ("A" in the papers) turns w into one scale per channel, 1 at the start.  ``noise`` adds
    one random map, times a learnt strength that starts at 0, and a leaky ReLU follows; without it the layer
    makes colours, and nothing follows.
    """

    def __init__(
        self, before: int, after: int, size: int, style: int, rng: np.random.Generator,
        *, noise: tuple[int, int] | None = None,
    ):  # fmt: skip
        super().__init__()
        self.scale = nn.equalized_lr(nn.Linear(style, before, generator=rng), gain=1.0, generator=rng)
        assert self.scale.bias is not None
        nn.init.ones_(self.scale.bias)
        layer = nn.Conv2d(before, after, size, bias=False, generator=rng)
        self.convolution = nn.equalized_lr(layer, gain=1.0, generator=rng)
        self.bias = nn.Parameter(np.zeros(after, np.float32))
        self.noisy = noise is not None
        if noise is not None:
            self.strength = nn.Parameter(np.zeros(1, np.float32))
            self.register_buffer("still", Tensor(rng.standard_normal((1, 1, *noise), np.float32)))
            self.generator = rng.spawn(1)[0]

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Modulate, convolve, and where asked add noise (the same in every evaluation) and activate."""
        y = modulated_conv2d(x, self.convolution.weight, self.scale(w), demodulate=self.noisy)
        y = y + self.bias.reshape(1, -1, 1, 1)
        if not self.noisy:
            return y
        noise = self.still
        if self.training:
            noise = Tensor(backend.standard_normal(self.generator, (len(x), 1, *x.shape[2:]), x.dtype))
        # Early on noise is the cheapest way to look sharp, and Adam moves every number alike: at full rate
        # the finest level would learn speckle before it learns edges.
        return ops.leaky_relu(y + noise * (self.strength * NOISE_RATE), 0.2) * sqrt(2.0)


class Level(nn.Module):
    """One size of the synthesis: (N, C, H, W) -> (N, O, 2H, 2W), and colours; the first keeps the size.

    The colours are those of a picture twice as large as the maps: four pixels of every position.
    """

    def __init__(
        self, before: int, after: int, size: tuple[int, int], channels: int, style: int,
        rng: np.random.Generator, *, first: bool,
    ):  # fmt: skip
        super().__init__()
        layers = [] if first else [Modulated(before, after, 3, style, rng, noise=size)]
        self.first = first
        self.layers = nn.ModuleList([*layers, Modulated(after, after, 3, style, rng, noise=size)])
        self.colours = Modulated(after, 4 * channels, 1, style, rng)
        dcgan.alike(self.colours.convolution)

    def forward(self, x: Tensor, picture: Tensor | None, w: Tensor) -> tuple[Tensor, Tensor]:
        """Return (maps, the picture so far with this level's colours added)."""
        if not self.first:
            x = ops.interpolate(x, scale_factor=2, mode="bilinear")
        for layer in self.layers:
            x = layer(x, w)
        colours = F.pixel_shuffle(self.colours(x, w), 2)
        if picture is not None:
            colours = colours + ops.interpolate(picture, scale_factor=2, mode="bilinear")
        return x, colours


class Generator(nn.Module):
    """Latents (N, latent) -> pictures (N, C, H, W) in [-1, 1].

    In training a second style, drawn from the layer's own generator, takes over from a random level on in
    MIXING of the batches, so that neighbouring levels do not learn to rely on each other's style.  The last
    ``labelled`` numbers of a latent say the class, and the second style keeps them.
    """

    def __init__(
        self, latent: int, channels: int, sizes: list, filters: list[int], *, rng: np.random.Generator,
        labelled: int = 0,
    ):  # fmt: skip
        super().__init__()
        self.drawn = latent - labelled
        mapping: list[nn.Module] = [nn.PixelNorm()]
        for _ in range(MAPPING_LAYERS):
            # A hundredth of the rate: a change of the mapping moves every layer at once (1812.04948, C).
            layer = nn.equalized_lr(
                nn.Linear(latent, latent, generator=rng), lr_multiplier=0.01, generator=rng
            )
            mapping += [layer, nn.LeakyReLU(0.2)]
        self.mapping = nn.Sequential(*mapping)
        self.constant = nn.Parameter(rng.standard_normal((1, filters[0], *sizes[0]), np.float32))
        self.levels = nn.ModuleList(
            Level(filters[max(k - 1, 0)], filters[k], sizes[k], channels, latent, rng, first=k == 0)
            for k in range(len(sizes))
        )
        self.register_buffer("mean_style", Tensor(np.zeros(latent, np.float32)))
        self.generator = rng.spawn(1)[0]

    def styles(self, z: Tensor, *, truncation: float = 1.0) -> Tensor:
        """Latents (N, latent) -> styles w of the same shape; ``truncation`` psi below 1 pulls to the mean.

        w' = mean + psi (w - mean): tamer pictures, less variety.  arXiv 1812.04948, appendix B.
        """
        w = self.mapping(z)
        return w if truncation == 1 else self.mean_style + (w - self.mean_style) * truncation

    def synthesise(self, w: Tensor, other: Tensor | None = None, crossover: int = 0) -> Tensor:
        """Styles (N, latent) -> pictures; from level ``crossover`` on those of ``other``, if given.

        Raises ArgumentError for a crossover that leaves no level to one of the two.
        """
        if other is not None and not 0 < crossover < len(self.levels):
            raise ArgumentError(
                f"crossover: expected a level from 1 to {len(self.levels) - 1}, got {crossover}"
            )
        ones = Tensor(backend.namespace(w.array).ones((len(w), 1, 1, 1), w.dtype))
        x, picture = self.constant * ones, None
        for number, level in enumerate(self.levels):
            x, picture = level(x, picture, w if other is None or number < crossover else other)
        assert picture is not None
        return ops.tanh(picture)

    def forward(self, z: Tensor, *, truncation: float = 1.0) -> Tensor:
        """Map and synthesise; in training also mix styles and move the mean style."""
        w = self.styles(z, truncation=truncation)
        if not self.training:
            return self.synthesise(w)
        self.mean_style.copy_(self.mean_style.array * MEAN_DECAY + w.array.mean(axis=0) * (1 - MEAN_DECAY))
        if len(self.levels) < 2 or self.generator.random() >= MIXING:
            return self.synthesise(w)
        second = Tensor(backend.standard_normal(self.generator, (len(z), self.drawn), z.dtype))
        second = ops.concatenate([second, z[:, self.drawn :]], axis=1)
        crossover = int(self.generator.integers(1, len(self.levels)))
        return self.synthesise(w, self.styles(second), crossover)


def mix(generator: Generator, coarse: Tensor, fine: Tensor, crossover: int) -> Tensor:
    """Pictures whose levels below ``crossover`` follow the latents ``coarse`` and the others ``fine``."""
    with no_grad():
        return generator.synthesise(generator.styles(coarse), generator.styles(fine), crossover)


def discriminator(channels: int, sizes: list, filters: list[int], *, rng: np.random.Generator) -> nn.Module:
    """Pictures (N, C, H, W) -> logits (N,): four pixels a position, halving blocks, a minibatch deviation.

    Its learning rates are equalised, as G's (arXiv 1710.10196, section 4.1): with plain weights it outruns G.
    """

    def convolution(before: int, after: int) -> list[nn.Module]:
        layer = nn.Conv2d(before, after, 3, padding=1, generator=rng)
        return [nn.equalized_lr(layer, generator=rng), nn.LeakyReLU(0.2)]

    layers: list[nn.Module] = [
        dcgan.Jitter(rng),
        nn.PixelUnshuffle(2),
        *convolution(4 * channels, filters[-1]),
    ]
    for after, before in list(zip(filters, filters[1:], strict=False))[::-1]:
        layers += [*convolution(before, before), *convolution(before, after), nn.AvgPool2d(2)]
    features, units = filters[0] * sizes[0][0] * sizes[0][1], min(4 * filters[0], UNITS)
    return nn.Sequential(
        *layers, nn.MinibatchStdDev(), *convolution(filters[0] + 1, filters[0]), nn.Flatten(),
        nn.equalized_lr(nn.Linear(features, units, generator=rng), generator=rng), nn.LeakyReLU(0.2),
        nn.equalized_lr(nn.Linear(units, 1, generator=rng), gain=1.0, generator=rng), nn.Flatten(0),
    )  # fmt: skip


def build(config: Config, rng: np.random.Generator) -> tuple[nn.Module, nn.Module]:
    """Return (generator, discriminator) for the options."""
    sizes, filters = blocks.plan("style", config.shape, config.base)
    channels = config.shape[0]
    return (
        Generator(config.latent, channels, sizes, filters, rng=rng, labelled=config.classes),
        discriminator(channels, sizes, filters, rng=rng),
    )
