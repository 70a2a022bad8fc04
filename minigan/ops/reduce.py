"""Reductions: mean, variance, extremes, log-sum-exp.  (Sum lives in `broadcast`, as its adjoint.)

Shape line of all: (.., n, ..) -> the axes in ``axis`` removed, or kept as 1 with ``keepdims``.
"""

from __future__ import annotations

import math

from minigan.backend import Array, namespace
from minigan.errors import ArgumentError, DTypeError, ShapeError
from minigan.ops.arithmetic import MulScalar, mul
from minigan.ops.broadcast import broadcast_to, sum
from minigan.ops.choice import where
from minigan.ops.elementwise import abs, exp, log, sqrt
from minigan.ops.half import in_single
from minigan.ops.operands import normalize_axes, one_axis, takes_dim
from minigan.ops.shape import concatenate, flip, getitem, reshape
from minigan.tensor import Op, Tensor

Axis = int | tuple[int, ...] | None


class Max(Op):
    """y = max of x over ``axes``;  g is shared equally by the elements that reach the maximum."""

    any_dtype = True
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
    return math.prod(x.shape[a] for a in normalize_axes(axis, x.ndim, where))


def _check_float(x: Tensor, where: str) -> None:
    if x.dtype.kind != "f":
        raise DTypeError(f"{where}: expected floating-point input, got {x.dtype}; convert with .float()")


@takes_dim
@in_single
def mean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the mean over ``axis``.  y = sum(x) / n;  gx = g / n.  ShapeError for an empty mean."""
    _check_float(x, "mean")
    total = sum(x, axis, keepdims)
    n, sums = x.array.size, total.array.size
    if n == 0 and sums:
        raise ShapeError(f"mean: no elements to average over axis {axis} of shape {x.shape}")
    return MulScalar(sums / (n or 1))(total)


@takes_dim
@in_single
def var(
    x: Tensor,
    axis: Axis = None,
    unbiased: bool | None = None,
    keepdims: bool = False,
    *,
    correction: int = 1,
) -> Tensor:
    """Return the variance over ``axis``: sum((x - mean)**2) / (n - correction).

    ``correction`` 1 is the unbiased estimate (PyTorch's default), 0 the biased one that batch
    normalisation uses; ``unbiased=False`` says the same.  gx = 2 g (x - mean) / (n - correction).
    ShapeError if n <= correction.
    """
    _check_float(x, "var")
    correction = correction if unbiased is None else int(unbiased)
    n = _count(x, axis, "var")
    if n <= correction:
        raise ShapeError(
            f"var: expected more than {correction} elements over axis {axis}, got {n}; use correction=0"
        )
    deviation = x - mean(x, axis, keepdims=True)
    return sum(deviation * deviation, axis, keepdims) * (1.0 / (n - correction))


@takes_dim
@in_single
def std(
    x: Tensor,
    axis: Axis = None,
    unbiased: bool | None = None,
    keepdims: bool = False,
    *,
    correction: int = 1,
) -> Tensor:
    """Return the standard deviation over ``axis``: the root of `var`."""
    return sqrt(var(x, axis, unbiased, keepdims, correction=correction))


def _extreme(op: type[Max], x: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    where = op.__name__.lower()
    if _count(x, axis, where) == 0:
        raise ShapeError(f"{where}: no elements over axis {axis} of shape {x.shape}")
    return op(normalize_axes(axis, x.ndim, where), keepdims)(x)


@takes_dim
def amax(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the largest element over ``axis``; ties share g equally."""
    return _extreme(Max, x, axis, keepdims)


@takes_dim
def amin(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the smallest element over ``axis``; ties share g equally."""
    return _extreme(Min, x, axis, keepdims)


class CumSum(Op):
    """(.., n, ..) -> same: y_i = x_0 + ... + x_i along ``axis``;  gx_i = g_i + ... + g_n."""

    any_dtype = True

    def __init__(self, axis: int):
        self.axis = axis

    def forward(self, x: Array) -> Array:
        return x.cumsum(axis=self.axis)

    def backward(self, g: Tensor) -> Tensor:
        return flip(CumSum(self.axis)(flip(g, self.axis)), self.axis)


@takes_dim
def cumsum(x: Tensor, axis: int) -> Tensor:
    """Return the running sums along ``axis``."""
    return CumSum(one_axis(axis, x.ndim, "cumsum"))(x)


@takes_dim
def prod(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the product over one axis, or of all elements: halves are multiplied until one is left."""
    if axis is None:
        return prod(reshape(x, -1), 0)
    place = one_axis(axis, x.ndim, "prod")
    before = (slice(None),) * place
    while (n := x.shape[place]) > 1:
        half = n // 2
        y = mul(getitem(x, (*before, slice(0, half))), getitem(x, (*before, slice(half, 2 * half))))
        x = concatenate([y, getitem(x, (*before, slice(2 * half, n)))], place) if n % 2 else y
    if not x.shape[place]:
        x = Tensor._wrap(namespace(x.array).ones((*x.shape[:place], 1, *x.shape[place + 1 :]), x.dtype))
    return x if keepdims else reshape(x, x.shape[:place] + x.shape[place + 1 :])


@takes_dim
@in_single
def norm(x: Tensor, p: float | str = 2, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return (sum of |x|**p over ``axis``)**(1 / p); p may be inf or "fro" (2).  At 0 the gradient is 0."""
    if p in ("fro", 2):
        square = sum(x * x, axis, keepdims)
        zero = square.array == 0
        return where(zero, 0.0, sqrt(where(zero, 1.0, square)))
    if p == float("inf"):
        return amax(abs(x), axis, keepdims)
    if not isinstance(p, (int, float)) or not p > 0:
        raise ArgumentError(f"norm: expected p > 0, inf or 'fro', got {p!r}")
    if p == 1:
        return sum(abs(x), axis, keepdims)
    total = sum(abs(x) ** p, axis, keepdims)
    zero = total.array == 0
    return where(zero, 0.0, where(zero, 1.0, total) ** (1 / p))


@takes_dim
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
