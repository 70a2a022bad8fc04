"""Cases of `ops.norm`: each group of elements gathered in a list, its mean and variance taken in Python."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigan import backend, ops
from minigan.errors import ArgumentError, ShapeError
from minigan.ops.norm import BatchNorm, BatchNormLeakyRelu, Standardize
from minigan.tensor import Tensor
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.strategies import (
    arrays,
    booleans,
    composite,
    distinct_arrays,
    integers,
    sampled_from,
    shapes,
)

Place = tuple[int, ...]


@composite
def images(draw: Any, least_axes: int = 2) -> Sample:
    """(N, C, ...) with a weight and a bias, often without; at least two values a channel."""
    shape = list(draw(shapes(least_axes, 4, 1, 3)))
    shape[-1 if len(shape) > 2 else 0] += 1
    inputs = [draw(distinct_arrays(tuple(shape)))]
    inputs += [draw(arrays((shape[1],), 0.5)) for _ in range(draw(sampled_from((0, 2, 2))))]
    return Sample(tuple(inputs), {"eps": draw(sampled_from((1e-5, 0.1)))})


@composite
def leaky(draw: Any) -> Sample:
    """With a slope, and in every channel a bias that puts the bend half-way between two neighbours."""
    sample = draw(images().filter(lambda sample: len(sample.inputs) == 3))
    x, weight, bias = sample.inputs
    y = affine(normalized(x, lambda p: p[1:2], sample.kwargs["eps"]), weight, np.zeros_like(bias))
    for c in range(x.shape[1]):
        values = np.sort(y[:, c], axis=None)
        widest = np.argmax(np.diff(values))
        bias[c] = -(values[widest] + values[widest + 1]) / 2
    return Sample((x, weight, bias), {**sample.kwargs, "negative_slope": draw(sampled_from((0.2, 0.0, 1.5)))})


@composite
def evaluated(draw: Any) -> Sample:
    """The same with running statistics."""
    sample = draw(images())
    C = sample.inputs[0].shape[1]
    running = {"running_mean": draw(arrays((C,))), "running_var": draw(arrays((C,), 0.3))}
    return Sample(sample.inputs, {**sample.kwargs, **running})


@composite
def trailing(draw: Any) -> Sample:
    """Layer normalisation over one or several last axes."""
    shape = draw(shapes(1, 4, 1, 3))
    count = draw(integers(1, len(shape)))
    inner = shape[len(shape) - count :]
    inputs = [draw(distinct_arrays(shape))] + [
        draw(arrays(inner, 0.5)) for _ in range(draw(sampled_from((0, 2))))
    ]
    wanted = inner[0] if count == 1 and draw(booleans()) else inner
    return Sample(tuple(inputs), {"normalized_shape": wanted, "eps": draw(sampled_from((1e-5, 0.1)))})


@composite
def grouped(draw: Any) -> Sample:
    """Group normalisation with any number of groups that divides the channels."""
    groups, per_group = draw(integers(1, 3)), draw(integers(1, 3))
    rest = draw(shapes(0, 2, 1, 3))
    N = 2 if per_group == 1 and set(rest) <= {1} else draw(integers(1, 2))  # PyTorch refuses a single value
    shape = (N, groups * per_group, *rest)
    inputs = [draw(distinct_arrays(shape))]
    inputs += [draw(arrays((shape[1],), 0.5)) for _ in range(draw(sampled_from((0, 2))))]
    return Sample(tuple(inputs), {"num_groups": groups, "eps": draw(sampled_from((1e-5, 0.1)))})


def normalized(x: np.ndarray, group_of: Callable[[Place], Place], eps: float) -> np.ndarray:
    """(value - mean) / sqrt(biased variance + eps) within each group."""
    groups: dict[Place, list[float]] = {}
    for place in np.ndindex(*x.shape):
        groups.setdefault(group_of(place), []).append(x[place].item())
    out = np.zeros(x.shape)
    for place in np.ndindex(*x.shape):
        values = groups[group_of(place)]
        centre = math.fsum(values) / len(values)
        spread = math.fsum((v - centre) ** 2 for v in values) / len(values)
        out[place] = (x[place] - centre) / math.sqrt(spread + eps)
    return out


def affine(
    y: np.ndarray, weight: Any, bias: Any, of: Callable[[Place], Place] = lambda place: place[1:2]
) -> np.ndarray:
    """weight * y + bias, each read at `of(place)`."""
    if weight is None:
        return y
    return np.array([weight[of(p)] * y[p] + bias[of(p)] for p in np.ndindex(*y.shape)]).reshape(y.shape)


def batch_norm(x: Tensor, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Tensor:
    """In training, without running statistics."""
    return ops.batch_norm(x, None, None, weight, bias, training=True, eps=eps)


def batch_norm_leaky(x: Tensor, weight: Any = None, bias: Any = None, **settings: Any) -> Tensor:
    """In training, without running statistics, the leaky ReLU with it."""
    return ops.batch_norm(x, None, None, weight, bias, training=True, **settings)


def leaky_by_hand(
    x: np.ndarray, weight: Any = None, bias: Any = None, *, eps: float, negative_slope: float
) -> np.ndarray:
    """The one, then the other."""
    z = affine(normalized(x, lambda p: p[1:2], eps), weight, bias)
    return np.where(z > 0, z, negative_slope * z)


def leaky_in_torch(torch: Any, x: Any, weight: Any, bias: Any, *, eps: float, negative_slope: float) -> Any:
    """The one, then the other."""
    z = torch.nn.functional.batch_norm(x, None, None, weight, bias, training=True, eps=eps)
    return torch.nn.functional.leaky_relu(z, negative_slope)


def batch_norm_eval(x: Tensor, weight: Any = None, bias: Any = None, *, running_mean: np.ndarray,
                    running_var: np.ndarray, eps: float) -> Tensor:  # fmt: skip
    """With running statistics on the input's device and of its dtype."""
    center, spread = (backend.to_device(a.astype(x.dtype), x.device) for a in (running_mean, running_var))
    return ops.batch_norm(x, center, spread, weight, bias, eps=eps)


