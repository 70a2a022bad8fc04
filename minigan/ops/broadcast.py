"""Broadcasting and its adjoint, summing: the pair behind every mixed-shape operation.

Broadcasting copies an element to many places, so its gradient is the sum over those places; summing
collects many places into one, so its gradient is copied back.  Each is the other's derivative.
"""

from __future__ import annotations

from minigan.backend import Array, namespace
from minigan.errors import ShapeError
from minigan.ops.operands import normalize_axes, takes_dim
from minigan.ops.shape import reshape
from minigan.tensor import Op, Tensor


class BroadcastTo(Op):
    """(shape that fits) -> (shape), elements repeated without a copy.  gx = SumTo(g)."""

    any_dtype = True
    exact = True

    def __init__(self, shape: tuple[int, ...]):
        self.target = shape

    def forward(self, x: Array) -> Array:
        """Repeat by giving the new axes stride 0."""
        return namespace(x).broadcast_to(x, self.target)

    def backward(self, g: Tensor) -> Tensor:
        return sum_to(g, self.input_shapes[0])


class SumTo(Op):
    """(shape) -> (smaller shape that broadcasts to it), by summing.  gx = BroadcastTo(g)."""

    any_dtype = True

    def __init__(self, shape: tuple[int, ...]):
        self.target = shape

    def forward(self, x: Array) -> Array:
        return sum_array_to(x, self.target)

    def backward(self, g: Tensor) -> Tensor:
        return broadcast_to(g, self.input_shapes[0])


class Sum(Op):
    """(.., n, ..) -> (.., 1 or nothing, ..): y = sum of x over ``axes``; gx = g repeated."""

    any_dtype = True

    def __init__(self, axes: tuple[int, ...], keepdims: bool):
        self.axes, self.keepdims = axes, keepdims

    def forward(self, x: Array) -> Array:
        return x.sum(axis=self.axes, keepdims=self.keepdims)

    def backward(self, g: Tensor) -> Tensor:
        """Put the summed axes back as size 1 and repeat along them."""
        shape = self.input_shapes[0]
        kept = tuple(1 if axis in self.axes else n for axis, n in enumerate(shape))
        return broadcast_to(reshape(g, kept), shape)


def sum_array_to(x: Array, shape: tuple[int, ...]) -> Array:
    """Sum a raw array down to ``shape``."""
    lead = x.ndim - len(shape)
    axes = tuple(range(lead)) + tuple(
        lead + i for i, n in enumerate(shape) if n == 1 and x.shape[lead + i] != 1
    )
    return x.sum(axis=axes).reshape(shape)


def broadcast_to(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return x repeated to ``shape`` by NumPy's broadcasting rule (a view); ShapeError if it does not fit."""
    if x.shape == tuple(shape):
        return x
    lead = len(shape) - x.ndim
    if lead < 0 or any(n not in (1, m) for n, m in zip(x.shape, shape[lead:], strict=True)):
        raise ShapeError(f"broadcast_to: shape {x.shape} does not broadcast to {tuple(shape)}")
    return BroadcastTo(tuple(shape))(x)


def sum_to(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return x summed down to a shape that broadcasts to x's: the adjoint of broadcast_to."""
    return x if x.shape == shape else SumTo(shape)(x)


@takes_dim
def sum(x: Tensor, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Tensor:
    """Return the sum over ``axis`` (None: all axes; a tuple or negative axes allowed).

    y = sum_i x_i;  gx_i = g.
    """
    axes = normalize_axes(axis, x.ndim, "sum")
    return Sum(axes, keepdims)(x)
