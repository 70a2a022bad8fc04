"""Training a variational autoencoder: one step for both networks, towards one goal.

No game here: encoder and decoder lower the same loss, which therefore falls and says how far training is.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

from minigan import nn
from minigan.data.loader import Loader
from minigan.errors import ArgumentError
from minigan.gan import elbo
from minigan.gan.config import Config
from minigan.gan.phase import spread
from minigan.gan.record import Record
from minigan.gan.trainer import TRAINERS, Trainer
from minigan.tensor import Tensor

_FOR_GANS = (
    "classes", "label_smoothing", "r1", "r2", "wgan_gp", "dragan", "clip", "augment", "pack",
    "accuracy_target",
)  # fmt: skip


class VAETrainer(Trainer):
    """``generator`` is the decoder and ``discriminator`` the encoder; the record is read thus:

    g_loss: reconstruction, nats a number of the picture; d_loss: KL from the prior, nats a picture;
    g_norm and d_norm: gradients of decoder and encoder; diversity: of the reconstructions.
    """

    def __init__(self, config: Config, generator: nn.Module, discriminator: nn.Module, loader: Loader):
        if unused := [name for name in _FOR_GANS if getattr(config, name) != getattr(Config, name)]:
            raise ArgumentError(f"{', '.join(unused)}: a VAE has no discriminator; leave these options out")
        super().__init__(config, generator, discriminator, loader)

    def train_step(self) -> Record:
        """Encode a batch, decode a draw of its codes, and lower minus the evidence lower bound."""
        started = perf_counter()
        self._set_learning_rates()
        record = Record(step=self.step + 1, epoch=self.loader.epoch)
        pictures, _ = self._next_batch()

        def compute() -> tuple[dict[str, Any], Tensor]:
            mean, log_variance = self.discriminator(pictures)
            decoded = self.generator(elbo.draw_code(mean, log_variance, self.random))
            divergence = elbo.kl_to_prior(mean, log_variance).mean()
            reconstruction = elbo.optimal_gaussian_nll(pictures, decoded)
            numbers = pictures.size // len(pictures)
            # Per number of the picture, so that one learning rate serves every size.
            loss = (reconstruction + divergence) * (1.0 / numbers)
            loss.backward()
            return {"g_loss": reconstruction.array / numbers, "d_loss": divergence.array}, decoded.detach()

        optimizers = {"g_norm": self.g_optimizer, "d_norm": self.d_optimizer}
        decoded = self._begin("the VAE's step", compute, optimizers)
        self._pending[-1].found |= {"fakes": spread(decoded), "reals": spread(pictures)}
        self._settle(record)
        self.step += 1
        record.seconds = perf_counter() - started
        return record

    def half_step(self, who: str) -> Record:
        """Refuse: both networks lower one loss."""
        raise ArgumentError("half_step: encoder and decoder of a VAE are trained together; use train_step")


TRAINERS["vae"] = VAETrainer
