"""Functions of one element at a time: powers, exponentials and limits.

Shape line of all: inputs of shapes that broadcast -> the common shape.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan.backend import Array, namespace
from minigan.errors import ArgumentError
from minigan.ops.arithmetic import PowScalar
from minigan.ops.broadcast import sum_to
from minigan.ops.choice import where
from minigan.ops.operands import floating, is_number, pair
from minigan.tensor import Op, Tensor


class Pow(Op):
    """z = x**y;  gx = g * y * x**(y-1), gy = g * x**y * log(x); 0 where x is 0 and y >= 0 (gx: y = 0)."""

    any_dtype = True

    keeps = (0, 1)

    def forward(self, x: Array, y: Array) -> Array:
        return x**y

    def backward(self, g: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, y = self.input(0), self.input(1)
        gx = gy = None
        if self.needs(0):
            constant = (x.array == 0) & (y.array == 0)  # 0**-1 would make a NaN of 0 * infinity
            gx = where(~constant, g, 0.0) * y * where(constant, 1.0, x) ** (y - 1.0)
            gx = sum_to(gx, self.input_shapes[0])
        if self.needs(1):
            flat = (x.array == 0) & (y.array >= 0)
            gy = sum_to(where(~flat, g, 0.0) * x**y * log(where(flat, 1.0, x)), self.input_shapes[1])
        return gx, gy


class Exp(Op):
    """y = exp(x);  gx = g * y."""

    promotes = True
    keeps_output = True

    def forward(self, x: Array) -> Array:
        return namespace(x).exp(x)

    def backward(self, g: Tensor) -> Tensor:
        return g * self.output


class Log(Op):
    """y = log(x), x > 0;  gx = g / x."""

    promotes = True
    keeps = (0,)

    def forward(self, x: Array) -> Array:
        return namespace(x).log(x)

    def backward(self, g: Tensor) -> Tensor:
        return g / self.input(0)


class Log1p(Op):
    """y = log(1 + x), x > -1, with the digits of a small x;  gx = g / (1 + x)."""

    promotes = True
    keeps = (0,)

    def forward(self, x: Array) -> Array:
        return namespace(x).log1p(x)

    def backward(self, g: Tensor) -> Tensor:
        return g / (self.input(0) + 1.0)


class Sin(Op):
    """y = sin(x);  gx = g * cos(x)."""

    promotes = True
    keeps = (0,)

    def forward(self, x: Array) -> Array:
        return namespace(x).sin(x)

    def backward(self, g: Tensor) -> Tensor:
        return g * cos(self.input(0))


class Cos(Op):
    """y = cos(x);  gx = -g * sin(x)."""

    promotes = True
    keeps = (0,)

    def forward(self, x: Array) -> Array:
        return namespace(x).cos(x)

    def backward(self, g: Tensor) -> Tensor:
        return -g * sin(self.input(0))


class Sqrt(Op):
    """y = sqrt(x), x >= 0;  gx = g / (2 y), infinite at 0."""

    promotes = True
    keeps_output = True

    def forward(self, x: Array) -> Array:
        return namespace(x).sqrt(x)

    def backward(self, g: Tensor) -> Tensor:
        return g * 0.5 / self.output


class Abs(Op):
    """y = |x|;  gx = g * sign(x), 0 at x = 0."""

    any_dtype = True

    keeps = (0,)

    def forward(self, x: Array) -> Array:
        return namespace(x).absolute(x)

    def backward(self, g: Tensor) -> Tensor:
        x = self.input(0).array
        xp = namespace(x)
        sign = xp.asarray(xp.copysign(xp.ones_like(x), x))
        return where(x != 0, g, 0.0) * Tensor._wrap(sign)


class Clip(Op):
    """y = min(max(x, low), high);  gx = g inside and on the bounds, 0 outside."""

    any_dtype = True

    keeps = (0,)

    def __init__(self, low: float | None, high: float | None):
        self.low, self.high = low, high

    def forward(self, x: Array) -> Array:
        return namespace(x).clip(x, self.low, self.high)

    def backward(self, g: Tensor) -> Tensor:
        x = self.input(0).array
        inside = namespace(x).ones(x.shape, bool)
        if self.low is not None:
            inside &= x >= self.low
        if self.high is not None:
            inside &= x <= self.high
        return where(inside, g, 0.0)


class Maximum(Op):
    """z = max(x, y);  g goes to the larger input, half to each where they are equal."""

    any_dtype = True

    keeps = (0, 1)

    def forward(self, x: Array, y: Array) -> Array:
        return namespace(x).maximum(x, y)

    def beaten(self, x: Array, y: Array) -> Array:
        """Where y wins over x."""
        return x < y

    def backward(self, g: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Send g to the winner; compared, not subtracted, because infinities may be equal too."""
        x, y = self.input(0).array, self.input(1).array
        share = g * Tensor._wrap(namespace(x).asarray(1 - 0.5 * (x == y)).astype(x.dtype))
        gx = gy = None
        if self.needs(0):
            gx = sum_to(where(~self.beaten(x, y), share, 0.0), self.input_shapes[0])
        if self.needs(1):
            gy = sum_to(where(~self.beaten(y, x), share, 0.0), self.input_shapes[1])
        return gx, gy


