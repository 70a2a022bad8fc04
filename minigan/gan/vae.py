"""The variational autoencoder: what generated pictures before GANs, with the same two nets.

The encoder (a discriminator that answers with a distribution instead of a belief) turns a picture into a
mean and a variance for each latent number; the decoder (a generator) turns a draw from it back into the
picture.  Trained to reproduce, it averages what it cannot tell apart, so its pictures are not sharp, which
`minigan.gan.metrics.sharpness` measures.

Kingma and Welling, "Auto-Encoding Variational Bayes", arXiv 1312.6114.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from minigan import backend, nn, ops, optim
from minigan.data.loader import Loader
from minigan.errors import ArgumentError
from minigan.gan.config import Config
from minigan.gan.models import dcgan
from minigan.gan.trainer import draw
from minigan.tensor import Tensor


@dataclass
class VAERecord:
    """The figures of one step: the loss and its two parts, each a mean over the batch."""

    step: int
    loss: float
    reconstruction: float  # squared error of a picture over 2 variance, summed over its pixels
    divergence: float  # KL(encoder's distribution || N(0, 1)) in nats, summed over the latent numbers
    seconds: float


class VAE(nn.Module):
    """Encoder and decoder with dcgan's layers, for the sizes that dcgan takes."""

    def __init__(self, config: Config, rng: np.random.Generator):
        super().__init__()
        self.latent = config.latent
        judge = dcgan.discriminator(config.shape, config.base, rng=rng)
        features = judge[-2].in_features  # all but its last dense layer is the encoder
        self.encoder = nn.Sequential(*judge[:-2], nn.Linear(features, 2 * config.latent, generator=rng))
        self.decoder = dcgan.generator(config.latent, config.shape, config.base, rng=rng)

    def encode(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures (N, C, H, W) -> mean and log variance of the latents, (N, latent) each."""
        both = self.encoder(pictures)
        return both[:, : self.latent], both[:, self.latent :]


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)) of each row, in nats: (N, L) twice -> (N,).  Appendix B."""
    return (mean**2 + log_variance.exp() - log_variance - 1.0).sum(axis=1) * 0.5


class VAETrainer:
    """Train a VAE; a small brother of `minigan.gan.Trainer`.

    ``variance`` is the decoder's: the smaller, the more the reproduction counts against the divergence.
    Images are float32 (N, C, H, W) in [-1, 1].
    """

    def __init__(self, config: Config, images: np.ndarray, *, variance: float = 0.1):
        if not variance > 0:
            raise ArgumentError(f"variance: expected a number > 0, got {variance}")
        self.config, self.variance = config, variance
        self.model = VAE(config, np.random.default_rng([config.seed, 0]))
        self.loader = Loader(images, batch_size=config.batch, seed=config.seed)
        self.optimizer = optim.Adam(self.model.parameters(), lr=config.lr_g)
        self.random = np.random.default_rng([config.seed, 1])
        self.step = 0

    def losses(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return (reconstruction, divergence), means over the batch; their sum is the negative bound (eq. 10).

        The draw z = mean + sd * noise leaves mean and sd differentiable (the reparametrisation, section 2.4).
        """
        mean, log_variance = self.model.encode(pictures)
        noise = Tensor(backend.standard_normal(self.random, mean.shape, mean.dtype))
        z = mean + (log_variance * 0.5).exp() * noise
        error = ((self.model.decoder(z) - pictures) ** 2).sum(axis=(1, 2, 3))
        return error.mean() * (0.5 / self.variance), divergence(mean, log_variance).mean()

    def steps(self) -> Iterator[VAERecord]:
        """Train for ever, one record a step."""
        while True:
            started = perf_counter()
            reconstruction, kl = self.losses(Tensor(self.loader.next_batch()[0]))
            loss = ops.add(reconstruction, kl)
            loss.backward()
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.step += 1
            yield VAERecord(
                self.step, loss.item(), reconstruction.item(), kl.item(), perf_counter() - started
            )

    def sample(self, latents: np.ndarray) -> np.ndarray:
        """Return pictures float32 (N, C, H, W) in [-1, 1] for latents (N, latent)."""
        return draw(self.model.decoder, latents)
