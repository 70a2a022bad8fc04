"""The case of `ops.noise`."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan import ops
from minigan.errors import ArgumentError
from minigan.tensor import Tensor
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.strategies import booleans, composite, distinct_arrays, sampled_from, seeds


@composite
def drops(draw: Any) -> Sample:
    """From nothing dropped to everything."""
    p = draw(sampled_from((0.0, 0.2, 0.5, 0.9, 1.0)))
    return Sample((draw(distinct_arrays()),), {"p": p, "training": draw(booleans()), "seed": draw(seeds())})


def dropout(x: Tensor, p: float, training: bool, seed: Any) -> Tensor:
    """The operation with a generator of its own, so that every call draws the same mask."""
    generator = np.random.default_rng(seed) if isinstance(seed, int) else seed
    return ops.dropout(x, p, training=training, generator=generator)


def loops(x: np.ndarray, p: float, training: bool, seed: int) -> np.ndarray:
    """One uniform number an element, in row-major order: below p, the element is dropped."""
    if not training or p == 0:
        return x
    generator = np.random.default_rng(seed)
    out = np.zeros(x.shape)
    drawn = generator.random(x.size, np.float32).reshape(x.shape)
    for place in np.ndindex(*x.shape):
        out[place] = 0.0 if p == 1 or drawn[place] < p else x[place] / (1 - p)
    return out


X = np.ones(3)

CASES = [
    OpCase("dropout", dropout, drops(), loops, linear=True,
           empty=(Sample((np.zeros((0, 2)),), {"p": 0.5, "training": True, "seed": 1}),),
           bad=(BadInput("too much", (X,), {"p": 1.5, "training": True, "seed": 1}, ArgumentError, "must be"),
                BadInput("a truth value", (X,), {"p": True, "training": True, "seed": 1}, ArgumentError,
                         r"p must be a number in \[0, 1\]"),
                BadInput("no generator", (X,), {"p": 0.5, "training": True, "seed": None}, ArgumentError,
                         "needs a numpy Generator"))),
]  # fmt: skip
