"""The four operations, with broadcasting.

Shape line of all: inputs of shapes that broadcast -> the common shape.  Where an input was repeated
by broadcasting, its gradient is summed over the repeats (`sum_to`).  Python numbers never change a
tensor's dtype.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigan import parallel
from minigan.backend import Array, namespace
from minigan.errors import ArgumentError
from minigan.ops.broadcast import broadcast_shapes, sum_to
from minigan.ops.choice import keep
from minigan.tensor import Op, Tensor, as_tensor


class Add(Op):
    """z = x + y;  gx = g, gy = g."""

    def forward(self, x: Array, y: Array) -> Array:
        """Add; gradients that meet are often large, and of one shape and memory order."""
        if type(x) is not np.ndarray or x.nbytes < parallel.WORTH or x.strides != y.strides:
            return x + y
        z = np.empty_like(x)
        parallel.over(lambda a, b, c: np.add(a, b, out=c), x, y, z)
        return z

    def backward(self, g: Tensor) -> tuple[Tensor, Tensor]:
        """Hand g to both."""
        return sum_to(g, self.input_shapes[0]), sum_to(g, self.input_shapes[1])


class Sub(Op):
    """z = x - y;  gx = g, gy = -g."""

    def forward(self, x: Array, y: Array) -> Array:
        """Subtract."""
        return x - y

    def backward(self, g: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Hand on g and its negative."""
        return (
            sum_to(g, self.input_shapes[0]) if self.needs(0) else None,
            -sum_to(g, self.input_shapes[1]) if self.needs(1) else None,
        )


class Mul(Op):
    """z = x * y;  gx = g * y, gy = g * x."""

    @property
    def keeps(self) -> Sequence[int]:  # type: ignore[override]
        """Each gradient reads the other factor."""
        return [1] * self.needs(0) + [0] * self.needs(1)

    def forward(self, x: Array, y: Array) -> Array:
        """Multiply."""
        return x * y

    def backward(self, g: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Product rule."""
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
        """Divide."""
        return x / y

    def backward(self, g: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Quotient rule."""
        y = self.input(1)
        scaled = g / y
        return (
            sum_to(scaled, self.input_shapes[0]) if self.needs(0) else None,
            sum_to(-scaled * (self.input(0) / y), self.input_shapes[1]) if self.needs(1) else None,
        )


class AddScalar(Op):
    """y = x + c;  gx = g."""

    def __init__(self, c: float):
        self.c = c

    def forward(self, x: Array) -> Array:
        """Add the number."""
        return x + self.c

    def backward(self, g: Tensor) -> Tensor:
        """Hand g on."""
        return g


class MulScalar(Op):
    """y = c * x;  gx = c * g."""

    def __init__(self, c: float):
        self.c = c

    def forward(self, x: Array) -> Array:
        """Multiply by the number."""
        return x * self.c

    def backward(self, g: Tensor) -> Tensor:
        """Multiply by the same number."""
        return MulScalar(self.c)(g)


class PowScalar(Op):
    """y = x**p;  gx = g * p * x**(p-1), and 0 where p is 0."""

    keeps = (0,)

    def __init__(self, p: float):
        self.p = p

    def forward(self, x: Array) -> Array:
        """Raise to the power."""
        return x**self.p

    def backward(self, g: Tensor) -> Tensor:
        """Power rule."""
        x = self.input(0)
        if self.p == 0:
            none = namespace(x.data).zeros(x.shape, bool)
            return keep(x, none) + keep(g, none)  # constant 0, but still a function of both
        return g * (x * 2.0 if self.p == 2 else PowScalar(self.p - 1)(x) * self.p)


class Neg(Op):
    """y = -x;  gx = -g."""

    exact = True

    def forward(self, x: Array) -> Array:
        """Negate."""
        return -x

    def backward(self, g: Tensor) -> Tensor:
        """Negate."""
        return -g


def is_number(value: Any) -> bool:
    """Return whether ``value`` is a Python or NumPy number (which never changes a dtype)."""
    return isinstance(value, (int, float, np.number))


def operands(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Return both as tensors: what is none (an array, a list, a number) joins the other's device."""
    if not isinstance(x, Tensor):
        x = as_tensor(x, like=y if isinstance(y, Tensor) else None)
    return x, y if isinstance(y, Tensor) else as_tensor(y, like=x)


def pair(x: Any, y: Any, where: str) -> tuple[Tensor, Tensor]:
    """Two tensors of one float dtype whose shapes broadcast; bool and int operands join the float's dtype."""
    if not (isinstance(x, Tensor) and isinstance(y, Tensor)):
        x, y = operands(x, y)
    a, b = x._data, y._data
    if a.shape != b.shape:
        broadcast_shapes(a.shape, b.shape, where)
    if a.dtype != b.dtype:
        if y.dtype.kind in "biu":
            y = Tensor._wrap(y.data.astype(x.dtype))
        elif x.dtype.kind in "biu":
            x = Tensor._wrap(x.data.astype(y.dtype))
    return x, y


def add(x: Any, y: Any) -> Tensor:
    """Return x + y (broadcasting).  gx = g, gy = g."""
    if is_number(y):
        return AddScalar(float(y))(x)
    return AddScalar(float(x))(y) if is_number(x) else Add()(*pair(x, y, "add"))


def sub(x: Any, y: Any) -> Tensor:
    """Return x - y (broadcasting).  gx = g, gy = -g."""
    if is_number(y):
        return AddScalar(-float(y))(x)
    return AddScalar(float(x))(neg(y)) if is_number(x) else Sub()(*pair(x, y, "sub"))


def mul(x: Any, y: Any) -> Tensor:
    """Return x * y (broadcasting).  gx = g * y, gy = g * x."""
    if is_number(y):
        return MulScalar(float(y))(x)
    return MulScalar(float(x))(y) if is_number(x) else Mul()(*pair(x, y, "mul"))


def div(x: Any, y: Any) -> Tensor:
    """Return x / y (broadcasting).  gx = g / y, gy = -g * x / y**2."""
    if is_number(y):
        if float(y) == 0.0:
            raise ArgumentError("div: division by the number 0")
        return MulScalar(1.0 / float(y))(x)
    return PowScalar(-1.0)(y) * float(x) if is_number(x) else Div()(*pair(x, y, "div"))


def neg(x: Tensor) -> Tensor:
    """Return -x.  gx = -g."""
    return Neg()(x)
