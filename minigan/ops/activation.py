"""Activations: functions of one element at a time, and the softmax pair along an axis.

Shape line of all: (any shape) -> same, in the memory order of the input.  Where the derivative can be
read off the result, the op keeps the result and lets the input go: the next layer keeps that result
anyway.  `_filled` and `_scaled` are the shortcuts: a large array is gone through part by part on all threads,
and while nothing records, a first derivative is a few raw passes.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt
from typing import Any

import numpy as np

from minigan import backend, cuda, parallel
from minigan.backend import Array, namespace
from minigan.cuda import chains
from minigan.errors import ArgumentError
from minigan.ops.broadcast import sum
from minigan.ops.choice import keep, kept
from minigan.ops.elementwise import exp, where
from minigan.ops.half import in_single
from minigan.ops.shape import normalize_axes
from minigan.tensor import Op, Tensor, is_grad_enabled


class Relu(Op):
    """y = max(x, 0);  gx = g where y > 0, else 0 (so 0 at x = 0)."""

    keeps_output = True

    def forward(self, x: Array) -> Array:
        """Cut at 0; NumPy's clip takes a third of the time of its maximum with a number."""
        xp = namespace(x)
        return _filled(lambda part, y: xp.clip(part, 0, float("inf"), out=y), x)

    def backward(self, g: Tensor) -> Tensor:
        """Pass g where the result is positive."""
        return LeakyRelu(0.0).pulled(g, self.output)


class LeakyRelu(Op):
    """y = x for x > 0, else slope * x;  gx = g for x > 0, else slope * g (so slope * g at x = 0)."""

    def __init__(self, slope: float):
        self.slope = slope
        self.keeps_sign = slope > 0  # then y > 0 exactly where x > 0
        self.keeps = () if self.keeps_sign else (0,)
        self.keeps_output = self.keeps_sign

    def forward(self, x: Array) -> Array:
        """For 0 <= slope <= 1 the larger of x and slope * x, which is one pass less than choosing."""
        xp, slope = namespace(x), self.slope
        if cuda.available(x) and slope != 0:
            return chains.leaky_grad(x, x, slope)  # y = y'(x) x
        if not 0 <= slope <= 1:
            return xp.where(x > 0, x, x * slope)
        return _filled(self.into, x)

    def into(self, x: Array, y: Array) -> None:
        """Write max(x, slope * x) into y, which may be x itself; NumPy's clip is faster for slope 0."""
        xp = namespace(x)
        if self.slope == 0:
            xp.clip(x, 0, float("inf"), out=y)
        else:
            xp.maximum(x, x * self.slope if x is y else xp.multiply(x, self.slope, out=y), out=y)

    def backward(self, g: Tensor) -> Tensor:
        """Multiply by 1 or slope; for slope 0 choose, as 0 times an infinite g is not 0."""
        return self.pulled(g, self.output if self.keeps_sign else self.input(0))

    def pulled(self, g: Tensor, like: Tensor) -> Tensor:
        """g where ``like``, the argument or a result of its sign, is positive, else slope * g."""
        x = like.data
        if cuda.available(x) and not is_grad_enabled():
            return Tensor._wrap(chains.leaky_grad(g.data, x, self.slope))
        if is_grad_enabled() or x.nbytes < parallel.WORTH:
            return _scaled(g, self.factor(x)) if self.slope else keep(g, x > 0)
        return Tensor._wrap(_filled(self.undo, x, g.data))

    def undo(self, x: Array, g: Array, gx: Array) -> None:
        """Write g into gx where x is positive, else slope * g."""
        if self.slope == 0:
            kept(g, x > 0, gx)
        else:
            namespace(x).multiply(g, self.factor(x), out=gx)

    def factor(self, x: Array) -> Array:
        """1 where x > 0, else the slope."""
        above = namespace(x).asarray((x > 0).astype(x.dtype))
        if 0 <= self.slope <= 1:
            return namespace(x).clip(above, self.slope, 1, out=above)
        return above * (1 - self.slope) + self.slope


class Elu(Op):
    """y = x for x > 0, else alpha * (exp(x) - 1);  gx = g for x > 0, else g * alpha * exp(x).

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
        return g * where(x.data > 0, 1.0, exp(where(x.data < 0, x, 0.0)) * self.alpha)


class Sigmoid(Op):
    """y = 1 / (1 + exp(-x));  gx = g * y * (1 - y)."""

    keeps_output = True

    def forward(self, x: Array) -> Array:
        """In place on one fresh array; exp may overflow to infinity, whose reciprocal is the right 0."""
        return sigmoid_array(x)

    def backward(self, g: Tensor) -> Tensor:
        """Read the slope off the result."""
        y = self.output
        if is_grad_enabled():
            return g * (y * (1.0 - y))
        slope = 1 - y.data
        slope *= y.data
        return _scaled(g, slope)


class Tanh(Op):
    """y = tanh(x);  gx = g * (1 - y**2)."""

    keeps_output = True

    def forward(self, x: Array) -> Array:
        """Hyperbolic tangent."""
        return namespace(x).tanh(x)

    def backward(self, g: Tensor) -> Tensor:
        """Read the slope off the result."""
        y = self.output
        if is_grad_enabled():
            return g * (1.0 - y * y)
        xp = namespace(y.data)
        slope = xp.asarray(y.data * y.data)
        return _scaled(g, xp.subtract(1, slope, out=slope))


class Softplus(Op):
    """y = log(1 + exp(beta x)) / beta, and y = x where beta x > threshold.

    gx = g * sigmoid(beta x), and g above the threshold.
    """

    keeps = (0,)

    def __init__(self, beta: float, threshold: float):
        self.beta, self.threshold = beta, threshold

    def forward(self, x: Array) -> Array:
        """max(z, 0) + log1p(exp(-|z|)), z = beta x, is the same sum without overflow."""
        xp = namespace(x)
        z = x * self.beta
        y = xp.log1p(xp.exp(-xp.absolute(z)))
        y += xp.maximum(z, 0)
        y *= 1 / self.beta
        return y if self.threshold == float("inf") else xp.where(z > self.threshold, x, y)

    def backward(self, g: Tensor) -> Tensor:
        """The sigmoid, cut off where the forward is."""
        x = self.input(0)
        slope = sigmoid(x * self.beta)
        if self.threshold != float("inf"):
            slope = where(x.data * self.beta > self.threshold, 1.0, slope)
        return g * slope


class NormalCdf(Op):
    """y = Phi(x), the standard normal distribution function;  gx = g * exp(-x**2 / 2) / sqrt(2 pi)."""

    keeps = (0,)

    def forward(self, x: Array) -> Array:
        """Evaluate with the device's special functions."""
        return backend.special(x).ndtr(x)

    def backward(self, g: Tensor) -> Tensor:
        """Multiply by the normal density."""
        x = self.input(0)
        return g * (exp(x * x * -0.5) * (1 / sqrt(2 * pi)))


