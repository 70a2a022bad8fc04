"""Normalisation: take the mean out, divide by the standard deviation, then scale and shift.

The four differ only in the axes over which mean and variance are taken, for x of shape (N, C, H, W):

    batch     N, H, W   one pair a channel; depends on the other samples
    instance  H, W      one pair a sample and channel
    layer     C, H, W   one pair a sample
    group     H, W and the channels of a group

With xhat = (x - mean) * rstd, rstd = 1 / sqrt(variance + eps) and means over the normalised axes, the
derivative of all of them is

    gx = rstd * (g - mean(g) - xhat * mean(g * xhat))

Ioffe and Szegedy, arXiv 1502.03167, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigan import backend
from minigan.backend import Array, namespace
from minigan.errors import ArgumentError, ShapeError
from minigan.modes import kernel_for
from minigan.ops.activation import leaky_relu
from minigan.ops.broadcast import sum
from minigan.ops.choice import where
from minigan.ops.half import in_single
from minigan.ops.operands import number
from minigan.ops.reduce import mean
from minigan.ops.shape import reshape
from minigan.tensor import Op, Tensor


class Standardize(Op):
    """(any shape) -> same: y = xhat, with mean and variance over ``axes``;  gx as above."""

    keeps = (0,)

    def __init__(self, axes: tuple[int, ...], eps: float):
        self.axes, self.eps = axes, eps

    def forward(self, x: Array) -> Array:
        deviation = x - x.mean(axis=self.axes, keepdims=True)
        variance = (deviation * deviation).mean(axis=self.axes, keepdims=True)
        return deviation * (variance + self.eps) ** -0.5

    def backward(self, g: Tensor) -> Tensor:
        """The formula at the top of the file."""
        xhat, rstd = standardized(self.input(0), self.axes, self.eps)
        drift = mean(g * xhat, self.axes, keepdims=True)
        return rstd * (g - mean(g, self.axes, keepdims=True) - xhat * drift)


class BatchNorm(Op):
    """(N, C, ...), (C,), (C,) -> (N, C, ...): y = weight * xhat + bias, over all axes but the channels.

    gweight = sum(g * xhat), gbias = sum(g), and gx as above with weight * g for g.  ``mean`` and ``var``
    (biased), both (C,), are there after the call.
    """

    keeps = (0, 1)
    mean: Array
    var: Array

    def __init__(self, eps: float):
        self.eps = eps

    def forward(self, x: Array, weight: Array, bias: Array) -> Array:
        axes, lane = _axes_and_lane(x)
        self.mean = x.mean(axis=axes)
        deviation = x - self.mean.reshape(lane)
        self.var = (deviation * deviation).mean(axis=axes)
        scale = weight * (self.var + self.eps) ** -0.5
        return deviation * scale.reshape(lane) + bias.reshape(lane)

    def backward(self, g: Tensor) -> tuple[Tensor | None, ...]:
        """The formula at the top of the file, times weight."""
        x, weight = self.input(0), self.input(1)
        axes, lane = _axes_and_lane(x.array)
        xhat, rstd = standardized(x, axes, self.eps)
        gbias, gweight = sum(g, axes), sum(g * xhat, axes)
        if not self.needs(0):
            return None, gweight, gbias
        share = weight.size / x.size  # one over the number of values of a channel
        inner = g - reshape(gbias, lane) * share - xhat * (reshape(gweight, lane) * share)
        return reshape(weight, lane) * rstd * inner, gweight, gbias


class BatchNormLeakyRelu(BatchNorm):
    """Batch norm, then leaky ReLU: y = z where z > 0, else slope * z, with z = weight * xhat + bias.

    The gradients are batch norm's, with g where y > 0, else slope * g, in the place of g (so slope >= 0).
    """

    keeps_output = True

    def __init__(self, eps: float, slope: float):
        super().__init__(eps)
        self.slope = slope

    def forward(self, x: Array, weight: Array, bias: Array) -> Array:
        z, xp = super().forward(x, weight, bias), namespace(x)
        return xp.where(z > 0, z, self.slope * z) if self.slope else xp.maximum(z, 0)

    def backward(self, g: Tensor) -> tuple[Tensor | None, ...]:
        return super().backward(where(self.output.array > 0, g, self.slope * g if self.slope else 0.0))


def standardized(x: Tensor, axes: tuple[int, ...], eps: float) -> tuple[Tensor, Tensor]:
    """xhat over ``axes``, and rstd."""
    deviation = x - mean(x, axes, keepdims=True)
    rstd = (mean(deviation * deviation, axes, keepdims=True) + eps) ** -0.5
    return deviation * rstd, rstd


def _axes_and_lane(x: Array) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """All axes but the channels, and the shape (1, C, 1, ...) of one value a channel."""
    return (0, *range(2, x.ndim)), (1, x.shape[1]) + (1,) * (x.ndim - 2)


def batch_norm(
    x: Tensor,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    *,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    negative_slope: float | None = None,
) -> Tensor:
    """Normalise each channel of (N, C, ...); ``weight``, ``bias`` and the running statistics are (C,).

    y = weight * (x - mean) / sqrt(var + eps) + bias.  In training (or without running statistics) mean
    and biased variance are those of the batch, and the running ones, tensors or raw arrays, are
    moved in place: running = (1 - momentum) * running + momentum * batch, with the unbiased variance.
    Otherwise the running ones are used and are constants to the gradient.
    With a ``negative_slope`` >= 0 the leaky ReLU of that slope follows in the same operation.
    Raises ShapeError for sizes that do not fit, and in training for a single value per channel.
    Ioffe and Szegedy, arXiv 1502.03167, algorithms 1 and 2.
    """
    running = {"running_mean": running_mean, "running_var": running_var}
    _check_channels(x, "batch_norm", weight=weight, bias=bias, **running)
    if (running_mean is None) != (running_var is None):
        raise ArgumentError("batch_norm: expected both running_mean and running_var, or neither")
    slope = negative_slope
    if slope is not None and number(slope, "negative_slope", "batch_norm") < 0:
        raise ArgumentError(f"batch_norm: negative_slope must be >= 0, got {slope}")
    if not training and running_mean is not None:
        y = _batch_norm_with(x, _raw(running_mean), _raw(running_var), weight, bias, eps)
        return y if slope is None else leaky_relu(y, slope)
    count = x.size // x.shape[1] if x.size else 0
    if count == 1:
        raise ShapeError(
            f"batch_norm: training needs more than one value per channel, got x {x.shape}; use a larger batch"
        )
    if count == 0:
        return _scale_shift(x, weight, bias)
    eps = _eps(eps, "batch_norm")
    op = BatchNorm(eps) if slope is None else BatchNormLeakyRelu(eps, float(slope))
    y = op(x, _constant(weight, x, 1.0), _constant(bias, x, 0.0))
    if running_mean is not None:
        _move_both(op, running_mean, running_var, momentum, count)
    return y


def _move_both(op: BatchNorm, running_mean: Any, running_var: Any, momentum: float, count: int) -> None:
    """Move the running statistics, of ``count`` values a channel, towards the batch's."""
    kernel = kernel_for(BatchNorm, "step", op.mean) if isinstance(running_mean, Tensor) else None
    if kernel is None or kernel(op, momentum, count, [running_mean, running_var]) is NotImplemented:
        _move(running_mean, op.mean, momentum)
        _move(running_var, op.var * (count / (count - 1)), momentum)
    else:
        running_mean.bump(), running_var.bump()


