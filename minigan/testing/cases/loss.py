"""Cases of `ops.loss`: each element's loss by Python's `math`, then summed or averaged."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigan import ops
from minigan.errors import ArgumentError, DTypeError, ShapeError
from minigan.ops.loss import BinaryCrossEntropy, BinaryCrossEntropyWithLogits, FlooredLog
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.oracles import one_by_one
from minigan.testing.strategies import (
    arrays,
    booleans,
    composite,
    distinct_arrays,
    integers,
    sampled_from,
    seeds,
    shapes,
    tied_arrays,
)

REDUCTIONS = ("mean", "sum", "none")


@composite
def pairs(draw: Any, low: float | None = None, high: float = 1.0, **settings: tuple[Any, ...]) -> Sample:
    """A prediction and a target of one shape (in [low, high), or distinct or tied values), and settings."""
    shape = draw(shapes())
    if low is None:
        values = tied_arrays(shape) if draw(booleans()) else distinct_arrays(shape)
    else:
        values = arrays(shape, low, high)
    drawn = {name: draw(sampled_from(choices)) for name, choices in settings.items()}
    return Sample((draw(values), draw(values)), {"reduction": draw(sampled_from(REDUCTIONS)), **drawn})


@composite
def logits(draw: Any) -> Sample:
    """Logits and soft targets, with weights now and then."""
    shape = (draw(integers(1, 3)), draw(integers(1, 3)))
    settings: dict[str, Any] = {"reduction": draw(sampled_from(REDUCTIONS))}
    for name in ("weight", "pos_weight"):
        if draw(booleans()):
            settings[name] = draw(arrays((shape[1],), 0.2)).tolist()
    return Sample((draw(arrays(shape, -4.0, 4.0)), draw(arrays(shape, 0.0, 1.0))), settings)


@composite
def classes(draw: Any, smoothing: bool = False) -> Sample:
    """Scores (N, C, ...) and class numbers (N, ...)."""
    C, rest = draw(integers(1, 4)), draw(shapes(0, 2, 1, 3))
    shape = (draw(integers(1, 3)), C, *rest)
    target = np.random.default_rng(draw(seeds())).integers(0, C, (shape[0], *rest))
    settings = {"reduction": draw(sampled_from(REDUCTIONS))}
    return Sample(
        (draw(arrays(shape, -3.0, 3.0)), target),
        settings | ({"label_smoothing": draw(sampled_from((0.0, 0.1, 1.0)))} if smoothing else {}),
    )


def reduced(losses: np.ndarray, reduction: str) -> np.ndarray:
    """The mean, the sum, or all of them."""
    if reduction == "none":
        return losses
    total = math.fsum(losses.ravel().tolist())
    return np.asarray(total / losses.size if reduction == "mean" else total)


def each(function: Callable[..., float]) -> Callable[..., np.ndarray]:
    """The oracle of a loss of one prediction and one target."""
    return lambda x, t, reduction="mean", **settings: reduced(
        one_by_one(function)(x, t, **settings), reduction
    )


def huber(d: float, delta: float) -> float:
    """A parabola that goes on as its tangent."""
    return d * d / 2 if abs(d) < delta else delta * (abs(d) - delta / 2)


def cross(x: float, t: float) -> float:
    """-(t log x + (1 - t) log(1 - x))."""
    return -(t * math.log(x) + (1 - t) * math.log1p(-x))


def cross_with_logits(x: np.ndarray, t: np.ndarray, reduction: str = "mean", weight: Any = 1.0,
                      pos_weight: Any = 1.0) -> np.ndarray:  # fmt: skip
    """The same through the probability, which is what the operation avoids."""

    def one(a: float, b: float, w: float, p: float) -> float:
        s = 1 / (1 + math.exp(-a))
        return -w * (p * b * math.log(s) + (1 - b) * math.log(1 - s))

    return reduced(one_by_one(one)(x, t, np.array(weight), np.array(pos_weight)), reduction)


def likelihood(x: np.ndarray, target: np.ndarray, reduction: str = "mean") -> np.ndarray:
    """Minus the score of the target's class."""
    out = np.zeros(target.shape)
    for place in np.ndindex(*target.shape):
        out[place] = -x[(place[0], target[place], *place[1:])]
    return reduced(out, reduction)


def cross_entropy(
    x: np.ndarray, target: np.ndarray, reduction: str = "mean", label_smoothing: float = 0.0
) -> np.ndarray:
    """Minus the log-probabilities weighted by the smoothed target."""
    C = x.shape[1]
    out = np.zeros(target.shape)
    for place in np.ndindex(*target.shape):
        scores = [x[(place[0], c, *place[1:])].item() for c in range(C)]
        total = math.log(math.fsum(math.exp(v) for v in scores))
        for c, score in enumerate(scores):
            aim = label_smoothing / C + (1 - label_smoothing) * (c == target[place])
            out[place] -= aim * (score - total)
    return reduced(out, reduction)


