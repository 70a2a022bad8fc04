"""Dense layers: Linear, Bilinear, and Embedding (a table whose rows are looked up)."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan.errors import ArgumentError
from minigan.nn import functional as F
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
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        bias = self.bias is not None
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={bias}"


class Bilinear(Module):
    """(..., A), (..., B) -> (..., O): y_o = x1^T W_o x2 + b_o.

    Parameters: weight (O, A, B), bias (O,), both U(-1/sqrt(A), 1/sqrt(A)).
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        generator: np.random.Generator | None = None,
    ):
        super().__init__()
        self.in1_features, self.in2_features = (
            count("in1_features", in1_features),
            count("in2_features", in2_features),
        )
        self.out_features = count("out_features", out_features)
        bound = self.in1_features**-0.5
        weight = empty(self.out_features, self.in1_features, self.in2_features)
        self.weight = init.uniform_(weight, -bound, bound, generator=generator)
        self.bias = (
            init.uniform_(empty(self.out_features), -bound, bound, generator=generator) if bias else None
        )

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.bilinear(x1, x2, self.weight, self.bias)

    def extra_repr(self) -> str:
        sizes = f"in1_features={self.in1_features}, in2_features={self.in2_features}"
        return f"{sizes}, out_features={self.out_features}, bias={self.bias is not None}"


class Embedding(Module):
    """Whole numbers (...) -> (..., embedding_dim): row i of the weight for each number i.

    Parameter: weight (num_embeddings, embedding_dim), N(0, 1).  The input is an integer Tensor or array with
    values in [0, num_embeddings); others raise ArgumentError.
    The row ``padding_idx`` starts at 0 and gets no gradient.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        generator: np.random.Generator | None = None,
    ):
        super().__init__()
        self.num_embeddings = count("num_embeddings", num_embeddings)
        self.embedding_dim = count("embedding_dim", embedding_dim)
        self.weight = init.normal_(empty(self.num_embeddings, self.embedding_dim), generator=generator)
        self.padding_idx = padding_idx
        if padding_idx is not None:
            if not -self.num_embeddings <= padding_idx < self.num_embeddings:
                raise ArgumentError(f"padding_idx: expected a row of {num_embeddings}, got {padding_idx}")
            self.padding_idx = padding_idx % self.num_embeddings
            self.weight.array[self.padding_idx] = 0

    def forward(self, x: Any) -> Tensor:
        """Look up; the gradient of a row that is used twice is the sum of both."""
        return F.embedding(x, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
