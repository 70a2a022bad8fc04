"""Cases of `ops.activation`, against the functions of Python's `math` on one number after another."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigan import ops
from minigan.errors import ArgumentError, DTypeError, ShapeError
from minigan.ops.activation import (
    Elu,
    LeakyRelu,
    LogSoftmax,
    NormalCdf,
    Relu,
    Sigmoid,
    Softmax,
    Softplus,
    Tanh,
)
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.oracles import one_by_one
from minigan.testing.strategies import (
    array_samples,
    arrays,
    booleans,
    composite,
    distinct_arrays,
    integers,
    sampled_from,
    shapes,
    tied_arrays,
)


@composite
def with_setting(draw: Any, name: str, values: tuple[Any, ...], ties: bool = False) -> Sample:
    """An array, tied now and then, and one setting."""
    x = draw(tied_arrays()) if ties and draw(booleans()) else draw(distinct_arrays())
    return Sample((x,), {name: draw(sampled_from(values))})


@composite
def softplus_settings(draw: Any) -> Sample:
    """Arrays that reach above and below the threshold."""
    threshold = draw(sampled_from((20.0, 1.3, float("inf"))))
    settings = {"beta": draw(sampled_from((1.0, 0.5, 3.0))), "threshold": threshold}
    return Sample((draw(distinct_arrays()),), settings)


@composite
def along_one_axis(draw: Any) -> Sample:
    """An array of 1 to 4 axes and one of them, counted from either end."""
    shape = draw(shapes(1, 4))
    return Sample((draw(arrays(shape, -3.0, 3.0)),), {"axis": draw(integers(-len(shape), len(shape) - 1))})


def softplus(a: float, beta: float, threshold: float) -> float:
    """The logarithm, or a itself above the threshold."""
    return a if beta * a > threshold else math.log1p(math.exp(beta * a)) / beta


def gelu(a: float, approximate: str) -> float:
    """Either form of the paper."""
    if approximate == "none":
        return 0.5 * a * (1 + math.erf(a / math.sqrt(2)))
    return 0.5 * a * (1 + math.tanh(math.sqrt(2 / math.pi) * (a + 0.044715 * a**3)))


def shares(values: np.ndarray) -> list[float]:
    """The softmax of a list of numbers."""
    total = math.fsum(math.exp(v) for v in values)
    return [math.exp(v) / total for v in values]


def softmax(x: np.ndarray, axis: int) -> np.ndarray:
    """Line by line along the axis."""
    return np.apply_along_axis(shares, axis, x) if x.size else x


NOTHING = (Sample((np.zeros((2, 0, 3)),)),)
WHOLE = (BadInput("integers", (np.ones(3, int),), {}, DTypeError, "floating-point"),)
X = np.ones((2, 3))
WRONG_AXES = (
    BadInput("an axis that is not there", (X,), {"axis": 2}, ShapeError, "out of range"),
    BadInput("two axes", (X,), {"axis": (0, 1)}, ArgumentError, "one integer"),
)
LINES = (Sample((np.zeros((0, 3)),), {"axis": 1}), Sample((np.zeros((0, 3)),), {"axis": 0}))

CASES = [
    OpCase("relu", ops.relu, array_samples(ties=True), one_by_one(lambda a: max(a, 0.0)), (Relu,), kinks=True,
           torch=lambda torch, x: torch.relu(x), empty=NOTHING, bad=WHOLE),
    OpCase("leaky_relu", ops.leaky_relu,
           with_setting("negative_slope", (0.01, 0.2, 0.0, 1.0, 1.5, -0.3), ties=True),
           one_by_one(lambda a, negative_slope: a if a > 0 else negative_slope * a), (LeakyRelu,), kinks=True,
           torch=lambda torch, x, negative_slope: torch.nn.functional.leaky_relu(x, negative_slope),
           empty=NOTHING,
           bad=(BadInput("a slope that is no number", (X,), {"negative_slope": "0.2"}, ArgumentError,
                         "negative_slope must be a number"),)),
    OpCase("elu", ops.elu, with_setting("alpha", (1.0, 0.5, 2.0, -0.4), ties=True),
           one_by_one(lambda a, alpha: a if a > 0 else alpha * math.expm1(a)), (Elu,), kinks=True,
           empty=NOTHING, torch=lambda torch, x, alpha: torch.nn.functional.elu(x, alpha),
           bad=(BadInput("an alpha that is no number", (X,), {"alpha": True}, ArgumentError, "alpha"),)),
    OpCase("sigmoid", ops.sigmoid, array_samples(), one_by_one(lambda a: 1 / (1 + math.exp(-a))), (Sigmoid,),
           torch=lambda torch, x: torch.sigmoid(x), empty=NOTHING),
    OpCase("tanh", ops.tanh, array_samples(), one_by_one(math.tanh), (Tanh,), empty=NOTHING,
           torch=lambda torch, x: torch.tanh(x)),
    OpCase("softplus", ops.softplus, softplus_settings(), one_by_one(softplus), (Softplus,),
           torch=lambda torch, x, beta, threshold: torch.nn.functional.softplus(x, beta, threshold),
           empty=NOTHING, bad=(BadInput("beta 0", (X,), {"beta": 0}, ArgumentError, "beta must be > 0"),)),
    OpCase("gelu", ops.gelu, with_setting("approximate", ("none", "tanh")), one_by_one(gelu), (NormalCdf,),
           torch=lambda torch, x, approximate: torch.nn.functional.gelu(x, approximate=approximate),
           bad=(BadInput("an unknown form", (X,), {"approximate": "erf"}, ArgumentError, "none or tanh"),)),
    OpCase("silu", ops.silu, array_samples(), one_by_one(lambda a: a / (1 + math.exp(-a))),
           torch=lambda torch, x: torch.nn.functional.silu(x)),
    OpCase("softmax", ops.softmax, along_one_axis(), softmax, (Softmax,), empty=LINES[:1], bad=WRONG_AXES,
           torch=lambda torch, x, axis: torch.softmax(x, axis)),
    OpCase("log_softmax", ops.log_softmax, along_one_axis(), lambda x, axis: np.log(softmax(x, axis)),
           (LogSoftmax,), empty=LINES[:1], bad=WRONG_AXES,
           torch=lambda torch, x, axis: torch.log_softmax(x, axis)),
]  # fmt: skip
