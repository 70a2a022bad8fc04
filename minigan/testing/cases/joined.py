"""Names that compose a few operations: one record a family, whose value is all its results side by side.

So each is held to an oracle and to both orders of gradients at the cost of one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigan import ops
from minigan.errors import ArgumentError, ShapeError
from minigan.tensor import Tensor
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.strategies import arrays, composite, distinct_arrays

X = np.ones((2, 3, 4))
PLACES, ALONG = np.array([[0, 23], [7, 7]]), np.array([[[2, 0, 1, 1], [0, 0, 2, 1]]] * 2)
MASK = np.array([[True, False, True], [False, True, True]])


@composite
def several(draw: Any, *shapes: tuple[int, ...], low: float = -2.0) -> Sample:
    """Arrays of the given shapes, the first with no two numbers equal where it may be below 0."""
    first = distinct_arrays(shapes[0]) if low < 0 else arrays(shapes[0], low)
    return Sample((draw(first), *(draw(arrays(shape, low)) for shape in shapes[1:])))


def in_a_row(*results: Any) -> Any:
    """All results as one vector."""
    if isinstance(results[0], Tensor):
        return ops.concatenate([ops.reshape(y, -1) for y in results])
    return np.concatenate([np.ravel(y) for y in results])


def like(x: Tensor, array: np.ndarray) -> Tensor:
    """A constant on x's device."""
    return Tensor(array).to(x.device)


def moved(x: Tensor) -> Tensor:
    """What only moves elements."""
    return in_a_row(
        ops.view(x, 4, 6), ops.narrow(x, 1, 1, 2), ops.narrow(x, -1, 0, 3), ops.take(x, like(x, PLACES)),
        ops.take_along_dim(x, like(x, ALONG), 1), ops.tile(x, (2, 1, 2)), ops.tile(x, (3,)),
        *ops.unbind(x, 1), *ops.tensor_split(x, 2, 2), *ops.tensor_split(x, [1], 1),
        ops.unflatten(x, 2, (2, -1)), ops.fliplr(x), ops.flipud(x), ops.hstack([x, x * 2.0]),
        ops.vstack([x, x * 2.0]), *ops.broadcast_tensors(x, x[:, :1]), ops.squeeze(x[:1], 0),
        ops.swapaxes(x, 0, 2), ops.squeeze(x[:, :1]),
    )  # fmt: skip


def by_numpy(x: np.ndarray) -> np.ndarray:
    """The same by NumPy's functions, and by indices."""
    return in_a_row(
        x, x[:, 1:3], x[..., :3], [x.ravel()[i] for i in PLACES.ravel()], np.take_along_axis(x, ALONG, 1),
        np.tile(x, (2, 1, 2)), np.tile(x, 3), x[:, 0], x[:, 1], x[:, 2], x[..., :2], x[..., 2:], x[:, :1],
        x[:, 1:], x, x[:, ::-1], x[::-1], np.hstack([x, 2 * x]), np.vstack([x, 2 * x]), x,
        np.repeat(x[:, :1], 3, 1), x[0], x.transpose(2, 1, 0), x[:, 0],
    )  # fmt: skip


def reduced(x: Tensor) -> Tensor:
    """What makes few numbers of many, NaN among them."""
    holes = like(x, MASK)
    broken = ops.where(holes, float("nan"), x)
    endless = ops.where(holes, float("-inf"), x)
    return in_a_row(
        ops.kthvalue(x, 2, 1).values, ops.kthvalue(x, 1, 0, True).values, *ops.aminmax(x, dim=1),
        *ops.aminmax(x), *ops.std_mean(x, 1), *ops.var_mean(x, 0, keepdim=True), ops.nansum(broken),
        ops.nansum(broken, 0), ops.nanmean(broken, 1), ops.nan_to_num(broken, 0.5),
        ops.nan_to_num(endless, neginf=-3.0), ops.clamp_min(x, 0.0137), ops.clamp_max(x, 0.0137),
    )  # fmt: skip


