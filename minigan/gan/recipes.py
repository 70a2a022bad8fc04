"""Named sets of options that work: what `minigan train NAME` starts from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from minigan.errors import ArgumentError, shown
from minigan.gan.config import Config

RECIPES: dict[str, dict[str, Any]] = {
    "dcgan": {
        "model": "dcgan", "base": 32, "latent": 64, "batch": 64, "lr_g": 2e-3, "lr_d": 2e-3, "lr_end": 0.05,
        "betas": (0.5, 0.99), "r1": 1.0, "penalty_every": 8, "ema": 0.999,
    },
    "dense": {
        "model": "dense", "latent": 64, "batch": 64, "lr_g": 2e-4, "lr_d": 2e-4, "betas": (0.5, 0.99),
        "r1": 1.0, "penalty_every": 8, "ema": 0.999,
    },
    "pooled": {
        "model": "pooled", "base": 32, "latent": 64, "batch": 64, "lr_g": 5e-4, "lr_d": 5e-4,
        "betas": (0.5, 0.99), "r1": 1.0, "penalty_every": 8, "ema": 0.999,
    },
    "progressive": {
        "model": "progressive", "base": 16, "latent": 64, "batch": 32, "lr_g": 2e-3, "lr_d": 2e-3,
        "lr_end": 0.05, "betas": (0.5, 0.99), "r1": 1.0, "penalty_every": 8, "ema": 0.999,
    },
    "msg": {
        "model": "msg", "base": 16, "latent": 64, "batch": 32, "lr_g": 2e-3, "lr_d": 2e-3, "lr_end": 0.05,
        "betas": (0.5, 0.99), "r1": 1.0, "penalty_every": 8, "ema": 0.999,
    },
    "style": {
        "model": "style", "base": 16, "latent": 64, "batch": 32, "lr_g": 2e-3, "lr_d": 2e-3,
        "betas": (0.0, 0.99), "r1": 1.0, "penalty_every": 8, "ema": 0.999,
    },
    "vae": {
        "model": "vae", "base": 32, "latent": 32, "batch": 64, "lr_g": 1e-3, "lr_d": 1e-3, "lr_end": 0.05,
        "betas": (0.9, 0.999), "ema": 0.999, "kl_weight": 2.0, "upsampling": "bilinear",
    },
    # The three recipes of the lesson, to the letter: no penalty, no averaging.
    "lesson-dense": {
        "model": "dense", "latent": 100, "batch": 256, "lr_g": 2e-4, "lr_d": 2e-4, "betas": (0.5, 0.999),
        "mean_of_two": True, "ema": 0.0,
    },
    "lesson-dcgan": {
        "model": "strided", "latent": 100, "batch": 256, "lr_g": 2e-4, "lr_d": 2e-4, "betas": (0.5, 0.999),
        "mean_of_two": True, "ema": 0.0,
    },
    "lesson-upscale": {  # the lesson names neither its batch nor betas; these are Keras-GAN's usual ones
        "model": "upscale", "latent": 100, "batch": 32, "lr_g": 1e-4, "lr_d": 1e-4, "betas": (0.5, 0.999),
        "mean_of_two": True, "ema": 0.0, "generator_first": False,
    },
}  # fmt: skip

LARGE = 48  # pixels: from here on a recipe is laid out for large pictures
# What then changes: fewer filters and pictures a step, since what counts is how many steps a processor takes;
# smooth upsampling against grids, a look at the batch against kinds of pictures that go missing, and a
# stronger penalty, since a picture has more numbers for D to be steep in.
FOR_LARGE: dict[str, dict[str, Any]] = {
    "dcgan": {"base": 16, "batch": 16, "upsampling": "bilinear", "minibatch_std": True, "r1": 3.0},
    "progressive": {"batch": 16, "r1": 3.0},
    "msg": {"batch": 16, "r1": 3.0},
    "style": {"batch": 16},
    "vae": {"base": 16, "batch": 16},
}

SUMMARIES = {
    "dcgan": "convolutions, R1 penalty, averaged generator: minigan's own and the best",
    "dense": "dense layers with the same cures: quick, and good for small pictures",
    "pooled": "convolution + pooling discriminator with a feature vector, upscaling generator",
    "progressive": "grows from 4 pixels to full size while it trains",
    "msg": "several resolutions at once",
    "style": "style-based generator: mapping network, modulated convolutions, noise, truncation",
    "vae": "variational autoencoder, the GAN's predecessor, with dcgan's networks",
    "lesson-dense": "the lesson's dense GAN, to the letter",
    "lesson-dcgan": "the lesson's strided DCGAN, to the letter (28 x 28)",
    "lesson-upscale": "the lesson's dense + upscaling + transposed convolution GAN, to the letter",
}


def resolve(recipe: str | None = None, /, **options: Any) -> Config:
    """Return the recipe's options with ``options`` laid over them (those that are None are left out).

    The recipe is "dcgan" where none is named; some change for pictures of 48 pixels and more.  Raises
    ArgumentError for an unknown recipe, an unknown option or a value of the wrong kind or out of range.
    """
    given = {name: value for name, value in options.items() if value is not None}
    named = given.pop("recipe", None)  # a word like the others, if there is no first argument
    if recipe is not None and named not in (None, recipe):
        raise ArgumentError(f"recipe: {shown(recipe)} is chosen already, got {shown(named)} too; give one")
    name = next((one for one in (recipe, named) if one is not None), "dcgan")
    if not isinstance(name, str) or name not in RECIPES:
        raise ArgumentError(f"recipe: expected one of {', '.join(RECIPES)}, got {shown(name)}")
    config = Config(**{"recipe": name, **RECIPES[name], **given})
    fits = max(config.shape[1:]) >= LARGE and config.model == RECIPES[name]["model"]
    large = FOR_LARGE.get(name, {}) if fits else {}
    return replace(config, **{option: value for option, value in large.items() if option not in given})


def fit_batch(config: Config, pictures: int) -> Config:
    """Return the options with a batch that ``pictures`` can fill (they stay where not even a pack can be)."""
    batch = min(config.batch, pictures // config.pack * config.pack)
    return replace(config, batch=batch) if batch else config
