"""Matrix products: on the host shared out among threads, on a GPU as products of matrices.

CuPy's products of stacks copy transposed factors; `blas` makes matrices of the stacks wherever it can.
"""

from __future__ import annotations

from minigan.backend import Array
from minigan.kernels import blas
from minigan.kernels.registry import kernel
from minigan.ops.linalg import Gram, Linear, MatMul


@kernel(MatMul, "numpy")
@kernel(MatMul, "gpu")
def matmul(op: MatMul, x: Array, y: Array) -> Array:
    """One product, or a stack of them."""
    return blas.matmul(x, y)


@kernel(Linear, "numpy")
@kernel(Linear, "gpu")
def linear(op: Linear, x: Array, weight: Array, bias: Array | None = None) -> Array:
    """One product; the bias is added in place onto its fresh result."""
    return blas.matmul(x, weight.T, bias)


@kernel(Gram, "numpy")
@kernel(Gram, "gpu")
def gram(op: Gram, x: Array) -> Array:
    """One product, of which one triangle would do."""
    return blas.gram(x)
