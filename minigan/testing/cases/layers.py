"""Cases of `minigan.nn`: each layer as a function of its input and its parameters.

A layer that is one operation has the samples and the oracle of that operation (`twin`); it must compute the
same from settings given to its constructor.  The others have an oracle of their own here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from minigan import nn
from minigan.errors import ArgumentError, DTypeError, ShapeError
from minigan.tensor import Tensor
from minigan.testing import oracles
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.cases import activation, conv, linalg, loss, noise, norm, pool, resample
from minigan.testing.functional import functional
from minigan.testing.strategies import arrays, booleans, composite, distinct_arrays, integers, seeds, shapes

OPERATIONS = {
    case.name: case
    for family in (activation, conv, linalg, loss, noise, norm, pool, resample)
    for case in family.CASES
}


def twin(operation: str, build: Any, *covers: type, **changes: Any) -> OpCase:
    """The record of an operation for the layer that `build` makes of the same settings."""
    usual = {"name": f"nn.{covers[0].__name__}", "fn": functional(build), "covers": covers, "torch": None}
    return replace(OPERATIONS[operation], **{**usual, **changes})


def refused(operation: str) -> tuple[BadInput, ...]:
    """What an operation refuses, but a sample without a batch axis, which the layer takes."""
    return tuple(
        bad for bad in OPERATIONS[operation].bad if bad.what not in ("three axes", "an image without a batch")
    )


def without(name: str, *settings: str) -> Any:
    """The samples of an operation less the settings that the layer does not have."""
    return OPERATIONS[name].strategy.map(
        lambda s: Sample(s.inputs, {k: v for k, v in s.kwargs.items() if k not in settings})
    )


# --- layers with parameters --------------------------------------------------------------------------------


def rng() -> np.random.Generator:
    """Starting values, which the record's own replace, are not drawn from the default generator."""
    return np.random.default_rng(0)


def linear(x: Any, weight: Any, bias: Any = None) -> nn.Linear:
    """The layer of these sizes."""
    return nn.Linear(weight.shape[1], weight.shape[0], bias is not None, generator=rng())


def conv2d(x: Any, weight: Any, bias: Any = None, *, groups: int = 1, **settings: Any) -> nn.Conv2d:
    """The layer of these sizes."""
    O, C, *kernel = weight.shape
    return nn.Conv2d(
        C * groups, O, tuple(kernel), groups=groups, bias=bias is not None, generator=rng(), **settings
    )


def conv_transpose2d(x: Any, weight: Any, bias: Any = None, *, groups: int = 1,
                     **settings: Any) -> nn.ConvTranspose2d:  # fmt: skip
    """The layer of these sizes."""
    C, O, *kernel = weight.shape
    return nn.ConvTranspose2d(
        C, O * groups, tuple(kernel), groups=groups, bias=bias is not None, generator=rng(), **settings
    )


@composite
def reflecting(draw: Any) -> Sample:
    """A convolution whose padding is smaller than the picture, as mirroring needs."""
    N, C, O, H, W = (draw(integers(low, high)) for low, high in ((1, 2), (1, 2), (1, 2), (3, 5), (3, 5)))
    kernel = (draw(integers(1, 3)), draw(integers(1, 3)))
    settings = {"padding": (draw(integers(0, 2)), draw(integers(0, 2))), "stride": draw(integers(1, 2))}
    inputs = (draw(arrays((N, C, H, W))), draw(arrays((O, C, *kernel))), draw(arrays((O,))))
    return Sample(inputs, {"padding_mode": "reflect", **settings})


def reflected(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, *, padding: Any, padding_mode: str,
              **settings: Any) -> np.ndarray:  # fmt: skip
    """NumPy's mirror, then scipy's correlation."""
    height, width = padding
    wider = np.pad(x, ((0, 0), (0, 0), (height, height), (width, width)), mode=padding_mode)  # type: ignore
    return oracles.conv2d(wider, weight, bias, **settings)


@composite
def lookups(draw: Any) -> Sample:
    """Numbers of rows, some twice, and a table."""
    rows, shape = draw(integers(1, 4)), draw(shapes(0, 2, 1, 3))
    index = np.asarray(np.random.default_rng(draw(seeds())).integers(0, rows, shape))
    return Sample((index, draw(arrays((rows, draw(integers(1, 3)))))))


