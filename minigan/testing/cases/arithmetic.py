"""Cases of `ops.arithmetic`: the four operations, with numbers and with tensors that broadcast."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigan import ops
from minigan.errors import DTypeError, ShapeError
from minigan.ops.arithmetic import Add, AddScalar, Div, Mul, MulScalar, Neg, PowScalar, Sub
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.oracles import one_by_one
from minigan.testing.strategies import (
    array_samples,
    arrays,
    broadcast_pairs,
    composite,
    distinct_arrays,
    sampled_from,
)


@composite
def pairs(draw: Any, low: float = -2.0) -> Sample:
    """Two arrays whose shapes broadcast, of U[low, 2)."""
    first, second = draw(broadcast_pairs())
    return Sample((draw(arrays(first, low)), draw(arrays(second, low))))


@composite
def with_number(draw: Any, numbers: tuple[float, ...]) -> Sample:
    """An array without zeros and a number c."""
    return Sample((draw(distinct_arrays()),), {"c": draw(sampled_from(numbers))})


@composite
def powers(draw: Any) -> Sample:
    """Any base with whole exponents (0 and negative ones too), a positive base with broken ones."""
    if draw(sampled_from((True, False))):
        return Sample((draw(distinct_arrays()),), {"p": draw(sampled_from((0, 1, 2, 3, -1, -2)))})
    return Sample((draw(arrays(low=0.5)),), {"p": draw(sampled_from((0.5, -0.5, 2.5, 1 / 3)))})


NUMBERS = (2.0, -0.5, 0.0, 1, -3)
EMPTY = (Sample((np.zeros((0, 3)), np.zeros((1, 3)))),)


def refused(name: str) -> tuple[BadInput, ...]:
    """What every binary operation refuses."""
    return (
        BadInput("shapes that do not broadcast", (np.ones((2, 3)), np.ones((3, 2))), {}, ShapeError, name),
        BadInput("what is no number", (np.ones(3), "abc"), {}, DTypeError, "numbers"),
    )


CASES = [
    OpCase("add", ops.add, pairs(), one_by_one(lambda a, b: a + b), (Add,), linear=True, bad=refused("add"),
           torch=lambda torch, x, y: x + y, empty=EMPTY),
    OpCase("sub", ops.sub, pairs(), one_by_one(lambda a, b: a - b), (Sub,), linear=True, bad=refused("sub"),
           torch=lambda torch, x, y: x - y, empty=EMPTY),
    OpCase("mul", ops.mul, pairs(), one_by_one(lambda a, b: a * b), (Mul,), linear=True, bad=refused("mul"),
           torch=lambda torch, x, y: x * y, empty=EMPTY),
    OpCase("div", ops.div, pairs(low=0.5), one_by_one(lambda a, b: a / b), (Div,), linear=(0,),
           bad=refused("div"), torch=lambda torch, x, y: x / y, empty=EMPTY),
    OpCase("neg", ops.neg, array_samples(), one_by_one(lambda a: -a), (Neg,), linear=True,
           torch=lambda torch, x: -x, empty=(Sample((np.zeros(0),)),)),
    OpCase("number added", lambda x, c: ops.add(x, c), with_number(NUMBERS), one_by_one(lambda a, c: a + c),
           (AddScalar,), linear=True, torch=lambda torch, x, c: x + c),
    OpCase("added to a number", lambda x, c: ops.add(c, x), with_number(NUMBERS),
           one_by_one(lambda a, c: c + a), (AddScalar,), linear=True, torch=lambda torch, x, c: c + x),
    OpCase("number taken off", lambda x, c: ops.sub(x, c), with_number(NUMBERS),
           one_by_one(lambda a, c: a - c), (AddScalar,), linear=True, torch=lambda torch, x, c: x - c),
    OpCase("taken off a number", lambda x, c: ops.sub(c, x), with_number(NUMBERS),
           one_by_one(lambda a, c: c - a), (AddScalar, Neg), linear=True, torch=lambda torch, x, c: c - x),
    OpCase("times a number", lambda x, c: ops.mul(x, c), with_number(NUMBERS),
           one_by_one(lambda a, c: a * c), (MulScalar,), linear=True, torch=lambda torch, x, c: x * c),
    OpCase("number times", lambda x, c: ops.mul(c, x), with_number(NUMBERS),
           one_by_one(lambda a, c: c * a), (MulScalar,), linear=True, torch=lambda torch, x, c: c * x),
    OpCase("over a number", lambda x, c: ops.div(x, c), with_number((2.0, -0.5, 3)),
           one_by_one(lambda a, c: a / c), (MulScalar,), linear=True, torch=lambda torch, x, c: x / c),
    OpCase("number over", lambda x, c: ops.div(c, x), with_number(NUMBERS),
           one_by_one(lambda a, c: c / a), (PowScalar,), torch=lambda torch, x, c: c / x),
    OpCase("to a number's power", lambda x, p: ops.pow(x, p), powers(), one_by_one(lambda a, p: math.pow(a,
    p)),
           (PowScalar,), torch=lambda torch, x, p: x**p),
]  # fmt: skip
