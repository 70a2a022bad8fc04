"""Cases of `ops.pool`, against a walk over every window and every cell in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minigan import backend, ops
from minigan.errors import ArgumentError, ShapeError
from minigan.modes import enable_grad
from minigan.ops.pool import GatherMax, MaxPool2d, ScatterMax, SpreadWindows, SumWindows, window_axes
from minigan.tensor import Tensor
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.oracles import pairwise
from minigan.testing.strategies import (
    arrays,
    booleans,
    composite,
    distinct_arrays,
    integers,
    none,
    one_of,
    pool_configs,
    sampled_from,
    shapes,
    tied_arrays,
)

Cell = tuple[int, int]


@composite
def max_pools(draw: Any, given: str = "x") -> Sample:
    """Windows with gaps between their taps, ties, and a last partial window now and then.

    `given` "x": the image is differentiated.  "g" or "cells": it is a setting, and the input is a gradient
    of the result, or of the image.
    """
    config = draw(pool_configs())
    dilation = (draw(integers(1, 2)), draw(integers(1, 2)))
    kernel = pairwise(config.kwargs["kernel_size"])
    extra = [(d - 1) * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    shape = (*config.x_shape[:2], config.x_shape[2] + extra[0], config.x_shape[3] + extra[1])
    x = draw(tied_arrays(shape) if draw(booleans()) else distinct_arrays(shape))
    settings = {**config.kwargs, "dilation": dilation, "ceil_mode": draw(booleans())}
    if given == "x":
        return Sample((x,), settings)
    pooled = max_pool(x, **settings).shape
    return Sample((draw(arrays(pooled if given == "g" else shape)),), {"image": x, **settings})


@composite
def avg_pools(draw: Any) -> Sample:
    """Every way of counting."""
    config = draw(pool_configs())
    flags = {"ceil_mode": draw(booleans()), "count_include_pad": draw(booleans())}
    divisor = draw(one_of(none(), integers(1, 5)))
    return Sample((draw(arrays(config.x_shape)),), {**config.kwargs, **flags, "divisor_override": divisor})


@composite
def grids(draw: Any) -> Sample:
    """Adaptive pooling to fewer, as many or more windows than cells, often one that divides."""
    shape = draw(shapes(4, 4, 1, 5))
    size = [
        draw(one_of(integers(1, 5), sampled_from([d for d in range(1, n + 1) if n % d == 0])))
        for n in shape[2:]
    ]
    return Sample((draw(arrays(shape)),), {"output_size": size[0] if size[0] == size[1] else tuple(size)})


def starts(n: int, k: int, s: int, p: int, d: int, ceil_mode: bool) -> list[int]:
    """First cell of every window: those that fit, in ceil mode also one that starts before the end."""
    found = []
    start = -p
    while start + d * (k - 1) < n + p:
        found.append(start)
        start += s
    end = found[-1] + d * (k - 1) + 1 if found else -p
    if ceil_mode and end < n + p and start < n:
        found.append(start)
    return found


def windows(shape: tuple[int, ...], kernel_size: Any, stride: Any, padding: Any, dilation: Any = 1,
            ceil_mode: bool = False) -> tuple[Cell, Iterator[tuple[Cell, list[Cell]]]]:  # fmt: skip
    """How many windows, and each window's place with its cells in row-major order, padding's among them."""
    kernel, dilated = pairwise(kernel_size), pairwise(dilation)
    rows, columns = (
        starts(n, k, s, p, d, ceil_mode)
        for n, k, s, p, d in zip(shape[2:], kernel, pairwise(stride), pairwise(padding), dilated, strict=True)
    )

    def walk() -> Iterator[tuple[Cell, list[Cell]]]:
        for i, top in enumerate(rows):
            for j, left in enumerate(columns):
                taps = np.ndindex(*kernel)
                yield (i, j), [(top + a * dilated[0], left + b * dilated[1]) for a, b in taps]

    return (len(rows), len(columns)), walk()


def inside(cell: Cell, shape: tuple[int, ...], margin: Any = 0) -> bool:
    """Whether a cell lies in the image, or in a margin around it."""
    return all(-m <= at < n + m for at, n, m in zip(cell, shape[2:], pairwise(margin), strict=True))


def max_pool(x: np.ndarray, **settings: Any) -> np.ndarray:
    """The largest cell of each window."""
    size, found = windows(x.shape, **settings)
    out = np.zeros((*x.shape[:2], *size))
    for place, cells in found:
        real = [cell for cell in cells if inside(cell, x.shape)]
        for n, c in np.ndindex(*x.shape[:2]):
            out[n, c, *place] = max([x[n, c, *cell] for cell in real], default=-np.inf)
    return out


def scatter(g: np.ndarray, image: np.ndarray, **settings: Any) -> np.ndarray:
    """Each window's g added to the first of its largest cells."""
    out = np.zeros(image.shape)
    for n, c, place, cell in winners(image, **settings):
        out[n, c, *cell] += g[n, c, *place]
    return out


