"""Cases of `ops.reduce` and of the summing half of `ops.broadcast`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigan import ops
from minigan.errors import ShapeError
from minigan.ops.broadcast import BroadcastTo, Sum, SumTo
from minigan.ops.reduce import Max, Min
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.oracles import along_axes, from_places
from minigan.testing.strategies import (
    arrays,
    booleans,
    broadcast_pairs,
    composite,
    distinct_arrays,
    integers,
    sampled_from,
    shapes,
    tied_arrays,
)


@composite
def reductions(draw: Any, ties: bool = False, least: int = 1, correction: bool = False) -> Sample:
    """An array with axes to reduce: one or several, in any order, negative ones, all, or none at all.

    With `least` 2 the reduced axes hold at least 2 elements, as a variance needs.
    """
    shape = draw(shapes(1, 4, least, 3))
    x = draw(tied_arrays(shape)) if ties and draw(booleans()) else draw(distinct_arrays(shape))
    count = draw(integers(1, len(shape)))
    axes = draw(
        sampled_from([tuple(np.roll(range(len(shape)), k)[:count].tolist()) for k in range(len(shape))])
    )
    axes = tuple(a - len(shape) if draw(booleans()) else a for a in axes)
    axis = draw(sampled_from((axes, axes[0], None)))
    settings = {"axis": axis, "keepdims": draw(booleans())}
    return Sample((x,), settings | ({"correction": draw(integers(0, 1))} if correction else {}))


@composite
def spreads(draw: Any, adjoint: bool = False) -> Sample:
    """A shape and one it broadcasts to; the array has the former, for the adjoint the latter."""
    small, large = draw(broadcast_pairs(4, 3))
    full = np.broadcast_shapes(small, large)
    return Sample((draw(arrays(full if adjoint else small)),), {"shape": small if adjoint else full})


def spread_place(place: Any, x_shape: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    """Where an element of the broadcast result comes from."""
    if place is None:
        return shape
    lead = len(shape) - len(x_shape)
    return [0 if n == 1 else place[lead + axis] for axis, n in enumerate(x_shape)]


def summed_to(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Add every element of x into the place it was broadcast from."""
    out = np.zeros(shape)
    for place in np.ndindex(*x.shape):
        out[tuple(spread_place(place, shape, x.shape))] += x[place]
    return out


def variance(values: list[float], correction: int) -> float:
    """Sum of squared deviations over n - correction."""
    centre = math.fsum(values) / len(values)
    return math.fsum((v - centre) ** 2 for v in values) / (len(values) - correction)


X = np.ones((2, 3))
NONE = np.zeros((0, 3))
WRONG_AXES = (
    BadInput("an axis that is not there", (X,), {"axis": 2}, ShapeError, "out of range"),
    BadInput("an axis named twice", (X,), {"axis": (1, -1)}, ShapeError, "twice"),
)


def nothing(name: str, axis: int | None = 0) -> BadInput:
    """A reduction that has no value over no elements."""
    return BadInput("no elements to reduce", (NONE,), {"axis": axis}, ShapeError, name)


CASES = [
    OpCase("sum", ops.sum, reductions(), along_axes(math.fsum), (Sum,), linear=True, bad=WRONG_AXES,
           empty=(Sample((NONE,)), Sample((NONE,), {"axis": 0}), Sample((NONE,), {"axis": 1,
                         "keepdims": True})),
           torch=lambda torch, x, axis, keepdims: torch.sum(x, axis, keepdims)),
    OpCase("mean", ops.mean, reductions(), along_axes(lambda v: math.fsum(v) / len(v)), (Sum,), linear=True,
           bad=(*WRONG_AXES, nothing("mean"), nothing("mean", None)), empty=(Sample((NONE,), {"axis": 1}),),
           torch=lambda torch, x, axis, keepdims: torch.mean(x, axis, keepdims)),
    OpCase("var", ops.var, reductions(least=2, correction=True), along_axes(variance), (Sum,),
           bad=(*WRONG_AXES, nothing("var"), BadInput("one element", (np.ones((1, 2)),), {"axis": 0},
                                                      ShapeError,
                                                      "more than 1")),
           torch=lambda torch, x, axis, keepdims, correction: torch.var(
               x, axis, keepdim=keepdims, correction=correction)),
    OpCase("amax", ops.amax, reductions(ties=True), along_axes(max), (Max,), kinks=True,
           bad=(*WRONG_AXES, nothing("max")), empty=(Sample((NONE,), {"axis": 1}),),
           torch=lambda torch, x, axis, keepdims: torch.amax(x, () if axis is None else axis, keepdims)),
    OpCase("amin", ops.amin, reductions(ties=True), along_axes(min), (Min,), kinks=True,
           bad=(*WRONG_AXES, nothing("min")), empty=(Sample((NONE,), {"axis": 1}),),
           torch=lambda torch, x, axis, keepdims: torch.amin(x, () if axis is None else axis, keepdims)),
    OpCase("logsumexp", ops.logsumexp, reductions(),
           along_axes(lambda v: math.log(math.fsum(math.exp(a) for a in v))),
           torch=lambda torch, x, axis, keepdims: torch.logsumexp(
               x, tuple(range(x.ndim)) if axis is None else axis, keepdims), bad=WRONG_AXES[:1]),
    OpCase("broadcast_to", ops.broadcast_to, spreads(), from_places(spread_place), (BroadcastTo,),
    linear=True,
           torch=lambda torch, x, shape: torch.broadcast_to(x, shape),
           bad=(BadInput("a shape it does not fit", (X,), {"shape": (3, 2)}, ShapeError,
                         "does not broadcast"),
                BadInput("fewer axes", (X,), {"shape": (3,)}, ShapeError, "does not broadcast")),
           empty=(Sample((np.zeros((0, 1)),), {"shape": (0, 3)}),)),
    OpCase("sum_to", ops.sum_to, spreads(adjoint=True), summed_to, (SumTo,), linear=True,
           torch=lambda torch, x, shape: x.sum_to_size(shape),
           empty=(Sample((np.zeros((0, 3)),), {"shape": (1, 3)}),)),
]  # fmt: skip
