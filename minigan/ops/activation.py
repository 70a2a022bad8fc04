"""Activations: functions of one element at a time, and the softmax pair along an axis.

Shape line of all: (any shape) -> same.  Where the derivative can be read off the result, the op keeps the
result and lets the input go: the next layer keeps that result anyway.
"""

from __future__ import annotations

from math import inf, pi, sqrt

import numpy as np

from minigan import backend
from minigan.backend import Array, namespace
from minigan.errors import ArgumentError
from minigan.ops.broadcast import sum
from minigan.ops.choice import where
from minigan.ops.elementwise import exp
from minigan.ops.half import in_single
from minigan.ops.operands import number, one_axis, takes_dim
from minigan.tensor import Op, Tensor


class Relu(Op):
    """y = max(x, 0);  gx = g where y > 0, else 0 (so 0 at x = 0)."""

    keeps_output = True

    def forward(self, x: Array) -> Array:
        return namespace(x).maximum(x, 0)

    def backward(self, g: Tensor) -> Tensor:
        return where(self.output.array > 0, g, 0.0)


class LeakyRelu(Op):
    """y = x where x > 0, else slope * x;  gx = g where x > 0, else slope * g (so slope * g at x = 0).

    Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network acoustic models", 2013.
    """

    def __init__(self, slope: float):
        self.slope = slope
        self.keeps_output = slope > 0  # then y > 0 exactly where x > 0
        self.keeps = () if slope > 0 else (0,)

    def forward(self, x: Array) -> Array:
        return namespace(x).where(x > 0, x, self.slope * x)

    def backward(self, g: Tensor) -> Tensor:
        x = self.output if self.keeps_output else self.input(0)
        return where(x.array > 0, g, self.slope * g)


class Elu(Op):
    """y = x where x > 0, else alpha * (exp(x) - 1);  gx = g where x > 0, else g * alpha * exp(x).

    Clevert, Unterthiner and Hochreiter, arXiv 1511.07289, equation 15.
    """

    keeps = (0,)

    def __init__(self, alpha: float):
        self.alpha = alpha

    def forward(self, x: Array) -> Array:
        """expm1 keeps the digits near 0; positive x is kept from overflowing it."""
        xp = namespace(x)
        return xp.where(x > 0, x, self.alpha * xp.expm1(xp.minimum(x, 0)))

    def backward(self, g: Tensor) -> Tensor:
        """Choose between 1 and alpha * exp(x), held at alpha where exp is not asked for."""
        x = self.input(0)
        return g * where(x.array > 0, 1.0, exp(where(x.array < 0, x, 0.0)) * self.alpha)


class Sigmoid(Op):
    """y = 1 / (1 + exp(-x));  gx = g * y * (1 - y)."""

    promotes = True
    keeps_output = True

    def forward(self, x: Array) -> Array:
        """exp may overflow to infinity, whose reciprocal is the right 0."""
        with np.errstate(over="ignore"):
            return 1 / (1 + namespace(x).exp(-x))

    def backward(self, g: Tensor) -> Tensor:
        y = self.output
        return g * (y * (1.0 - y))


class Tanh(Op):
    """y = tanh(x);  gx = g * (1 - y**2)."""

    promotes = True
    keeps_output = True

    def forward(self, x: Array) -> Array:
        return namespace(x).tanh(x)

    def backward(self, g: Tensor) -> Tensor:
        y = self.output
        return g * (1.0 - y * y)


class Softplus(Op):
    """y = log(1 + exp(beta x)) / beta, and y = x where beta x > threshold.

    gx = g * sigmoid(beta x), and g above the threshold.
    """

    keeps = (0,)

    def __init__(self, beta: float, threshold: float):
        self.beta, self.threshold = beta, threshold

    def forward(self, x: Array) -> Array:
        """max(z, 0) + log1p(exp(-|z|)), z = beta x, is the same sum without overflow."""
        xp, z = namespace(x), self.beta * x
        y = (xp.maximum(z, 0) + xp.log1p(xp.exp(-xp.absolute(z)))) / self.beta
        return y if self.threshold == inf else xp.where(z > self.threshold, x, y)

    def backward(self, g: Tensor) -> Tensor:
        """The sigmoid, cut off where the forward is."""
        x = self.input(0)
        slope = sigmoid(x * self.beta)
        if self.threshold != inf:
            slope = where(x.array * self.beta > self.threshold, 1.0, slope)
        return g * slope