@in_single
def _batch_norm_with(
    x: Tensor, running_mean: Any, running_var: Any, weight: Tensor | None, bias: Tensor | None, eps: float
) -> Tensor:
    rstd = Tensor._wrap((running_var + _eps(eps, "batch_norm")) ** -0.5)
    scale = rstd if weight is None else weight * rstd
    shift = -scale * Tensor._wrap(running_mean)
    return _scale_shift(x, scale, shift if bias is None else bias + shift)


@in_single
def instance_norm(
    x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None, *, eps: float = 1e-5
) -> Tensor:
    """Normalise each channel of each sample of (N, C, L...) over its positions; weight, bias (C,).

    Raises ShapeError when there is only one position.  Ulyanov et al., arXiv 1607.08022, equation 3.
    """
    _check_channels(x, "instance_norm", weight=weight, bias=bias)
    positions = tuple(range(2, x.ndim))
    if not positions or x.size and x.size == x.shape[0] * x.shape[1]:
        raise ShapeError(
            f"instance_norm: expected (N, C, ...) with more than one position a channel, got shape {x.shape}"
        )
    return _scale_shift(_standardize(x, positions, eps, "instance_norm"), weight, bias)


@in_single
def layer_norm(
    x: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    *,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise over the last axes, whose sizes are ``normalized_shape``, also weight's and bias's shape.

    Raises ShapeError when the sizes differ.  Ba, Kiros and Hinton, arXiv 1607.06450, equation 4.
    """
    shape = tuple(normalized_shape) if isinstance(normalized_shape, Sequence) else (normalized_shape,)
    if not shape or x.shape[x.ndim - len(shape) :] != shape or len(shape) > x.ndim:
        raise ShapeError(f"layer_norm: expected x to end in {shape}, got shape {x.shape}")
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and value.shape != shape:
            raise ShapeError(f"layer_norm: expected {name} of shape {shape}, got {value.shape}")
    y = _standardize(x, tuple(range(x.ndim - len(shape), x.ndim)), eps, "layer_norm")
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


@in_single
def group_norm(
    x: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, *, eps: float = 1e-5
) -> Tensor:
    """Normalise each of ``num_groups`` groups of channels of each sample; x (N, C, ...), weight, bias (C,).

    Raises ArgumentError unless num_groups divides C.  Wu and He, arXiv 1803.08494, equations 1 to 6.
    """
    _check_channels(x, "group_norm", weight=weight, bias=bias)
    N, C = x.shape[:2]
    whole = isinstance(num_groups, (int, np.integer)) and not isinstance(num_groups, bool)
    if not whole or num_groups < 1 or C % num_groups:
        raise ArgumentError(f"group_norm: num_groups must be an int that divides C={C}, got {num_groups!r}")
    groups = reshape(x, N, num_groups, C // num_groups, *x.shape[2:])
    y = _standardize(groups, tuple(range(2, groups.ndim)), eps, "group_norm")
    return _scale_shift(reshape(y, x.shape), weight, bias)


@in_single
def pixel_norm(x: Tensor, *, eps: float = 1e-8) -> Tensor:
    """Divide each pixel's channel vector by its root mean square, (N, C, ...) -> same.

    y = x / sqrt(mean over channels of x**2 + eps).  Karras et al., arXiv 1710.10196, section 4.2.
    """
    if x.ndim < 2 or x.shape[1] == 0:
        raise ShapeError(f"pixel_norm: expected (N, C, ...) with C >= 1, got shape {x.shape}")
    return x * (mean(x * x, axis=1, keepdims=True) + _eps(eps, "pixel_norm")) ** -0.5


def _standardize(x: Tensor, axes: tuple[int, ...], eps: float, where: str) -> Tensor:
    return Standardize(axes, _eps(eps, where))(x) if x.size else x * 1.0


def _scale_shift(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """weight * x + bias, both (C,) and both optional, for x (N, C, ...)."""
    lane = _axes_and_lane(x.array)[1]
    y = x if weight is None else x * reshape(weight, lane)
    return y if bias is None else y + reshape(bias, lane)


def _check_channels(x: Tensor, where: str, **vectors: Any) -> None:
    """Raise ShapeError unless x is (N, C, ...) and every vector that is given (C,)."""
    if x.ndim < 2:
        raise ShapeError(f"{where}: expected (N, C, ...), got shape {x.shape}")
    for name, value in vectors.items():
        if value is not None and tuple(value.shape) != (x.shape[1],):
            raise ShapeError(f"{where}: expected {name} ({x.shape[1]},) for x {x.shape}, got {value.shape}")


def _constant(value: Tensor | None, x: Tensor, fill: float) -> Tensor:
    if value is not None:
        return value
    return Tensor._wrap(backend.namespace(x.array).full(x.shape[1], fill, x.dtype))


def _raw(value: Any) -> Any:
    return value.array if isinstance(value, Tensor) else value


def _move(running: Any, batch: Any, momentum: float) -> None:
    array = _raw(running)
    array[...] = (1 - momentum) * array.astype(batch.dtype) + momentum * batch
    if isinstance(running, Tensor):
        running.bump()


def _eps(eps: float, where: str) -> float:
    if isinstance(eps, bool) or not isinstance(eps, (int, float, np.number)) or eps < 0:
        raise ArgumentError(f"{where}: eps must be a number >= 0, got {eps!r}")
    return float(eps)