def looked_up(index: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Row after row."""
    rows = [table[i].tolist() for i in index.ravel().tolist()]
    return np.array(rows).reshape(*index.shape, table.shape[1])


@composite
def two_layers(draw: Any) -> Sample:
    """x (N, A), and weights and biases A -> B -> C."""
    N, A, B, C = (draw(integers(1, 3)) for _ in range(4))
    return Sample(tuple(draw(arrays(shape)) for shape in ((N, A), (B, A), (B,), (C, B), (C,))))


def network(x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> nn.Sequential:
    """Dense, tanh, dense."""
    return nn.Sequential(linear(x, w1, b1), nn.Tanh(), linear(x, w2, b2))


def network_by_hand(x: np.ndarray, w1: Any, b1: Any, w2: Any, b2: Any) -> np.ndarray:
    """The same by loops."""
    return linalg.layer(oracles.one_by_one(math.tanh)(linalg.layer(x, w1, b1)), w2, b2)


# --- weights computed from others --------------------------------------------------------------------------


@composite
def spectral(draw: Any, training: bool) -> Sample:
    """x (N, in) and a weight (out, in); in evaluation also the vectors u and v that are stored with it.

    In training the singular values are 2, 1 and 1/2, far enough apart for power iteration to arrive.
    """
    N, rows, columns = (draw(integers(1, 3)) for _ in range(3))
    x = draw(arrays((N, columns)))
    if not training:
        stored = {name: draw(arrays((n,), 0.5)) for name, n in (("u", rows), ("v", columns))}
        return Sample((x, draw(arrays((rows, columns), 0.5))), stored)
    left, right = (np.linalg.qr(draw(arrays((n, n))) + 3 * np.eye(n))[0] for n in (rows, columns))
    sizes = np.zeros((rows, columns))
    np.fill_diagonal(sizes, (2.0, 1.0, 0.5))
    return Sample((x, left @ sizes @ right))


def spectral_norm(x: Any, weight: Any, u: Any = None, v: Any = None) -> nn.Linear:
    """In training when no vectors are given: 40 iterations from the start that was drawn."""
    layer = nn.spectral_norm(linear(x, weight), n_power_iterations=40, generator=rng())
    if u is not None:
        layer.eval().weight_u.array, layer.weight_v.array = u, v
    return layer


def divided(x: np.ndarray, weight: np.ndarray, u: Any = None, v: Any = None) -> np.ndarray:
    """By u W v, or by the largest singular value."""
    if u is None:
        return linalg.layer(x, weight / np.linalg.svd(weight, compute_uv=False)[0])
    terms = [u[i] * weight[i, j] * v[j] for i, j in np.ndindex(*weight.shape)]
    return linalg.layer(x, weight / math.fsum(terms))


def equalized(x: Any, weight: Any, *, gain: float, lr_multiplier: float) -> nn.Linear:
    """A dense layer with an equalised rate."""
    return nn.equalized_lr(linear(x, weight), gain=gain, lr_multiplier=lr_multiplier, generator=rng())


@composite
def equalized_samples(draw: Any) -> Sample:
    """x (N, in), weight (out, in)."""
    N, A, B = (draw(integers(1, 3)) for _ in range(3))
    settings = {"gain": 1.0 if draw(booleans()) else math.sqrt(2), "lr_multiplier": draw(integers(1, 3)) / 2}
    return Sample((draw(arrays((N, A))), draw(arrays((B, A)))), settings)


# --- normalisation -----------------------------------------------------------------------------------------


def batch_norm(x: Any, weight: Any = None, bias: Any = None, *, eps: float, running_mean: Any = None,
               running_var: Any = None) -> nn.Module:  # fmt: skip
    """BatchNorm1d or 2d, by the number of axes; in evaluation where running statistics are given."""
    kind = nn.BatchNorm2d if x.ndim == 4 else nn.BatchNorm1d
    layer = kind(x.shape[1], eps=eps, affine=weight is not None)
    if running_mean is not None:
        layer.eval().register_buffer("running_mean", Tensor(running_mean))
        layer.register_buffer("running_var", Tensor(running_var))
    return layer


def instance_norm(x: Any, weight: Any = None, bias: Any = None, *, eps: float) -> nn.InstanceNorm2d:
    """As many features as the weight has, or the picture."""
    return nn.InstanceNorm2d(
        (x.shape[1] if weight is None else len(weight)), eps=eps, affine=weight is not None
    )


@composite
def batches(draw: Any) -> Sample:
    """Pictures (N, C, H, W) of distinct numbers, in groups of any size."""
    shape = (draw(integers(1, 7)), *draw(shapes(3, 3, 1, 3)))
    return Sample((draw(distinct_arrays(shape)),), {"group_size": draw(integers(2, 4))})


def batch_deviation(x: np.ndarray, group_size: int) -> np.ndarray:
    """One more channel: the mean over features of the deviation over pictures n, n + G, n + 2 G, ..."""
    N, C, H, W = x.shape
    G = max(g for g in range(1, N + 1) if g == 1 or N / g >= 2 and N / (g - 1) > group_size)
    out = np.zeros((N, C + 1, H, W))
    for n in range(N):
        columns = [x[n % G :: G, c, i, j].tolist() for c, i, j in np.ndindex(C, H, W)]
        means = [math.fsum(values) / len(values) for values in columns]
        spreads = [
            math.fsum((v - m) ** 2 for v in values) / len(values)
            for values, m in zip(columns, means, strict=True)
        ]
        out[n, :C] = x[n]
        out[n, C] = math.fsum(math.sqrt(spread + 1e-8) for spread in spreads) / len(spreads)
    return out


# --- shapes and losses -------------------------------------------------------------------------------------


@composite
def joinings(draw: Any) -> Sample:
    """An array, and which of its axes become one."""
    x = draw(arrays(shapes(2, 4, 1, 3)))
    first = draw(integers(0, x.ndim - 1))
    return Sample((x,), {"start_dim": first, "end_dim": draw(integers(first, x.ndim - 1)) - x.ndim})


def joined(x: np.ndarray, start_dim: int, end_dim: int) -> np.ndarray:
    """Row-major order stays."""
    shape = [*x.shape[:start_dim], prod(x.shape[start_dim : end_dim + x.ndim + 1])]
    return np.array(x.ravel().tolist()).reshape(*shape, *x.shape[x.ndim + end_dim + 1 :])


@composite
def splittings(draw: Any) -> Sample:
    """An array, one axis of which is a product."""
    sizes, before, after = (draw(shapes(low, 2, 1, 3)) for low in (1, 0, 0))
    axis = len(before) - (len(before) + 1 + len(after) if draw(booleans()) else 0)
    x = draw(arrays((*before, prod(sizes), *after)))
    return Sample((x,), {"dim": axis, "unflattened_size": sizes})


def split(x: np.ndarray, dim: int, unflattened_size: tuple[int, ...]) -> np.ndarray:
    """Row-major order stays."""
    axis = dim % x.ndim
    return np.array(x.ravel().tolist()).reshape(*x.shape[:axis], *unflattened_size, *x.shape[axis + 1 :])


def loss_of(kind: Callable[..., nn.Module]) -> Any:
    """The loss module as a function of prediction, target and settings."""
    return lambda x, target, **settings: kind(**settings)(x, target)


def dropout(x: Tensor, p: float, training: bool, seed: Any) -> nn.Dropout:
    """The layer with a generator of its own, so that every call draws the same mask."""
    return nn.Dropout(p, generator=np.random.default_rng(seed)).train(training)


X4, X, W = np.ones((1, 2, 3, 4)), np.ones((2, 3)), np.ones((4, 3))
WRONG_CHANNELS = BadInput("a picture of other channels", (X4, np.ones(3), np.ones(3)), {"eps": 1e-5},
                          ShapeError, "expected")  # fmt: skip

CASES = [
    OpCase("nn.Identity", functional(lambda x: nn.Identity()), activation.array_samples(ties=True),
           lambda x: x, (nn.Identity,), linear=True),
    twin("relu", lambda x: nn.ReLU(), nn.ReLU),
    twin("leaky_relu", lambda x, **s: nn.LeakyReLU(**s), nn.LeakyReLU),
    twin("elu", lambda x, **s: nn.ELU(**s), nn.ELU),
    twin("sigmoid", lambda x: nn.Sigmoid(), nn.Sigmoid),
    twin("tanh", lambda x: nn.Tanh(), nn.Tanh),
    twin("softplus", lambda x, **s: nn.Softplus(**s), nn.Softplus),
    twin("gelu", lambda x, **s: nn.GELU(**s), nn.GELU),
    twin("silu", lambda x: nn.SiLU(), nn.SiLU),
    twin("softmax", lambda x, **s: nn.Softmax(**s), nn.Softmax),
    twin("dropout", dropout, nn.Dropout,
         bad=(BadInput("too much", (X,), {"p": 1.5, "training": True, "seed": 1}, ArgumentError, "p: exp"),)),
    OpCase("nn.Flatten", functional(lambda x, **s: nn.Flatten(**s)), joinings(), joined, (nn.Flatten,),
           linear=True),
    OpCase("nn.Unflatten", functional(lambda x, **s: nn.Unflatten(**s)), splittings(), split, (nn.Unflatten,),
           linear=True,
           bad=(BadInput("sizes of another product", (X,), {"dim": 1, "unflattened_size": (2, 2)},
                         ArgumentError, "does not split"),)),
    twin("linear", linear, nn.Linear),
    twin("conv2d", conv2d, nn.Conv2d, bad=refused("conv2d")),
    OpCase("nn.Conv2d reflecting", functional(conv2d), reflecting(), reflected, (nn.Conv2d,), linear=True),
    twin("conv_transpose2d", conv_transpose2d, nn.ConvTranspose2d),
    OpCase("nn.Embedding", functional(lambda index, table: nn.Embedding(*table.shape, generator=rng())),
           lookups(), looked_up, (nn.Embedding,), linear=True, fake=False,  # it looks at its numbers
           bad=(BadInput("numbers with a point", (X, W), {}, DTypeError, "whole numbers"),
                BadInput("a row that is not there", (np.array([4]), W), {}, ArgumentError, r"\[0, 4\)"))),
    OpCase("nn.Sequential", functional(network), two_layers(), network_by_hand, (nn.Sequential,)),
    OpCase("nn.spectral_norm", functional(spectral_norm), spectral(training=False), divided,
           (nn.spectral_norm,), linear=(0,)),
    OpCase("nn.spectral_norm training", functional(spectral_norm), spectral(training=True), divided,
           (nn.spectral_norm,), linear=(0,), order=1),  # u and v are constants, by the paper: no second order
    OpCase("nn.equalized_lr", functional(equalized), equalized_samples(),
           lambda x, w, gain, lr_multiplier:
           linalg.layer(x, w * gain * lr_multiplier / math.sqrt(w.shape[1])),
           (nn.equalized_lr,), linear=True,
           bad=(BadInput("no rate", (X, W), {"gain": 1.0, "lr_multiplier": 0}, ArgumentError, "above 0"),)),
    twin("batch_norm", batch_norm, nn.BatchNorm1d, nn.BatchNorm2d, name="nn.BatchNorm",
         strategy=norm.images(), empty=(),
         bad=(WRONG_CHANNELS,
              BadInput("one value a channel", (X[:1],), {"eps": 1e-5}, ShapeError, "one value"),
              BadInput("eps < 0", (X,), {"eps": -1.0}, ArgumentError, "eps"))),
    twin("batch_norm eval", batch_norm, nn.BatchNorm1d, nn.BatchNorm2d, name="nn.BatchNorm eval", empty=()),
    twin("instance_norm", instance_norm, nn.InstanceNorm2d, strategy=norm.images(least_axes=4), empty=(),
         bad=(WRONG_CHANNELS,)),
    twin("layer_norm", lambda x, w=None, b=None, *, normalized_shape, eps:
         nn.LayerNorm(normalized_shape, eps=eps, elementwise_affine=w is not None), nn.LayerNorm, bad=()),
    twin("group_norm", lambda x, w=None, b=None, *, num_groups, eps:
         nn.GroupNorm(num_groups, x.shape[1], eps=eps, affine=w is not None), nn.GroupNorm,
         bad=(BadInput("groups that do not divide", (X,), {"num_groups": 2, "eps": 0.0}, ArgumentError,
                       "divisor of num_channels 3"),)),
    twin("pixel_norm", lambda x, **s: nn.PixelNorm(**s), nn.PixelNorm),
    OpCase("nn.MinibatchStdDev", functional(lambda x, **s: nn.MinibatchStdDev(**s)), batches(),
           batch_deviation, (nn.MinibatchStdDev,),
           bad=(BadInput("three axes", (X4[0],), {}, ShapeError, r"\(N, C, H, W\)"),
                BadInput("no group", (X4,), {"group_size": 0}, ArgumentError, "group_size"),
                BadInput("a picture alone", (X4,), {"group_size": 1}, ArgumentError, "at least 2"))),
    twin("max_pool2d", lambda x, **s: nn.MaxPool2d(**s), nn.MaxPool2d, bad=refused("max_pool2d")),
    twin("avg_pool2d", lambda x, **s: nn.AvgPool2d(**s), nn.AvgPool2d, bad=refused("max_pool2d")[:0],
         strategy=without("avg_pool2d", "divisor_override")),
    twin("adaptive_avg_pool2d", lambda x, **s: nn.AdaptiveAvgPool2d(**s), nn.AdaptiveAvgPool2d,
         bad=refused("adaptive_avg_pool2d")),
    twin("interpolate nearest", lambda x, **s: nn.Upsample(**s), nn.Upsample, name="nn.Upsample nearest",
         bad=refused("interpolate nearest")),
    twin("interpolate bilinear", lambda x, **s: nn.Upsample(**s), nn.Upsample, name="nn.Upsample bilinear",
         bad=refused("interpolate bilinear")),
    *(twin(name, None, kind, fn=loss_of(kind), strategy=strategy, bad=OPERATIONS[name].bad[:1])
      for name, kind, strategy in (
          ("mse_loss", nn.MSELoss, loss.pairs()),
          ("l1_loss", nn.L1Loss, loss.pairs()),
          ("binary_cross_entropy", nn.BCELoss, loss.pairs(0.1, 0.9)),
          ("binary_cross_entropy_with_logits", nn.BCEWithLogitsLoss,
           without("binary_cross_entropy_with_logits", "weight", "pos_weight")),
          ("cross_entropy", nn.CrossEntropyLoss, loss.classes()))),
]  # fmt: skip
