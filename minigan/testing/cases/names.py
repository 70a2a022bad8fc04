"""Cases of `ops.trigonometry`, `matrices`, `placing` and `counting`, against Python's math and NumPy."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigan import nn, ops
from minigan.errors import ArgumentError, ShapeError
from minigan.ops import counting, matrices, placing, select, trigonometry
from minigan.tensor import Tensor
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.oracles import one_by_one
from minigan.testing.strategies import (
    array_samples,
    arrays,
    composite,
    distinct_arrays,
    integers,
    sampled_from,
)

X = np.ones((2, 3, 4))


@composite
def settings(draw: Any, shape: tuple[int, ...], *choices: dict[str, Any]) -> Sample:
    """Numbers of one shape, no two equal, and one of the settings."""
    return Sample((draw(distinct_arrays(shape)),), draw(sampled_from(choices or ({},))))


@composite
def several(draw: Any, *shapes: tuple[int, ...], low: float = -2.0) -> Sample:
    """Arrays of the given shapes."""
    return Sample(tuple(draw(arrays(shape, low)) for shape in shapes))


@composite
def squares(draw: Any) -> Sample:
    """Two matrices with a strong diagonal."""
    n = draw(integers(1, 3))
    return Sample((draw(arrays((2, n, n))) * 0.2 + 2 * np.eye(n),))


@composite
def placed(draw: Any, put: bool) -> Sample:
    """x, what is put or added, an axis, and places along it: once each where they are put."""
    axis, rng = draw(integers(0, 2)), np.random.default_rng(draw(integers(0, 99)))
    count = draw(integers(1, (2, 3, 4)[axis]))
    index = rng.random((2, 3, 4)).argsort(axis).take(range(count), axis)
    if not put:
        index = rng.integers(0, (2, 3, 4)[axis], index.shape)
    return Sample((draw(arrays((2, 3, 4))), draw(arrays(index.shape))), {"axis": axis, "index": index})


def put_along(add: bool) -> Callable[..., np.ndarray]:
    """One element after the other."""

    def oracle(x: np.ndarray, source: np.ndarray, axis: int, index: np.ndarray) -> np.ndarray:
        y = x.copy()
        for place in np.ndindex(*index.shape):
            target = (*place[:axis], index[place], *place[axis + 1 :])
            y[target] = source[place] + (y[target] if add else 0)
        return y

    return oracle


def _placing(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda x, source, axis, index: function(x, axis, Tensor(index), source)


def determinant(x: np.ndarray) -> np.ndarray:
    """Log of the size of sums over permutations, by cofactors."""

    def det(m: np.ndarray) -> float:
        if not len(m):
            return 1.0
        rest = np.delete(m, 0, 0)
        signed = [(-1) ** j * m[0, j] for j in range(len(m))]
        return sum(s * det(np.delete(rest, j, 1)) for j, s in enumerate(signed))

    flat = x.reshape(-1, *x.shape[-2:])
    return np.array([math.log(abs(det(m))) for m in flat]).reshape(x.shape[:-2])


def middle(x: np.ndarray, axis: int, q: float) -> np.ndarray:
    """The q-quantile of each line, from its sorted list."""

    def of(line: np.ndarray) -> float:
        ordered, at = sorted(line.tolist()), q * (len(line) - 1)
        low = math.floor(at)
        return ordered[low] + (ordered[min(low + 1, len(line) - 1)] - ordered[low]) * (at - low)

    return np.apply_along_axis(of, axis, x)


def plain(name: str, oracle: Callable[..., Any], low: float, high: float, *covers: Any) -> OpCase:
    """A function of elements."""
    strategy = array_samples(low=low, high=high)
    return OpCase(
        name,
        getattr(ops, name),
        strategy,
        one_by_one(oracle),
        covers,
        torch=lambda torch, x: getattr(torch, name)(x),
    )


def same(name: str, strategy: Any, oracle: Callable[..., Any], **also: Any) -> OpCase:
    """A function whose PyTorch twin takes the same arguments."""
    also.setdefault("torch", lambda torch, *x, **s: getattr(torch, name)(*x, **s))
    return OpCase(name, getattr(ops, name), strategy, oracle, **also)


SINGULAR = BadInput("a matrix without an inverse", (np.ones((2, 2)),), {}, ArgumentError, "singular")
OBLONG = BadInput("an oblong matrix", (np.ones((2, 3)),), {}, ShapeError, "square")

CASES = [
    plain("tan", math.tan, -1.4, 1.4, trigonometry.Tan),
    plain("asin", math.asin, -0.9, 0.9, trigonometry.Asin),
    plain("acos", math.acos, -0.9, 0.9),
    plain("atan", math.atan, -2, 2, trigonometry.Atan),
    plain("sinh", math.sinh, -2, 2),
    plain("cosh", math.cosh, -2, 2),
    plain("expm1", math.expm1, -2, 2, trigonometry.Expm1),
    plain("exp2", lambda a: 2.0**a, -2, 2),
    plain("log2", math.log2, 0.2, 2),
    plain("log10", math.log10, 0.2, 2),
    plain("logit", lambda a: math.log(a / (1 - a)), 0.1, 0.9),
    plain("sinc", lambda a: math.sin(math.pi * a) / (math.pi * a) if a else 1.0, 0.2, 2),
    same("atan2", several((2, 3), (3,), low=0.3), one_by_one(lambda y, x: cmath.phase(complex(x, y))),
         covers=(trigonometry.Atan2,)),
    same("logaddexp", several((2, 3), (3,)), one_by_one(lambda a, b: math.log(math.exp(a) + math.exp(b)))),
    same("xlogy", several((2, 3), (3,), low=0.3), one_by_one(lambda a, b: a * math.log(b))),
    same("hypot", several((2, 3), (3,), low=0.3), one_by_one(math.hypot)),
    same("lerp", several((2, 3), (2, 3), (2, 3)), one_by_one(lambda a, b, w: a + w * (b - a)), linear=(0, 1)),
    same("addcmul", several((2, 3), (2, 3), (2, 3)), one_by_one(lambda a, b, c: a + b * c), linear=True),
    same("addcdiv", several((2, 3), (2, 3), (2, 3), low=0.5), one_by_one(lambda a, b, c: a + b / c),
           linear=(0, 1)),
    same("inverse", squares(), np.linalg.inv, covers=(matrices.Inverse,), bad=(SINGULAR, OBLONG)),
    OpCase("logabsdet", lambda x: ops.slogdet(x)[1], squares(), determinant, (matrices.LogAbsDet,),
           fake=False, torch=lambda torch, x: torch.slogdet(x)[1], bad=(OBLONG,)),
    same("logdet", squares(), determinant, fake=False),
    same("diag", settings((3, 4), {"diagonal": 0}, {"diagonal": -1}, {"diagonal": 2}),
         lambda x, diagonal: np.diag(x, diagonal), linear=True,
         bad=(BadInput("three axes", (X,), {}, ShapeError, "diagonal"),)),
    OpCase("diag of a vector", ops.diag, settings((3,), {"diagonal": 0}, {"diagonal": -2}),
           lambda x, diagonal: np.diag(x, diagonal), linear=True,
           torch=lambda torch, x, diagonal: torch.diag(x, diagonal)),
    same("diagonal", settings((2, 3, 4), {"offset": 1}, {"offset": -1, "dim1": 2, "dim2": 0}),
         lambda x, offset, dim1=0, dim2=1: np.diagonal(x, offset, dim1, dim2), linear=True),
    same("trace", settings((3, 4)), lambda x: np.asarray(sum(x[i, i] for i in range(3))), linear=True,
         bad=(BadInput("a vector", (X[0, 0],), {}, ShapeError, "matrix"),)),
    OpCase("meshgrid", lambda x, y, **s: ops.meshgrid(x, y, **s)[0] * 2 + ops.meshgrid(x, y, **s)[1],
           several((3,), (2,)).map(lambda s: Sample(s.inputs,
           {"indexing": "xy" if s.inputs[0][0] > 0 else "ij"})),
           lambda x, y, indexing: 2 * np.meshgrid(x, y, indexing=indexing)[0] + np.meshgrid(x, y,
           indexing=indexing)[1],
           linear=True, torch=lambda torch, x, y,
           **s: torch.meshgrid(x, y, **s)[0] * 2 + torch.meshgrid(x, y, **s)[1],
           bad=(BadInput("another word", (X[0, 0], X[0, 0]), {"indexing": "ii"}, ArgumentError,
           "'ij' or 'xy'"),
                BadInput("a matrix", (X[0], X[0]), {}, ShapeError, "vectors"))),
    same("tensordot", several((2, 3, 4),
           (4, 3, 2)).map(lambda s: Sample(s.inputs, {"dims": ([2, 1], [0, 1])})),
         lambda a, b, dims: np.einsum("iab,baj->ij", a, b), linear=True,
         bad=(BadInput("sizes that differ", (X, X), {"dims": 1}, ShapeError, "tensordot"),)),
    same("inner", several((2, 3), (4, 3)), lambda a, b: np.einsum("ik,jk->ij", a, b), linear=True),
    same("cross", several((2, 3), (2, 3)), np.cross, linear=True,
         torch=lambda torch, x, y: torch.linalg.cross(x, y),
         bad=(BadInput("vectors of 4", (X, X), {}, ShapeError, "expected 3"),)),
    same("cdist", several((3, 2), (4, 2)), lambda a, b: np.sqrt(((a[:, None] - b) ** 2).sum(-1)),
         torch=None,  # where two rows meet its second derivative is NaN
        
         bad=(BadInput("rows of other lengths", (X[0], X[0, :, :3]), {}, ShapeError, "cdist"),)),
    same("dist", several((3, 2), (3, 2)), lambda a, b: np.asarray(math.dist(a.ravel(), b.ravel())),
         torch=None),
    same("addmm", several((2, 4), (2, 3), (3, 4)), lambda c, a, b: c + np.einsum("ik,kj->ij", a, b),
           linear=True),
    same("baddbmm", several((2, 2, 4), (2, 2, 3), (2, 3, 4)),
         lambda c, a, b: c + np.einsum("bik,bkj->bij", a, b), linear=True),
    OpCase("cumprod", ops.cumprod, settings((2, 3), {"axis": 1}, {"axis": 0}), lambda x,
           axis: np.cumprod(x, axis),
           torch=lambda torch, x, axis: torch.cumprod(x, axis)),
    OpCase("rot90", ops.rot90, settings((2, 3, 4), {"k": 1}, {"k": 3, "dims": (2, 0)}),
           lambda x, k, dims=(0, 1): np.rot90(x, k, dims), linear=True,
           torch=lambda torch, x, k, dims=(0, 1): torch.rot90(x, k, dims)),
    OpCase("unfold", select.unfold, settings((2, 5), {"dimension": 1, "size": 2, "step": 1},
                                             {"dimension": -1, "size": 3, "step": 2}),
           lambda x, dimension, size,
           step: np.lib.stride_tricks.sliding_window_view(x, size, dimension)[:, ::step],
           linear=True, torch=lambda torch, x, dimension, size, step: x.unfold(dimension, size, step),
           bad=(BadInput("a window wider than the axis", (X,), {"dimension": 0, "size": 3, "step": 1},
           ArgumentError,
                         "unfold"),)),
    OpCase("scatter along", _placing(placing.scatter), placed(True), put_along(False), linear=True,
           fake=False,
           torch=lambda torch, x, source, axis, index: x.scatter(axis, torch.tensor(index), source),
           bad=(BadInput("a place that is not there", (X, X), {"axis": 0, "index": np.full((2, 3, 4), 2)},
           ShapeError,
                         r"\[0, 2\)"),
                BadInput("too few to put", (X, X[:1]), {"axis": 0, "index": np.zeros((2, 3, 4), int)},
                ShapeError,
                         "does not fit"))),
    OpCase("scatter_add", _placing(placing.scatter_add), placed(False), put_along(True), linear=True,
           fake=False,
           torch=lambda torch, x, source, axis, index: x.scatter_add(axis, torch.tensor(index), source)),
    OpCase("quantile", counting.quantile, settings((2, 5), {"axis": 1, "q": 0.3}, {"axis": 0, "q": 1.0}),
           middle,
           torch=lambda torch, x, axis, q: torch.quantile(x, q, axis),
           bad=(BadInput("a share above 1", (X,), {"q": 1.5}, ArgumentError, "from 0 to 1"),)),
    OpCase("median", lambda x, axis: ops.median(x, axis).values, settings((3, 4), {"axis": 0}, {"axis": 1}),
           lambda x, axis: np.apply_along_axis(lambda line: sorted(line)[(len(line) - 1) // 2], axis, x),
           torch=lambda torch, x, axis: torch.median(x, axis).values),
    OpCase("nn.DataParallel", lambda x: nn.DataParallel(nn.Tanh())(x), settings((2, 3)),
           one_by_one(math.tanh),
           (nn.DataParallel,), torch=lambda torch, x: torch.tanh(x)),
]  # fmt: skip