class NormalCdf(Op):
    """y = Phi(x), the standard normal distribution function;  gx = g * exp(-x**2 / 2) / sqrt(2 pi)."""

    keeps = (0,)

    def forward(self, x: Array) -> Array:
        return backend.special(x).ndtr(x)

    def backward(self, g: Tensor) -> Tensor:
        x = self.input(0)
        return g * (exp(x * x * -0.5) * (1 / sqrt(2 * pi)))


class Softmax(Op):
    """(.., n, ..) -> same: y = exp(x) / sum of exp(x) over the axis;  gx = y * (g - sum(g * y))."""

    keeps_output = True

    def __init__(self, axis: int):
        self.axis = axis

    def forward(self, x: Array) -> Array:
        """Take the largest element out first, so that exp cannot overflow."""
        y = namespace(x).exp(_without_peak(x, self.axis))
        return y / y.sum(axis=self.axis, keepdims=True)

    def backward(self, g: Tensor) -> Tensor:
        y = self.output
        return y * (g - sum(g * y, self.axis, keepdims=True))


class LogSoftmax(Op):
    """(.., n, ..) -> same: y = x - log(sum of exp(x)) over the axis;  gx = g - exp(y) * sum(g)."""

    keeps_output = True

    def __init__(self, axis: int):
        self.axis = axis

    def forward(self, x: Array) -> Array:
        """Take the largest element out first, so that exp cannot overflow."""
        xp, y = namespace(x), _without_peak(x, self.axis)
        return y - xp.log(xp.exp(y).sum(axis=self.axis, keepdims=True))

    def backward(self, g: Tensor) -> Tensor:
        return g - exp(self.output) * sum(g, self.axis, keepdims=True)


def _without_peak(x: Array, axis: int) -> Array:
    return x - x.max(axis=axis, keepdims=True) if x.size else x


def relu(x: Tensor) -> Tensor:
    """Return max(x, 0).  gx = g where x > 0, else 0."""
    return Relu()(x)


def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Return x where x > 0, else negative_slope * x.  gx = g where x > 0, else negative_slope * g."""
    slope = number(negative_slope, "negative_slope", "leaky_relu")
    return LeakyRelu(slope)(x) if slope else Relu()(x)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Return x where x > 0, else alpha * (exp(x) - 1) (arXiv 1511.07289)."""
    return Elu(number(alpha, "alpha", "elu"))(x)


def sigmoid(x: Tensor) -> Tensor:
    """Return 1 / (1 + exp(-x)), in (0, 1).  gx = g * y * (1 - y)."""
    return Sigmoid()(x)


def tanh(x: Tensor) -> Tensor:
    """Return the hyperbolic tangent, in (-1, 1).  gx = g * (1 - y**2)."""
    return Tanh()(x)


def softplus(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Return log(1 + exp(beta x)) / beta, and x itself where beta x > threshold, as PyTorch does.

    ``threshold=float("inf")`` gives the exact function everywhere; it cannot overflow.  Raises
    ArgumentError unless beta > 0.
    """
    if number(beta, "beta", "softplus") <= 0:
        raise ArgumentError(f"softplus: beta must be > 0, got {beta}")
    return Softplus(float(beta), number(threshold, "threshold", "softplus"))(x)


@in_single
def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """Return x * Phi(x), Phi the standard normal distribution (Hendrycks and Gimpel, arXiv 1606.08415).

    ``approximate="tanh"`` is the paper's 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x**3))).
    Raises ArgumentError for another name.
    """
    if approximate == "none":
        return x * NormalCdf()(x)
    if approximate != "tanh":
        raise ArgumentError(f"gelu: unknown approximate {approximate!r}; expected none or tanh")
    return x * 0.5 * (tanh((x + x**3 * 0.044715) * sqrt(2 / pi)) + 1.0)


@in_single
def silu(x: Tensor) -> Tensor:
    """Return x * sigmoid(x), also called swish (arXiv 1606.08415; arXiv 1710.05941)."""
    return x * sigmoid(x)


@takes_dim
def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Return exp(x) / sum(exp(x)) over ``axis``: non-negative, summing to 1.  gx = y * (g - sum(g * y))."""
    return Softmax(one_axis(axis, x.ndim, "softmax"))(x)


@takes_dim
def log_softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Return log(softmax(x)) without overflow or log(0).  gx = g - softmax(x) * sum(g)."""
    return LogSoftmax(one_axis(axis, x.ndim, "log_softmax"))(x)


def erf(x: Tensor) -> Tensor:
    """Return the error function, 2 Phi(sqrt(2) x) - 1.  gx = g * 2 exp(-x**2) / sqrt(pi)."""
    return NormalCdf()(x * sqrt(2)) * 2.0 - 1.0