def gather(values: np.ndarray, image: np.ndarray, **settings: Any) -> np.ndarray:
    """The entry of `values` at the first of each window's largest cells."""
    out = np.zeros((*image.shape[:2], *windows(image.shape, **settings)[0]))
    for n, c, place, cell in winners(image, **settings):
        out[n, c, *place] = values[n, c, *cell]
    return out


def winners(image: np.ndarray, **settings: Any) -> Iterator[tuple[int, int, Cell, Cell]]:
    """Sample, channel, window and the first of the window's largest cells; none for a window of padding."""
    for place, cells in windows(image.shape, **settings)[1]:
        for n, c in np.ndindex(*image.shape[:2]):
            real = [cell for cell in cells if inside(cell, image.shape)]
            if real:
                yield n, c, place, max(real, key=lambda cell: image[n, c, *cell])


def avg_pool(x: np.ndarray, *, padding: Any = 0, count_include_pad: bool = True,
             divisor_override: int | None = None, **settings: Any) -> np.ndarray:  # fmt: skip
    """The sum of each window over the count that the settings ask for."""
    size, found = windows(x.shape, padding=padding, **settings)
    out = np.zeros((*x.shape[:2], *size))
    for place, cells in found:
        real = [cell for cell in cells if inside(cell, x.shape)]
        counted = [cell for cell in cells if inside(cell, x.shape, padding)] if count_include_pad else real
        for n, c in np.ndindex(*x.shape[:2]):
            out[n, c, *place] = sum(x[n, c, *cell] for cell in real) / (divisor_override or len(counted))
    return out


def adaptive(x: np.ndarray, output_size: Any) -> np.ndarray:
    """Means over cells floor(i n / out) up to ceil((i + 1) n / out)."""
    OH, OW = pairwise(output_size)
    out = np.zeros((*x.shape[:2], OH, OW))
    for n, c, i, j in np.ndindex(*out.shape):
        rows = slice(int(np.floor(i * x.shape[2] / OH)), int(np.ceil((i + 1) * x.shape[2] / OH)))
        columns = slice(int(np.floor(j * x.shape[3] / OW)), int(np.ceil((j + 1) * x.shape[3] / OW)))
        out[n, c, i, j] = np.average(x[n, c, rows, columns])
    return out


def _of_winner(op: type[ScatterMax] | type[GatherMax]) -> Any:
    """The scatter or gather op at the winners that max_pool2d saves for the setting `image`."""

    def call(values: Tensor, image: np.ndarray, **settings: Any) -> Tensor:
        x = Tensor(backend.to_device(image.astype(values.dtype), values.device), requires_grad=True)
        axes = window_axes(x, where="max_pool2d", **settings)
        pool = MaxPool2d(axes)
        with enable_grad():
            pool(x)
        if op is ScatterMax:
            return ScatterMax(axes, pool.saved, x.shape)(values)
        return GatherMax(axes, pool.saved)(values)

    return call


