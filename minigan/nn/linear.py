"""Dense layers: Linear, and Embedding (a table whose rows are looked up)."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan import ops
from minigan.errors import ArgumentError, DTypeError
from minigan.nn import init
from minigan.nn.module import Module, Parameter
from minigan.tensor import Tensor


def empty(*shape: int) -> Parameter:
    """Return a float32 Parameter of zeros, to be filled by an initialiser.

    Kernels (out, in, KH, KW) lie with the channels side by side, as convolutions read them.
    """
    if len(shape) == 4:
        return Parameter(np.zeros((shape[0], *shape[2:], shape[1]), np.float32).transpose(0, 3, 1, 2))
    return Parameter(np.zeros(shape, np.float32))


def count(name: str, value: Any, least: int = 1) -> int:
    """Return ``value`` if it is a whole number of at least ``least``; ArgumentError otherwise."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ArgumentError(f"{name}: expected a whole number >= {least}, got {value!r}")
    return int(value)


class Linear(Module):
    """(..., in_features) -> (..., out_features): y = x W^T + b.

    Parameters: weight (out, in), bias (out,), both U(-1/sqrt(in), 1/sqrt(in)).
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        generator: np.random.Generator | None = None,
    ):
        super().__init__()
        self.in_features, self.out_features = (
            count("in_features", in_features),
            count("out_features", out_features),
        )
        self.weight = empty(self.out_features, self.in_features)
        self.bias = empty(self.out_features) if bias else None
        init.default_(self.weight, self.bias, generator)

    def forward(self, x: Tensor) -> Tensor:
        return ops.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        bias = self.bias is not None
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={bias}"


class Embedding(Module):
    """Whole numbers (...) -> (..., embedding_dim): row i of the weight for each number i.

    Parameter: weight (num_embeddings, embedding_dim), N(0, 1).  The input is an integer Tensor or array with
    values in [0, num_embeddings); others raise ArgumentError.
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, *, generator: np.random.Generator | None = None
    ):
        super().__init__()
        self.num_embeddings = count("num_embeddings", num_embeddings)
        self.embedding_dim = count("embedding_dim", embedding_dim)
        self.weight = init.normal_(empty(self.num_embeddings, self.embedding_dim), generator=generator)

    def forward(self, x: Any) -> Tensor:
        """Look up; the gradient of a row that is used twice is the sum of both."""
        index = x.array if isinstance(x, Tensor) else np.asarray(x)
        if index.dtype.kind not in "iu":
            raise DTypeError(f"Embedding: expected whole numbers, got dtype {index.dtype}")
        if index.size and not (0 <= int(index.min()) and int(index.max()) < self.num_embeddings):
            raise ArgumentError(
                f"Embedding: expected numbers in [0, {self.num_embeddings}), "
                f"got {int(index.min())} to {int(index.max())}"
            )
        return ops.getitem(self.weight, index)

    def extra_repr(self) -> str:
        return f"{self.num_embeddings}, {self.embedding_dim}"