class Minimum(Maximum):
    """z = min(x, y);  g goes to the smaller input, half to each where they are equal."""

    def forward(self, x: Array, y: Array) -> Array:
        return namespace(x).minimum(x, y)

    def beaten(self, x: Array, y: Array) -> Array:
        """Where y wins over x."""
        return x > y


def pow(x: Any, y: Any) -> Tensor:
    """Return x ** y; y is a number or a tensor (then x should be positive, or y whole).

    gx = g * y * x**(y-1), gy = g * x**y * log(x).
    """
    if is_number(y):
        whole = x.dtype.kind in "iu" and isinstance(y, (int, np.integer)) and y >= 0
        return PowScalar(int(y) if whole else float(y))(x if whole else floating(x))
    return Pow()(*pair(x, y, "pow"))


def exp(x: Tensor) -> Tensor:
    """Return e to the x.  gx = g * exp(x)."""
    return Exp()(x)


def log(x: Tensor) -> Tensor:
    """Return the natural logarithm of x > 0.  gx = g / x."""
    return Log()(x)


def sqrt(x: Tensor) -> Tensor:
    """Return the square root of x >= 0.  gx = g / (2 sqrt(x)), which is infinite at 0."""
    return Sqrt()(x)


def abs(x: Tensor) -> Tensor:
    """Return |x|.  gx = g * sign(x), 0 at 0."""
    return Abs()(x)


def clip(x: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Return x limited to [min, max]; g passes inside and on the bounds.  Bounds may be tensors (`maximum`).

    So with min == max, where the result is constant, g still passes at x == min: a convention, PyTorch's too.
    Raises ArgumentError if both bounds are None or min > max.
    """
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        x = x if min is None else maximum(x, min)
        return x if max is None else minimum(x, max)
    if min is None and max is None or min is not None and max is not None and min > max:
        raise ArgumentError(f"clip: expected min <= max and at least one of them, got min={min}, max={max}")
    return Clip(min, max)(x)


def maximum(x: Any, y: Any) -> Tensor:
    """Return the larger of x and y; at ties each gets half of g."""
    return Maximum()(*pair(x, y, "maximum"))


def minimum(x: Any, y: Any) -> Tensor:
    """Return the smaller of x and y; at ties each gets half of g."""
    return Minimum()(*pair(x, y, "minimum"))


def log1p(x: Tensor) -> Tensor:
    """Return log(1 + x) with the digits of a small x.  gx = g / (1 + x)."""
    return Log1p()(x)


def sin(x: Tensor) -> Tensor:
    """Return the sine of radians.  gx = g * cos(x)."""
    return Sin()(x)


def cos(x: Tensor) -> Tensor:
    """Return the cosine of radians.  gx = -g * sin(x)."""
    return Cos()(x)


def rsqrt(x: Tensor) -> Tensor:
    """Return 1 / sqrt(x).  gx = -g / (2 x sqrt(x))."""
    return pow(x, -0.5)


def square(x: Tensor) -> Tensor:
    """Return x * x.  gx = 2 g x."""
    return pow(x, 2)


def reciprocal(x: Tensor) -> Tensor:
    """Return 1 / x.  gx = -g / x**2."""
    return pow(x, -1)


def lerp(x: Tensor, end: Tensor, weight: Any) -> Tensor:
    """Return x + weight (end - x): x at weight 0, end at 1."""
    return x + weight * (end - x)


def addcmul(x: Tensor, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
    """Return x + value tensor1 tensor2."""
    return x + value * (tensor1 * tensor2)


def addcdiv(x: Tensor, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
    """Return x + value tensor1 / tensor2."""
    return x + value * (tensor1 / tensor2)


def clamp_min(x: Tensor, min: Any) -> Tensor:
    """Return x, at least ``min``."""
    return clip(x, min, None)


def clamp_max(x: Tensor, max: Any) -> Tensor:
    """Return x, at most ``max``."""
    return clip(x, None, max)
