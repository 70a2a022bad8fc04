"""PyTorch's drawer of linear algebra: each name leads to its definition in `minigan.ops`."""

from __future__ import annotations

from typing import Any

from minigan import ops
from minigan.errors import ArgumentError, nearest
from minigan.ops import cross, matmul, slogdet
from minigan.ops import diagonal as _diagonal
from minigan.ops import inverse as inv
from minigan.tensor import Tensor

__all__ = ["cross", "diagonal", "inv", "matmul", "matrix_norm", "norm", "slogdet", "vector_norm"]


def vector_norm(x: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Return the ``ord``-norm over ``dim``, or of all elements."""
    return ops.norm(x, ord, dim, keepdim)


def matrix_norm(A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False) -> Tensor:
    """Return the Frobenius norm of matrices; ArgumentError for another ``ord``."""
    if ord != "fro":
        raise ArgumentError(f"matrix_norm: expected ord 'fro', got {ord!r}")
    return ops.norm(A, 2, tuple(dim), keepdim)


def norm(A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Return the norm of vectors, or, where ``ord`` is "fro", of matrices."""
    if ord == "fro":
        return matrix_norm(A, "fro", (-2, -1) if dim is None else dim, keepdim)
    if ord is not None and (isinstance(dim, (tuple, list)) and len(dim) == 2 or dim is None and A.ndim == 2):
        raise ArgumentError(f"norm: of matrices only ord 'fro' is here, got {ord!r}; use vector_norm")
    return vector_norm(A, 2 if ord is None else ord, dim, keepdim)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Return the diagonals of the matrices in the last two axes."""
    return _diagonal(A, offset, dim1, dim2)


def __getattr__(name: str) -> Any:
    raise AttributeError(f"minigan.linalg has no {name!r}; the nearest: {nearest(name, __all__)}")
