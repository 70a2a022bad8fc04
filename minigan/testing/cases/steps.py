"""Cases of `ops.steps`: rounding, signs, and what is left of a division."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigan import ops
from minigan.ops.steps import Remainder, Staircase
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.oracles import one_by_one
from minigan.testing.strategies import broadcast_pairs, composite, seeds


@composite
def off_the_jumps(draw: Any) -> Sample:
    """(2, 3) numbers between -4 and 4, a tenth or more away from whole and half ones."""
    generator = np.random.default_rng(draw(seeds()))
    whole = generator.integers(-4, 4, (2, 3)) + 0.5 * generator.integers(0, 2, (2, 3))
    return Sample((whole + generator.uniform(0.1, 0.4, (2, 3)),))


@composite
def shares(draw: Any) -> Sample:
    """x = (q + r) y for whole q and r off the jumps, shapes that broadcast."""
    first, second = draw(broadcast_pairs())
    generator = np.random.default_rng(draw(seeds()))
    y = np.full(second, generator.choice([-1.5, 0.7, 2.0])) * generator.uniform(0.99, 1.01, second)
    return Sample((generator.integers(-3, 4, first) * 1.4 + generator.uniform(0.2, 0.3, first), y))


def _staircase(name: str, oracle: Callable[[float], float]) -> OpCase:
    return OpCase(
        name,
        getattr(ops, name),
        off_the_jumps(),
        one_by_one(oracle),
        (Staircase,),
        torch=lambda torch, x: getattr(torch, name)(x),
    )


BY_ZERO = (BadInput("whole numbers by 0", (np.arange(3), np.arange(3)), {}, ZeroDivisionError, "by 0"),)

CASES = [
    _staircase("sign", lambda a: (a > 0) - (a < 0)),
    _staircase("floor", math.floor),
    _staircase("ceil", math.ceil),
    _staircase("trunc", math.trunc),
    _staircase("round", round),
    _staircase("frac", lambda a: math.modf(a)[0]),
    OpCase("remainder", ops.remainder, shares(), one_by_one(lambda a, b: a - b * math.floor(a / b)),
           (Remainder,), bad=BY_ZERO, torch=lambda torch, x, y: torch.remainder(x, y)),
    OpCase("fmod", ops.fmod, shares(), one_by_one(math.fmod), (Remainder,), bad=BY_ZERO,
           torch=lambda torch, x, y: torch.fmod(x, y)),
]  # fmt: skip
