"""Normalisation in few passes over memory: the fast forms of the definitions in `norm`.

Both ops are (x - mean) / sqrt(variance + eps) with one derivative.  With xhat for the normalised value,
rstd = 1 / sqrt(variance + eps) and means over the normalised axes,

    gx = rstd * (g - mean(g) - xhat * mean(g * xhat))

While a graph is recorded (a derivative of the derivative is coming) backward says this with Tensors;
otherwise it runs on raw arrays.  The tests hold both against the definitions, to second order.

Ioffe and Szegedy, arXiv 1502.03167, section 3, for batch normalisation and this derivative.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minigan.backend import Array, namespace
from minigan.ops.broadcast import sum
from minigan.ops.reduce import mean
from minigan.ops.shape import reshape
from minigan.tensor import Op, Tensor, is_grad_enabled

CHUNK_BYTES = 1 << 18  # a chunk of x, of g and of the result stay in a core's cache together
WIDE = 1024  # elements in a row: short rows are joined, which saves NumPy's cost per row


class Standardize(Op):
    """(any shape) -> same: y = (x - mean) / sqrt(variance + eps), both taken over ``axes``."""

    keeps = (0,)

    def __init__(self, axes: tuple[int, ...], eps: float):
        self.axes, self.eps = axes, eps

    def forward(self, x: Array) -> Array:
        """In place on one fresh array."""
        y = x - x.mean(axis=self.axes, keepdims=True)
        self.rstd = ((y * y).mean(axis=self.axes, keepdims=True) + self.eps) ** -0.5
        y *= self.rstd
        return y

    def backward(self, g: Tensor) -> Tensor:
        """The formula at the top of the file."""
        x, axes = self.input(0), self.axes
        if is_grad_enabled():
            xhat, rstd = standardized(x, axes, self.eps)
            return rstd * (g - mean(g, axes, keepdims=True) - xhat * mean(g * xhat, axes, keepdims=True))
        xhat = (x.data - x.data.mean(axis=axes, keepdims=True)) * self.rstd
        gx = g.data - g.data.mean(axis=axes, keepdims=True)
        xhat *= (g.data * xhat).mean(axis=axes, keepdims=True)
        gx -= xhat
        gx *= self.rstd
        return Tensor._wrap(gx)


class BatchNorm(Op):
    """(N, C, ...), (C,), (C,) -> (N, C, ...): y = weight * xhat + bias, over all axes but the channels'.

    gweight = sum(g * xhat), gbias = sum(g), gx = weight * rstd * (g - gbias / M - xhat * gweight / M) for
    M values a channel.  ``mean`` and ``var`` (biased), both (C,), are there after the call.
    """

    keeps = (0, 1)
    mean: Array
    var: Array

    def __init__(self, eps: float):
        self.eps = eps

    def forward(self, x: Array, weight: Array, bias: Array) -> Array:
        """Two walks over x: statistics, then the result; what a step of a walk touches stays in the cache."""
        rows = Rows(x)
        self.mean, self.var = rows.mean_and_variance()
        self.rstd = (self.var + self.eps) ** -0.5
        center, scale, shift = (rows.wide(v) for v in (self.mean, weight * self.rstd, bias))
        xp = namespace(x)
        y = xp.empty_like(rows.matrix)
        for part in rows.chunks():
            xp.subtract(rows.matrix[part], center, out=y[part])
            y[part] *= scale
            y[part] += shift
        return rows.image(y)

    def backward(self, g: Tensor) -> tuple[Tensor | None, ...]:
        """The formula at the top of the file, times weight."""
        if is_grad_enabled():
            return self._backward_recorded(g)
        x, weight = self.input(0).data, self.input(1).data
        rows, grows = Rows(x), Rows(g.data)
        gbias, gweight = rows.totals(self.mean, grows.matrix)
        gweight = gweight * self.rstd
        if not self.needs(0):
            return None, Tensor._wrap(gweight), Tensor._wrap(gbias)
        scale = weight * self.rstd
        center, factor, slope, shift = (
            rows.wide(v)
            for v in (self.mean, scale, scale * self.rstd * gweight / rows.count, scale * gbias / rows.count)
        )
        xp = namespace(x)
        gx = xp.empty_like(rows.matrix)
        for part in rows.chunks():
            drift = rows.matrix[part] - center
            drift *= slope
            drift += shift
            xp.multiply(grows.matrix[part], factor, out=gx[part])
            gx[part] -= drift
        return Tensor._wrap(rows.image(gx)), Tensor._wrap(gweight), Tensor._wrap(gbias)

    def _backward_recorded(self, g: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = self.input(0), self.input(1)
        axes = (0, *range(2, x.ndim))
        lane = (1, weight.size) + (1,) * (x.ndim - 2)
        xhat, rstd = standardized(x, axes, self.eps)
        gbias, gweight = sum(g, axes), sum(g * xhat, axes)
        count = x.size // weight.size
        inner = g - reshape(gbias, lane) * (1 / count) - xhat * (reshape(gweight, lane) * (1 / count))
        return reshape(weight, lane) * rstd * inner, gweight, gbias


def standardized(x: Tensor, axes: tuple[int, ...], eps: float) -> tuple[Tensor, Tensor]:
    """(x - mean) / sqrt(variance + eps) over ``axes``, and 1 / sqrt(variance + eps): the definition."""
    deviation = x - mean(x, axes, keepdims=True)
    rstd = (mean(deviation * deviation, axes, keepdims=True) + eps) ** -0.5
    return deviation * rstd, rstd


class Rows:
    """An (N, C, ...) array as a matrix with the channels along its rows, in chunks that fit the cache.

    ``matrix`` is (M / fold, fold * C) for M = N * ... positions: ``fold`` positions share a row.  It is a
    view of channels-last memory and a copy of any other.
    """

    def __init__(self, x: Array):
        last = namespace(x).ascontiguousarray(x.transpose(0, *range(2, x.ndim), 1))
        self.shape = last.shape  # (N, ..., C)
        self.channels = last.shape[-1]
        self.count = last.size // self.channels
        self.fold = 1
        while self.count % (2 * self.fold) == 0 and 2 * self.fold * self.channels <= WIDE:
            self.fold *= 2
        self.matrix = last.reshape(self.count // self.fold, self.fold * self.channels)

    def chunks(self) -> Iterator[slice]:
        """Slices of rows; one slice on a GPU, where a chunk would be a kernel launch of its own."""
        rows, row_bytes = len(self.matrix), self.matrix.shape[1] * self.matrix.itemsize
        step = max(1, CHUNK_BYTES // row_bytes) if namespace(self.matrix) is np else max(1, rows)
        return (slice(start, start + step) for start in range(0, rows, step))

    def wide(self, vector: Array) -> Array:
        """Repeat a (C,) vector once for each position in a row."""
        return namespace(vector).tile(vector, self.fold)

    def image(self, matrix: Array) -> Array:
        """Return a matrix like ``matrix`` as an (N, C, ...) view."""
        last = matrix.reshape(self.shape)
        return last.transpose(0, last.ndim - 1, *range(1, last.ndim - 1))

    def mean_and_variance(self) -> tuple[Array, Array]:
        """Mean and biased variance of each channel, both (C,), in one walk.

        Deviations are taken from the mean of the first chunk.  If that is the share f of all rows, the two
        means are less than sqrt(1 / f) standard deviations apart, so the subtraction at the end
        is safe, which it would not be for deviations from 0.
        """
        first = self.matrix[next(self.chunks())]
        center = self.narrow(sum_rows(first)) / (len(first) * self.fold)
        wide, total, squares = self.wide(center), 0.0, 0.0
        for part in self.chunks():
            deviation = self.matrix[part] - wide
            total = total + sum_rows(deviation)
            deviation *= deviation
            squares = squares + sum_rows(deviation)
        shift = self.narrow(total) / self.count
        variance = self.narrow(squares) / self.count - shift * shift
        return center + shift, namespace(center).maximum(variance, 0)

    def totals(self, center: Array, g: Array) -> tuple[Array, Array]:
        """Sum of g and of g * (x - center) of each channel, in one walk."""
        wide, total, products = self.wide(center), 0.0, 0.0
        for part in self.chunks():
            total = total + sum_rows(g[part])
            deviation = self.matrix[part] - wide
            deviation *= g[part]
            products = products + sum_rows(deviation)
        return self.narrow(total), self.narrow(products)

    def narrow(self, wide: Array) -> Array:
        """Add up what belongs to the same channel: the adjoint of `wide`."""
        return wide.reshape(self.fold, self.channels).sum(axis=0)


def sum_rows(matrix: Array) -> Array:
    """(R, K) -> (K,), as a product with a vector of ones: the fastest sum over rows that NumPy has."""
    return namespace(matrix).ones(len(matrix), matrix.dtype) @ matrix
