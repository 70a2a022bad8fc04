"""Cases of `ops.select`, `ops.compare`, `ops.inplace` and the younger reductions, against loops and NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate
from typing import Any

import numpy as np

from minigan import ops
from minigan.errors import ArgumentError, ShapeError
from minigan.ops import inplace, select
from minigan.ops.arithmetic import Clone
from minigan.ops.inplace import SetItem
from minigan.ops.linalg import Einsum
from minigan.ops.reduce import CumSum
from minigan.tensor import Tensor
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.strategies import arrays, booleans, composite, distinct_arrays, integers, sampled_from

X = np.ones((2, 3, 4))


@composite
def along(draw: Any, *settings: dict[str, Any]) -> Sample:
    """(2 or 3, 2 to 4, 2 or 3) numbers, all different, an axis of it, and one of the given settings."""
    shape = (draw(integers(2, 3)), draw(integers(2, 4)), draw(integers(2, 3)))
    axis = draw(integers(-3, 2))
    return Sample((draw(distinct_arrays(shape)),), {"axis": axis, **draw(sampled_from(settings or ({},)))})


@composite
def with_settings(draw: Any, *settings: dict[str, Any]) -> Sample:
    """(2, 3, 4) numbers and one of the given settings."""
    return Sample((draw(arrays((2, 3, 4))),), draw(sampled_from(settings or ({},))))


@composite
def gathered(draw: Any) -> Sample:
    """Numbers, an axis, and places along it, of which some come twice."""
    axis, x = draw(integers(0, 2)), draw(arrays((2, 3, 4)))
    shape = [2, 3, 4]
    shape[axis] = draw(integers(1, 5))
    rng = np.random.default_rng(draw(integers(0, 99)))
    return Sample((x,), {"axis": axis, "index": rng.integers(0, x.shape[axis], shape)})


@composite
def masked(draw: Any) -> Sample:
    """Numbers and a mask of them, of one lane or of all."""
    shape = (2, 3, 4) if draw(booleans()) else (3, 1)
    return Sample(
        (draw(arrays((2, 3, 4))),), {"mask": np.random.default_rng(draw(integers(0, 99))).random(shape) < 0.5}
    )


@composite
def assigned(draw: Any) -> Sample:
    """x, what is put into it, and where."""
    index, shape = draw(sampled_from((
        ((slice(None), 1), (2, 4)), ((0,), (3, 4)), ((slice(None), slice(0, 2)), (2, 1)), ((..., 2), ()),
        ((np.array([0, 2]),), (4, 5)),
    )))  # fmt: skip
    x = draw(arrays((3, 4, 5) if len(shape) == 2 and shape[1] == 5 else (2, 3, 4)))
    return Sample((x, draw(arrays(shape))), {"index": index})


EQUATIONS = (
    "ij,jk->ik",
    "bij,bjk->bik",
    "ij,j",
    "bij->b",
    "i,j->ij",
    "ij,ij->",
    "bij,kl->bk",
    "ij,jk,kl->il",
)


@composite
def sums(draw: Any) -> Sample:
    """Operands of an equation, sizes apart."""
    sizes = dict(zip("bijkl", (2, 3, 4, 2, 5), strict=True))
    equation = draw(sampled_from(EQUATIONS))
    terms = equation.split("->")[0].split(",")
    return Sample(
        tuple(draw(arrays(tuple(sizes[c] for c in term))) for term in terms), {"equation": equation}
    )


def summed(*given: np.ndarray, equation: str) -> np.ndarray:
    """One term of the sum after the other."""
    left, _, right = equation.partition("->")
    terms = left.split(",")
    if "->" not in equation:
        right = "".join(sorted(c for c in set(left) - {","} if left.count(c) == 1))
    sizes = {c: n for term, x in zip(terms, given, strict=True) for c, n in zip(term, x.shape, strict=True)}
    letters = list(sizes)
    out = np.zeros([sizes[c] for c in right])
    for place in np.ndindex(*sizes.values()):
        at = dict(zip(letters, place, strict=True))
        factors = (x[tuple(at[c] for c in term)] for term, x in zip(terms, given, strict=True))
        out[tuple(at[c] for c in right)] += math.prod(factors)
    return out


def line_by_line(function: Callable[..., Any]) -> Callable[..., np.ndarray]:
    """An oracle that takes the list of numbers along the axis."""
    return lambda x, axis, **settings: np.apply_along_axis(
        lambda line: function(line.tolist(), **settings), axis, x
    )


def _extreme(name: str) -> Callable[..., Tensor]:
    return lambda x, axis, **settings: getattr(ops, name)(x, dim=axis, **settings).values


def _host(function: Callable[..., Tensor], name: str) -> Callable[..., Tensor]:
    """The function with a host array as one of its arguments."""
    return lambda x, **settings: function(x, **{**settings, name: Tensor(settings[name])})


def _set(x: Tensor, value: Tensor, index: Any) -> Tensor:
    y = ops.clone(x)
    y[index] = value
    return y


def _was_set(x: np.ndarray, value: np.ndarray, index: Any) -> np.ndarray:
    y = np.array(x)
    y[index] = value
    return y


def ramp(shape: Any) -> np.ndarray:
    """Numbers so far apart that the spread along every axis is well above 0."""
    return np.linspace(0, 99, math.prod(shape)).reshape(shape)


def _std(x: Tensor, **settings: Any) -> Tensor:
    return ops.std(ops.add(x, ramp(x.shape).astype(x.dtype)), **settings)


def one_more(sample: Sample) -> Sample:
    """The same with a second input, of one number."""
    return Sample((*sample.inputs, X[0, 0, :1]))


P = ({"p": 2}, {"p": 1}, {"p": 3}, {"p": float("inf")})
REPEATS = ({"sizes": (2, 1, 3)}, {"sizes": (2, 1, 1, 2)})

CASES = [
    OpCase("clone", ops.clone, with_settings(), lambda x: x, (Clone,), linear=True),
    OpCase("cumsum", ops.cumsum, along(), line_by_line(lambda v: list(accumulate(v))), (CumSum,), linear=True,
           torch=lambda torch, x, axis: torch.cumsum(x, axis),
           bad=(BadInput("an axis that is not there", (X,), {"axis": 3}, ShapeError, "out of range"),)),
    OpCase("prod", ops.prod, along(), line_by_line(math.prod),
           torch=lambda torch, x, axis: torch.prod(x, axis)),
    OpCase("norm", ops.norm, along(*P), lambda x, p, axis: np.asarray(np.linalg.norm(x, p, axis)),
           torch=lambda torch, x, p, axis: torch.linalg.vector_norm(x, p, axis),
           bad=(BadInput("a negative power", (X,), {"p": -1}, ArgumentError, "p > 0"),)),
    OpCase("std", _std, along({"correction": 0}, {"correction": 1}),
           lambda x, axis, correction: np.asarray(np.std(x + ramp(x.shape), axis, ddof=correction)),
           torch=lambda torch, x, axis, correction: torch.std(
               x + torch.tensor(ramp(x.shape)), axis, correction=correction)),
    OpCase("max along", _extreme("max"), along(), line_by_line(max),
           torch=lambda torch, x, axis: torch.max(x, axis).values),
    OpCase("min along", _extreme("min"), along(), line_by_line(min),
           torch=lambda torch, x, axis: torch.min(x, axis).values),
    OpCase("sort", lambda x, **s: ops.sort(x, **s).values, along({"descending": False}, {"descending": True}),
           line_by_line(lambda v, descending: sorted(v, reverse=descending)),
           torch=lambda torch, x, axis, descending: torch.sort(x, axis, descending).values),
    OpCase("topk", lambda x, axis, k: ops.topk(x, k, axis).values, along({"k": 1}),
           line_by_line(lambda v, k: sorted(v, reverse=True)[:k]),
           torch=lambda torch, x, axis, k: torch.topk(x, k, axis).values,
           bad=(BadInput("more than there are", (X,), {"axis": 0, "k": 5}, ArgumentError, "topk"),)),
    OpCase("gather", _host(ops.gather, "index"), gathered(),
           lambda x, axis, index: np.take_along_axis(x, index, axis), linear=True, fake=False,
           torch=lambda torch, x, axis, index: torch.gather(x, axis, torch.tensor(index)),
           bad=(BadInput("fewer axes", (X,), {"axis": 0, "index": np.zeros(2, int)}, ShapeError, "gather"),
                BadInput("too large", (X,), {"axis": 0, "index": np.full((1, 3, 4), 2)}, ShapeError,
                         r"\[0, 2\)"))),
    OpCase("index_select", _host(ops.index_select, "index"),
           with_settings({"axis": 1, "index": np.array([2, 0, 2])}, {"axis": -1, "index": np.array([1])}),
           lambda x, axis, index: np.take(x, index, axis), linear=True, fake=False,
           torch=lambda torch, x, axis, index: torch.index_select(x, axis, torch.tensor(index))),
    OpCase("masked_fill", lambda x, mask: ops.masked_fill(x, Tensor(mask), 7.0), masked(),
           lambda x, mask: np.where(mask, 7.0, x), linear=True, fake=False,
           torch=lambda torch, x, mask: x.masked_fill(torch.tensor(mask), 7.0)),
    OpCase("masked_select", _host(ops.masked_select, "mask"), masked(),
           lambda x, mask: x[np.broadcast_to(mask, x.shape)], linear=True, fake=False,
           torch=lambda torch, x, mask: torch.masked_select(x, torch.tensor(mask))),
    OpCase("unsqueeze", ops.unsqueeze, along(), np.expand_dims, linear=True,
           torch=lambda torch, x, axis: torch.unsqueeze(x, axis)),
    OpCase("expand", lambda x: ops.expand(x[:, :1], -1, 5, 4), with_settings(),
           lambda x: x[:, :1].repeat(5, 1),
           linear=True, torch=lambda torch, x: x[:, :1].expand(-1, 5, 4)),
    OpCase("repeat", lambda x, sizes: select.repeat(x, *sizes), with_settings(*REPEATS),
           lambda x, sizes: np.tile(x, sizes), linear=True, torch=lambda torch, x, sizes: x.repeat(*sizes),
           bad=(BadInput("fewer numbers than axes", (X,), {"sizes": (2,)}, ShapeError, "repeat"),)),
    OpCase("repeat_interleave", select.repeat_interleave, along({"repeats": 2}),
           lambda x, axis, repeats: np.repeat(x, repeats, axis), linear=True,
           torch=lambda torch, x, axis, repeats: torch.repeat_interleave(x, repeats, axis)),
    OpCase("chunk", lambda x, axis: ops.chunk(x, 2, axis)[0], along(),
           lambda x, axis: np.take(x, range(-(-x.shape[axis] // 2)), axis), linear=True,
           torch=lambda torch, x, axis: torch.chunk(x, 2, axis)[0]),
    OpCase("roll", ops.roll, with_settings({"shifts": 1, "dims": 1}, {"shifts": (-2, 3), "dims": (0, 2)},
                                           {"shifts": 5}),
           lambda x, shifts, dims=None: np.roll(x, shifts, dims), linear=True,
           torch=lambda torch, x, shifts, dims=None: torch.roll(x, shifts, dims)),
    OpCase("tril", ops.tril, with_settings({"diagonal": 0}, {"diagonal": -1}, {"diagonal": 2}),
           lambda x, diagonal: np.tril(x, diagonal), linear=True,
           torch=lambda torch, x, diagonal: torch.tril(x, diagonal)),
    OpCase("triu", ops.triu, with_settings({"diagonal": 0}, {"diagonal": -1}, {"diagonal": 2}),
           lambda x, diagonal: np.triu(x, diagonal), linear=True,
           torch=lambda torch, x, diagonal: torch.triu(x, diagonal)),
    OpCase("movedim", ops.movedim, with_settings({"source": 0, "destination": -1}),
           lambda x, source, destination: np.moveaxis(x, source, destination), linear=True,
           torch=lambda torch, x, source, destination: torch.movedim(x, source, destination)),
    OpCase("einsum", lambda *x, equation: ops.einsum(equation, *x), sums(), summed, (Einsum,), linear=True,
           torch=lambda torch, *x, equation: torch.einsum(equation, *x),
           bad=(BadInput("a letter twice", (np.ones((2, 2)),), {"equation": "ii->"}, ArgumentError, "twice"),
                BadInput("too few letters", (X,), {"equation": "ij->"}, ShapeError, "einsum"))),
    OpCase("x[index] = v", _set, assigned(), _was_set, (SetItem,), linear=True,
           bad=(BadInput("what does not fit", (X, np.ones(5)), {"index": (0,)}, ShapeError, "value"),)),
    OpCase("x += y", lambda x, y: inplace.add_(ops.clone(x), y), along().map(one_more),
           lambda x, y: x + y, linear=True),
]  # fmt: skip
