"""Matrix products shared out among threads, with BLAS held to one a thread."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from minigan.backend import Array, inverse, memory_order
from minigan.kernels import blas
from minigan.kernels.registry import kernel
from minigan.ops.linalg import AlongAxis, Linear


@kernel(Linear, "numpy", does="derivative")
def linear_derivative(op: Linear, g: Array) -> tuple[Array | None, ...]:
    """Both products at once, and a sum."""
    gx = gweight = None
    if op.needs(0) and op.needs(1):
        gx, gweight = blas.products((g, op.input(1).array), (g.T, op.input(0).array))
    elif op.needs(0):
        gx = blas.matmul(g, op.input(1).array)
    elif op.needs(1):
        gweight = blas.matmul(g.T, op.input(0).array)
    gbias = g.sum(axis=0) if len(op.parents) == 3 and op.needs(2) else None
    return (gx, gweight, gbias)[: len(op.parents)]


@kernel(AlongAxis, "numpy")
def along_axis(op: AlongAxis, x: Array) -> Any:
    """One product, with the axes in the order in which they lie in memory, which the result keeps."""
    with np.errstate(over="ignore", invalid="ignore"):
        if not np.isfinite(x.sum()):  # 0 times infinity is not 0
            return NotImplemented
    packed, matrix = Packed(x, op.axis), op.matrix.astype(x.dtype)
    if packed.place == x.ndim - 1:
        y = blas.matmul(packed.stack[..., 0], matrix.T)
    else:
        y = blas.matmul(matrix, packed.stack)
    return packed.image(y, len(matrix))


class Packed:
    """An array with its axes in the order of its memory, as a stack (A, n, B) around one axis of length n."""

    def __init__(self, x: Array, axis: int):
        self.order = memory_order(x)
        self.place = self.order.index(axis)
        self.sizes = [x.shape[i] for i in self.order]
        before, after = self.sizes[: self.place], self.sizes[self.place + 1 :]
        packed = x.transpose(self.order)
        self.stack = packed.reshape(prod(before), self.sizes[self.place], prod(after))

    def image(self, y: Array, m: int) -> Array:
        """Return (A, m, B) with the axes where they were."""
        sizes = [*self.sizes[: self.place], m, *self.sizes[self.place + 1 :]]
        return y.reshape(sizes).transpose(inverse(self.order))