class Softmax(Op):
    """(.., n, ..) -> same: y = exp(x) / sum of exp(x) over the axis;  gx = y * (g - sum(g * y))."""

    keeps_output = True

    def __init__(self, axis: int):
        self.axis = axis

    def forward(self, x: Array) -> Array:
        """Take the largest element out first, so that exp cannot overflow."""
        y = _without_peak(x, self.axis)
        namespace(x).exp(y, out=y)
        y /= y.sum(axis=self.axis, keepdims=True)
        return y

    def backward(self, g: Tensor) -> Tensor:
        """Remove from g its y-weighted mean."""
        y = self.output
        return y * (g - sum(g * y, self.axis, keepdims=True))


class LogSoftmax(Op):
    """(.., n, ..) -> same: y = x - log(sum of exp(x)) over the axis;  gx = g - exp(y) * sum(g)."""

    keeps_output = True

    def __init__(self, axis: int):
        self.axis = axis

    def forward(self, x: Array) -> Array:
        """Take the largest element out first, so that exp cannot overflow."""
        xp = namespace(x)
        y = _without_peak(x, self.axis)
        y -= xp.log(xp.exp(y).sum(axis=self.axis, keepdims=True))
        return y

    def backward(self, g: Tensor) -> Tensor:
        """Take the softmax share of the summed g away."""
        return g - exp(self.output) * sum(g, self.axis, keepdims=True)


def _without_peak(x: Array, axis: int) -> Array:
    return x - x.max(axis=axis, keepdims=True) if x.size else x.copy()


def _filled(fill: Callable[..., Any], *arrays: Array) -> Array:
    """A fresh array y like the first, after fill(*arrays, y), part by part."""
    y = namespace(arrays[0]).empty_like(arrays[0])
    parallel.over(fill, *arrays, y)
    return y


def _scaled(g: Tensor, factor: Array) -> Tensor:
    """g * factor, where ``factor`` is a fresh array: in its own memory unless the product is recorded."""
    if is_grad_enabled():
        return g * Tensor._wrap(factor)
    factor = namespace(factor).asarray(factor)  # a number, if 0-d
    return Tensor._wrap(namespace(factor).multiply(factor, g.data, out=factor))


def sigmoid_array(x: Array) -> Array:
    """1 / (1 + exp(-x)) of a raw array, accurate for every x."""
    xp = namespace(x)
    with np.errstate(over="ignore"):
        y = xp.asarray(xp.negative(x))
        xp.exp(y, out=y)
    y += 1
    return xp.divide(1, y, out=y)


def _number(value: Any, name: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise ArgumentError(f"{where}: {name} must be a number, got {value!r}")
    return float(value)


def relu(x: Tensor) -> Tensor:
    """Return max(x, 0).  gx = g where x > 0, else 0."""
    return Relu()(x)


def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Return x where x > 0, else negative_slope * x.  gx = g where x > 0, else negative_slope * g."""
    return LeakyRelu(_number(negative_slope, "negative_slope", "leaky_relu"))(x)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Return x where x > 0, else alpha * (exp(x) - 1) (arXiv 1511.07289)."""
    return Elu(_number(alpha, "alpha", "elu"))(x)


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
    if _number(beta, "beta", "softplus") <= 0:
        raise ArgumentError(f"softplus: beta must be > 0, got {beta}")
    return Softplus(float(beta), _number(threshold, "threshold", "softplus"))(x)


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


def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Return exp(x) / sum(exp(x)) over ``axis``: non-negative, summing to 1.  gx = y * (g - sum(g * y))."""
    return Softmax(_one_axis(x, axis, "softmax"))(x)


def log_softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Return log(softmax(x)) without overflow or log(0).  gx = g - softmax(x) * sum(g)."""
    return LogSoftmax(_one_axis(x, axis, "log_softmax"))(x)


def _one_axis(x: Tensor, axis: int, where: str) -> int:
    if not isinstance(axis, (int, np.integer)) or isinstance(axis, bool):
        raise ArgumentError(f"{where}: axis must be one integer, got {axis!r}")
    (found,) = normalize_axes(axis, x.ndim, where)
    return found