def in_torch(name: str) -> Any:
    """The function of that name in PyTorch; lists become tensors."""

    def call(torch: Any, x: Any, target: Any, **settings: Any) -> Any:
        lists = {k: torch.tensor(v, dtype=x.dtype) for k, v in settings.items() if isinstance(v, list)}
        return getattr(torch.nn.functional, name)(x, target, **{**settings, **lists})

    return call


X, SCORES, LABELS = np.full((2, 3), 0.5), np.zeros((2, 3)), np.zeros(2, int)
NONE = (Sample((np.zeros((0, 2)), np.zeros((0, 2))), {"reduction": "sum"}),)
NO_CLASSES = (Sample((np.zeros((0, 3)), LABELS[:0]), {"reduction": "sum"}),)


def refused() -> tuple[BadInput, ...]:
    """What every loss of two arrays refuses."""
    return (
        BadInput("shapes that differ", (X, X[:1]), {}, ShapeError, "target of shape"),
        BadInput("an unknown reduction", (X, X), {"reduction": "max"}, ArgumentError, "mean, sum or none"),
    )


def refused_classes() -> tuple[BadInput, ...]:
    """What both losses of classes refuse."""
    return (
        BadInput("targets with a point", (SCORES, np.zeros(2)), {}, DTypeError, "integer targets"),
        BadInput("another number of targets", (SCORES, LABELS[:1]), {}, ShapeError, r"targets \(N, ...\)"),
        BadInput("a class too high", (SCORES, LABELS + 3), {}, ArgumentError, r"\[0, 3\)"),
        BadInput("a negative class", (SCORES, LABELS - 1), {}, ArgumentError, r"\[0, 3\)"),
        BadInput("no classes", (SCORES[0], LABELS), {}, ShapeError, r"\(N, C, ...\)"),
        BadInput("an unknown reduction", (SCORES, LABELS), {"reduction": "max"}, ArgumentError, "mean, sum"),
    )


CASES = [
    OpCase("mse_loss", ops.mse_loss, pairs(), each(lambda a, t: (a - t) ** 2), bad=refused(), empty=NONE,
           torch=in_torch("mse_loss")),
    OpCase("l1_loss", ops.l1_loss, pairs(), each(lambda a, t: abs(a - t)), kinks=True, bad=refused(),
           empty=NONE, torch=in_torch("l1_loss")),
    OpCase("smooth_l1_loss", ops.smooth_l1_loss, pairs(beta=(1.5, 0.3, 0.0)), kinks=True, empty=NONE,
           oracle=each(lambda a, t, beta=1.0: huber(a - t, beta) / beta if beta else abs(a - t)),
           torch=in_torch("smooth_l1_loss"),
           bad=(*refused(), BadInput("a negative beta", (X, X), {"beta": -1.0}, ArgumentError, "beta"))),
    OpCase("huber_loss", ops.huber_loss, pairs(delta=(1.5, 0.3)), kinks=True, empty=NONE,
           oracle=each(lambda a, t, delta=1.0: huber(a - t, delta)), torch=in_torch("huber_loss"),
           bad=(*refused(), BadInput("delta 0", (X, X), {"delta": 0}, ArgumentError, "delta must be > 0"))),
    OpCase("binary_cross_entropy", ops.binary_cross_entropy, pairs(0.1, 0.9), each(cross),
           (BinaryCrossEntropy, FlooredLog), torch=in_torch("binary_cross_entropy"), empty=NONE,
           bad=(*refused(), BadInput("no probabilities", (X * 3, X), {}, ArgumentError, "with_logits"))),
    OpCase("binary_cross_entropy_with_logits", ops.binary_cross_entropy_with_logits, logits(),
           cross_with_logits, (BinaryCrossEntropyWithLogits,),
           torch=in_torch("binary_cross_entropy_with_logits"), bad=refused(), empty=NONE),
    OpCase("nll_loss", ops.nll_loss, classes(), likelihood, linear=(0,), torch=in_torch("nll_loss"),
           bad=refused_classes(), empty=NO_CLASSES),
    OpCase("cross_entropy", ops.cross_entropy, classes(smoothing=True), cross_entropy,
           torch=in_torch("cross_entropy"), empty=NO_CLASSES,
           bad=(*refused_classes(), BadInput("much smoothing", (SCORES, LABELS), {"label_smoothing": 2.0},
                                             ArgumentError, "label_smoothing must be"))),
]  # fmt: skip
