"""The variational autoencoder: the DCGAN's two networks, put together the other way round.

The discriminator's trunk becomes the encoder, pictures -> a Gaussian over latents; the generator becomes the
decoder.  Kingma and Welling, arXiv 1312.6114.  How it is trained: `minigan.gan.vae_trainer`.
"""

from __future__ import annotations

import numpy as np

from minigan import nn
from minigan.gan.config import Config
from minigan.gan.models import dcgan
from minigan.tensor import Tensor


class Encoder(nn.Module):
    """Pictures (N, C, H, W) -> mean and log-variance of the latents, (N, latent) each."""

    def __init__(self, latent: int, shape: tuple[int, int, int], base: int, *, rng: np.random.Generator):
        super().__init__()
        self.latent = latent
        whole = dcgan.discriminator(shape, base, rng=rng)
        self.trunk = whole[:-2]  # all but the logit
        self.head = nn.Linear(whole[-2].in_features, 2 * latent, generator=rng)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return (mean, log_variance)."""
        both = self.head(self.trunk(pictures))
        return both[:, : self.latent], both[:, self.latent :]


def build(config: Config, rng: np.random.Generator) -> tuple[nn.Module, nn.Module]:
    """Return (decoder, encoder) for the options: the decoder takes the generator's place."""
    return (
        dcgan.generator(config.latent, config.shape, config.base, rng=rng),
        Encoder(config.latent, config.shape, config.base, rng=rng),
    )
