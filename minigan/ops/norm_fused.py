"""Normalisation in few passes over memory: the fast forms of the definitions in `norm`.

Both ops are (x - mean) / sqrt(variance + eps) with one derivative.  With xhat for the normalised value,
rstd = 1 / sqrt(variance + eps) and means over the normalised axes,

    gx = rstd * (g - mean(g) - xhat * mean(g * xhat))

While a graph is recorded (a derivative of the derivative is coming) backward says this with Tensors;
otherwise it runs on raw arrays.  The tests hold both against the definitions, to second order.

Ioffe and Szegedy, arXiv 1502.03167, section 3, for batch normalisation and this derivative.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minigan import blas, cuda
from minigan.backend import Array, namespace
from minigan.cuda import chains
from minigan.ops.activation import LeakyRelu
from minigan.ops.broadcast import sum
from minigan.ops.reduce import mean
from minigan.ops.shape import reshape
from minigan.tensor import Op, Tensor, is_grad_enabled

CHUNK_BYTES = 1 << 20  # small enough to stay in a core's cache, large enough to be worth a thread
WIDE = 1024  # elements in a row: short rows are joined, which saves NumPy's cost per row


class Standardize(Op):
    """(any shape) -> same: y = (x - mean) / sqrt(variance + eps), both taken over ``axes``."""

    keeps = (0,)

    def __init__(self, axes: tuple[int, ...], eps: float):
        self.axes, self.eps = axes, eps

    def forward(self, x: Array) -> Array:
        """In place on one fresh array, some samples at a time."""
        xp = namespace(x)
        y = xp.empty_like(x)
        once = self.axes if len(self.axes) < 3 else self.axes[1:]  # see _mean
        rstd = xp.empty([1 if i in once else n for i, n in enumerate(x.shape)], x.dtype)

        def fill(some: slice) -> None:
            part = y[some]
            xp.subtract(x[some], self._mean(x[some]), out=part)
            rstd[some] = (self._mean(part * part) + self.eps) ** -0.5
            part *= rstd[some]

        self._walk(fill, x)
        self.rstd = rstd
        return y

    def _walk(self, work: Callable[[slice], None], x: Array) -> None:
        """Call ``work`` for all samples, where each has its own statistics a cache full of them at a time."""
        step = len(x)
        if 0 not in self.axes and type(x) is np.ndarray:
            step = max(1, CHUNK_BYTES * len(x) // x.nbytes)
        blas.run([partial(work, slice(first, first + step)) for first in range(0, len(x), step)])

    def _mean(self, x: Array) -> Array:
        """Mean over the axes.

        Of three, the first comes last, and along it the mean is written out: in channels-last memory that
        is the axis of channels, so that loops go over all channels at a stretch and not over one group.
        """
        if len(self.axes) < 3:
            return x.mean(axis=self.axes, keepdims=True)
        each = x.mean(axis=self.axes[1:], keepdims=True)
        each[...] = each.mean(axis=self.axes[0], keepdims=True)
        return each

    def backward(self, g: Tensor) -> Tensor:
        """The formula at the top of the file."""
        x, axes = self.input(0), self.axes
        if is_grad_enabled():
            xhat, rstd = standardized(x, axes, self.eps)
            return rstd * (g - mean(g, axes, keepdims=True) - xhat * mean(g * xhat, axes, keepdims=True))
        gx = namespace(x.data).empty_like(x.data)

        def fill(some: slice) -> None:
            xhat, part = x.data[some] - self._mean(x.data[some]), gx[some]
            xhat *= self.rstd[some]
            namespace(part).subtract(g.data[some], self._mean(g.data[some]), out=part)
            xhat *= self._mean(g.data[some] * xhat)
            part -= xhat
            part *= self.rstd[some]

        self._walk(fill, x.data)
        return Tensor._wrap(gx)


class BatchNorm(Op):
    """(N, C, ...), (C,), (C,) -> (N, C, ...): y = leaky(weight * xhat + bias), over all axes but channels.

    leaky(z) = max(z, slope * z) with 0 <= slope <= 1: nothing for slope 1, ReLU for slope 0.  It is done
    while a part of z is in the cache, and undone there too: in what follows g is times 1 where y > 0, else
    times the slope.
    gweight = sum(g * xhat), gbias = sum(g), gx = weight * rstd * (g - gbias / M - xhat * gweight / M) for
    M values a channel.  ``mean`` and ``var`` (biased), both (C,), are there after the call.
    """

    keeps = (0, 1)
    mean: Array
    var: Array

    def __init__(self, eps: float, slope: float = 1.0):
        self.eps, self.slope = eps, slope
        self.leaky, self.leaks = LeakyRelu(slope), slope != 1
        self.keeps_output = self.leaks

    def forward(self, x: Array, weight: Array, bias: Array) -> Array:
        """Two walks over x: statistics, then the result; what a step of a walk touches stays in the cache."""
        rows = Rows(x)
        if cuda.available(x):
            y, self.mean, self.var, self.rstd = chains.batch_norm(
                rows.matrix, weight, bias, self.eps, self.slope
            )
            return rows.image(y)
        self.mean, self.var = rows.mean_and_variance()
        self.rstd = (self.var + self.eps) ** -0.5
        slope = weight * self.rstd
        scale, shift = rows.wide(slope), rows.wide(bias - self.mean * slope)
        xp = namespace(x)
        y = xp.empty_like(rows.matrix)

        def fill(part: slice) -> None:
            xp.multiply(rows.matrix[part], scale, out=y[part])
            z = y[part]
            z += shift
            if self.leaks:
                self.leaky.into(z, z)

        rows.walk(fill)
        return rows.image(y)

    def backward(self, g: Tensor) -> tuple[Tensor | None, ...]:
        """The formula at the top of the file, times weight."""
        if is_grad_enabled():
            return self._backward_recorded(self.leaky.pulled(g, self.output) if self.leaks else g)
        x, weight = self.input(0).data, self.input(1).data
        rows = Rows(x)
        if cuda.available(x):
            if self.leaks:
                g = self.leaky.pulled(g, self.output)
            grows = Rows(g.data)
            vectors = (weight, self.mean, self.rstd)
            found = chains.batch_norm_grad(rows.matrix, grows.matrix, *vectors, wanted=self.needs(0))
            gx = None if found[0] is None else Tensor._wrap(rows.image(found[0]))
            return gx, Tensor._wrap(found[1]), Tensor._wrap(found[2])
        grows = Rows(g.data)
        xp = namespace(x)
        gx = xp.empty_like(rows.matrix)
        gz = gx if self.leaks else grows.matrix  # the gradient of what the leaky ReLU was given

        def undo(part: slice) -> None:
            self.leaky.undo(y[part], grows.matrix[part], gz[part])

        if self.leaks:
            y = Rows(self.output.data).matrix
        gmean, gdrift = rows.gradient_means(self.mean, gz, undo if self.leaks else None)
        gdrift *= self.rstd  # mean of g * xhat
        gweight, gbias = Tensor._wrap(gdrift * rows.count), Tensor._wrap(gmean * rows.count)
        if not self.needs(0):
            return None, gweight, gbias
        scale = weight * self.rstd
        steep = scale * self.rstd * gdrift
        factor, slope, shift = (rows.wide(v) for v in (scale, steep, scale * gmean - steep * self.mean))

        def fill(part: slice) -> None:
            drift = rows.matrix[part] * slope
            drift += shift
            xp.multiply(gz[part], factor, out=gx[part])
            gx[part] -= drift

        rows.walk(fill)
        return Tensor._wrap(rows.image(gx)), gweight, gbias

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
        widest = 0 if cuda.available(last) else WIDE  # a kernel has no cost per row
        while self.count % (2 * self.fold) == 0 and 2 * self.fold * self.channels <= widest:
            self.fold *= 2
        self.matrix = last.reshape(self.count // self.fold, self.fold * self.channels)

    def chunks(self) -> list[slice]:
        """Slices of rows; one slice on a GPU, where a chunk would be a kernel launch of its own."""
        rows, row_bytes = len(self.matrix), self.matrix.shape[1] * self.matrix.itemsize
        step = max(1, CHUNK_BYTES // row_bytes) if namespace(self.matrix) is np else rows
        return [slice(start, start + step) for start in range(0, rows, step)]

    def walk(self, work: Callable[[slice], Any]) -> list[Any]:
        """Call ``work`` on every chunk, on all threads; its results, in the order of the chunks."""
        chunks = self.chunks()
        found: list[Any] = [None] * len(chunks)

        def at(i: int) -> None:
            found[i] = work(chunks[i])

        blas.run([partial(at, i) for i in range(len(chunks))])
        return found

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
        first = self.matrix[self.chunks()[0]]
        center = self.narrow(sum_rows(first)) / (len(first) * self.fold)
        wide = self.wide(center)

        def sums(part: slice) -> tuple[Array, Array]:
            deviation = self.matrix[part] - wide
            total = sum_rows(deviation)
            deviation *= deviation
            return total, sum_rows(deviation)

        shift, square = self.means(sums)
        return center + shift, namespace(center).maximum(square - shift * shift, 0)

    def gradient_means(
        self, center: Array, g: Array, before: Callable[[slice], None] | None
    ) -> tuple[Array, Array]:
        """Means of g and of g * (x - center) of each channel, in one walk; ``before`` fills a part of g."""
        wide = self.wide(center)

        def sums(part: slice) -> tuple[Array, Array]:
            if before is not None:
                before(part)
            deviation = self.matrix[part] - wide
            deviation *= g[part]
            return sum_rows(g[part]), sum_rows(deviation)

        return self.means(sums)

    def means(self, sums: Callable[[slice], tuple[Array, Array]]) -> tuple[Array, Array]:
        """Add up what ``sums`` returns for every chunk, always in the same order, and divide by the count."""
        first, second = (builtins.sum(parts) for parts in zip(*self.walk(sums), strict=True))
        return self.narrow(first) / self.count, self.narrow(second) / self.count

    def narrow(self, wide: Array) -> Array:
        """Add up what belongs to the same channel: the adjoint of `wide`."""
        return wide.reshape(self.fold, self.channels).sum(axis=0)


def sum_rows(matrix: Array) -> Array:
    """(R, K) -> (K,), as a product with a vector of ones: the fastest sum over rows that NumPy has."""
    return namespace(matrix).ones(len(matrix), matrix.dtype) @ matrix
