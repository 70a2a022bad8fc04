"""Cases of the layers that are composed in `minigan.nn.functional`: plain loops, or an operation's oracle."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from minigan import nn
from minigan.errors import ArgumentError, ShapeError
from minigan.nn.reparametrise import remove_spectral_norm, remove_weight_norm, weight_norm
from minigan.testing import oracles
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.cases import activation, linalg
from minigan.testing.cases.layers import OPERATIONS, linear, rng
from minigan.testing.functional import functional
from minigan.testing.oracles import one_by_one
from minigan.testing.strategies import (
    array_samples,
    arrays,
    booleans,
    composite,
    distinct_arrays,
    integers,
    sampled_from,
    seeds,
    shapes,
)


def elementwise(kind: type, function: Any, strategy: Any = None, **more: Any) -> OpCase:
    """The record of a layer of one element at a time, by a function of Python's `math`."""
    samples = array_samples() if strategy is None else strategy
    return OpCase(f"nn.{kind.__name__}", functional(lambda x, **s: kind(**s)), samples,
                  one_by_one(function), (kind,), **more)  # fmt: skip


@composite
def bounded(draw: Any, **settings: tuple[Any, ...]) -> Sample:
    """Distinct numbers, and settings."""
    return Sample((draw(distinct_arrays()),), {k: draw(sampled_from(v)) for k, v in settings.items()})


def softplus(a: float) -> float:
    """log(1 + exp(a))."""
    return math.log1p(math.exp(a))


def elu(a: float, alpha: float = 1.0) -> float:
    """The exponential below 0."""
    return a if a > 0 else alpha * math.expm1(a)


@composite
def sloped(draw: Any) -> Sample:
    """x (N, C, ...) and one slope, or one for each channel."""
    shape = draw(shapes(2, 4, 1, 3))
    return Sample((draw(distinct_arrays(shape)), draw(arrays((shape[1] if draw(booleans()) else 1,)))))


