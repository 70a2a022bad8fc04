"""Weights that are computed from stored ones at every use: spectral and weight norm, equalised learning rate.

The functions take a layer, rename its parameter ``weight`` to ``weight_orig`` and let ``layer.weight`` be
computed from it at each access, so that gradients reach ``weight_orig`` through the formula.  They return
the layer: ``spectral_norm(Conv2d(3, 64, 3))``.  ``name`` may be another parameter's than ``weight``.
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
from minigan.nn.module import Module, Parameter
from minigan.tensor import Tensor

M = TypeVar("M", bound=Module)


class SpectralNorm:
    """weight = W / sigma(W), sigma the largest singular value by power iteration, with W as a matrix.

    Each access in training makes ``iterations`` steps v = W^T u / |W^T u|, u = W v / |W v| on the stored u
    and v; then sigma = u^T W v, in which u and v are constants.  Miyato et al., arXiv 1802.05957,
    equations 7 to 9 and algorithm 1.
    """

    def __init__(self, name: str, axis: int, iterations: int, eps: float):
        self.name, self.axis, self.iterations, self.eps = name, axis, iterations, eps

    def stored(self, module: Module) -> tuple[Tensor, Tensor, Tensor]:
        """Return W, u and v as the layer keeps them."""
        return tuple(getattr(module, f"{self.name}_{part}") for part in ("orig", "u", "v"))  # type: ignore

    def matrix(self, weight: Tensor) -> Tensor:
        """Return W with output channels as rows."""
        order = [self.axis] + [axis for axis in range(weight.ndim) if axis != self.axis]
        rows = weight.shape[self.axis]
        return ops.reshape(ops.permute(weight, *order), rows, weight.size // rows)

    def iterate(self, module: Module, times: int) -> None:
        """Move u and v towards the leading singular vectors; arrays of earlier graphs stay as they were."""
        weight, left, right = self.stored(module)
        w, u, v = (_wide(t.array) for t in (self.matrix(weight.detach()), left, right))
        for _ in range(times):
            v = self._unit(w.T @ u)
            u = self._unit(w @ v)
        left.array, right.array = u.astype(left.dtype), v.astype(right.dtype)

    def _unit(self, x: Any) -> Any:
        xp = backend.namespace(x)
        return x / xp.maximum(xp.sqrt((x * x).sum()), self.eps)

    def __call__(self, module: Module) -> Tensor:
        """Return the normalised weight."""
        if module.training:
            self.iterate(module, self.iterations)
        weight, left, right = self.stored(module)
        u, v = Tensor._wrap(left.array), Tensor._wrap(right.array)
        return weight / ops.sum(u * (self.matrix(weight) @ v))


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


def _take(layer: Module, name: str) -> Tensor:
    """Take the parameter out of the layer; ArgumentError where it has none of that name."""
    weight = layer._parameters.pop(name, None)
    if weight is None:
        raise ArgumentError(f"{type(layer).__name__} has no parameter {name!r} to compute from another")
    return weight


def _rename(layer: Module, name: str = "weight") -> Tensor:
    weight = _take(layer, name)
    setattr(layer, f"{name}_orig", weight)
    return weight


def _give_back(layer: M, name: str, kind: type, parts: tuple[str, ...]) -> M:
    """Make the computed weight a parameter again, and forget what it was computed from."""
    if not isinstance(layer._derived.get(name), kind):
        raise ArgumentError(f"{type(layer).__name__}: {name!r} is not computed by {kind.__name__}")
    mode, layer.__dict__["training"] = layer.training, False  # no step of the power iteration
    weight = Parameter(getattr(layer, name).detach())
    layer.__dict__["training"] = mode
    for part in parts:
        delattr(layer, f"{name}_{part}")
    setattr(layer, name, weight)
    return layer


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
    *,
    generator: np.random.Generator | None = None,
) -> M:
    """Divide the layer's weight by its largest singular value; returns the layer.  See SpectralNorm.

    Adds buffers ``weight_u`` and ``weight_v``; 15 iterations bring them near before the first use.
    ``dim`` is the axis of the outputs: 1 for a transposed convolution, else 0.
    """
    axis = int(isinstance(module, ConvTranspose2d)) if dim is None else dim
    rule = SpectralNorm(name, axis, count("n_power_iterations", n_power_iterations), eps)
    weight = _rename(module, name)
    rows, columns = rule.matrix(weight.detach()).shape
    for part, n in (("u", rows), ("v", columns)):
        vector = init.normal_(Tensor(np.zeros(n, np.float32)), generator=generator)
        module.register_buffer(f"{name}_{part}", Tensor(rule._unit(vector.array)))
    rule.iterate(module, 15)
    module._derived[name] = rule
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Make the divided weight an ordinary parameter again; returns the layer.

    Raises ArgumentError where it is not spectrally normalised.
    """
    return _give_back(module, name, SpectralNorm, ("orig", "u", "v"))


class WeightNorm:
    """weight = g v / |v|, the length taken over all axes but ``axis`` (None: over all).

    Salimans and Kingma, arXiv 1602.07868, equation 2.
    """

    def __init__(self, name: str, axis: int | None):
        self.name, self.axis = name, axis

    def length(self, v: Tensor) -> Tensor:
        """Return |v|, with the other axes' sizes 1."""
        others = tuple(a for a in range(v.ndim) if self.axis is None or a != self.axis % v.ndim)
        return ops.sqrt(ops.sum(v * v, others, keepdims=self.axis is not None))

    def __call__(self, module: Module) -> Tensor:
        """Return the weight of the stored length and direction."""
        g, v = getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v")
        return v * (g / self.length(v))


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Store the layer's weight as length ``weight_g`` and direction ``weight_v``; returns the layer.

    See WeightNorm.  ``dim`` is the axis that has a length for each index; None: one length for all.
    """
    weight = _take(module, name)
    rule = WeightNorm(name, dim)
    setattr(module, f"{name}_g", Parameter(rule.length(weight.detach())))
    setattr(module, f"{name}_v", Parameter(weight.detach()))
    module._derived[name] = rule
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Make the computed weight an ordinary parameter again; returns the layer.

    Raises ArgumentError where it has no weight norm.
    """
    return _give_back(module, name, WeightNorm, ("g", "v"))


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
