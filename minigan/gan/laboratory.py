"""The mode-collapse laboratory: a GAN on points in the plane, where modes can be counted.

Eight Gaussians on a ring, or twenty-five on a grid (`minigan.data.toy`), with the counting of PacGAN (Lin et
al., arXiv 1712.04086): 2,500 samples, each of high quality within 3 sigma of a centre, a mode reached when it
has one.  The plain non-saturating GAN loses modes; relativistic pairing with R1 and R2 keeps them
(Huang et al., arXiv 2501.05441): a pair of points is only judged against one another, so no mode can be
given up for free, and the penalties let the game settle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from minigan.backend import to_host
from minigan.data import toy
from minigan.data.loader import Loader
from minigan.errors import ArgumentError, shown
from minigan.gan import models
from minigan.gan.config import Config
from minigan.gan.models.minibatch import with_minibatch_features
from minigan.gan.record import Record
from minigan.gan.trainer import Trainer
from minigan.modes import no_grad
from minigan.tensor import Tensor

SAMPLES = 2500
EXTENT = 4.0
POINTS = 200_000  # drawn once; an epoch is one pass over them
MIXTURES: dict[str, Callable[[], toy.Mixture]] = {"ring": toy.ring, "grid": toy.grid}

CURES: dict[str, dict[str, Any]] = {  # what each changes in the plain non-saturating GAN
    "none": {},
    "penalty": {"r1": 0.05, "penalty_every": 4},
    "packing": {"pack": 4},
    "minibatch": {},
    "paired": {"loss": "relativistic", "r1": 0.05, "r2": 0.05, "penalty_every": 4},
}


def check_cure(cure: str, cures: Iterable[str]) -> None:
    """Raise ArgumentError, with the names there are, for an unknown cure."""
    if not isinstance(cure, str) or cure not in cures:
        raise ArgumentError(f"cure: expected one of {', '.join(cures)}, got {shown(cure)}")


def make_trainer(config: Config, images: np.ndarray, *, minibatch: bool) -> Trainer:
    """Return `Trainer.create`, or the same with a discriminator that compares the pictures of a batch."""
    if not minibatch:
        return Trainer.create(config, images)
    generator, discriminator = models.build(config)
    discriminator = with_minibatch_features(discriminator, rng=np.random.default_rng([config.seed, 5]))
    loader = Loader(images, batch_size=config.batch, drop_last=True, seed=config.seed)
    return Trainer(config, generator, discriminator, loader)


def in_packs(points: np.ndarray, companions: np.ndarray, pack: int) -> np.ndarray:
    """Put each point (N, 2, 1, 1) at the head of a pack whose other places hold companions (M, 2, 1, 1).

    Returns (N, 2 pack, 1, 1); the companions are repeated where they are too few.
    """
    others = [np.resize(companions[k:], points.shape) for k in range(1, pack)]
    return np.concatenate([points, *others], axis=1)


class Laboratory:
    """A trainer on a mixture whose points are scaled to reach from -4 to 4 for the networks.

    (The wider they lie, the finer the detail that a network of a given steepness can tell apart.)

    Args:
        mixture: "ring" or "grid".
        cure: one of `CURES`; "none" is the plain GAN.
        options: of `minigan.gan.Config`, over the laboratory's own.
    """

    def __init__(self, mixture: str = "ring", /, *, cure: str = "paired", **options: Any):
        if not isinstance(mixture, str) or mixture not in MIXTURES:
            raise ArgumentError(f"mixture: expected one of {', '.join(MIXTURES)}, got {mixture!r}")
        check_cure(cure, CURES)
        self.mixture = MIXTURES[mixture]()
        self.reach = float(np.abs(self.mixture.centres).max())  # of the centres, in the mixture's units
        self.scale = self.reach / EXTENT
        settings: dict[str, Any] = {
            "recipe": f"laboratory-{mixture}", "model": "planar", "shape": (2, 1, 1), "latent": 2,
            "base": 128, "batch": 256, "lr_g": 2e-3, "lr_d": 2e-3, "lr_end": 0.005, "betas": (0.0, 0.99),
            "ema": 0.9995,
        }  # fmt: skip
        self.config = Config(**{**settings, **CURES[cure], **options})
        points = self.mixture.sample(POINTS, np.random.default_rng([self.config.seed, 4])) / self.scale
        points = points.reshape(-1, 2, 1, 1).astype(np.float32)
        self.trainer = make_trainer(self.config, points, minibatch=cure == "minibatch")

    def run(self, steps: int) -> Iterator[Record]:
        """Train for ``steps`` steps, the learning rates falling along the way; one record a step."""
        return self.trainer.run(steps)

    def points(self, count: int = SAMPLES, *, seed: int = 0) -> np.ndarray:
        """Return generated points (count, 2), in the mixture's own units."""
        latents = np.random.default_rng(seed).standard_normal((count, self.config.latent), np.float32)
        return self.trainer.sample(latents, batch=count).reshape(count, 2) * self.scale

    def statistics(self, *, seed: int = 0) -> toy.ModeStatistics:
        """Count the modes and the good points among 2,500 samples."""
        return self.mixture.statistics(self.points(seed=seed))

    def beliefs(self, points: np.ndarray) -> np.ndarray:
        """Return D's probability that points (N, 2), in the mixture's units, are real: (N,).

        Where D judges packs, generated points fill each point's.
        """
        scaled = np.asarray(points / self.scale, np.float32).reshape(-1, 2, 1, 1)
        if self.config.pack > 1:
            made = np.asarray(self.points() / self.scale, np.float32).reshape(-1, 2, 1, 1)
            scaled = in_packs(scaled, made, self.config.pack)
        with no_grad():
            logits = to_host(self.trainer.discriminator(Tensor(scaled)).array)
        return 0.5 * (1 + np.tanh(0.5 * logits))