def by_lists(x: np.ndarray) -> np.ndarray:
    """The same from sorted lists and sums over what is there."""
    rows, columns = x.tolist(), x.T.tolist()
    spread = [sum((a - sum(r) / 3) ** 2 for a in r) / 2 for r in rows]
    kept = [[a for a, hole in zip(r, m, strict=True) if not hole] for r, m in zip(rows, MASK, strict=True)]
    upright = [[a for a, hole in zip(c, m, strict=True) if not hole]
               for c, m in zip(columns, MASK.T, strict=True)]  # fmt: skip
    return in_a_row(
        [sorted(r)[1] for r in rows], [min(c) for c in columns], [min(r) for r in rows],
        [max(r) for r in rows], x.min(), x.max(), np.sqrt(spread), [sum(r) / 3 for r in rows],
        [(a - b) ** 2 / 2 for a, b in zip(*rows, strict=True)], [sum(c) / 2 for c in columns],
        sum(map(sum, kept)), [sum(c) for c in upright], [sum(r) / len(r) for r in kept],
        np.where(MASK, 0.5, x), np.where(MASK, -3.0, x), [max(a, 0.0137) for a in x.ravel()],
        [min(a, 0.0137) for a in x.ravel()],
    )  # fmt: skip


def multiplied(a: Tensor, b: Tensor, v: Tensor) -> Tensor:
    """Products of stacks, matrices and vectors."""
    return in_a_row(ops.bmm(a, b), ops.mm(a[0], b[1]), ops.mv(a[1], v), ops.dot(v, v * 2.0))


def by_sums(a: np.ndarray, b: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The same as sums of products."""

    def product(p: Any, q: Any) -> Any:
        return [[sum(r * s for r, s in zip(row, column, strict=True)) for column in q.T] for row in p]

    return in_a_row(product(a[0], b[0]), product(a[1], b[1]), product(a[0], b[1]), product(a[1], v[:, None]),
                    2 * sum(v * v))  # fmt: skip


TWICE, ONCE = np.array([1, 1]), np.array([2, 0])


def put(x: Tensor, source: Tensor) -> Tensor:
    """What writes slices along an axis, or where a mask holds."""
    return in_a_row(
        ops.index_add(x, 1, like(x, TWICE), source, alpha=3), ops.index_copy(x, 1, like(x, ONCE), source),
        ops.index_fill(x, -1, like(x, ONCE), 7.0), ops.masked_scatter(x, like(x, MASK), source),
    )  # fmt: skip


def one_after_the_other(x: np.ndarray, source: np.ndarray) -> np.ndarray:
    """The same, cell by cell."""
    added, copied, filled, scattered = (x.copy() for _ in range(4))
    left = source.ravel().tolist()
    for i, j in np.ndindex(2, 2):
        added[i, TWICE[j]] += 3 * source[i, j]
        copied[i, ONCE[j]] = source[i, j]
        filled[i, ONCE[j]] = 7.0
    for place in np.argwhere(MASK):
        scattered[tuple(place)] = left.pop(0)
    return in_a_row(added, copied, filled, scattered)


def record(name: str, fn: Callable[..., Any], strategy: Any, oracle: Any, **more: Any) -> OpCase:
    """Composites, of which none covers an operation."""
    return OpCase(name, fn, strategy, oracle, **more)


CASES = [
    record("composites.move", moved, several((2, 3, 4)), by_numpy, linear=True),
    record("composites.reduce", reduced, several((2, 3)), by_lists),
    record("composites.multiply", multiplied, several((2, 2, 3), (2, 3, 2), (3,)), by_sums),
    record("composites.put", put, several((2, 3), (2, 2)), one_after_the_other, linear=True, fake=False),
    record("reciprocal", ops.reciprocal, several((2, 3), low=0.5), lambda x: np.array(
        [[1 / a for a in row] for row in x])),
    record("kthvalue", lambda x, k: ops.kthvalue(x, k, 1).values, distinct_arrays((2, 3)).map(
        lambda x: Sample((x,), {"k": 2})), lambda x, k: np.array([sorted(r)[k - 1] for r in x.tolist()]),
        bad=(BadInput("k of 0", (X,), {"k": 0}, ArgumentError, "from 1 to 3"),)),
    record("narrow", ops.narrow, distinct_arrays((2, 3)).map(
        lambda x: Sample((x,), {"dim": 1, "start": 1, "length": 2})),
        lambda x, dim, start, length: x[:, start : start + length], linear=True,
        bad=(BadInput("no such axis", (X,), {"dim": 5, "start": 0, "length": 1}, ShapeError, "axis"),)),
]  # fmt: skip
