"""Cases of `ops.linalg`: matrix products."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan import ops
from minigan.errors import ShapeError
from minigan.ops.linalg import Gram, Linear, MatMul
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.strategies import arrays, booleans, broadcast_pairs, composite, integers


@composite
def products(draw: Any) -> Sample:
    """(M, K) @ (K, N) with batches that broadcast; now and then one side is a vector, or both."""
    rows, inner, columns = (draw(integers(1, 3)) for _ in range(3))
    first, second = draw(broadcast_pairs(2, 2))
    left = (inner,) if draw(booleans()) and draw(booleans()) else (*first, rows, inner)
    right = (inner,) if draw(booleans()) and draw(booleans()) else (*second, inner, columns)
    return Sample((draw(arrays(left)), draw(arrays(right))))


@composite
def matrices(draw: Any) -> Sample:
    """One matrix."""
    return Sample((draw(arrays((draw(integers(1, 4)), draw(integers(1, 4))))),))


@composite
def layers(draw: Any) -> Sample:
    """x of (.., in) with none to two leading axes, weight (out, in), with and without a bias (out,)."""
    lead = tuple(draw(integers(1, 3)) for _ in range(draw(integers(0, 2))))
    inner, outer = draw(integers(1, 4)), draw(integers(1, 3))
    inputs = [draw(arrays((*lead, inner))), draw(arrays((outer, inner)))]
    return Sample(tuple(inputs + ([draw(arrays((outer,)))] if draw(booleans()) else [])))


def product(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Sums of products of Python numbers, a vector being a row on the left and a column on the right."""
    left = x[None] if x.ndim == 1 else x
    right = y[:, None] if y.ndim == 1 else y
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    left = np.broadcast_to(left, batch + left.shape[-2:])
    right = np.broadcast_to(right, batch + right.shape[-2:])
    out = np.zeros((*batch, left.shape[-2], right.shape[-1]))
    for *b, i, j in np.ndindex(*out.shape):
        out[(*b, i, j)] = sum(left[(*b, i, k)] * right[(*b, k, j)] for k in range(left.shape[-1]))
    out = out[..., 0, :] if x.ndim == 1 else out
    return out[..., 0] if y.ndim == 1 else out


def layer(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
    """y[.., o] = bias[o] + sum over i of x[.., i] weight[o, i], by loops."""
    out = np.zeros((*x.shape[:-1], weight.shape[0]))
    for *b, o in np.ndindex(*out.shape):
        out[(*b, o)] = sum(x[(*b, i)] * weight[o, i] for i in range(x.shape[-1]))
    return out if bias is None else out + bias


def ones(*shape: int) -> np.ndarray:
    """Any array of a shape."""
    return np.ones(shape)


CASES = [
    OpCase("matmul", ops.matmul, products(), product, (MatMul,), linear=True,
           torch=lambda torch, x, y: torch.matmul(x, y),
           bad=(BadInput("inner sizes that differ", (ones(2, 3), ones(2, 3)), {}, ShapeError, "inner sizes"),
                BadInput("batches that do not broadcast", (ones(2, 1, 3), ones(3, 3, 1)), {}, ShapeError,
                         "broadcast"),
                BadInput("a number", (ones(), ones(2)), {}, ShapeError, "at least one axis")),
           empty=(Sample((np.zeros((0, 3)), ones(3, 2))), Sample((np.zeros((2, 0)), np.zeros((0, 3)))))),
    OpCase("gram", ops.gram, matrices(), lambda x: product(x.T, x), (Gram,),
           torch=lambda torch, x: x.T @ x,
           bad=(BadInput("a vector", (ones(3),), {}, ShapeError, "expected a matrix"),),
           empty=(Sample((np.zeros((0, 3)),)),)),
    OpCase("linear", ops.linear, layers(), layer, (Linear,), linear=True,
           torch=lambda torch, x, w, b=None: torch.nn.functional.linear(x, w, b),
           bad=(BadInput("a weight of the wrong width", (ones(2, 3), ones(4, 2)), {}, ShapeError, "linear"),
                BadInput("a bias of the wrong size", (ones(2, 3), ones(4, 3), ones(3)), {}, ShapeError,
                         "bias")),
           empty=(Sample((np.zeros((0, 3)), ones(2, 3), ones(2))),)),
]  # fmt: skip
