"""The variational autoencoder: the DCGAN's two networks, put together the other way round.

The discriminator's trunk becomes the encoder, pictures -> a Gaussian over latents; the generator becomes
the decoder.  Kingma and Welling, arXiv 1312.6114.  How it is trained: `minigan.gan.vae_trainer`; where
its samples are drawn from: `minigan.gan.mixture`.
"""

from __future__ import annotations

import numpy as np

from minigan import backend, nn
from minigan.gan import mixture
from minigan.gan.config import Config
from minigan.gan.models import dcgan
from minigan.tensor import Tensor

COMPONENTS = 10  # of the mixture that says where codes lie


class Decoder(nn.Module):
    """Latents (N, latent) -> pictures (N, C, H, W) in [-1, 1]: ``core`` behind a prior.

    In training what comes in are codes, which go to the core as they are.  In evaluation they are draws of
    N(0, 1), and `mixture.carry` takes them to where the codes lie; before the first `settle` that is N(0, 1).
    """

    def __init__(self, core: nn.Module, latent: int):
        super().__init__()
        self.core = core
        self.register_buffer("shares", Tensor(np.eye(1, COMPONENTS, dtype=np.float32)[0]))
        self.register_buffer("means", Tensor(np.zeros((COMPONENTS, latent), np.float32)))
        self.register_buffer("factors", Tensor(np.tile(np.eye(latent, dtype=np.float32), (COMPONENTS, 1, 1))))

    def forward(self, z: Tensor) -> Tensor:
        """Decode codes, or pictures of the prior."""
        if self.training:
            return self.core(z)
        prior = self.shares.numpy(), self.means.numpy(), self.factors.numpy()
        carried = mixture.carry(z.numpy(), prior)
        return self.core(Tensor(backend.to_device(carried, z.device)))

    def settle(self, prior: mixture.Mixture) -> None:
        """Keep where the codes lie; components that are not there have no share."""
        for buffer, part in zip((self.shares, self.means, self.factors), prior, strict=True):
            kept = np.zeros(buffer.shape, np.float32)
            kept[: len(part)] = part
            buffer.copy_(kept)


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
    core = dcgan.generator(config.latent, config.shape, config.base, rng=rng, upsampling=config.upsampling)
    return (
        Decoder(core, config.latent),
        Encoder(config.latent, config.shape, config.base, rng=rng),
    )
