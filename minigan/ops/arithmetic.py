"""The four operations, with broadcasting.

Shape line of all: inputs of shapes that broadcast -> the common shape.  Where an input was repeated
by broadcasting, its gradient is summed over the repeats (`sum_to`).  Python numbers never change a
tensor's dtype.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import truediv
from typing import Any

import numpy as np

from minigan.backend import Array, namespace
from minigan.ops.broadcast import sum_to
from minigan.ops.choice import where
from minigan.ops.operands import astype, floating, is_number, pair
from minigan.tensor import Op, Tensor

quietly = np.errstate(divide="ignore", invalid="ignore")  # what is divided by 0 is infinite or NaN


class Add(Op):
    """z = x + y;  gx = g, gy = g."""

    any_dtype = True

    def forward(self, x: Array, y: Array) -> Array:
        return x + y

    def backward(self, g: Tensor) -> tuple[Tensor | None, Tensor | None]:
        return (
            sum_to(g, self.input_shapes[0]) if self.needs(0) else None,
            sum_to(g, self.input_shapes[1]) if self.needs(1) else None,
        )


class Clone(Op):
    """y = a copy of x;  gx = g."""

    any_dtype = True
    exact = True

    def forward(self, x: Array) -> Array:
        return x.copy()

    def backward(self, g: Tensor) -> Tensor:
        return g


class Sub(Op):
    """z = x - y;  gx = g, gy = -g."""

    any_dtype = True

    def forward(self, x: Array, y: Array) -> Array:
        return x - y

    def backward(self, g: Tensor) -> tuple[Tensor | None, Tensor | None]:
        return (
            sum_to(g, self.input_shapes[0]) if self.needs(0) else None,
            -sum_to(g, self.input_shapes[1]) if self.needs(1) else None,
        )


class Product(Op):
    """What all products of two inputs share: each gradient reads the other factor."""

    @property
    def keeps(self) -> Sequence[int]:  # type: ignore[override]
        """The factors that wanted gradients read."""
        return [1] * self.needs(0) + [0] * self.needs(1)


class Mul(Product):
    """z = x * y;  gx = g * y, gy = g * x."""

    any_dtype = True

    def forward(self, x: Array, y: Array) -> Array:
        return x * y

    def backward(self, g: Tensor) -> tuple[Tensor | None, Tensor | None]:
        return (
            sum_to(g * self.input(1), self.input_shapes[0]) if self.needs(0) else None,
            sum_to(g * self.input(0), self.input_shapes[1]) if self.needs(1) else None,
        )


class Div(Op):
    """z = x / y;  gx = g / y, gy = -g * x / y**2."""

    @property
    def keeps(self) -> Sequence[int]:  # type: ignore[override]
        """y always; x for y's gradient."""
        return [1] + [0] * self.needs(1)

    def forward(self, x: Array, y: Array) -> Array:
        return quietly(truediv)(x, y)

    def backward(self, g: Tensor) -> tuple[Tensor | None, Tensor | None]:
        y = self.input(1)
        scaled = g / y
        return (
            sum_to(scaled, self.input_shapes[0]) if self.needs(0) else None,
            sum_to(-scaled * (self.input(0) / y), self.input_shapes[1]) if self.needs(1) else None,
        )


class AddScalar(Op):
    """y = x + c;  gx = g."""

    any_dtype = True

    def __init__(self, c: float):
        self.c = c

    def forward(self, x: Array) -> Array:
        return x + self.c

    def backward(self, g: Tensor) -> Tensor:
        return g


class MulScalar(Op):
    """y = c * x;  gx = c * g."""

    any_dtype = True

    def __init__(self, c: float):
        self.c = c

    def forward(self, x: Array) -> Array:
        return x * self.c

    def backward(self, g: Tensor) -> Tensor:
        return MulScalar(self.c)(g)


class PowScalar(Op):
    """y = x**p;  gx = g * p * x**(p-1), and 0 where p is 0."""

    any_dtype = True

    keeps = (0,)

    def __init__(self, p: float):
        self.p = p

    def forward(self, x: Array) -> Array:
        return x**self.p if self.p >= 0 else quietly(pow)(x, self.p)

    def backward(self, g: Tensor) -> Tensor:
        x = self.input(0)
        if self.p == 0:
            none = namespace(x.array).zeros(x.shape, bool)
            return where(none, x, 0.0) + where(none, g, 0.0)  # constant 0, but still a function of both
        return g * (x * 2.0 if self.p == 2 else PowScalar(self.p - 1)(x) * self.p)


class Neg(Op):
    """y = -x;  gx = -g."""

    any_dtype = True

    exact = True

    def forward(self, x: Array) -> Array:
        return -x

    def backward(self, g: Tensor) -> Tensor:
        return -g


def _plain(x: Tensor, y: Any) -> tuple[Tensor, int | float]:
    """A tensor and a number, as a result of both is computed: a float makes floats of whole numbers."""
    if x.dtype.kind == "f":
        return x, float(y)
    if isinstance(y, (int, np.integer)):
        return (x if x.dtype.kind != "b" or isinstance(y, bool) else astype(x, np.int64)), int(y)
    return floating(x), float(y)


def _with_number(x: Any, y: Any) -> tuple[Tensor, int | float] | None:
    """A tensor and a number given in either order, as `_plain` has them; None where neither is a number."""
    if isinstance(x, Tensor) and isinstance(y, Tensor):
        return None
    if is_number(x) and isinstance(y, Tensor):
        x, y = y, x
    return _plain(x, y) if is_number(y) else None


def add(x: Any, y: Any, *, alpha: float = 1) -> Tensor:
    """Return x + alpha y (broadcasting).  gx = g, gy = alpha g."""
    if alpha != 1:
        return add(x, mul(y, alpha))
    if (found := _with_number(x, y)) is not None:
        tensor, number = found
        return AddScalar(number)(tensor)
    return Add()(*pair(x, y, "add"))


def sub(x: Any, y: Any, *, alpha: float = 1) -> Tensor:
    """Return x - alpha y (broadcasting).  gx = g, gy = -alpha g."""
    if alpha != 1:
        return sub(x, mul(y, alpha))
    if is_number(y):
        return add(x, -y)
    return add(neg(y), x) if is_number(x) else Sub()(*pair(x, y, "sub"))


def mul(x: Any, y: Any) -> Tensor:
    """Return x * y (broadcasting).  gx = g * y, gy = g * x."""
    if (found := _with_number(x, y)) is not None:
        tensor, number = found
        return MulScalar(number)(tensor)
    return Mul()(*pair(x, y, "mul"))


def div(x: Any, y: Any) -> Tensor:
    """Return x / y (broadcasting), a float of whole numbers too.  gx = g / y, gy = -g * x / y**2."""
    if is_number(y):
        if y == 0:
            return Div()(*pair(floating(x), float(y), "div"))
        return mul(x, 1.0 / float(y))
    if is_number(x):
        return PowScalar(-1.0)(floating(y)) * float(x)
    a, b = pair(x, y, "div")
    return Div()(floating(a), floating(b))


def neg(x: Tensor) -> Tensor:
    """Return -x.  gx = -g."""
    return Neg()(x)
