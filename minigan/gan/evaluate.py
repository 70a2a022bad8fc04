"""Measure a generator against the data it learnt from, with the floor beside every figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.errors import DataError
from minigan.gan import metrics
from minigan.gan.classifier import Classifier
from minigan.gan.diagnosis import Finding, judge_classes, judge_memory

NOTE = "in the features of minigan's own classifier of these data: not comparable with Inception's"


@dataclass(frozen=True)
class Evaluation:
    """Figures of the generator and the same figures for real pictures in its place (the floor)."""

    figures: dict[str, float]
    floor: dict[str, float]
    class_shares: list[float]  # of the generated pictures; empty where the data have no labels
    real_shares: list[float]
    classifier_accuracy: float
    samples: int  # of each kind
    nearest: np.ndarray  # (samples,) index of the real picture nearest to each generated one, in features
    verdict: Finding | None  # on the classes
    memory: Finding  # on copies of training pictures

    def to_dict(self) -> dict[str, Any]:
        """Return all but ``nearest`` as JSON values."""
        return {
            "figures": self.figures,
            "floor": self.floor,
            "class_shares": self.class_shares,
            "real_shares": self.real_shares,
            "classifier_accuracy": self.classifier_accuracy,
            "samples": self.samples,
            "verdict": self.verdict.words if self.verdict else "",
            "memory": self.memory.words,
            "note": NOTE,
        }

    def table(self) -> str:
        """Return the figures as lines of text."""
        lines = [f"{'':<22}{'generated':>12}{'real':>12}"]
        lines += [f"{name:<22}{self.figures[name]:>12.4g}{self.floor[name]:>12.4g}" for name in self.figures]
        lines.append(f"({self.samples} of each, {NOTE}; its accuracy {self.classifier_accuracy:.1%})")
        return "\n".join([*lines, *([self.verdict.words] if self.verdict else []), self.memory.words])


LABELLED_ONLY = ("inception_type_score", "confident", "classes", "class_divergence")


def evaluate(
    draw: Callable[[int], np.ndarray],
    images: np.ndarray,
    judge: Classifier,
    *,
    samples: int = 5000,
    seed: int = 0,
) -> Evaluation:
    """Compare ``draw(n)``, pictures float32 (n, C, H, W) in [-1, 1], with ``images`` of the same kind.

    Of the real pictures one random half is the reference and the other stands in for a perfect generator:
    its figures are the floor.  ``samples`` is cut to half the data.  Raises DataError for fewer than 20
    pictures, ShapeError for pictures of another size.
    """
    if len(images) < 20:
        raise DataError(f"evaluate: expected at least 20 real pictures, got {len(images)}")
    samples = min(samples, len(images) // 2)
    order = np.random.default_rng(seed).permutation(len(images))
    real, other = (judge(images[order[i * samples : (i + 1) * samples]]) for i in (0, 1))
    fake = judge(draw(samples))
    figures, floor = metrics.compare(real, fake), metrics.compare(real, other)
    shares, real_shares, verdict = [], [], None
    if judge.labelled:
        shares, real_shares = metrics.class_shares(fake[1]).tolist(), metrics.class_shares(real[1]).tolist()
        verdict = judge_classes(shares, real_shares)
    else:  # the classes are quarter turns, which say nothing about the pictures
        for name in LABELLED_ONLY:
            del figures[name], floor[name]
    nearest, distances = metrics.nearest_training_pictures(fake[0], real[0])
    memory = judge_memory(distances, metrics.nearest_training_pictures(other[0], real[0])[1])
    return Evaluation(
        figures, floor, shares, real_shares, judge.accuracy, samples, order[nearest], verdict, memory
    )
