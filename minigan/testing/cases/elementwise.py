"""Cases of `ops.elementwise`: functions of one element at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigan import ops
from minigan.errors import ArgumentError, DTypeError, ShapeError
from minigan.ops.choice import Where
from minigan.ops.elementwise import Abs, Clip, Cos, Exp, Log, Log1p, Maximum, Minimum, Pow, Sin, Sqrt
from minigan.ops.operands import AsType
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.cases.arithmetic import EMPTY, refused
from minigan.testing.oracles import one_by_one
from minigan.testing.strategies import (
    array_samples,
    arrays,
    booleans,
    broadcast_pairs,
    composite,
    distinct_arrays,
    sampled_from,
    seeds,
    shapes,
    tied_arrays,
)


@composite
def powers_of_tensors(draw: Any) -> Sample:
    """A positive base with any exponent, both tensors."""
    first, second = draw(broadcast_pairs())
    return Sample((draw(arrays(first, 0.5)), draw(arrays(second))))


@composite
def extremes(draw: Any) -> Sample:
    """Two arrays, often with equal entries."""
    first, second = draw(broadcast_pairs())
    values = tied_arrays if draw(booleans()) else distinct_arrays
    return Sample((draw(values(first)), draw(values(second))))


@composite
def limits(draw: Any) -> Sample:
    """An array and limits, one of them missing now and then, sometimes exactly on an entry."""
    x = draw(tied_arrays() if draw(booleans()) else distinct_arrays())
    low, high = draw(sampled_from(((-1.0, 1.0), (None, 0.5), (-0.3, None), (0.0, 1.0), (-9.0, 9.0))))
    return Sample((x,), {"min": low, "max": high})


@composite
def choices(draw: Any) -> Sample:
    """A boolean condition and two arrays, all of which broadcast."""
    first, second = draw(broadcast_pairs())
    mask = draw(sampled_from((first, second, (), np.broadcast_shapes(first, second))))
    generator = np.random.default_rng(draw(seeds()))
    return Sample((np.asarray(generator.random(mask) < 0.5), draw(arrays(first)), draw(arrays(second))))


@composite
def selections(draw: Any) -> Sample:
    """A boolean condition that broadcasts to an array."""
    first, second = draw(broadcast_pairs())
    shape = np.broadcast_shapes(first, second)
    generator = np.random.default_rng(draw(seeds()))
    return Sample((np.asarray(generator.random(first) < 0.5), draw(arrays(shape))))


def limited(a: float, min: float | None, max: float | None) -> float:
    """A number held between limits that may be missing."""
    a = a if min is None or a >= min else min
    return a if max is None or a <= max else max


def cast(x: Any) -> Any:
    """The conversion operation itself, to the dtype x already has."""
    return AsType(x.dtype, x.dtype)(x)


NOTHING = (Sample((np.zeros((2, 0)),)),)
POSITIVE = array_samples(low=0.2)

CASES = [
    OpCase("exp", ops.exp, array_samples(), one_by_one(math.exp), (Exp,), torch=lambda torch, x: torch.exp(x),
           empty=NOTHING),
    OpCase("log", ops.log, POSITIVE, one_by_one(math.log), (Log,), torch=lambda torch, x: torch.log(x),
           empty=NOTHING),
    OpCase("log1p", ops.log1p, POSITIVE, one_by_one(math.log1p), (Log1p,),
           torch=lambda torch, x: torch.log1p(x)),
    OpCase("sin", ops.sin, array_samples(shapes(0, 3)), one_by_one(math.sin), (Sin,),
           torch=lambda torch, x: torch.sin(x)),
    OpCase("cos", ops.cos, array_samples(shapes(0, 3)), one_by_one(math.cos), (Cos,),
           torch=lambda torch, x: torch.cos(x)),
    OpCase("erf", ops.erf, array_samples(shapes(0, 3)), one_by_one(math.erf),
           torch=lambda torch, x: torch.erf(x)),
    OpCase("rsqrt", ops.rsqrt, POSITIVE, one_by_one(lambda a: a**-0.5),
           torch=lambda torch, x: torch.rsqrt(x)),
    OpCase("sqrt", ops.sqrt, POSITIVE, one_by_one(math.sqrt), (Sqrt,), torch=lambda torch, x: torch.sqrt(x),
           empty=NOTHING),
    OpCase("abs", ops.abs, array_samples(ties=True), one_by_one(math.fabs), (Abs,), kinks=True,
           torch=lambda torch, x: torch.abs(x), empty=NOTHING),
    OpCase("pow", ops.pow, powers_of_tensors(), one_by_one(math.pow), (Pow,), empty=EMPTY, bad=refused("pow"),
           torch=lambda torch, x, y: torch.pow(x, y)),
    OpCase("clip", ops.clip, limits(), one_by_one(limited), (Clip,), kinks=True, empty=tuple(
               Sample(s.inputs, {"min": 0.0}) for s in NOTHING),
           torch=lambda torch, x, min, max: torch.clip(x, min, max),
           bad=(BadInput("limits the wrong way round", (np.ones(2),), {"min": 1.0, "max": 0.0},
                         ArgumentError, "min <= max"),
                BadInput("no limit at all", (np.ones(2),), {}, ArgumentError, "at least one"))),
    OpCase("maximum", ops.maximum, extremes(), one_by_one(max), (Maximum,), kinks=True, empty=EMPTY,
           torch=lambda torch, x, y: torch.maximum(x, y), bad=refused("maximum")),
    OpCase("minimum", ops.minimum, extremes(), one_by_one(min), (Minimum,), kinks=True, empty=EMPTY,
           torch=lambda torch, x, y: torch.minimum(x, y), bad=refused("minimum")),
    OpCase("where", ops.where, choices(), one_by_one(lambda c, a, b: a if c else b), (Where,), linear=(1, 2),
           torch=lambda torch, c, x, y: torch.where(c, x, y),
           bad=(BadInput("a condition of numbers", (np.ones(2), np.ones(2), np.ones(2)), {}, DTypeError,
                         "boolean"),
                BadInput("a condition that does not broadcast", (np.ones(3, bool), np.ones(2), np.ones(2)),
                         {},
                         ShapeError, "where"))),
    OpCase("where else 0", lambda c, x: ops.where(c, x, 0.0), selections(),
           one_by_one(lambda c, a: a if c else 0.0),
           linear=(1,), torch=lambda torch, c, x: torch.where(c, x, 0.0)),
    OpCase("astype", cast, array_samples(shapes(0, 3)), one_by_one(lambda a: a), (AsType,), linear=True,
           torch=lambda torch, x: x.to(x.dtype)),
]  # fmt: skip
