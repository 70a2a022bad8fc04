"""Losses in few passes."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.kernels import parallel
from minigan.kernels.registry import kernel
from minigan.ops.loss import BinaryCrossEntropyWithLogits


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
