"""Normalisation in few passes over memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.kernels import blas
from minigan.kernels.host.activation import leaky_gradient
from minigan.kernels.registry import kernel
from minigan.ops.norm import BatchNorm, BatchNormLeakyRelu, Standardize

CHUNK_BYTES = 1 << 20  # small enough to stay in a core's cache, large enough to be worth a thread
WIDE = 1024  # elements in a row: short rows are joined, which saves NumPy's cost per row


@kernel(Standardize, "numpy")
def standardize(op: Standardize, x: Array) -> Array:
    """In place on one fresh array, some samples at a time."""
    y = np.empty_like(x)
    once = op.axes if len(op.axes) < 3 else op.axes[1:]  # see mean
    rstd = np.empty([1 if i in once else n for i, n in enumerate(x.shape)], x.dtype)

    def fill(some: slice) -> None:
        part = y[some]
        np.subtract(x[some], mean(x[some], op.axes), out=part)
        rstd[some] = (mean(part * part, op.axes) + op.eps) ** -0.5
        part *= rstd[some]

    walk_samples(fill, x, op.axes)
    op.saved = rstd
    return y


@kernel(Standardize, "numpy", does="derivative")
def standardize_derivative(op: Standardize, g: Array) -> Any:
    """rstd * (g - mean(g) - xhat * mean(g * xhat)), some samples at a time."""
    x, rstd, axes = op.input(0).array, op.saved, op.axes
    if rstd is None:
        return NotImplemented
    gx = np.empty_like(x)

    def fill(some: slice) -> None:
        xhat, part = x[some] - mean(x[some], axes), gx[some]
        xhat *= rstd[some]
        np.subtract(g[some], mean(g[some], axes), out=part)
        xhat *= mean(g[some] * xhat, axes)
        part -= xhat
        part *= rstd[some]

    walk_samples(fill, x, axes)
    return gx


def walk_samples(work: Callable[[slice], None], x: Array, axes: tuple[int, ...]) -> None:
    """Call ``work`` for all samples, where each has its own statistics a cache full of them at a time."""
    step = len(x) if 0 in axes else max(1, CHUNK_BYTES * len(x) // x.nbytes)
    blas.run([partial(work, slice(first, first + step)) for first in range(0, len(x), step)])


def mean(x: Array, axes: tuple[int, ...]) -> Array:
    """Mean over the axes.

    Of three, the first comes last, and along it the mean is written out: in channels-last memory that is the
    axis of channels, so that loops go over all channels at a stretch and not over one group.
    """
    if len(axes) < 3:
        return x.mean(axis=axes, keepdims=True)
    each = x.mean(axis=axes[1:], keepdims=True)
    each[...] = each.mean(axis=axes[0], keepdims=True)
    return each


@kernel(BatchNorm, "numpy")
@kernel(BatchNormLeakyRelu, "numpy")
def batch_norm(op: BatchNorm, x: Array, weight: Array, bias: Array) -> Any:
    """Two walks over x: statistics, then the result; what a step of a walk touches stays in the cache."""
    slope = op.slope if isinstance(op, BatchNormLeakyRelu) else 1.0
    if slope > 1:
        return NotImplemented
    rows = Rows(x)
    op.mean, op.var = rows.mean_and_variance()
    steep = weight * (op.var + op.eps) ** -0.5
    scale, shift = rows.wide(steep), rows.wide(bias - op.mean * steep)
    y = np.empty_like(rows.matrix)

    def fill(part: slice) -> None:
        np.multiply(rows.matrix[part], scale, out=y[part])
        z = y[part]
        z += shift
        if slope < 1:
            np.maximum(z, slope * z if slope else 0, out=z)

    rows.walk(fill)
    return rows.image(y)


@kernel(BatchNorm, "numpy", does="derivative")
@kernel(BatchNormLeakyRelu, "numpy", does="derivative")
def batch_norm_derivative(op: BatchNorm, g: Array) -> tuple[Array | None, ...]:
    """Each channel's gx = factor * g - (slope * x + shift), which is the formula multiplied out.

    Where a leaky ReLU follows, the first walk leaves its gradient in gx, where the second one finds it.
    """
    rows, grows, weight = Rows(op.input(0).array), Rows(g).matrix, op.input(1).array
    rstd = (op.var + op.eps) ** -0.5
    gx = np.empty_like(rows.matrix)
    if isinstance(op, BatchNormLeakyRelu):
        given, grows, y, leak = grows, gx, Rows(op.output.array).matrix, op.slope

        def ready(part: slice) -> None:
            leaky_gradient(y[part], given[part], leak, gx[part])

        gmean, gdrift = rows.gradient_means(op.mean, grows, ready)
    else:
        gmean, gdrift = rows.gradient_means(op.mean, grows)
    gdrift *= rstd  # mean of g * xhat
    gweight, gbias = gdrift * rows.count, gmean * rows.count
    if not op.needs(0):
        return None, gweight, gbias
    scale = weight * rstd
    steep = scale * rstd * gdrift
    factor, slope, shift = (rows.wide(v) for v in (scale, steep, scale * gmean - steep * op.mean))

    def fill(part: slice) -> None:
        drift = rows.matrix[part] * slope
        drift += shift
        np.multiply(grows[part], factor, out=gx[part])
        gx[part] -= drift

    rows.walk(fill)
    return rows.image(gx), gweight, gbias


class Rows:
    """An (N, C, ...) array as a matrix with the channels along its rows, in chunks that fit the cache.

    ``matrix`` is (M / fold, fold * C) for M = N * ... positions: ``fold`` positions share a row.  It is a
    view of channels-last memory and a copy of any other.
    """

    def __init__(self, x: Array):
        last = np.ascontiguousarray(x.transpose(0, *range(2, x.ndim), 1))
        self.shape = last.shape  # (N, ..., C)
        self.channels = last.shape[-1]
        self.count = last.size // self.channels
        self.fold = 1
        while self.count % (2 * self.fold) == 0 and 2 * self.fold * self.channels <= WIDE:
            self.fold *= 2
        self.matrix = last.reshape(self.count // self.fold, self.fold * self.channels)

    def chunks(self) -> list[slice]:
        """Slices of rows that fit the cache."""
        rows, row_bytes = len(self.matrix), self.matrix.shape[1] * self.matrix.itemsize
        step = max(1, CHUNK_BYTES // row_bytes)
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
        return np.tile(vector, self.fold)

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
        return center + shift, np.maximum(square - shift * shift, 0)

    def gradient_means(
        self, center: Array, g: Array, ready: Callable[[slice], Any] = lambda part: None
    ) -> tuple[Array, Array]:
        """Means of g and of g * (x - center) of each channel, in one walk.

        ``ready`` fills a part of g before it is read.
        """
        wide = self.wide(center)

        def sums(part: slice) -> tuple[Array, Array]:
            ready(part)
            deviation = self.matrix[part] - wide
            deviation *= g[part]
            return sum_rows(g[part]), sum_rows(deviation)

        return self.means(sums)

    def means(self, sums: Callable[[slice], tuple[Array, Array]]) -> tuple[Array, Array]:
        """Add up what ``sums`` returns for every chunk, always in the same order, and divide by the count."""
        first, second = (sum(parts) for parts in zip(*self.walk(sums), strict=True))
        return self.narrow(first) / self.count, self.narrow(second) / self.count

    def narrow(self, wide: Array) -> Array:
        """Add up what belongs to the same channel: the adjoint of `wide`."""
        return wide.reshape(self.fold, self.channels).sum(axis=0)


def sum_rows(matrix: Array) -> Array:
    """(R, K) -> (K,), as a product with a vector of ones: the fastest sum over rows that NumPy has."""
    return np.ones(len(matrix), matrix.dtype) @ matrix
