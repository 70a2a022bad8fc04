"""Weights that are computed from a stored one at every use: spectral normalisation, equalised learning rate.

Both functions take a layer, rename its parameter ``weight`` to ``weight_orig`` and let ``layer.weight`` be
computed from it at each access, so that gradients reach ``weight_orig`` through the formula.  They return
the layer: ``spectral_norm(Conv2d(3, 64, 3))``.
"""

from __future__ import annotations

from math import sqrt
from typing import Any, TypeVar

import numpy as np

from minigan import backend, ops
from minigan.errors import ArgumentError
from minigan.nn import init
from minigan.nn.conv import ConvTranspose2d
from minigan.nn.linear import count
from minigan.nn.module import Module
from minigan.tensor import Tensor

M = TypeVar("M", bound=Module)


class SpectralNorm:
    """weight = W / sigma(W), sigma the largest singular value by power iteration, with W as a matrix.

    Each access in training makes ``iterations`` steps v = W^T u / |W^T u|, u = W v / |W v| on the stored u
    and v; then sigma = u^T W v, in which u and v are constants.  Miyato et al., arXiv 1802.05957,
    equations 7 to 9 and algorithm 1.
    """

    def __init__(self, axis: int, iterations: int, eps: float):
        self.axis, self.iterations, self.eps = axis, iterations, eps

    def matrix(self, weight: Tensor) -> Tensor:
        """Return W with output channels as rows."""
        order = [self.axis] + [axis for axis in range(weight.ndim) if axis != self.axis]
        rows = weight.shape[self.axis]
        return ops.reshape(ops.permute(weight, *order), rows, weight.size // rows)

    def iterate(self, module: Module, times: int) -> None:
        """Move u and v towards the leading singular vectors; arrays of earlier graphs stay as they were."""
        stored = module.weight_u.array, module.weight_v.array
        w, u, v = (_wide(array) for array in (self.matrix(module.weight_orig.detach()).array, *stored))
        for _ in range(times):
            v = self._unit(w.T @ u)
            u = self._unit(w @ v)
        module.weight_u.array, module.weight_v.array = u.astype(stored[0].dtype), v.astype(stored[1].dtype)

    def _unit(self, x: Any) -> Any:
        xp = backend.namespace(x)
        return x / xp.maximum(xp.sqrt((x * x).sum()), self.eps)

    def __call__(self, module: Module) -> Tensor:
        """Return the normalised weight."""
        if module.training:
            self.iterate(module, self.iterations)
        u, v = Tensor._wrap(module.weight_u.array), Tensor._wrap(module.weight_v.array)
        sigma = ops.sum(u * (self.matrix(module.weight_orig) @ v))
        return module.weight_orig / sigma


def _wide(array: Any) -> Any:
    """float16, in which sums overflow, as float32."""
    return array.astype(np.result_type(array.dtype, np.float32), copy=False)


class EqualisedRate:
    """weight = W * gain / sqrt(fan_in): W starts N(0, 1), so Adam moves every layer at one relative rate.

    Karras et al., arXiv 1710.10196, section 4.1.
    """

    def __init__(self, scale: float):
        self.scale = scale

    def __call__(self, module: Module) -> Tensor:
        """Return the scaled weight."""
        return module.weight_orig * self.scale


def _rename(layer: Module) -> Tensor:
    weight = layer._parameters.pop("weight", None)
    if weight is None:
        raise ArgumentError(f"{type(layer).__name__} has no parameter 'weight' to compute from another")
    layer.weight_orig = weight
    return weight


def spectral_norm(
    layer: M,
    *,
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    generator: np.random.Generator | None = None,
) -> M:
    """Divide the layer's weight by its largest singular value; returns the layer.  See SpectralNorm.

    Adds buffers ``weight_u`` and ``weight_v``; 15 iterations bring them near before the first use.
    """
    rule = SpectralNorm(
        int(isinstance(layer, ConvTranspose2d)), count("n_power_iterations", n_power_iterations), eps
    )
    weight = _rename(layer)
    rows, columns = rule.matrix(weight.detach()).shape
    for name, n in (("weight_u", rows), ("weight_v", columns)):
        vector = init.normal_(Tensor(np.zeros(n, np.float32)), generator=generator)
        layer.register_buffer(name, Tensor(rule._unit(vector.array)))
    rule.iterate(layer, 15)
    layer._derived["weight"] = rule
    return layer


def equalized_lr(
    layer: M,
    *,
    gain: float = sqrt(2.0),
    lr_multiplier: float = 1.0,
    generator: np.random.Generator | None = None,
) -> M:
    """Keep the weight at N(0, 1) and scale it at each use; zero the bias; returns the layer.

    See EqualisedRate.  ``gain`` is sqrt(2) for a layer before a (leaky) ReLU and 1 for the last one.
    With ``lr_multiplier`` m > 0 the stored weight is N(0, 1 / m**2) and scaled by m more, so that Adam moves
    the layer m times as fast (arXiv 1812.04948, appendix C).  Raises ArgumentError for m <= 0.
    """
    if not lr_multiplier > 0:
        raise ArgumentError(f"lr_multiplier: expected a number above 0, got {lr_multiplier}")
    weight = _rename(layer)
    init.normal_(weight, std=1.0 / lr_multiplier, generator=generator)
    if getattr(layer, "bias", None) is not None:
        init.zeros_(layer.bias)
    outputs = weight.shape[1] if isinstance(layer, ConvTranspose2d) else weight.shape[0]
    layer._derived["weight"] = EqualisedRate(lr_multiplier * gain / sqrt(weight.size / outputs))
    return layer
