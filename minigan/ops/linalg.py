"""Matrix products: matmul (batched), the dense layer's linear, Gram, and a matrix along one axis."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from minigan import backend
from minigan.backend import Array, namespace
from minigan.errors import ArgumentError, ShapeError
from minigan.ops.arithmetic import Product
from minigan.ops.broadcast import broadcast_to, sum, sum_to
from minigan.ops.operands import broadcast_shapes, operands
from minigan.ops.shape import reshape, transpose
from minigan.tensor import Op, Tensor


class MatMul(Product):
    """(..., M, K) @ (..., K, N) -> (..., M, N);  gx = g @ y^T, gy = x^T @ g, summed over repeated batches."""

    def forward(self, x: Array, y: Array) -> Array:
        return x @ y

    def backward(self, g: Tensor) -> tuple[Tensor | None, Tensor | None]:
        return (
            sum_to(matmul(g, transpose(self.input(1))), self.input_shapes[0]) if self.needs(0) else None,
            sum_to(matmul(transpose(self.input(0)), g), self.input_shapes[1]) if self.needs(1) else None,
        )


class Linear(Product):
    """(B, I), (O, I)[, (O,)] -> (B, O): y = x W^T + b;  gx = g W, gW = g^T x, gb = sum over B of g."""

    def forward(self, x: Array, weight: Array, bias: Array | None = None) -> Array:
        y = x @ weight.T
        return y if bias is None else y + bias

    def backward(self, g: Tensor) -> tuple[Tensor | None, ...]:
        gx = matmul(g, self.input(1)) if self.needs(0) else None
        gweight = matmul(transpose(g), self.input(0)) if self.needs(1) else None
        gbias = sum(g, 0) if len(self.parents) == 3 and self.needs(2) else None
        return (gx, gweight, gbias)[: len(self.parents)]


class Gram(Op):
    """(M, C) -> (C, C): y = x^T x, sums of products of columns;  gx = x (g + g^T)."""

    keeps = (0,)

    def forward(self, x: Array) -> Array:
        return x.T @ x

    def backward(self, g: Tensor) -> Tensor:
        """One product instead of the two that x^T @ x would need."""
        return matmul(self.input(0), g + transpose(g))


class AlongAxis(Op):
    """(.., n, ..) -> (.., m, ..): y = matrix x along one axis, for a constant (m, n) matrix.

    gx = matrix^T g along the axis.
    """

    def __init__(self, matrix: np.ndarray, axis: int):
        self.matrix, self.axis = matrix, axis

    def forward(self, x: Array) -> Array:
        """Row by row, each over the cells that it has weights for: 0 times infinity would not be 0."""
        xp, cells = namespace(x), namespace(x).moveaxis(x, self.axis, 0)
        rows = []
        for row in self.matrix:
            read = np.flatnonzero(row)
            start, stop = (read[0], read[-1] + 1) if len(read) else (0, 0)
            weights = backend.of(x).from_host(row[start:stop].astype(x.dtype))
            rows.append(xp.tensordot(weights, cells[start:stop], 1))
        return xp.moveaxis(xp.stack(rows), 0, self.axis)

    def backward(self, g: Tensor) -> Tensor:
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


def mm(x: Tensor, y: Tensor) -> Tensor:
    """Return the product of two matrices; ShapeError for other numbers of axes."""
    if x.ndim != 2 or y.ndim != 2:
        raise ShapeError(f"mm: expected two matrices, got shapes {x.shape} and {y.shape}; use matmul")
    return matmul(x, y)


def bmm(x: Tensor, y: Tensor) -> Tensor:
    """Return the products of two stacks of matrices, (B, M, K), (B, K, N) -> (B, M, N)."""
    if x.ndim != 3 or y.ndim != 3 or len(x) != len(y):
        raise ShapeError(f"bmm: expected (B, M, K) and (B, K, N), got shapes {x.shape} and {y.shape}")
    return matmul(x, y)


def mv(x: Tensor, y: Tensor) -> Tensor:
    """Return the product of a matrix and a vector."""
    if x.ndim != 2 or y.ndim != 1:
        raise ShapeError(f"mv: expected a matrix and a vector, got shapes {x.shape} and {y.shape}")
    return matmul(x, y)


def dot(x: Tensor, y: Tensor) -> Tensor:
    """Return the inner product of two vectors."""
    if x.ndim != 1 or y.ndim != 1:
        raise ShapeError(f"dot: expected two vectors, got shapes {x.shape} and {y.shape}; use matmul")
    return matmul(x, y)


def outer(x: Tensor, y: Tensor) -> Tensor:
    """Return (I,), (J,) -> (I, J): every product of an element of x and one of y."""
    if x.ndim != 1 or y.ndim != 1:
        raise ShapeError(f"outer: expected two vectors, got shapes {x.shape} and {y.shape}")
    return reshape(x, -1, 1) * reshape(y, 1, -1)


class Einsum(Op):
    """Sums of products by letters, as "bij,bjk->bik";  gx = the same sum with x and y in swapped parts."""

    def __init__(self, terms: tuple[str, ...], result: str):
        self.terms, self.result = terms, result

    @property
    def keeps(self) -> list[int]:  # type: ignore[override]
        """The factors that wanted gradients read: all others'."""
        wanted = [k for k in range(len(self.terms)) if self.needs(k)]
        return [i for i in range(len(self.terms)) if any(k != i for k in wanted)]

    def forward(self, *arrays: Array) -> Array:
        return namespace(arrays[0]).einsum(f"{','.join(self.terms)}->{self.result}", *arrays)

    def backward(self, g: Tensor) -> tuple[Tensor | None, ...]:
        return tuple(self._slope(i, g) if self.needs(i) else None for i in range(len(self.terms)))

    def _slope(self, i: int, g: Tensor) -> Tensor:
        """Letters that occur in term i alone were summed over: the gradient is repeated along them."""
        others = [(t, self.input(k)) for k, t in enumerate(self.terms) if k != i] + [(self.result, g)]
        known = {letter for term, _ in others for letter in term}
        own = "".join(letter for letter in self.terms[i] if letter in known)
        found = Einsum(tuple(t for t, _ in others), own)(*(value for _, value in others))
        sizes = dict(zip(self.terms[i], self.input_shapes[i], strict=True))
        lane = tuple(sizes[letter] if letter in known else 1 for letter in self.terms[i])
        return broadcast_to(reshape(found, lane), self.input_shapes[i])


def einsum(equation: str, *operands: Any) -> Tensor:
    """Return the sum of products that ``equation`` names: "ij,jk->ik" is a matrix product.

    Without "->" the result has the letters that occur once, in alphabetical order.  Raises ArgumentError for
    "..." and for a letter twice in one term.
    """
    tensors = operands[0] if len(operands) == 1 and isinstance(operands[0], (tuple, list)) else operands
    left, arrow, result = equation.replace(" ", "").partition("->")
    terms = tuple(left.split(","))
    if not arrow:
        result = "".join(sorted(c for c in set(left) - {","} if left.count(c) == 1))
    if "." in equation or any(len(set(term)) != len(term) for term in (*terms, result)):
        raise ArgumentError(f"einsum: no ... and no letter twice in one term, got {equation!r}")
    if len(terms) != len(tensors) or any(len(t) != x.ndim for t, x in zip(terms, tensors, strict=False)):
        raise ShapeError(f"einsum: {equation!r} does not fit shapes {[x.shape for x in tensors]}")
    return Einsum(terms, result)(*tensors)