X = np.zeros((1, 1, 4, 4))
EMPTY = np.zeros((0, 2, 4, 4))


def refused() -> tuple[BadInput, ...]:
    """What every pooling with windows refuses."""
    return (
        BadInput("three axes", (X[0],), {"kernel_size": 2}, ShapeError, r"\(N, C, H, W\)"),
        BadInput("no window", (X,), {"kernel_size": 0}, ArgumentError, "kernel_size must be"),
        BadInput("half a cell", (X,), {"kernel_size": 2.0}, ArgumentError, "kernel_size must be"),
        BadInput("a truth value", (X,), {"kernel_size": True}, ArgumentError, "kernel_size must be"),
        BadInput("three sizes", (X,), {"kernel_size": (2, 2, 2)}, ArgumentError, "kernel_size"),
        BadInput("stride 0", (X,), {"kernel_size": 2, "stride": 0}, ArgumentError, "stride must be"),
        BadInput("padding < 0", (X,), {"kernel_size": 2, "padding": -1}, ArgumentError, "padding must be"),
        BadInput("much padding", (X,), {"kernel_size": 3, "padding": 2}, ArgumentError, "at most half"),
        BadInput("a window over all", (X,), {"kernel_size": 5}, ShapeError, "output height would be 0"),
        BadInput("no rows", (X[:, :, :0],), {"kernel_size": 1}, ShapeError, "output height"),
    )  # fmt: skip


CASES = [
    OpCase("max_pool2d", ops.max_pool2d, max_pools(), max_pool, (MaxPool2d,), kinks=True,
           torch=lambda torch, x, **settings: torch.nn.functional.max_pool2d(x, **settings),
           empty=(Sample((EMPTY,), {"kernel_size": 2, "stride": 2, "padding": 0}),),
           bad=(*refused(), BadInput("dilation 0", (X,), {"kernel_size": 2, "dilation": 0}, ArgumentError,
                                     "dilation must be"))),
    OpCase("max_pool2d scatter", _of_winner(ScatterMax), max_pools("g"), scatter, (ScatterMax,), linear=True),
    OpCase("max_pool2d gather", _of_winner(GatherMax), max_pools("cells"), gather, (GatherMax,), linear=True),
    OpCase("avg_pool2d", ops.avg_pool2d, avg_pools(), avg_pool, (SumWindows, SpreadWindows), linear=True,
           torch=lambda torch, x, **settings: torch.nn.functional.avg_pool2d(x, **settings),
           empty=(Sample((EMPTY,), {"kernel_size": 2, "stride": 2}),),
           bad=(*refused(), BadInput("divisor 0", (X,), {"kernel_size": 2, "divisor_override": 0},
                                     ArgumentError, "divisor_override must be"))),
    OpCase("adaptive_avg_pool2d", ops.adaptive_avg_pool2d, grids(), adaptive, linear=True,
           torch=lambda torch, x, output_size: torch.nn.functional.adaptive_avg_pool2d(x, output_size),
           empty=(Sample((EMPTY,), {"output_size": 3}),),
           bad=(BadInput("no windows", (X,), {"output_size": 0}, ArgumentError, "output_size must be"),
                BadInput("no rows", (X[:, :, :0],), {"output_size": 1}, ShapeError, "H, W >= 1"))),
    OpCase("global_avg_pool2d", ops.global_avg_pool2d, avg_pools().map(lambda s: Sample(s.inputs)),
           lambda x: adaptive(x, 1), linear=True, empty=(Sample((EMPTY,)),),
           torch=lambda torch, x: torch.nn.functional.adaptive_avg_pool2d(x, 1),
           bad=(BadInput("three axes", (X[0],), {}, ShapeError, r"\(N, C, H, W\)"),)),
]  # fmt: skip
