"""Reductions: mean, variance, extremes, log-sum-exp.  (Sum lives in `broadcast`, as its adjoint.)

Shape line of all: (.., n, ..) -> the axes in ``axis`` removed, or kept as 1 with ``keepdims``.
"""

from __future__ import annotations

from math import prod

from minigan.backend import Array, namespace
from minigan.errors import ShapeError
from minigan.ops.arithmetic import MulScalar
from minigan.ops.broadcast import broadcast_to, sum
from minigan.ops.choice import where
from minigan.ops.elementwise import exp, log
from minigan.ops.half import in_single
from minigan.ops.operands import normalize_axes
from minigan.ops.shape import reshape
from minigan.tensor import Op, Tensor

Axis = int | tuple[int, ...] | None


class Max(Op):
    """y = max of x over ``axes``;  g is shared equally by the elements that reach the maximum."""

    keeps = (0,)
    smallest = False

    def __init__(self, axes: tuple[int, ...], keepdims: bool):
        self.axes, self.keepdims = axes, keepdims

    def forward(self, x: Array) -> Array:
        return self._extreme(x, self.keepdims)

    def _extreme(self, x: Array, keepdims: bool) -> Array:
        return (x.min if self.smallest else x.max)(axis=self.axes, keepdims=keepdims)

    def backward(self, g: Tensor) -> Tensor:
        x = self.input(0).array
        extreme = self._extreme(x, True)
        ties = (x == extreme) | (x != x)  # the extreme of a NaN is NaN, which equals nothing
        share = Tensor._wrap(1 / ties.sum(axis=self.axes, keepdims=True, dtype=x.dtype))
        return where(ties, broadcast_to(reshape(g, extreme.shape) * share, x.shape), 0.0)


class Min(Max):
    """y = min of x over ``axes``;  g is shared equally by the elements that reach the minimum."""

    smallest = True


def _count(x: Tensor, axis: Axis, where: str) -> int:
    return prod(x.shape[a] for a in normalize_axes(axis, x.ndim, where))


@in_single
def mean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the mean over ``axis``.  y = sum(x) / n;  gx = g / n.  ShapeError for an empty mean."""
    n = _count(x, axis, "mean")
    if n == 0 and sum(x, axis).size:
        raise ShapeError(f"mean: no elements to average over axis {axis} of shape {x.shape}")
    return MulScalar(1.0 / (n or 1))(sum(x, axis, keepdims))


@in_single
def var(x: Tensor, axis: Axis = None, keepdims: bool = False, *, correction: int = 1) -> Tensor:
    """Return the variance over ``axis``: sum((x - mean)**2) / (n - correction).

    ``correction`` 1 is the unbiased estimate (PyTorch's default), 0 the biased one that batch
    normalisation uses.  gx = 2 g (x - mean) / (n - correction).  ShapeError if n <= correction.
    """
    n = _count(x, axis, "var")
    if n <= correction:
        raise ShapeError(
            f"var: expected more than {correction} elements over axis {axis}, got {n}; use correction=0"
        )
    deviation = x - mean(x, axis, keepdims=True)
    return sum(deviation * deviation, axis, keepdims) * (1.0 / (n - correction))


def _extreme(op: type[Max], x: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    where = op.__name__.lower()
    if _count(x, axis, where) == 0:
        raise ShapeError(f"{where}: no elements over axis {axis} of shape {x.shape}")
    return op(normalize_axes(axis, x.ndim, where), keepdims)(x)


def max(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the largest element over ``axis``; ties share g equally (as torch.amax)."""
    return _extreme(Max, x, axis, keepdims)


def min(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the smallest element over ``axis``; ties share g equally (as torch.amin)."""
    return _extreme(Min, x, axis, keepdims)


@in_single
def logsumexp(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return log(sum(exp(x))) over ``axis`` without overflow;  gx = g * softmax(x).

    The largest element is taken out first: log sum exp(x) = m + log sum exp(x - m).
    """
    axes = normalize_axes(axis, x.ndim, "logsumexp")
    if _count(x, axis, "logsumexp") == 0:
        raise ShapeError(f"logsumexp: no elements over axis {axis} of shape {x.shape}")
    xp = namespace(x.array)
    peak = x.array.max(axis=axes, keepdims=True)
    shift = Tensor._wrap(xp.where(xp.isfinite(peak), peak, xp.zeros_like(peak)))
    result = log(sum(exp(x - shift), axes, keepdims=True)) + shift
    return result if keepdims else reshape(result, tuple(n for a, n in enumerate(x.shape) if a not in axes))
