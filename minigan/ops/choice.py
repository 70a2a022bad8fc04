"""Choosing element by element: the operation behind every derivative that passes some gradients on.

A gradient that is not passed on is 0 by choice, not by a product with 0: an input that was not chosen has no
part in the result, whatever the gradient there, but 0 times an infinite gradient is NaN.  (Infinite gradients
are common: sqrt and log have one at 0, where relu and clip like to put their result.)
"""

from __future__ import annotations

from typing import Any

from minigan.backend import Array, namespace
from minigan.errors import DTypeError
from minigan.ops.broadcast import sum_to
from minigan.ops.operands import as_tensor, broadcast_shapes, pair
from minigan.tensor import Op, Tensor


class Where(Op):
    """z = x where the condition holds, else y;  gx = g there, else 0;  gy = g elsewhere, else 0."""

    any_dtype = True
    exact = True

    def __init__(self, condition: Array):
        self.condition = condition

    def forward(self, x: Array, y: Array) -> Array:
        return namespace(x).where(self.condition, x, y)

    def backward(self, g: Tensor) -> tuple[Tensor | None, Tensor | None]:
        return (
            sum_to(where(self.condition, g, 0.0), self.input_shapes[0]) if self.needs(0) else None,
            sum_to(where(~self.condition, g, 0.0), self.input_shapes[1]) if self.needs(1) else None,
        )


def where(condition: Any, x: Any, y: Any) -> Tensor:
    """Return x where ``condition`` (boolean tensor or array) holds, else y; all three broadcast."""
    mask = as_tensor(condition).array
    if mask.dtype != bool:
        raise DTypeError(f"where: expected a boolean condition, got {mask.dtype}")
    x, y = pair(x, y, "where")
    broadcast_shapes(mask.shape, broadcast_shapes(x.shape, y.shape, "where"), "where")
    return Where(mask)(x, y)
