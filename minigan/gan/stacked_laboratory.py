"""The mode-collapse laboratory with pictures: three digits stacked in the colours make 1,000 modes.

Where `minigan.gan.laboratory` counts points near centres, here a classifier of the grey digits, trained by
minigan on the same pictures, reads the three channels of 26,000 generated pictures and so finds which of the
1,000 numbers they show (Metz et al., arXiv 1611.02163; counting as in PacGAN, arXiv 1712.04086).  Figures
depend on the data, the size and the networks, so compare them with one another and with the floor only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minigan.data import stacked
from minigan.data.dataset import Dataset, open_dataset
from minigan.errors import DataError
from minigan.gan import classifier
from minigan.gan.config import Config
from minigan.gan.laboratory import check_cure, make_trainer
from minigan.gan.record import Record

PICTURES = 50_000  # stacks drawn once
SIZE = 16  # pixels; enough to read a digit, and a step takes milliseconds

CURES: dict[str, dict[str, Any]] = {
    "none": {},
    "penalty": {"r1": 1.0, "penalty_every": 8},
    "packing": {"pack": 2},
    "minibatch": {},
    "paired": {"loss": "relativistic", "r1": 1.0, "r2": 1.0, "penalty_every": 8},
}


def grey_digits(name: str = "glyphs", *, size: int = SIZE, limit: int | None = None) -> Dataset:
    """Open labelled grey digits; DataError where a data set has no labels from 0 to 9."""
    data = open_dataset(name, size=size, channels=1, limit=limit)
    if data.labels is None or len(data.classes) != stacked.DIGITS:
        raise DataError(
            f"{name}: stacking needs pictures with ten labels, such as glyphs or mnist; "
            f"this set has {len(data.classes) or 'no'} classes"
        )
    return data


def reader(digits: Dataset) -> classifier.Classifier:
    """Return the classifier of the grey digits: the cached one, or trained now."""
    return classifier.for_data(digits.images, digits.labels)


def draw_stacks(digits: Dataset, count: int, *, seed: int | np.random.Generator = 0) -> np.ndarray:
    """Draw pictures of three digits each: (count, 3, size, size) in [-1, 1]."""
    assert digits.labels is not None
    return stacked.stack(digits.images, digits.labels, count, seed=seed)[0]


def read(pictures: np.ndarray, judge: classifier.Classifier) -> stacked.StackedStatistics:
    """Count the modes among pictures (N, 3, size, size), as the classifier reads them."""
    return stacked.statistics(judge(stacked.channels(pictures))[1].argmax(axis=1))


def floor(digits: Dataset, judge: classifier.Classifier) -> stacked.StackedStatistics:
    """Return the count for real pictures: what a perfect generator would get."""
    return read(draw_stacks(digits, stacked.SAMPLES), judge)


class StackedLaboratory:
    """A small DCGAN on stacked digits.

    Args:
        digits: labelled grey digits, from `grey_digits`.
        judge: the classifier that reads them, from `reader`.
        cure: one of `CURES`.
        options: of `minigan.gan.Config`, over the laboratory's own.
    """

    def __init__(
        self, digits: Dataset, judge: classifier.Classifier, *, cure: str = "paired", **options: Any
    ):  # fmt: skip
        check_cure(cure, CURES)
        self.judge = judge
        settings: dict[str, Any] = {
            "recipe": "laboratory-stacked", "model": "dcgan", "shape": (3, *digits.images.shape[2:]),
            "latent": 64, "base": 16, "batch": 64, "lr_g": 1e-3, "lr_d": 1e-3, "lr_end": 0.05,
            "betas": (0.5, 0.99), "ema": 0.999,
        }  # fmt: skip
        self.config = Config(**{**settings, **CURES[cure], **options})
        pictures = draw_stacks(digits, PICTURES, seed=np.random.default_rng([self.config.seed, 4]))
        self.trainer = make_trainer(self.config, pictures, minibatch=cure == "minibatch")

    def run(self, steps: int) -> Iterator[Record]:
        """Train for ``steps`` steps, the learning rates falling along the way; one record a step."""
        return self.trainer.run(steps)

    def pictures(self, count: int, *, seed: int = 0) -> np.ndarray:
        """Return generated pictures (count, 3, size, size)."""
        latents = np.random.default_rng(seed).standard_normal((count, self.config.latent), np.float32)
        return self.trainer.sample(latents, batch=500)

    def statistics(self, *, count: int = stacked.SAMPLES, seed: int = 0) -> stacked.StackedStatistics:
        """Count the modes among ``count`` generated pictures."""
        return read(self.pictures(count, seed=seed), self.judge)
