"""Layers that act on each element, or on each row, alone; and those that only change the shape."""

from __future__ import annotations

from math import prod

import numpy as np

from minigan import ops
from minigan.errors import ArgumentError
from minigan.nn import init
from minigan.nn.module import Module
from minigan.tensor import Tensor


class Identity(Module):
    """(any shape) -> the same tensor."""

    def forward(self, x: Tensor) -> Tensor:
        return x


class ReLU(Module):
    """(any shape) -> same: max(x, 0)."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.relu(x)


class LeakyReLU(Module):
    """(any shape) -> same: x where x > 0, negative_slope * x elsewhere."""

    def __init__(self, negative_slope: float = 0.01):
        super().__init__()
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        return ops.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class ELU(Module):
    """(any shape) -> same: x where x > 0, alpha (exp(x) - 1) elsewhere."""

    def __init__(self, alpha: float = 1.0):
        super().__init__()
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        return ops.elu(x, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class Sigmoid(Module):
    """(any shape) -> same, values in (0, 1): 1 / (1 + exp(-x))."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.sigmoid(x)


class Tanh(Module):
    """(any shape) -> same, values in (-1, 1)."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.tanh(x)


class Softplus(Module):
    """(any shape) -> same: log(1 + exp(beta x)) / beta; x itself where beta x is above ``threshold``."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0):
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, x: Tensor) -> Tensor:
        return ops.softplus(x, self.beta, self.threshold)


class GELU(Module):
    """(any shape) -> same: x times the normal distribution function of x, or its "tanh" approximation."""

    def __init__(self, *, approximate: str = "none"):
        super().__init__()
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        return ops.gelu(x, approximate=self.approximate)


class SiLU(Module):
    """(any shape) -> same: x sigmoid(x)."""

    def forward(self, x: Tensor) -> Tensor:
        return ops.silu(x)


class Softmax(Module):
    """(any shape) -> same: exp(x) divided by its sum over ``axis``."""

    def __init__(self, axis: int = -1):
        super().__init__()
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        return ops.softmax(x, axis=self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


class Dropout(Module):
    """(any shape) -> same: in training each element is 0 with probability p, else divided by 1 - p.

    The layer owns its generator (drawn from the default one unless passed), and `Module.random_state` saves
    it, so that a resumed run drops the same elements.  Srivastava et al., JMLR 15, 2014.
    """

    def __init__(self, p: float = 0.5, *, generator: np.random.Generator | None = None):
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ArgumentError(f"p: expected a probability in [0, 1], got {p}")
        self.p = p
        self.generator = generator or np.random.default_rng(int(init.default_generator().integers(2**63)))

    def forward(self, x: Tensor) -> Tensor:
        """Drop in training, hand on in evaluation."""
        return ops.dropout(x, self.p, training=self.training, generator=self.generator)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class Flatten(Module):
    """(N, ...) -> (N, product of the rest), or any run of axes from ``start_axis`` to ``end_axis``."""

    def __init__(self, start_axis: int = 1, end_axis: int = -1):
        super().__init__()
        self.start_axis, self.end_axis = start_axis, end_axis

    def forward(self, x: Tensor) -> Tensor:
        return ops.flatten(x, self.start_axis, self.end_axis)


class Unflatten(Module):
    """Split one axis into several: Unflatten(1, (C, H, W)) makes (N, C H W) into (N, C, H, W)."""

    def __init__(self, axis: int, unflattened_size: tuple[int, ...]):
        super().__init__()
        self.axis, self.unflattened_size = axis, tuple(unflattened_size)

    def forward(self, x: Tensor) -> Tensor:
        """Reshape; ArgumentError where the sizes do not multiply to the axis."""
        axis = self.axis % x.ndim
        if x.shape[axis] != prod(self.unflattened_size):
            raise ArgumentError(
                f"Unflatten: axis {self.axis} of {x.shape} does not split into {self.unflattened_size}"
            )
        return ops.reshape(x, *x.shape[:axis], *self.unflattened_size, *x.shape[axis + 1 :])

    def extra_repr(self) -> str:
        return f"axis={self.axis}, unflattened_size={self.unflattened_size}"