def prelu(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Element by element."""
    out = x.copy()
    for place in np.ndindex(*x.shape):
        if x[place] <= 0:
            out[place] *= weight[place[1] % len(weight)]
    return out


@composite
def even(draw: Any) -> Sample:
    """An array with an even size along an axis."""
    shape = list(draw(shapes(1, 3, 1, 3)))
    axis = draw(integers(0, len(shape) - 1))
    shape[axis] *= 2
    return Sample((draw(arrays(tuple(shape))),), {"dim": axis})


def gated(x: np.ndarray, dim: int) -> np.ndarray:
    """The halves by NumPy's split, the gate by `math`."""
    first, second = np.split(x, 2, dim)
    return first * one_by_one(lambda a: 1 / (1 + math.exp(-a)))(second)


@composite
def dropped(draw: Any) -> Sample:
    """Pictures, and how much to drop."""
    settings = {"p": draw(sampled_from((0.0, 0.4, 1.0))), "training": draw(booleans()), "seed": draw(seeds())}
    return Sample((draw(arrays(shapes(2, 4, 1, 3))),), settings)


def dropout2d(x: Any, p: float, training: bool, seed: Any) -> nn.Dropout2d:
    """A layer with a generator of its own, so that every call draws the same channels."""
    return nn.Dropout2d(p, generator=np.random.default_rng(seed)).train(training)


def channels_dropped(x: np.ndarray, p: float, training: bool, seed: Any) -> np.ndarray:
    """Channel by channel."""
    if not training or p == 0:
        return x
    chance = np.random.default_rng(seed).random((*x.shape[:2], *(1,) * (x.ndim - 2)), dtype=np.float32)
    out = np.zeros(x.shape)
    for n, c in np.ndindex(*x.shape[:2]):
        if chance[n, c].item() >= p:
            out[n, c] = x[n, c] / (1 - p)
    return out


# --- pictures and sequences --------------------------------------------------------------------------------

PADS = {"zero": nn.ZeroPad2d, "constant": nn.ConstantPad2d, "reflect": nn.ReflectionPad2d,
        "edge": nn.ReplicationPad2d, "wrap": nn.CircularPad2d}  # fmt: skip


@composite
def margins(draw: Any) -> Sample:
    """Pictures that are larger than their margins."""
    widths = tuple(draw(integers(0, 2)) for _ in range(4))
    return Sample((draw(arrays((draw(integers(1, 2)), draw(integers(1, 2)), draw(integers(3, 4)), 3))),),
                  {"padding": widths, "kind": draw(sampled_from(tuple(PADS)))})  # fmt: skip


def padding(x: Any, padding: Any, kind: str) -> nn.Module:
    """The layer of that kind."""
    return nn.ConstantPad2d(padding, 0.5) if kind == "constant" else PADS[kind](padding)


def padded(x: np.ndarray, padding: Any, kind: str) -> np.ndarray:
    """NumPy's own."""
    left, right, top, bottom = padding
    widths = ((0, 0), (0, 0), (top, bottom), (left, right))
    if kind in ("zero", "constant"):
        return np.pad(x, widths, constant_values=0.5 * (kind == "constant"))
    return np.pad(x, widths, mode=kind)  # type: ignore[call-overload]


@composite
def mosaics(draw: Any, together: bool) -> Sample:
    """Pictures with r r channels each, or with sizes that r divides."""
    r, N, C, H, W = (draw(integers(1, 3)) for _ in range(5))
    shape = (N, C * r * r, H, W) if together else (N, C, H * r, W * r)
    return Sample((draw(arrays(shape)),), {"upscale_factor" if together else "downscale_factor": r})


def shuffled(x: np.ndarray, upscale_factor: int) -> np.ndarray:
    """Cell by cell, as the paper's equation says."""
    r, (N, C, H, W) = upscale_factor, x.shape
    out = np.zeros((N, C // r**2, H * r, W * r))
    for n, c, h, w in np.ndindex(*out.shape):
        out[n, c, h, w] = x[n, c * r * r + (h % r) * r + w % r, h // r, w // r]
    return out


def unshuffled(x: np.ndarray, downscale_factor: int) -> np.ndarray:
    """Cell by cell, the other way."""
    r, (N, C, H, W) = downscale_factor, x.shape
    out = np.zeros((N, C * r**2, H // r, W // r))
    for n, c, h, w in np.ndindex(*x.shape):
        out[n, c * r * r + (h % r) * r + w % r, h // r, w // r] = x[n, c, h, w]
    return out


@composite
def enlarged(draw: Any) -> Sample:
    """Pictures, and their new size."""
    size = (draw(integers(1, 7)), draw(integers(1, 7)))
    return Sample((draw(arrays(shapes(4, 4, 1, 4))),), {"size": size})


def upsampled(mode: str, **settings: Any) -> Any:
    """The oracle of the resampling operation, with these settings."""
    return partial(OPERATIONS[f"interpolate {mode}"].oracle, mode=mode, **settings)


@composite
def sequences(draw: Any, transposed: bool = False) -> Sample:
    """x (N, C, L), a kernel, a bias, and settings."""
    N, C, O, K, stride, dilation = (draw(integers(1, 3)) for _ in range(6))
    L = draw(integers(1, 3)) + dilation * (K - 1)
    weight = (C, O, K) if transposed else (O, C, K)
    settings = {"stride": stride, "dilation": dilation}
    settings["padding"] = draw(integers(0, dilation * (K - 1) // 2 if transposed else 2))
    if transposed:
        settings["output_padding"] = draw(integers(0, max(stride, dilation) - 1))
    return Sample((draw(arrays((N, C, L))), draw(arrays(weight)), draw(arrays((O,)))), settings)


def conv1d(x: Any, weight: Any, bias: Any, **settings: Any) -> nn.Conv1d:
    """The layer of these sizes."""
    return nn.Conv1d(weight.shape[1], weight.shape[0], weight.shape[2], generator=rng(), **settings)


def conv_transpose1d(x: Any, weight: Any, bias: Any, **settings: Any) -> nn.ConvTranspose1d:
    """The layer of these sizes."""
    return nn.ConvTranspose1d(weight.shape[0], weight.shape[1], weight.shape[2], generator=rng(), **settings)


def of_height_one(oracle: Any) -> Any:
    """The oracle of the operation on pictures, for pictures of one row."""

    def compute(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, **settings: int) -> np.ndarray:
        rest = {"stride": 1, "dilation": 1}
        pairs = {name: (rest.get(name, 0), value) for name, value in settings.items()}
        return oracle(x[:, :, None], weight[:, :, None], bias, **pairs)[:, :, 0]

    return compute


@composite
def windows(draw: Any, biggest: bool) -> Sample:
    """x (N, C, L) of distinct numbers, and windows with padding."""
    K, stride = draw(integers(1, 3)), draw(integers(1, 3))
    x = draw(distinct_arrays((draw(integers(1, 2)), draw(integers(1, 2)), draw(integers(K, 6)))))
    return Sample((x,), {"kernel_size": K, "stride": stride, "padding": draw(integers(0, K // 2))})


def pooled(x: np.ndarray, kernel_size: int, stride: int, padding: int, biggest: bool) -> np.ndarray:
    """Window by window; padding never is the largest, and counts as 0 in the mean."""
    N, C, L = x.shape
    out = np.zeros((N, C, (L + 2 * padding - kernel_size) // stride + 1))
    for n, c, i in np.ndindex(*out.shape):
        places = range(i * stride - padding, i * stride - padding + kernel_size)
        cells = [x[n, c, j].item() for j in places if 0 <= j < L]
        out[n, c, i] = max(cells) if biggest else math.fsum(cells) / kernel_size
    return out


@composite
def adaptive(draw: Any, axes: int) -> Sample:
    """A picture or sequence of distinct numbers, and how many windows it is to have."""
    x = draw(distinct_arrays(draw(shapes(2 + axes, 2 + axes, 1, 4))))
    size = tuple(draw(integers(1, 4)) for _ in range(axes))
    return Sample((x,), {"output_size": size[0] if axes == 1 else size})


def shared_out(x: np.ndarray, output_size: Any, function: Any) -> np.ndarray:
    """Window by window."""
    sizes = output_size if isinstance(output_size, tuple) else (output_size,)
    out = np.zeros((*x.shape[:2], *sizes))
    for n, c, *cell in np.ndindex(*out.shape):
        window = tuple(
            slice(i * size // k, -(-(i + 1) * size // k))
            for i, k, size in zip(cell, sizes, x.shape[2:], strict=True)
        )
        out[(n, c, *cell)] = function(x[(n, c, *window)].ravel().tolist())
    return out


@composite
def lines(draw: Any) -> Sample:
    """x (N, C, L) with a scale and shift now and then."""
    N, C = draw(integers(1, 3)), draw(integers(1, 3))
    x = draw(distinct_arrays((N, C, draw(integers(2, 4)))))
    affine = (draw(arrays((C,))), draw(arrays((C,)))) if draw(booleans()) else ()
    return Sample((x, *affine), {"eps": draw(sampled_from((1e-5, 0.8)))})


def standardised(x: np.ndarray, *affine: np.ndarray, eps: float) -> np.ndarray:
    """Channel by channel of each sample."""
    out = np.zeros(x.shape)
    for n, c in np.ndindex(*x.shape[:2]):
        values = x[n, c].tolist()
        mean = math.fsum(values) / len(values)
        spread = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / len(values) + eps)
        scale, shift = (affine[0][c], affine[1][c]) if affine else (1.0, 0.0)
        out[n, c] = [(v - mean) / spread * scale + shift for v in values]
    return out


# --- dense, weights computed from others -------------------------------------------------------------------


@composite
def two_inputs(draw: Any) -> Sample:
    """x1 (N, A), x2 (N, B), weight (O, A, B), bias (O,)."""
    N, A, B, O = (draw(integers(1, 3)) for _ in range(4))
    return Sample(tuple(draw(arrays(shape)) for shape in ((N, A), (N, B), (O, A, B), (O,))))


def bilinear(x1: np.ndarray, x2: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Term by term."""
    out = np.zeros((len(x1), len(weight)))
    for n, o in np.ndindex(*out.shape):
        terms = [x1[n, a] * weight[o, a, b] * x2[n, b] for a, b in np.ndindex(*weight.shape[1:])]
        out[n, o] = math.fsum(terms) + bias[o]
    return out


@composite
def lengths(draw: Any) -> Sample:
    """x (N, in), lengths (out, 1) and directions (out, in) that are not 0."""
    N, A, B = (draw(integers(1, 3)) for _ in range(3))
    return Sample((draw(arrays((N, A))), draw(arrays((B, 1))), draw(arrays((B, A), 0.3))))


def normed(x: np.ndarray, g: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Row by row."""
    rows = [g[i, 0] * v[i] / math.sqrt(math.fsum(a * a for a in v[i].tolist())) for i in range(len(v))]
    return linalg.layer(x, np.array(rows))


@composite
def dense_weights(draw: Any) -> Sample:
    """x (N, in), weight (out, in)."""
    N, A, B = (draw(integers(1, 3)) for _ in range(3))
    return Sample((draw(arrays((N, A))), draw(arrays((B, A), 0.3))))


X3, X4 = np.ones((2, 3, 4)), np.ones((1, 3, 4, 4))

CASES = [
    elementwise(nn.ReLU6, lambda a: min(max(a, 0.0), 6.0)),
    elementwise(nn.SELU, lambda a: 1.0507009873554805 * elu(a, 1.6732632423543772)),
    elementwise(nn.CELU, lambda a, alpha: max(a, 0.0) + min(0.0, alpha * math.expm1(a / alpha)),
                bounded(alpha=(1.0, 0.5, 2.0)),
                bad=(BadInput("alpha 0", (X3,), {"alpha": 0.0}, ArgumentError, "alpha"),)),
    elementwise(nn.Mish, lambda a: a * math.tanh(softplus(a))),
    elementwise(nn.Hardsigmoid, lambda a: min(max(a / 6 + 0.5, 0.0), 1.0)),
    elementwise(nn.Hardswish, lambda a: a * min(max(a + 3, 0.0), 6.0) / 6),
    elementwise(nn.LogSigmoid, lambda a: -softplus(-a)),
    elementwise(nn.Tanhshrink, lambda a: a - math.tanh(a)),
    elementwise(nn.Softsign, lambda a: a / (1 + abs(a))),
    elementwise(nn.Hardtanh, lambda a, min_val, max_val: min(max(a, min_val), max_val),
                bounded(min_val=(-0.537,), max_val=(0.713, 9.0)), kinks=True),
    elementwise(nn.Threshold, lambda a, threshold, value: a if a > threshold else value,
                bounded(threshold=(0.137,), value=(7.0, -1.0)), kinks=True),
    OpCase("nn.PReLU", functional(lambda x, w: nn.PReLU(w.size)), sloped(), prelu, (nn.PReLU,),
           bad=(BadInput("other channels", (X3, np.ones(2)), {}, ShapeError, "1 or 3"),)),
    OpCase("nn.LogSoftmax", functional(lambda x, axis: nn.LogSoftmax(axis)), activation.along_one_axis(),
           lambda x, axis: np.log(activation.softmax(x, axis)), (nn.LogSoftmax,)),
    OpCase("nn.Softmin", functional(lambda x, axis: nn.Softmin(axis=axis)), activation.along_one_axis(),
           lambda x, axis: activation.softmax(-x, axis), (nn.Softmin,)),
    OpCase("nn.GLU", functional(lambda x, dim: nn.GLU(dim)), even(), gated, (nn.GLU,),
           bad=(BadInput("an odd size", (X3,), {"dim": 1}, ShapeError, "even size"),)),
    OpCase("nn.Dropout2d", functional(dropout2d), dropped(), channels_dropped, (nn.Dropout2d,), linear=True),
    OpCase("nn.ZeroPad2d", functional(padding), margins(), padded, tuple(PADS.values()), linear=True,
           bad=(BadInput("three widths", (X4,), {"padding": (1, 1, 1), "kind": "zero"}, ArgumentError,
                         "left, right"),)),
    OpCase("nn.PixelShuffle", functional(lambda x, **s: nn.PixelShuffle(**s)), mosaics(True), shuffled,
           (nn.PixelShuffle,), linear=True,
           bad=(BadInput("3 channels", (X4,), {"upscale_factor": 2}, ShapeError, "pixel_shuffle"),)),
    OpCase("nn.PixelUnshuffle", functional(lambda x, **s: nn.PixelUnshuffle(**s)), mosaics(False), unshuffled,
           (nn.PixelUnshuffle,), linear=True,
           bad=(BadInput("4 rows", (X4,), {"downscale_factor": 3}, ShapeError, "pixel_unshuffle"),)),
    OpCase("nn.UpsamplingNearest2d", functional(lambda x, size: nn.UpsamplingNearest2d(size)), enlarged(),
           upsampled("nearest"), (nn.UpsamplingNearest2d,), linear=True),
    OpCase("nn.UpsamplingBilinear2d", functional(lambda x, size: nn.UpsamplingBilinear2d(size)), enlarged(),
           upsampled("bilinear", align_corners=True), (nn.UpsamplingBilinear2d,), linear=True),
    OpCase("nn.Conv1d", functional(conv1d), sequences(), of_height_one(oracles.conv2d), (nn.Conv1d,),
           linear=True,
           bad=(BadInput("a picture", (X4, np.ones((1, 3, 1)), np.ones(1)), {}, ShapeError, "3 axes"),)),
    OpCase("nn.ConvTranspose1d", functional(conv_transpose1d), sequences(transposed=True),
           of_height_one(oracles.conv_transpose2d), (nn.ConvTranspose1d,), linear=True),
    OpCase("nn.MaxPool1d", functional(lambda x, **s: nn.MaxPool1d(**s)), windows(True),
           partial(pooled, biggest=True), (nn.MaxPool1d,)),
    OpCase("nn.AvgPool1d", functional(lambda x, **s: nn.AvgPool1d(**s)), windows(False),
           partial(pooled, biggest=False), (nn.AvgPool1d,), linear=True),
    OpCase("nn.AdaptiveAvgPool1d", functional(lambda x, **s: nn.AdaptiveAvgPool1d(**s)), adaptive(1),
           partial(shared_out, function=lambda values: math.fsum(values) / len(values)),
           (nn.AdaptiveAvgPool1d,), linear=True),
    OpCase("nn.AdaptiveMaxPool2d", functional(lambda x, **s: nn.AdaptiveMaxPool2d(**s)), adaptive(2),
           partial(shared_out, function=max), (nn.AdaptiveMaxPool2d,)),
    OpCase("nn.InstanceNorm1d", functional(lambda x, *affine, eps:
                                           nn.InstanceNorm1d(x.shape[1], eps, affine=bool(affine))),
           lines(), standardised, (nn.InstanceNorm1d,)),
    OpCase("nn.Bilinear", functional(lambda x1, x2, w, b:
                                         nn.Bilinear(w.shape[1], w.shape[2], w.shape[0], generator=rng())),
           two_inputs(), bilinear, (nn.Bilinear,), linear=True),
    OpCase("nn.weight_norm", functional(lambda x, g, v: weight_norm(linear(x, v))), lengths(), normed,
           (weight_norm,), linear=(0, 1)),
    OpCase("nn.remove_weight_norm", functional(lambda x, w: remove_weight_norm(weight_norm(linear(x, w)))),
           dense_weights(), linalg.layer, (remove_weight_norm,), linear=True,
           ),
    OpCase("nn.remove_spectral_norm",
           functional(lambda x, w: remove_spectral_norm(nn.spectral_norm(linear(x, w), generator=rng()))),
           dense_weights(), linalg.layer, (remove_spectral_norm,), linear=True),
]  # fmt: skip
