"""Cases of `ops.shape`: operations that move elements without computing."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from minigan import ops
from minigan.backend import namespace
from minigan.errors import ArgumentError, ShapeError
from minigan.ops.shape import Concatenate, Flip, Fold, GetItem, Pad, Permute, Reshape, Scatter
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.oracles import from_places
from minigan.testing.strategies import (
    arrays,
    booleans,
    composite,
    distinct_arrays,
    integers,
    lists,
    permutations,
    sampled_from,
    shapes,
)


@composite
def reshapes(draw: Any) -> Sample:
    """Sizes split and joined at random; one of the new sizes is -1 now and then."""
    sizes = draw(lists(integers(1, 3), min_size=1, max_size=4))
    cut, other = draw(integers(0, len(sizes))), draw(integers(0, len(sizes)))
    shape = tuple(s for s in (prod(sizes[:cut]), *sizes[cut:]))
    target = [*sizes[:other], prod(sizes[other:])]
    if draw(booleans()):
        target[draw(integers(0, len(target) - 1))] = -1
    return Sample((draw(arrays(shape)),), {"shape": tuple(target)})


def reshaped(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Write the elements of x, last index fastest, into the new shape."""
    shape = tuple(-(x.size // prod(shape)) if n == -1 else n for n in shape)
    out = np.zeros(shape)
    places = np.ndindex(*out.shape)
    for place in np.ndindex(*x.shape):
        out[next(places)] = x[place]
    return out


@composite
def orders(draw: Any) -> Sample:
    """An array and an order of its axes, some of them counted from the end."""
    x = draw(arrays(shapes(1, 4)))
    axes = draw(permutations(list(range(x.ndim))))
    return Sample((x,), {"axes": tuple(a - x.ndim if draw(booleans()) else a for a in axes)})


def permuted_place(place: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    """The element at (i0, i1, ..) comes from the place whose axis axes[k] is ik."""
    axes = tuple(a % len(shape) for a in axes)
    if place is None:
        return [shape[a] for a in axes]
    return [place[axes.index(a)] for a in range(len(shape))]


@composite
def swaps(draw: Any) -> Sample:
    """An array and two of its axes, perhaps the same one twice."""
    x = draw(arrays(shapes(1, 4)))
    pick = integers(-x.ndim, x.ndim - 1)
    return Sample((x,), {"dim0": draw(pick), "dim1": draw(pick)})


def swapped_place(place: Any, shape: tuple[int, ...], dim0: int, dim1: int) -> Any:
    """Two axes change places."""
    found = list(shape if place is None else place)
    found[dim0], found[dim1] = found[dim1], found[dim0]
    return found


@composite
def flattenings(draw: Any) -> Sample:
    """An array and a range of axes to join."""
    x = draw(arrays(shapes(1, 4)))
    first = draw(integers(0, x.ndim - 1))
    last = draw(integers(first, x.ndim - 1))
    return Sample((x,), {"start_dim": first, "end_dim": last - x.ndim if draw(booleans()) else last})


def flattened(x: np.ndarray, start_dim: int, end_dim: int) -> np.ndarray:
    """Row-major order, as `reshaped`."""
    last = end_dim % x.ndim
    shape = (*x.shape[:start_dim], prod(x.shape[start_dim : last + 1]), *x.shape[last + 1 :])
    return reshaped(x, shape)


@composite
def joins(draw: Any, stacked: bool = False) -> Sample:
    """One to three arrays that agree but along the axis (when stacked: in all sizes)."""
    shape = draw(shapes(0 if stacked else 1, 3, 1, 3))
    axis = draw(integers(0, len(shape) - (not stacked)))
    count = draw(integers(1, 3))
    sizes = [shape] * count
    if not stacked:
        sizes = [(*shape[:axis], draw(integers(1, 3)), *shape[axis + 1 :]) for _ in range(count)]
    axis -= draw(booleans()) * (len(shape) + stacked)
    return Sample(tuple(draw(arrays(s)) for s in sizes), {"axis": axis})


def joined(*arrays: np.ndarray, axis: int) -> np.ndarray:
    """Copy one array after the other, element by element."""
    axis %= arrays[0].ndim
    total = list(arrays[0].shape)
    total[axis] = sum(a.shape[axis] for a in arrays)
    out, start = np.zeros(total), 0
    for array in arrays:
        for place in np.ndindex(*array.shape):
            out[(*place[:axis], start + place[axis], *place[axis + 1 :])] = array[place]
        start += array.shape[axis]
    return out


def stacked(*arrays: np.ndarray, axis: int) -> np.ndarray:
    """Copy each array to its own index of a new axis."""
    axis %= arrays[0].ndim + 1
    shape = arrays[0].shape
    out = np.zeros((*shape[:axis], len(arrays), *shape[axis:]))
    for k, array in enumerate(arrays):
        for place in np.ndindex(*shape):
            out[(*place[:axis], k, *place[axis:])] = array[place]
    return out


@composite
def indexings(draw: Any) -> Sample:
    """An array and an index: integers, slices, None, ..., lists with repeats, masks, and mixtures."""
    x = draw(distinct_arrays(shapes(1, 3, 1, 4)))

    def part(side: int) -> Any:
        kind = draw(sampled_from(("slice", "integer", "list")))
        if kind == "integer":
            return draw(integers(-side, side - 1))
        if kind == "list":
            return draw(lists(integers(-side, side - 1), min_size=1, max_size=4))
        step = draw(sampled_from((1, 2, -1, -2)))
        return slice(draw(sampled_from((None, 0, -side))), None, step)

    kind = draw(sampled_from(("one", "tuple", "ellipsis", "mask")))
    if kind == "mask":
        return Sample((x,), {"index": (np.argsort(x, axis=None).reshape(x.shape) % 2 == 0).tolist()})
    if kind == "one":
        return Sample((x,), {"index": part(x.shape[0])})
    if kind == "ellipsis":
        return Sample((x,), {"index": (None, ..., part(x.shape[-1]))})
    parts: list[Any] = [part(side) for side in x.shape[: draw(integers(1, x.ndim))]]
    lengths = {len(p) for p in parts if isinstance(p, list)}
    shortest = min(lengths, default=0)  # lists that stand together must have one length
    return Sample((x,), {"index": tuple(p[:shortest] if isinstance(p, list) else p for p in parts)})


def taken(x: np.ndarray, index: Any) -> np.ndarray:
    """Number the elements, index the numbers, look the elements up one by one."""
    plain = tuple(
        np.asarray(p) if isinstance(p, list) else p for p in (index if isinstance(index, tuple) else (index,))
    )
    numbers = np.arange(x.size).reshape(x.shape)[plain]
    places = list(np.ndindex(*x.shape))
    out = np.zeros(np.shape(numbers))
    for place in np.ndindex(*out.shape):
        out[place] = x[places[int(np.asarray(numbers)[place])]]
    return out


@composite
def scatterings(draw: Any) -> Sample:
    """What an index takes, to be put back into zeros."""
    taken_from = draw(indexings())
    (x,), index = taken_from.inputs, taken_from.kwargs["index"]
    return Sample((draw(arrays(taken(x, index).shape)),), {"index": index, "shape": x.shape})


def put_back(g: np.ndarray, index: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Add each element into the place the index took it from."""
    numbers = taken(np.arange(prod(shape), dtype=float).reshape(shape), index)
    out = np.zeros(prod(shape))
    for place in np.ndindex(*g.shape):
        out[int(numbers[place])] += g[place]
    return out.reshape(shape)


def scatter(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """The operation itself, with lists as arrays of g's device, as `getitem` makes them."""
    xp = namespace(g.array)
    parts = index if isinstance(index, tuple) else (index,)
    plain = tuple(xp.asarray(part) if isinstance(part, list) else part for part in parts)
    return Scatter(plain if isinstance(index, tuple) else plain[0], shape)(g)


@composite
def flips(draw: Any) -> Sample:
    """An array and axes to reverse."""
    x = draw(arrays(shapes(1, 4)))
    axes = draw(lists(integers(0, x.ndim - 1), min_size=1, unique=True))
    return Sample((x,), {"axes": tuple(a - x.ndim if draw(booleans()) else a for a in axes)})


def flipped_place(place: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    """Count from the other end along the axes."""
    if place is None:
        return shape
    axes = tuple(a % len(shape) for a in axes)
    return [shape[a] - 1 - i if a in axes else i for a, i in enumerate(place)]


@composite
def paddings(draw: Any, folded: bool = False) -> Sample:
    """An array, a border for some of its last axes, and a mode; a reflection stays below the size."""
    shape = draw(shapes(1, 4, 1, 4))
    mode = draw(sampled_from(("constant", "reflect", "replicate")))
    pad: list[int] = []
    for side in reversed(shape[len(shape) - draw(integers(1, len(shape))) :]):
        most = side - 1 if mode == "reflect" else 3
        pad += [draw(integers(0, most)), draw(integers(0, most))]
    settings: dict[str, Any] = {"pad": tuple(pad), "mode": mode}
    if folded:
        return Sample((draw(arrays(padded_place(None, shape, pad, mode))),), {**settings, "shape": shape})
    if mode == "constant":
        settings["value"] = draw(sampled_from((0.0, 1.5)))
    return Sample((draw(arrays(shape)),), settings)


def padded_place(place: Any, shape: tuple[int, ...], pad: Any, mode: str) -> Any:
    """Where an element of the padded array comes from: outside, mirrored at the edge, or the edge itself."""
    before = [0] * (len(shape) - len(pad) // 2) + list(pad[::2])[::-1]
    after = [0] * (len(shape) - len(pad) // 2) + list(pad[1::2])[::-1]
    if place is None:
        return tuple(b + n + a for b, n, a in zip(before, shape, after, strict=True))
    source = []
    for i, b, n in zip(place, before, shape, strict=True):
        at = i - b
        if not 0 <= at < n:
            if mode == "constant":
                return None
            mirrored = -at if at < 0 else 2 * (n - 1) - at
            at = mirrored if mode == "reflect" else min(max(at, 0), n - 1)
        source.append(at)
    return source


def padded(x: np.ndarray, pad: Any, mode: str, value: float = 0.0) -> np.ndarray:
    """Look every element up where `padded_place` says, the border's value where it says nowhere."""
    inside = from_places(padded_place)(x, pad=pad, mode=mode)
    marks = from_places(padded_place)(np.ones(x.shape), pad=pad, mode=mode)
    return inside + (value * (1 - marks) if mode == "constant" else 0.0)


def folded(g: np.ndarray, pad: Any, mode: str, shape: tuple[int, ...]) -> np.ndarray:
    """Add each element of the padded array into the place it was copied from."""
    out = np.zeros(shape)
    for place in np.ndindex(*g.shape):
        source = padded_place(place, shape, pad, mode)
        if source is not None:
            out[tuple(source)] += g[place]
    return out


def fold(g: Any, pad: Any, mode: str, shape: tuple[int, ...]) -> Any:
    """The operation itself, its widths in order of the axes."""
    pairs = [(pad[2 * k], pad[2 * k + 1]) for k in range(len(pad) // 2)][::-1]
    return Fold(((0, 0),) * (len(shape) - len(pairs)) + tuple(pairs), mode)(g)


X, NONE = np.ones((2, 3)), np.zeros((0, 3))

CASES = [
    OpCase("reshape", lambda x, shape: ops.reshape(x, *shape), reshapes(), reshaped, (Reshape,), linear=True,
           torch=lambda torch, x, shape: x.reshape(shape), empty=(Sample((NONE,), {"shape": (3, 0)}),),
           bad=(BadInput("another number of elements", (X,), {"shape": (4, 2)}, ShapeError, "6 elements"),
                BadInput("two free sizes", (X,), {"shape": (-1, -1)}, ShapeError, "reshape"),
                BadInput("a size that does not divide", (X,), {"shape": (4, -1)}, ShapeError, "reshape"))),
    OpCase("permute", lambda x, axes: ops.permute(x, *axes), orders(), from_places(permuted_place),
    (Permute,),
           linear=True, torch=lambda torch, x, axes: x.permute(axes), empty=(Sample((NONE,), {"axes": (1,
                                                                                    0)}),),
           bad=(BadInput("too few axes", (X,), {"axes": (0,)}, ShapeError, "2 axes"),
                BadInput("an axis named twice", (X,), {"axes": (1, -1)}, ShapeError, "twice"))),
    OpCase("transpose", ops.transpose, swaps().filter(lambda s: s.kwargs["dim0"] % s.inputs[0].ndim
                                                      != s.kwargs["dim1"] % s.inputs[0].ndim),
           from_places(swapped_place), (Permute,), linear=True,
           torch=lambda torch, x, dim0, dim1: x.transpose(dim0, dim1),
           bad=(BadInput("an axis that is not there", (X,), {"dim0": 2}, ShapeError, "out of range"),)),
    OpCase("flatten", ops.flatten, flattenings(), flattened, (Reshape,), linear=True,
           torch=lambda torch, x, start_dim, end_dim: x.flatten(start_dim, end_dim),
           bad=(BadInput("axes the wrong way round", (X,), {"start_dim": 1, "end_dim": 0}, ShapeError,
                         "after"),)),
    OpCase("concatenate", lambda *x, axis: ops.concatenate(x, axis), joins(), joined, (Concatenate,),
    linear=True,
           torch=lambda torch, *x, axis: torch.cat(x, axis), empty=(Sample((NONE, X), {"axis": 0}),),
           bad=(BadInput("sizes that differ elsewhere", (X, X), {"axis": 2}, ShapeError, "axis"),
                BadInput("other sizes", (X, np.ones((2, 2))), {"axis": 0}, ShapeError, "must agree"),
                BadInput("nothing", (), {"axis": 0}, ShapeError, "at least one"))),
    OpCase("stack", lambda *x, axis: ops.stack(x, axis), joins(stacked=True), stacked, (Concatenate,),
    linear=True,
           torch=lambda torch, *x, axis: torch.stack(x, axis), empty=(Sample((NONE, NONE), {"axis": 1}),),
           bad=(BadInput("two shapes", (X, np.ones((3, 2))), {"axis": 0}, ShapeError, "one shape"),)),
    OpCase("getitem", ops.getitem, indexings(), taken, (GetItem,), linear=True,
           torch=lambda torch, x, index: torch_getitem(torch, x, index),
           bad=(BadInput("an index out of range", (X,), {"index": 2}, ShapeError, "getitem"),),
           empty=(Sample((X,), {"index": slice(0, 0)}),)),
    OpCase("scatter", scatter, scatterings(), put_back, (Scatter,), linear=True),
    OpCase("flip", lambda x, axes: ops.flip(x, axes), flips(), from_places(flipped_place), (Flip,),
           linear=True,
           torch=lambda torch, x, axes: torch.flip(x, axes), empty=(Sample((NONE,), {"axes": (0,)}),),
           bad=(BadInput("an axis that is not there", (X,), {"axes": (2,)}, ShapeError, "out of range"),)),
    OpCase("pad", ops.pad, paddings(), padded, (Pad,), linear=True,
           torch=lambda torch, x, pad, mode, value=0.0: torch_pad(torch, x, pad, mode, value),
           bad=(BadInput("a width below zero", (X,), {"pad": (-1, 0)}, ArgumentError, ">= 0"),
                BadInput("a reflection of the whole axis", (X,), {"pad": (3, 0), "mode": "reflect"},
                         ArgumentError,
                         "below the axis size"),
                BadInput("half a pair", (X,), {"pad": (1,)}, ArgumentError, "pairs"),
                BadInput("more axes than there are", (X,), {"pad": (1,) * 6}, ArgumentError, "at most 2"),
                BadInput("an unknown mode", (X,), {"pad": (1, 1), "mode": "wrap"}, ArgumentError,
                         "unknown mode")),
           empty=(Sample((NONE,), {"pad": (1, 0), "mode": "constant"}),)),
    OpCase("fold", fold, paddings(folded=True), folded, (Fold,), linear=True),
]  # fmt: skip


def torch_getitem(torch: Any, x: Any, index: Any) -> Any:
    """PyTorch has no negative steps: index what they would have picked."""
    parts = index if isinstance(index, tuple) else (index,)
    mask = isinstance(index, list) and isinstance(np.asarray(index).flat[0].item(), bool)
    if mask:
        return x[torch.as_tensor(index)]
    numbers = torch.arange(x.numel()).reshape(x.shape).numpy()
    picked = numbers[tuple(np.asarray(p) if isinstance(p, list) else p for p in parts)]
    return x.reshape(-1)[torch.as_tensor(np.array(picked))]


def torch_pad(torch: Any, x: Any, pad: Any, mode: str, value: float) -> Any:
    """PyTorch reflects and replicates only some axes of some ranks: do it one axis at a time."""
    if mode == "constant":
        return torch.nn.functional.pad(x, pad, mode, value)
    for k in range(len(pad) // 2):
        moved = x.movedim(-1 - k, -1)
        flat = moved.reshape(-1, 1, moved.shape[-1])
        wide = torch.nn.functional.pad(flat, pad[2 * k : 2 * k + 2], mode)
        x = wide.reshape(*moved.shape[:-1], -1).movedim(-1, -1 - k)
    return x
