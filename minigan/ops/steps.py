"""Functions with jumps: rounding, signs, and what is left of a division.

Between its jumps a staircase is flat, so its derivative is 0; at a jump it has none, and 0 stands for it.
"""

from __future__ import annotations

from typing import Any

from minigan.backend import Array, namespace
from minigan.ops.arithmetic import quietly
from minigan.ops.broadcast import sum_to
from minigan.ops.choice import where
from minigan.ops.operands import pair
from minigan.tensor import Op, Tensor


class Staircase(Op):
    """(any shape) -> same: y = sign(x), floor(x), ceil(x), trunc(x) or round(x);  gx = 0."""

    any_dtype = True
    exact = True

    def __init__(self, rule: str):
        self.rule = rule

    def forward(self, x: Array) -> Array:
        return (
            x.copy() if x.dtype.kind in "iub" and self.rule != "sign" else getattr(namespace(x), self.rule)(x)
        )

    def backward(self, g: Tensor) -> Tensor:
        return where(namespace(g.array).zeros(g.shape, bool), g, 0.0)


def sign(input: Tensor) -> Tensor:
    """Return -1, 0 or 1 by the sign.  gx = 0."""
    return Staircase("sign")(input)


def floor(input: Tensor) -> Tensor:
    """Return elements rounded down.  gx = 0."""
    return Staircase("floor")(input)


def ceil(input: Tensor) -> Tensor:
    """Return elements rounded up.  gx = 0."""
    return Staircase("ceil")(input)


def trunc(input: Tensor) -> Tensor:
    """Return elements without their digits after the point.  gx = 0."""
    return Staircase("trunc")(input)


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """Return elements rounded to ``decimals`` digits after the point, halves to even ones.  gx = 0."""
    return Staircase("round")(input * 10**decimals) / 10**decimals if decimals else Staircase("round")(input)


def frac(input: Tensor) -> Tensor:
    """Return the digits after the point, with the sign: x - trunc(x).  gx = g."""
    return input - trunc(input)


class Remainder(Op):
    """(x, y) of shapes that broadcast: z = x - q y, q whole;  gx = g, gy = -q g.

    q is x / y rounded down ("remainder": z has the sign of y) or towards 0 ("fmod": z has the sign of x).
    """

    any_dtype = True
    keeps = (0, 1)

    def __init__(self, rule: str):
        self.rule = rule

    @quietly
    def forward(self, x: Array, y: Array) -> Array:
        return getattr(namespace(x), self.rule)(x, y)

    def backward(self, g: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, y = self.input(0).array, self.input(1).array
        times = Tensor._wrap(namespace(x).rint((x - self.forward(x, y)) / y))
        return (
            sum_to(g, self.input_shapes[0]) if self.needs(0) else None,
            sum_to(-g * times, self.input_shapes[1]) if self.needs(1) else None,
        )


def remainder(input: Any, other: Any) -> Tensor:
    """Return what is left of input after whole others, with other's sign (Python's %).  gx = g, gy = -q g."""
    return Remainder("remainder")(*_divisible(input, other, "remainder"))


def fmod(input: Any, other: Any) -> Tensor:
    """Return what is left of input after whole others, with input's sign (C's fmod).  gx = g, gy = -q g."""
    return Remainder("fmod")(*_divisible(input, other, "fmod"))


def floor_divide(input: Any, other: Any) -> Tensor:
    """Return input / other rounded down; a constant.  Raises ZeroDivisionError for whole numbers by 0."""
    x, y = _divisible(input, other, "floor_divide")
    return Tensor._wrap(quietly(namespace(x.array).floor_divide)(x.array, y.array))


def _divisible(x: Any, y: Any, where_: str) -> tuple[Tensor, Tensor]:
    x, y = pair(x, y, where_)
    if x.dtype.kind in "iu" and (y.array == 0).any():
        raise ZeroDivisionError(f"{where_}: whole numbers divided by 0")
    return x, y
