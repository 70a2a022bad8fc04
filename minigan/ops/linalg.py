"""Matrix products: matmul (batched) and the dense layer's linear."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from minigan import backend, blas, cuda
from minigan.backend import Array, namespace
from minigan.cuda import bands
from minigan.errors import ShapeError
from minigan.ops.arithmetic import operands
from minigan.ops.broadcast import broadcast_shapes, sum, sum_to
from minigan.ops.shape import reshape, transpose
from minigan.tensor import Op, Tensor, is_grad_enabled


class MatMul(Op):
    """(..., M, K) @ (..., K, N) -> (..., M, N);  gx = g @ y^T, gy = x^T @ g, summed over repeated batches."""

    @property
    def keeps(self) -> Sequence[int]:  # type: ignore[override]
        """Each gradient reads the other factor."""
        return [1] * self.needs(0) + [0] * self.needs(1)

    def forward(self, x: Array, y: Array) -> Array:
        """Multiply."""
        return blas.matmul(x, y)

    def backward(self, g: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Two products with a transposed factor."""
        return (
            sum_to(matmul(g, transpose(self.input(1))), self.input_shapes[0]) if self.needs(0) else None,
            sum_to(matmul(transpose(self.input(0)), g), self.input_shapes[1]) if self.needs(1) else None,
        )


class Linear(Op):
    """(B, I), (O, I)[, (O,)] -> (B, O): y = x W^T + b;  gx = g W, gW = g^T x, gb = sum over B of g."""

    @property
    def keeps(self) -> Sequence[int]:  # type: ignore[override]
        """x for the weight's gradient, the weight for x's."""
        return [1] * self.needs(0) + [0] * self.needs(1)

    def forward(self, x: Array, weight: Array, bias: Array | None = None) -> Array:
        """One product; the bias is added in place onto its fresh result."""
        return blas.matmul(x, weight.T, bias)

    def backward(self, g: Tensor) -> tuple[Tensor | None, ...]:
        """Two products, at once where nothing is recorded, and a sum."""
        gx: Tensor | None
        gweight: Tensor | None
        if self.needs(0) and self.needs(1) and type(g.data) is np.ndarray and not is_grad_enabled():
            x, weight = self.input(0).data, self.input(1).data
            gx, gweight = map(Tensor._wrap, blas.products((g.data, weight), (g.data.T, x)))
        else:
            gx = matmul(g, self.input(1)) if self.needs(0) else None
            gweight = matmul(transpose(g), self.input(0)) if self.needs(1) else None
        if len(self.parents) == 2:
            return gx, gweight
        return gx, gweight, (sum(g, 0) if self.needs(2) else None)


class Gram(Op):
    """(M, C) -> (C, C): y = x^T x, sums of products of columns;  gx = x (g + g^T)."""

    keeps = (0,)

    def forward(self, x: Array) -> Array:
        """One product, of which one triangle would do."""
        return blas.gram(x)

    def backward(self, g: Tensor) -> Tensor:
        """One product instead of the two that x^T @ x would need; in the memory order of x."""
        return matmul(self.input(0), g + transpose(g))


