"""The triad of convolutions by the algorithm that is cheapest for each: see `registry`.

What an algorithm works out of the weight alone is kept on a frozen weight (``Tensor.cache``), stamped with
its version.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.kernels import blas, parallel
from minigan.kernels.conv import registry
from minigan.kernels.conv.layout import nhwc
from minigan.kernels.registry import kernel
from minigan.ops.conv.triad import Conv2d, Conv2dInputGrad, Conv2dWeightGrad
from minigan.tensor import Tensor

EVERY_THREAD = nullcontext()


@kernel(Conv2d, "numpy")
@kernel(Conv2d, "gpu")
def forward(op: Conv2d, x: Array, weight: Array, bias: Array | None = None) -> Array:
    """The cheapest algorithm's convolution; the bias is added in place onto its fresh result."""
    return _run(op, "forward", x, weight, bias)


@kernel(Conv2dInputGrad, "numpy")
@kernel(Conv2dInputGrad, "gpu")
def input_grad(op: Conv2dInputGrad, g: Array, weight: Array, bias: Array | None = None) -> Array:
    """The cheapest algorithm's transposed convolution."""
    return _run(op, "input_grad", g, weight, bias)


@kernel(Conv2dWeightGrad, "numpy")
@kernel(Conv2dWeightGrad, "gpu")
def weight_grad(op: Conv2dWeightGrad, x: Array, g: Array) -> Array:
    """The cheapest algorithm's weight gradient."""
    with _threads_for(x, g):
        return registry.choose(op.spec, "weight_grad", like=x).weight_grad(x, g, op.spec)


def _run(op: Any, function: str, image: Array, weight: Array, bias: Array | None) -> Array:
    cache = cache_of(op.given[1])
    with _threads_for(image, weight):
        algorithm = registry.choose(op.spec, function, cache is not None, image)
        prepared = None
        if cache is not None and algorithm.prepare is not None:
            key = (algorithm.name, function, op.spec)
            if key not in cache:
                cache[key] = algorithm.prepare(weight, op.spec, function)
            prepared = cache[key]
        y = getattr(algorithm, function)(image, weight, op.spec, prepared)
        return y if bias is None else _add_bias(y, bias)


def _threads_for(*arrays: Array) -> Any:
    """The algorithms know threads for NumPy's arrays only."""
    return EVERY_THREAD if all([type(array) is np.ndarray for array in arrays]) else blas.by_one_thread()


def cache_of(weight: Tensor) -> dict[Any, Any] | None:
    """Where prepared weights go: on a frozen weight, stamped with its version; None for a trained one.

    A weight that was frozen a moment ago and has not changed since keeps what was prepared: so a GAN's
    discriminator, frozen in the generator's phase, has it in its own.
    """
    if weight.node is not None:
        return None
    if weight.cache is None or weight.cache.get("version") != weight.version:
        weight.cache = None if weight.requires_grad else {"version": weight.version}
    return weight.cache


def _add_bias(y: Array, bias: Array) -> Array:
    """y[n, o, i, j] += bias[o], in place."""

    def add(pixels: Array) -> None:
        pixels += bias

    parallel.over(add, nhwc(y))
    return y
