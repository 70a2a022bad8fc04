"""Cases of the loss modules that are composed in `minigan.nn.functional`: `math`, number by number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigan import nn
from minigan.testing.case import OpCase, Sample
from minigan.testing.cases import loss
from minigan.testing.cases.layers import OPERATIONS, loss_of, twin
from minigan.testing.cases.layers_torch import softplus
from minigan.testing.oracles import one_by_one
from minigan.testing.strategies import (
    arrays,
    booleans,
    composite,
    distinct_arrays,
    integers,
    sampled_from,
    seeds,
)

REDUCTIONS = ("mean", "sum", "none")


@composite
def signed(draw: Any, inputs: int, rows: bool = False, **settings: tuple[Any, ...]) -> Sample:
    """Arrays of one shape, and 1 or -1 for each element, or each row."""
    shape = (draw(integers(1, 3)), draw(integers(2, 4)))
    values = [draw(distinct_arrays(shape)) for _ in range(inputs)]
    signs = np.random.default_rng(draw(seeds())).choice([-1, 1], shape[:1] if rows else shape)
    drawn = {name: draw(sampled_from(choices)) for name, choices in settings.items()}
    return Sample((*values, signs), {"reduction": draw(sampled_from(REDUCTIONS)), **drawn})


def by_element(function: Any) -> Any:
    """The oracle of a loss of single elements."""
    return lambda *given, reduction="mean", **s: loss.reduced(one_by_one(function)(*given, **s), reduction)


def by_row(function: Any) -> Any:
    """The oracle of a loss of vectors."""

    def compute(*given: np.ndarray, reduction: str = "mean", **settings: Any) -> np.ndarray:
        rows = [function(*(v.tolist() for v in row), **settings) for row in zip(*given, strict=True)]
        return loss.reduced(np.array(rows), reduction)

    return compute


def cosine(a: list[float], b: list[float], eps: float = 0.0) -> float:
    """Of the angle between two vectors, of whose squared lengths each is larger by eps."""
    lengths = [math.fsum(v * v for v in vector) + eps for vector in (a, b)]
    return math.fsum(u * v for u, v in zip(a, b, strict=True)) / math.sqrt(lengths[0] * lengths[1])


def alike(a: list[float], b: list[float], t: int, margin: float) -> float:
    """The loss of one pair."""
    c = cosine(a, b, 1e-12)
    return 1 - c if t == 1 else max(0.0, c - margin)


def apart(a: list[float], b: list[float], p: float = 2.0) -> float:
    """The p-norm of the difference, with 1e-6 added to each element of it."""
    return math.fsum(abs(u - v + 1e-6) ** p for u, v in zip(a, b, strict=True)) ** (1 / p)


@composite
def vectors(draw: Any, count: int, **settings: tuple[Any, ...]) -> Sample:
    """Arrays (N, D) of distinct numbers."""
    shape = (draw(integers(1, 3)), draw(integers(2, 4)))
    drawn = {name: draw(sampled_from(choices)) for name, choices in settings.items()}
    return Sample(tuple(draw(distinct_arrays(shape)) for _ in range(count)), drawn)


@composite
def divergences(draw: Any) -> Sample:
    """Log-probabilities and probabilities, or logarithms of them."""
    shape, log = (draw(integers(1, 3)), draw(integers(1, 3))), draw(booleans())
    target = draw(arrays(shape, -2.0, 0.0)) if log else draw(arrays(shape, 0.1, 1.0))
    how = draw(sampled_from((*REDUCTIONS, "batchmean")))
    return Sample((draw(arrays(shape, -3.0, 0.0)), target), {"reduction": how, "log_target": log})


def divergence(x: np.ndarray, t: np.ndarray, reduction: str, log_target: bool) -> np.ndarray:
    """Element by element."""
    one = (lambda a, b: math.exp(b) * (b - a)) if log_target else (lambda a, b: b * (math.log(b) - a))
    losses = one_by_one(one)(x, t)
    return (
        loss.reduced(losses, "sum") / len(x) if reduction == "batchmean" else loss.reduced(losses, reduction)
    )


def pair_loss(kind: type) -> Any:
    """A loss module of several inputs as a function of them."""
    return lambda *given, **settings: kind(**settings)(*given)


CASES = [
    *(twin(name, None, kind, fn=loss_of(kind), bad=OPERATIONS[name].bad[:1], **more)
      for name, kind, more in (("smooth_l1_loss", nn.SmoothL1Loss, {}), ("huber_loss", nn.HuberLoss, {}),
                               ("nll_loss", nn.NLLLoss, {"strategy": loss.classes()}))),
    OpCase("nn.KLDivLoss", loss_of(nn.KLDivLoss), divergences(), divergence, (nn.KLDivLoss,), linear=(0,)),
    OpCase("nn.SoftMarginLoss", loss_of(nn.SoftMarginLoss), signed(1),
           by_element(lambda a, t: softplus(-t * a)), (nn.SoftMarginLoss,)),
    OpCase("nn.HingeEmbeddingLoss", loss_of(nn.HingeEmbeddingLoss), signed(1, margin=(1.013, 0.337)),
           by_element(lambda a, t, margin: a if t == 1 else max(0.0, margin - a)), (nn.HingeEmbeddingLoss,)),
    OpCase("nn.MarginRankingLoss", pair_loss(nn.MarginRankingLoss), signed(2, margin=(0.013, 0.337)),
           by_element(lambda a, b, t, margin: max(0.0, margin - t * (a - b))), (nn.MarginRankingLoss,),
           kinks=True),
    OpCase("nn.CosineEmbeddingLoss", pair_loss(nn.CosineEmbeddingLoss),
           signed(2, rows=True, margin=(-1.5, 0.0137)),
           by_row(alike), (nn.CosineEmbeddingLoss,)),
    OpCase("nn.TripletMarginLoss", pair_loss(nn.TripletMarginLoss),
           vectors(3, margin=(9.0, 1.037), swap=(False, True), reduction=REDUCTIONS),
           by_row(lambda a, p, n, margin, swap: max(0.0, apart(a, p) + margin - (
               min(apart(a, n), apart(p, n)) if swap else apart(a, n)))), (nn.TripletMarginLoss,)),
    OpCase("nn.CosineSimilarity", pair_loss(nn.CosineSimilarity), vectors(2),
           lambda a, b: by_row(cosine)(a, b, reduction="none"), (nn.CosineSimilarity,)),
    OpCase("nn.PairwiseDistance", pair_loss(nn.PairwiseDistance), vectors(2, p=(2.0, 1.0, 3.0)),
           lambda a, b, p: by_row(apart)(a, b, p=p, reduction="none"), (nn.PairwiseDistance,)),
]  # fmt: skip
