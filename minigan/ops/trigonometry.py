"""Angles and the exponential's kin, each with its derivative, of the elements one by one.

Shape line of all: (any shape) -> same.
"""

from __future__ import annotations

from math import log as ln
from math import pi
from typing import Any

from minigan.backend import Array, namespace
from minigan.ops.broadcast import sum_to
from minigan.ops.choice import where
from minigan.ops.elementwise import Sqrt, exp, log, sin
from minigan.ops.operands import floating, pair
from minigan.tensor import Op, Tensor


class Tan(Op):
    """y = tan(x);  gx = g (1 + y**2)."""

    promotes = True
    keeps_output = True

    def forward(self, x: Array) -> Array:
        return namespace(x).tan(x)

    def backward(self, g: Tensor) -> Tensor:
        return g * (self.output * self.output + 1.0)


class Asin(Op):
    """y = arcsin(x), |x| <= 1;  gx = g / sqrt(1 - x**2)."""

    promotes = True
    keeps = (0,)

    def forward(self, x: Array) -> Array:
        return namespace(x).arcsin(x)

    def backward(self, g: Tensor) -> Tensor:
        x = self.input(0)
        return g / Sqrt()(1.0 - x * x)


class Atan(Op):
    """y = arctan(x);  gx = g / (1 + x**2)."""

    promotes = True
    keeps = (0,)

    def forward(self, x: Array) -> Array:
        return namespace(x).arctan(x)

    def backward(self, g: Tensor) -> Tensor:
        x = self.input(0)
        return g / (x * x + 1.0)


class Atan2(Op):
    """(y, x) of shapes that broadcast -> the angle of (x, y);  gy = g x / r**2, gx = -g y / r**2."""

    promotes = True
    keeps = (0, 1)

    def forward(self, y: Array, x: Array) -> Array:
        return namespace(y).arctan2(y, x)

    def backward(self, g: Tensor) -> tuple[Tensor | None, Tensor | None]:
        y, x = self.input(0), self.input(1)
        share = g / (x * x + y * y)
        return (
            sum_to(share * x, self.input_shapes[0]) if self.needs(0) else None,
            sum_to(-share * y, self.input_shapes[1]) if self.needs(1) else None,
        )


class Expm1(Op):
    """y = exp(x) - 1, with the digits of a small x;  gx = g (y + 1)."""

    promotes = True
    keeps_output = True

    def forward(self, x: Array) -> Array:
        return namespace(x).expm1(x)

    def backward(self, g: Tensor) -> Tensor:
        return g * (self.output + 1.0)


def tan(x: Tensor) -> Tensor:
    """Return the tangent of radians.  gx = g (1 + tan(x)**2)."""
    return Tan()(x)


def asin(x: Tensor) -> Tensor:
    """Return the angle in [-pi/2, pi/2] whose sine x is.  gx = g / sqrt(1 - x**2)."""
    return Asin()(x)


def acos(x: Tensor) -> Tensor:
    """Return the angle in [0, pi] whose cosine x is.  gx = -g / sqrt(1 - x**2)."""
    return pi / 2 - Asin()(x)


def atan(x: Tensor) -> Tensor:
    """Return the angle in (-pi/2, pi/2) whose tangent x is.  gx = g / (1 + x**2)."""
    return Atan()(x)


def atan2(input: Any, other: Any) -> Tensor:
    """Return the angle in [-pi, pi] of the point (other, input).  g other / r**2 and -g input / r**2."""
    return Atan2()(*pair(input, other, "atan2"))


def sinh(x: Tensor) -> Tensor:
    """Return (exp(x) - exp(-x)) / 2, with the digits of a small x.  gx = g * cosh(x)."""
    e = Expm1()(x)
    return (e + e / (e + 1.0)) * 0.5


def cosh(x: Tensor) -> Tensor:
    """Return (exp(x) + exp(-x)) / 2.  gx = g * sinh(x)."""
    x = floating(x)
    return (exp(x) + exp(-x)) * 0.5


def expm1(x: Tensor) -> Tensor:
    """Return exp(x) - 1 with the digits of a small x.  gx = g * exp(x)."""
    return Expm1()(x)


def exp2(x: Tensor) -> Tensor:
    """Return 2 to the x.  gx = g * 2**x * log(2)."""
    return exp(x * ln(2.0))


def log2(x: Tensor) -> Tensor:
    """Return the logarithm of x > 0 to the base 2.  gx = g / (x log(2))."""
    return log(x) * (1 / ln(2.0))


def log10(x: Tensor) -> Tensor:
    """Return the logarithm of x > 0 to the base 10.  gx = g / (x log(10))."""
    return log(x) * (1 / ln(10.0))


def logit(x: Tensor, eps: float | None = None) -> Tensor:
    """Return log(x / (1 - x)), the inverse of sigmoid; with ``eps`` x is held to [eps, 1 - eps] first."""
    if eps is not None:
        a = x.array
        inside = (a >= eps) & (a <= 1 - eps)
        x = where(inside, x, Tensor._wrap(a.clip(eps, 1 - eps)))
    return log(x / (1.0 - x))


def sinc(x: Tensor) -> Tensor:
    """Return sin(pi x) / (pi x), 1 at 0."""
    zero = x.array == 0
    angle = where(zero, 1.0, x) * pi
    return where(zero, 1.0, sin(angle) / angle)


def logaddexp(x: Any, y: Any) -> Tensor:
    """Return log(exp(x) + exp(y)) without overflow."""
    x, y = pair(x, y, "logaddexp")
    above = namespace(x.array).maximum(x.array, y.array)
    shift = Tensor._wrap(
        namespace(above).where(namespace(above).isfinite(above), above, 0).astype(above.dtype)
    )
    return log(exp(x - shift) + exp(y - shift)) + shift


def xlogy(x: Any, y: Any) -> Tensor:
    """Return x log(y), 0 where x is 0 (whatever y)."""
    x, y = pair(x, y, "xlogy")
    zero = (x.array == 0) & ~namespace(y.array).isnan(y.array)
    return where(zero, 0.0, x * log(where(zero, 1.0, y)))


def hypot(x: Any, y: Any) -> Tensor:
    """Return sqrt(x**2 + y**2)."""
    x, y = pair(x, y, "hypot")
    return Sqrt()(x * x + y * y)
