"""Generative adversarial networks: losses, models, the two-phase trainer, and what to make of a run.

Start with `losses`, then `models.dense`, then `trainer`.

    from minigan import gan
    config = gan.resolve("dcgan", shape=(1, 28, 28), seed=3)
    trainer = gan.Trainer.create(config, images)          # images float32 (N, 1, 28, 28) in [-1, 1]
    for record in trainer.steps():
        ...
    pictures = trainer.sample(trainer.fixed_latents(64))
"""

from minigan.gan.config import Config
from minigan.gan.recipes import RECIPES, fit_batch, resolve
from minigan.gan.record import Record
from minigan.gan.trainer import Trainer, draw
from minigan.gan.vae_trainer import VAETrainer

__all__ = ["RECIPES", "Config", "Record", "Trainer", "VAETrainer", "draw", "fit_batch", "resolve"]
