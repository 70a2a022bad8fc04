"""Losses in few passes."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.kernels import parallel
from minigan.kernels.registry import kernel
from minigan.ops.loss import (
    LOG_FLOOR,
    SLOPE_FLOOR,
    BinaryCrossEntropy,
    BinaryCrossEntropyWithLogits,
    check_probabilities,
)


@kernel(BinaryCrossEntropy, "numpy")
def probability_loss(op: BinaryCrossEntropy, x: Array, t: Array) -> Array:
    """In place on two fresh arrays."""
    check_probabilities(x)
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.asarray(np.log(x))
        np.maximum(y, LOG_FLOOR, out=y)
        y *= t
        rest = np.asarray(np.subtract(1, x))
        np.log(rest, out=rest)
        np.maximum(rest, LOG_FLOOR, out=rest)
    rest *= 1 - t
    y += rest
    return np.negative(y, out=y)


@kernel(BinaryCrossEntropy, "numpy", does="derivative")
def probability_loss_derivative(op: BinaryCrossEntropy, g: Array) -> Any:
    """In place on two fresh arrays, where no gradient of the targets is wanted."""
    x, t = op.input(0).array, op.input(1).array
    if op.needs(1):
        return NotImplemented
    gx = np.asarray(np.subtract(1, x))
    np.maximum(gx, SLOPE_FLOOR, out=gx)
    np.divide(1 - t, gx, out=gx)
    other = np.asarray(np.maximum(x, SLOPE_FLOOR))
    np.divide(t, other, out=other)
    gx -= other
    return np.multiply(gx, g, out=gx), None


@kernel(BinaryCrossEntropyWithLogits, "numpy")
def cross_entropy(op: BinaryCrossEntropyWithLogits, x: Array, t: Array) -> Array:
    """In place on one fresh array, large ones part by part."""
    if x.strides != t.strides:
        t = np.broadcast_to(t, x.shape)

    def fill(part: Array, wanted: Array, y: Array) -> None:
        np.absolute(part, out=y)
        np.negative(y, out=y)
        np.exp(y, out=y)
        np.log1p(y, out=y)
        y += np.maximum(part, 0)
        y -= wanted * part

    y = np.empty_like(x)
    parallel.over(fill, x, t, y)
    return y


@kernel(BinaryCrossEntropyWithLogits, "numpy", does="derivative")
def cross_entropy_derivative(op: BinaryCrossEntropyWithLogits, g: Array) -> Any:
    """g * (sigmoid(x) - t) in place on one fresh array."""
    x, t = op.input(0).array, op.input(1).array
    if x.strides != t.strides:
        t = np.broadcast_to(t, x.shape)

    def fill(part: Array, wanted: Array, gpart: Array, gx: Array) -> None:
        np.negative(part, out=gx)
        with np.errstate(over="ignore"):  # holds for one thread
            np.exp(gx, out=gx)
        gx += 1
        np.divide(1, gx, out=gx)
        gx -= wanted
        gx *= gpart

    gx = np.empty_like(x)
    parallel.over(fill, x, t, g, gx)
    return gx, -(g * x) if op.needs(1) else None
