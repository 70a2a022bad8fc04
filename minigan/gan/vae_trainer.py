"""Training a variational autoencoder: one step for both networks, towards one goal.

No game here: encoder and decoder lower the same loss, which therefore falls and says how far training is.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np

from minigan import nn
from minigan.data.loader import Loader
from minigan.errors import ArgumentError
from minigan.gan import elbo, mixture
from minigan.gan.config import Config
from minigan.gan.models import vae
from minigan.gan.phase import spread
from minigan.gan.record import Record
from minigan.gan.trainer import TRAINERS, Trainer
from minigan.modes import no_grad
from minigan.tensor import Tensor

FITTED = 2000  # pictures whose codes say where samples are drawn

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
        self._settled = -1  # the step whose codes the decoders know

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
            loss = (reconstruction + divergence * self.config.kl_weight) * (1.0 / numbers)
            loss.backward()
            return {"g_loss": reconstruction.array / numbers, "d_loss": divergence.array}, decoded.detach()

        optimizers = {"g_norm": self.g_optimizer, "d_norm": self.d_optimizer}
        decoded = self._begin("the VAE's step", compute, optimizers)
        self._pending[-1].found |= {"fakes": spread(decoded), "reals": spread(pictures)}
        self._settle(record)
        self.step += 1
        record.seconds = perf_counter() - started
        return record

    def settle(self) -> None:
        """Fit where the codes of some of the training pictures lie, once a step, for both decoders."""
        if self._settled == self.step:
            return
        self._settled = self.step
        generator = np.random.default_rng([self.config.seed, 4, self.step])
        images = self.loader.images[generator.permutation(len(self.loader.images))[:FITTED]]
        with no_grad():
            parts = [self.discriminator(Tensor(images[i : i + 100])) for i in range(0, len(images), 100)]
        means, log_variances = (np.concatenate([part[k].numpy() for part in parts]) for k in (0, 1))
        codes = means + np.exp(0.5 * log_variances) * generator.standard_normal(means.shape, np.float32)
        prior = mixture.fit(codes, vae.COMPONENTS, generator)
        for network in (self.generator, *([self.average.module] if self.average else [])):
            network.settle(prior)

    def half_step(self, who: str) -> Record:
        """Refuse: both networks lower one loss."""
        raise ArgumentError("half_step: encoder and decoder of a VAE are trained together; use train_step")


TRAINERS["vae"] = VAETrainer
