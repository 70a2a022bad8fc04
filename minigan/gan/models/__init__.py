"""Pairs of networks, one file each; start with `dense`.

A pair is built by ``build(config, rng)``: a generator that maps latents (N, latent) to pictures
(N, C, H, W) in [-1, 1], and a discriminator that maps pictures to logits (N,).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from minigan import nn
from minigan.errors import ArgumentError
from minigan.gan.config import Config
from minigan.gan.models import (
    conditional,
    dcgan,
    dense,
    msg,
    planar,
    pooled,
    progressive,
    strided,
    style_based,
    upscale,
    vae,
)

MODELS = {
    "dense": dense.build,
    "dcgan": dcgan.build,
    "strided": strided.build,
    "upscale": upscale.build,
    "pooled": pooled.build,
    "planar": planar.build,
    "progressive": progressive.build,
    "msg": msg.build,
    "style": style_based.build,
    "vae": vae.build,
}

# Options of the networks that most models have no use for.
ONLY_FOR = {"upsampling": ("dcgan", "vae"), "minibatch_std": ("dcgan",), "kl_weight": ("vae",)}


def build(config: Config) -> tuple[nn.Module, nn.Module]:
    """Return (generator, discriminator) of ``config.model``, weights drawn from ``config.seed``.

    With ``config.classes`` both also take labels; see `conditional`.  Raises ArgumentError for options
    that the model cannot follow.
    """
    for option, users in ONLY_FOR.items():
        if getattr(config, option) != getattr(Config, option) and config.model not in users:
            raise ArgumentError(f"{option}: only for {' and '.join(users)}, and the model is {config.model}")
    make, rng, K = MODELS[config.model], np.random.default_rng([config.seed, 0]), config.classes
    channels, height, width = config.shape
    generator, discriminator = make(replace(config, latent=config.latent + K), rng)
    seen = config.pack * (channels if config.projection else channels + K), height, width
    if K or config.base_d or config.pack > 1:  # D differs from the one that came with G
        _, discriminator = make(replace(config, shape=seen, base=config.base_d or config.base), rng)
    if not K:
        return generator, discriminator
    judge = conditional.ProjectionDiscriminator if config.projection else conditional.LabelledDiscriminator
    return conditional.LabelledGenerator(generator, K), judge(discriminator, K)


def grows(network: nn.Module) -> bool:
    """Say whether the network has layers that change with the progress of the run."""
    return any(hasattr(module, "set_progress") for module in network.modules())


def set_progress(network: nn.Module, progress: float) -> None:
    """Tell those layers that change while training goes on what share of the run is done, 0 to 1."""
    for module in network.modules():
        if hasattr(module, "set_progress"):
            module.set_progress(progress)


def count_parameters(network: nn.Module) -> int:
    """Return how many numbers training can change."""
    return sum(parameter.size for parameter in network.parameters())