class AlongAxis(Op):
    """(.., n, ..) -> (.., m, ..): y = matrix x along one axis, for a constant (m, n) matrix.

    gx = matrix^T g along the axis.
    """

    def __init__(self, matrix: np.ndarray, axis: int):
        self.matrix, self.axis = matrix, axis

    def forward(self, x: Array) -> Array:
        """One product, with the axes in the order in which they lie in memory, which the result keeps."""
        xp = namespace(x)
        order = sorted(range(x.ndim), key=lambda axis: -abs(x.strides[axis]))
        place = order.index(self.axis)
        sizes = [x.shape[axis] for axis in order]
        packed = xp.ascontiguousarray(x.transpose(order))
        stacked = packed.reshape(prod(sizes[:place]), sizes[place], prod(sizes[place + 1 :]))
        if cuda.available(x):
            y = bands.along(stacked, self.matrix)
        elif place == x.ndim - 1:
            matrix = backend.of(x).from_host(self.matrix.astype(x.dtype))
            y = blas.matmul(packed.reshape(prod(sizes[:-1]), sizes[-1]), matrix.T)
        else:
            matrix = backend.of(x).from_host(self.matrix.astype(x.dtype))
            y = blas.matmul(matrix, stacked)
        with np.errstate(over="ignore", invalid="ignore"):
            spoilt = type(x) is np.ndarray and not np.isfinite(x.sum())
        if spoilt:
            y = self._by_bands(stacked)
        sizes[place] = len(self.matrix)
        return y.reshape(sizes).transpose([order.index(axis) for axis in range(x.ndim)])

    def _by_bands(self, stacked: np.ndarray) -> np.ndarray:
        """(A, n, B) -> (A, m, B): only what a row of the matrix reads, as 0 times infinity is not 0."""
        matrix = self.matrix.astype(stacked.dtype)
        starts, stops = bands.edges(matrix)
        rows = [row[a:b] @ stacked[:, a:b] for row, a, b in zip(matrix, starts, stops, strict=True)]
        return np.stack(rows, axis=1)

    def backward(self, g: Tensor) -> Tensor:
        """Multiply by the transposed matrix."""
        return AlongAxis(self.matrix.T, self.axis)(g)


def along_axis(x: Tensor, matrix: np.ndarray, axis: int) -> Tensor:
    """Return ``matrix`` (m, n), a host constant, times x along ``axis``: (.., n, ..) -> (.., m, ..)."""
    if matrix.ndim != 2 or matrix.shape[1] != x.shape[axis]:
        raise ShapeError(
            f"along_axis: expected a matrix with {x.shape[axis]} columns for axis {axis}, got {matrix.shape}"
        )
    return AlongAxis(matrix, axis % x.ndim)(x)


def matmul(x: Any, y: Any) -> Tensor:
    """Return the matrix product over the last two axes; leading axes broadcast; 1-d operands are vectors.

    One of the two may be an array.  gx = g @ y^T, gy = x^T @ g.  ShapeError when the inner sizes differ.
    """
    x, y = operands(x, y)
    if x.ndim == 0 or y.ndim == 0:
        raise ShapeError(f"matmul: expected at least one axis each, got shapes {x.shape} and {y.shape}")
    if x.shape[-1] != (y.shape[-2] if y.ndim > 1 else y.shape[0]):
        raise ShapeError(f"matmul: inner sizes differ, {x.shape} @ {y.shape}")
    if x.ndim > 1 and y.ndim > 1:
        broadcast_shapes(x.shape[:-2], y.shape[:-2], "matmul")
        return MatMul()(x, y)
    row, column = x.ndim == 1, y.ndim == 1
    product = MatMul()(reshape(x, 1, *x.shape) if row else x, reshape(y, *y.shape, 1) if column else y)
    shape = (
        product.shape[:-2] + (() if row else product.shape[-2:-1]) + (() if column else product.shape[-1:])
    )
    return reshape(product, shape)


def gram(x: Tensor) -> Tensor:
    """Return x^T x for x (M, C) -> (C, C).  gx = x (g + g^T).  Raises ShapeError unless x is a matrix."""
    if x.ndim != 2:
        raise ShapeError(f"gram: expected a matrix (M, C), got shape {x.shape}")
    return Gram()(x)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return x W^T + b for x (..., in), weight (out, in), bias (out,) -> (..., out)."""
    if weight.ndim != 2 or x.ndim < 1 or x.shape[-1] != weight.shape[1]:
        raise ShapeError(
            f"linear: expected x (..., in) and weight (out, in), got {x.shape} and {weight.shape}"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ShapeError(f"linear: expected bias {weight.shape[:1]}, got {bias.shape}")
    flat = reshape(x, prod(x.shape[:-1]), x.shape[-1])
    y = Linear()(flat, weight) if bias is None else Linear()(flat, weight, bias)
    return reshape(y, *x.shape[:-1], weight.shape[0])