def evaluated_by_hand(x: np.ndarray, weight: Any = None, bias: Any = None, *, running_mean: np.ndarray,
                      running_var: np.ndarray, eps: float) -> np.ndarray:  # fmt: skip
    """(x - mean) / sqrt(var + eps) with the channel's running mean and variance."""
    y = np.zeros(x.shape)
    for place in np.ndindex(*x.shape):
        c = place[1]
        y[place] = (x[place] - running_mean[c]) / math.sqrt(running_var[c] + eps)
    return affine(y, weight, bias)


def layer_norm_oracle(
    x: np.ndarray, weight: Any = None, bias: Any = None, *, normalized_shape: Any, eps: float
) -> np.ndarray:
    """One group for each place of the leading axes."""
    lead = x.ndim - (1 if isinstance(normalized_shape, int) else len(normalized_shape))
    return affine(normalized(x, lambda p: p[:lead], eps), weight, bias, lambda p: p[lead:])


def group_norm_oracle(
    x: np.ndarray, weight: Any = None, bias: Any = None, *, num_groups: int, eps: float
) -> np.ndarray:
    """One group for each sample and run of channels."""
    run = x.shape[1] // num_groups
    return affine(normalized(x, lambda p: (p[0], p[1] // run), eps), weight, bias)


def pixel_norm_oracle(x: np.ndarray, eps: float) -> np.ndarray:
    """Each pixel's vector over its root mean square."""
    out = np.zeros(x.shape)
    for place in np.ndindex(*x.shape):
        vector = x[(place[0], slice(None), *place[2:])].tolist()
        out[place] = x[place] / math.sqrt(math.fsum(v * v for v in vector) / len(vector) + eps)
    return out


def in_torch(name: str) -> Any:
    """The function of that name in PyTorch, in training where it asks."""

    def call(torch: Any, x: Any, weight: Any = None, bias: Any = None, **settings: Any) -> Any:
        function = getattr(torch.nn.functional, name)
        if name == "batch_norm":
            running = [settings.pop(key, None) for key in ("running_mean", "running_var")]
            center, spread = (None if a is None else torch.tensor(a) for a in running)
            return function(x, center, spread, weight, bias, training=center is None, **settings)
        if name == "layer_norm":
            settings["normalized_shape"] = np.atleast_1d(settings["normalized_shape"]).tolist()
        return function(x, weight=weight, bias=bias, **settings)

    return call


X, W = np.ones((2, 3, 4)), np.ones(3)
EMPTY = np.zeros((0, 3, 4))
EPS = {"eps": 1e-5}
TRAINING = {"training": True}
NO_CHANNELS = BadInput("one axis", (W,), EPS, ShapeError, r"\(N, C, ...\)")
WRONG_WEIGHT = BadInput("a weight of another size", (X, np.ones(2)), EPS, ShapeError, "expected weight")
WRONG_EPS = BadInput("a negative eps", (X,), {"eps": -1.0}, ArgumentError, "eps must be")


def two_running(x: Tensor, running_mean: Any = None, running_var: Any = None, **settings: Any) -> Tensor:
    """The operation with its arguments as they are."""
    return ops.batch_norm(x, running_mean, running_var, **settings)


CASES = [
    OpCase("batch_norm", batch_norm, images(),
           lambda x, w=None, b=None, *, eps: affine(normalized(x, lambda p: p[1:2], eps), w, b),
           (BatchNorm,), torch=in_torch("batch_norm"), empty=(Sample((EMPTY, W, W), EPS),),
           bad=(NO_CHANNELS, WRONG_WEIGHT, WRONG_EPS,
                BadInput("a single value a channel", (X[:1, :, 0],), EPS, ShapeError, "one value"))),
    OpCase("batch_norm leaky relu", batch_norm_leaky, leaky(), leaky_by_hand, (BatchNormLeakyRelu,),
           torch=leaky_in_torch, empty=(Sample((EMPTY, W, W), {**EPS, "negative_slope": 0.2}),),
           bad=(BadInput("a negative slope", (X,), {"negative_slope": -0.1}, ArgumentError, "negative_slope"),
                BadInput("a slope that is no number", (X,), {"negative_slope": "0.2"}, ArgumentError,
                         "negative_slope"))),
    OpCase("batch_norm eval", batch_norm_eval, evaluated(), evaluated_by_hand, linear=(0, 2),
           torch=in_torch("batch_norm"),
           empty=(Sample((EMPTY, W, W), {**EPS, "running_mean": W, "running_var": W}),)),
    OpCase("batch_norm running", two_running, images().map(lambda s: Sample(s.inputs[:1], TRAINING)),
           lambda x, training: normalized(x, lambda p: p[1:2], 1e-5), fake=False,
           bad=(BadInput("one running statistic", (X, W), {}, ArgumentError, "both"),
                BadInput("running statistics of another size", (X, np.ones(2), np.ones(2)), {}, ShapeError,
                         "expected running_mean"))),
    OpCase("instance_norm", ops.instance_norm, images(least_axes=3),
           lambda x, w=None, b=None, *, eps: affine(normalized(x, lambda p: p[:2], eps), w, b),
           (Standardize,), torch=in_torch("instance_norm"), empty=(Sample((EMPTY, W, W), EPS),),
           bad=(NO_CHANNELS, WRONG_WEIGHT, WRONG_EPS,
                BadInput("one position", (X[:, :, :1],), EPS, ShapeError, "more than one position"))),
    OpCase("layer_norm", lambda x, w=None, b=None, *, normalized_shape, eps:
           ops.layer_norm(x, normalized_shape, w, b, eps=eps), trailing(), layer_norm_oracle,
           torch=in_torch("layer_norm"), empty=(Sample((EMPTY,), {"normalized_shape": 4, **EPS}),),
           bad=(BadInput("other sizes", (X,), {"normalized_shape": (4, 3), **EPS}, ShapeError, "to end in"),
                BadInput("a weight of another size", (X, W, W), {"normalized_shape": 4, **EPS}, ShapeError,
                         "weight"),
                BadInput("no axes", (X,), {"normalized_shape": (), **EPS}, ShapeError, "to end in"))),
    OpCase("group_norm", lambda x, w=None, b=None, *, num_groups, eps:
           ops.group_norm(x, num_groups, w, b, eps=eps), grouped(), group_norm_oracle,
           torch=in_torch("group_norm"), empty=(Sample((EMPTY, W, W), {"num_groups": 3, **EPS}),),
           bad=(BadInput("groups that do not divide", (X,), {"num_groups": 2, **EPS}, ArgumentError, "C=3"),
                BadInput("no groups", (X,), {"num_groups": 0, **EPS}, ArgumentError, "num_groups"))),
    OpCase("pixel_norm", ops.pixel_norm, images().map(lambda s: Sample(s.inputs[:1], s.kwargs)),
           pixel_norm_oracle, empty=(Sample((EMPTY,), EPS),),
           bad=(BadInput("no channels", (X[:, :0],), EPS, ShapeError, "C >= 1"), WRONG_EPS)),
]  # fmt: skip
