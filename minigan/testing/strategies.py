"""Hypothesis strategies for arrays, shapes and settings of operations: the one file that imports hypothesis.

All are constructive: every draw is valid, none is filtered, so none is wasted and a failing example shrinks
to the smallest one.  A configuration is built from its *output* back to its input: sizes that do not divide,
gaps between windows, H unlike W and N = 1 all come up in a few draws.  Values come from a drawn seed, not
element by element, which keeps a draw under a millisecond.

    from hypothesis import given
    from minigan.testing import gradcheck
    from minigan.testing.strategies import distinct_arrays

    @given(distinct_arrays())
    def test_mine(array):
        assert gradcheck(my_function, array)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as fixed_seed
from hypothesis.strategies import (
    SearchStrategy,
    booleans,
    composite,
    integers,
    just,
    lists,
    none,
    one_of,
    permutations,
    sampled_from,
    tuples,
)

from minigan.testing.case import Sample
from minigan.testing.graphs import Graph, Step
from minigan.testing.layout import LAYOUTS, in_layout

__all__ = [
    "LAYOUTS", "ConvConfig", "PoolConfig", "ResampleConfig", "SearchStrategy", "array_samples", "arrays",
    "booleans", "broadcast_pairs", "composite", "conv_configs", "conv_transpose_configs", "distinct_arrays",
    "draw_examples", "graphs", "in_layout", "integers", "just", "layouts", "lists", "none", "one_of",
    "permutations", "pool_configs", "resample_configs", "sampled_from", "seeds", "shapes", "tied_arrays",
]  # fmt: skip

Shape = tuple[int, ...]
# Having drawn some ten examples hypothesis turns to variations of those: fresh starts keep them apart.
_FRESH = 8


def draw_examples(strategy: SearchStrategy, count: int, seed: int = 0) -> list[Any]:
    """Draw up to `count` examples outside a test, the same ones for the same `seed`.

    There are fewer where the strategy holds fewer than eight.
    """
    found: list[Any] = []
    for start in range(0, count, _FRESH):
        again = int(start > 0)  # every start begins with the simplest example
        asked = min(_FRESH, count - start) + again
        found += _draw_from(strategy, asked, f"{seed} {start}")[again:]
        if len(found) < start + asked - again:
            break
    return found


def _draw_from(strategy: SearchStrategy, count: int, start: str) -> list[Any]:
    found: list[Any] = []

    @fixed_seed(start)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def collect(example: Any) -> None:
        found.append(example)

    collect()
    return found


# --- shapes and arrays -------------------------------------------------------------------------------------


def seeds() -> SearchStrategy[int]:
    """Seeds for `np.random.default_rng`."""
    return integers(0, 2**32 - 1)


def shapes(
    min_ndim: int = 0, max_ndim: int = 4, min_side: int = 1, max_side: int = 4
) -> SearchStrategy[Shape]:
    """Shapes of every number of axes alike; sides are drawn apart: rarely square, and often 1."""
    side = integers(min_side, max_side)
    return integers(min_ndim, max_ndim).flatmap(lambda ndim: tuples(*[side] * ndim))


def _shape_of(shape: Shape | SearchStrategy[Shape] | None) -> SearchStrategy[Shape]:
    if shape is None:
        return shapes()
    return just(shape) if isinstance(shape, tuple) else shape


@composite
def arrays(draw: Any, shape: Any = None, low: float = -2.0, high: float = 2.0) -> np.ndarray:
    """float64 arrays of U[low, high).

    `shape` is a tuple, a strategy of tuples, or None for 0 to 4 axes of 1 to 4.
    """
    generator = np.random.default_rng(draw(seeds()))
    return generator.uniform(low, high, draw(_shape_of(shape)))


@composite
def distinct_arrays(draw: Any, shape: Any = None) -> np.ndarray:
    """float64 arrays without ties or zeros: any two elements, and any element and 0, are at least 0.01 apart.

    A finite difference with a step far below 0.01 then meets no kink of relu, abs, max or max-pooling.
    """
    generator = np.random.default_rng(draw(seeds()))
    size = draw(_shape_of(shape))
    count = int(np.prod(size))
    gap = max(0.02, min(0.5, 4.0 / max(count, 1)))
    grid = (generator.permutation(count) - count // 2 + 0.5) * gap
    return (grid + generator.uniform(-0.25, 0.25, count) * gap).reshape(size)


@composite
def tied_arrays(draw: Any, shape: Any = None) -> np.ndarray:
    """float64 arrays of -1, 0 and 1 (or of one value only): ties in max, zeros in relu and abs."""
    generator = np.random.default_rng(draw(seeds()))
    low = draw(integers(-1, 1))
    return generator.integers(low, 1, draw(_shape_of(shape)), endpoint=True).astype(np.float64)


@composite
def broadcast_pairs(draw: Any, max_ndim: int = 3, max_side: int = 3) -> tuple[Shape, Shape]:
    """Two shapes that broadcast against one another: sides of 1 and missing leading axes, in both."""
    full = draw(shapes(0, max_ndim, 1, max_side))

    def cut() -> Shape:
        kept = full[draw(integers(0, len(full))) :] if draw(booleans()) else full
        return tuple(1 if draw(booleans()) else side for side in kept)

    first, second = (full, cut()) if draw(booleans()) else (cut(), full)
    return (first, second) if draw(booleans()) else (cut(), cut())


def array_samples(
    shape: Any = None, *, count: int = 1, low: float | None = None, high: float = 2.0, ties: bool = False
) -> SearchStrategy[Sample]:
    """Samples of `count` arrays of one shape and no settings, for the case of an elementwise operation.

    Values are distinct ones on both sides of 0, or U[low, high) when `low` is given; `ties` mixes in tied
    ones.
    """

    @composite
    def draw_sample(draw: Any) -> Sample:
        size = draw(_shape_of(shape))
        plain = distinct_arrays(size) if low is None else arrays(size, low, high)
        values = one_of(plain, tied_arrays(size)) if ties else plain
        return Sample(tuple(draw(values) for _ in range(count)))

    return draw_sample()


# --- memory layouts ----------------------------------------------------------------------------------------


def layouts() -> SearchStrategy[str]:
    """Names of memory layouts, for `in_layout`."""
    return sampled_from(LAYOUTS)


# --- settings of operations --------------------------------------------------------------------------------


@dataclass(frozen=True)
class ConvConfig:
    """Shapes and settings of one (transposed) convolution.

    `kwargs` are those of `ops.conv2d` or `ops.conv_transpose2d`.
    """

    x_shape: Shape
    weight_shape: Shape
    out_shape: Shape
    kwargs: dict[str, Any]


def _pair(draw: Any, first: int, second: int) -> Any:
    """One number for both axes where they agree, and now and then: settings come as numbers and as pairs."""
    return first if first == second and draw(booleans()) else (first, second)


def _axes(settings_of_axes: list[dict[str, int]], draw: Any, names: tuple[str, ...]) -> dict[str, Any]:
    rows, columns = settings_of_axes
    return {name: _pair(draw, rows[name], columns[name]) for name in names}


@composite
def conv_configs(draw: Any, max_out: int = 3, max_kernel: int = 3, grouped: bool = True) -> ConvConfig:
    """Convolution settings, each axis built backwards from its output size.

    With output o, kernel k, stride s, dilation d, slack r < s and padding p, the input size is
    (o-1)s + d(k-1) + 1 + r - 2p; p is drawn so that it stays positive.
    """

    def axis() -> dict[str, int]:
        o, k, s = draw(integers(1, max_out)), draw(integers(1, max_kernel)), draw(integers(1, 3))
        d, r = draw(integers(1, 2)), draw(integers(0, s - 1))
        padded = (o - 1) * s + d * (k - 1) + 1 + r
        p = draw(integers(0, min(3, (padded - 1) // 2)))
        return {"size": padded - 2 * p, "out": o, "kernel": k, "stride": s, "dilation": d, "padding": p}

    axes = [axis(), axis()]
    groups = draw(integers(1, 3)) if grouped else 1
    per_group_in, per_group_out = draw(integers(1, 2)), draw(integers(1, 2))
    batch = draw(integers(1, 3))
    return ConvConfig(
        x_shape=(batch, groups * per_group_in, axes[0]["size"], axes[1]["size"]),
        weight_shape=(groups * per_group_out, per_group_in, axes[0]["kernel"], axes[1]["kernel"]),
        out_shape=(batch, groups * per_group_out, axes[0]["out"], axes[1]["out"]),
        kwargs={**_axes(axes, draw, ("stride", "padding", "dilation")), "groups": groups},
    )


@composite
def conv_transpose_configs(
    draw: Any, max_in: int = 3, max_kernel: int = 3, grouped: bool = True
) -> ConvConfig:
    """Transposed-convolution settings.

    Input size i, output size (i-1)s - 2p + d(k-1) + output_padding + 1, drawn to stay positive.
    """

    def axis() -> dict[str, int]:
        i, k, s = draw(integers(1, max_in)), draw(integers(1, max_kernel)), draw(integers(1, 3))
        d = draw(integers(1, 2))
        extra = draw(integers(0, max(s, d) - 1))
        whole = (i - 1) * s + d * (k - 1) + extra + 1
        p = draw(integers(0, min(3, (whole - 1) // 2)))
        return {
            "size": i,
            "out": whole - 2 * p,
            "kernel": k,
            "stride": s,
            "dilation": d,
            "padding": p,
            "output_padding": extra,
        }

    axes = [axis(), axis()]
    groups = draw(integers(1, 3)) if grouped else 1
    per_group_in, per_group_out = draw(integers(1, 2)), draw(integers(1, 2))
    batch = draw(integers(1, 3))
    return ConvConfig(
        x_shape=(batch, groups * per_group_in, axes[0]["size"], axes[1]["size"]),
        weight_shape=(groups * per_group_in, per_group_out, axes[0]["kernel"], axes[1]["kernel"]),
        out_shape=(batch, groups * per_group_out, axes[0]["out"], axes[1]["out"]),
        kwargs={**_axes(axes, draw, ("stride", "padding", "dilation", "output_padding")), "groups": groups},
    )


@dataclass(frozen=True)
class PoolConfig:
    """Shapes and settings of one pooling; `kwargs` are kernel_size, stride and padding."""

    x_shape: Shape
    out_shape: Shape
    kwargs: dict[str, Any]


@composite
def pool_configs(draw: Any, max_out: int = 3, max_kernel: int = 3, padded: bool = True) -> PoolConfig:
    """Pooling settings.

    Windows that overlap (s < k), touch and leave gaps (s > k); padding is at most half the window.
    """

    def axis() -> dict[str, int]:
        o, k, s = draw(integers(1, max_out)), draw(integers(1, max_kernel)), draw(integers(1, 3))
        whole = (o - 1) * s + k + draw(integers(0, s - 1))
        p = draw(integers(0, min(k // 2, (whole - 1) // 2))) if padded else 0
        return {"size": whole - 2 * p, "out": o, "kernel_size": k, "stride": s, "padding": p}

    axes = [axis(), axis()]
    batch, channels = draw(integers(1, 2)), draw(integers(1, 3))
    return PoolConfig(
        x_shape=(batch, channels, axes[0]["size"], axes[1]["size"]),
        out_shape=(batch, channels, axes[0]["out"], axes[1]["out"]),
        kwargs=_axes(axes, draw, ("kernel_size", "stride", "padding")),
    )


@dataclass(frozen=True)
class ResampleConfig:
    """Shapes and settings of one resize; `kwargs` hold size or scale_factor, mode and align_corners."""

    x_shape: Shape
    kwargs: dict[str, Any]


@composite
def resample_configs(
    draw: Any, modes: tuple[str, ...] = ("nearest", "bilinear"), max_side: int = 5
) -> ResampleConfig:
    """Resize settings.

    Up, down and to the same size, H unlike W, whole and fractional factors, some so near 1 or 2 that the size
    stays or doubles, sides of 1.
    """
    x_shape = (
        draw(integers(1, 2)),
        draw(integers(1, 2)),
        draw(integers(1, max_side)),
        draw(integers(1, max_side)),
    )
    mode = draw(sampled_from(modes))
    kwargs: dict[str, Any] = {"mode": mode}
    if draw(booleans()):
        kwargs["size"] = (draw(integers(1, max_side + 3)), draw(integers(1, max_side + 3)))
    else:  # a factor of at least 1/side leaves at least one row: floor(side * factor) >= 1
        known = (1, 2, 3, 0.5, 1.5, 2.4, 0.75, 1.00001, 1.1, 2.05)
        factors = [draw(sampled_from([f for f in known if int(side * f) >= 1])) for side in x_shape[2:]]
        kwargs["scale_factor"] = _pair(draw, *factors)
    if mode != "nearest":
        kwargs["align_corners"] = draw(booleans())
    return ResampleConfig(x_shape, kwargs)


# --- computation graphs ------------------------------------------------------------------------------------


@composite
def graphs(draw: Any, max_steps: int = 8, cuts: bool = True) -> Graph:
    """Whole computation graphs of one to three inputs: reuse, broadcasting, views, and, with `cuts`,
    constants.

    Every step reads values made before it, so that a graph shrinks by losing steps and by reading older
    values.
    """
    inputs = draw(lists(shapes(0, 2, 1, 3), min_size=1, max_size=3))
    known = list(inputs)
    steps: list[Step] = []
    for _ in range(draw(integers(1, max_steps))):
        first, second = (draw(integers(0, len(known) - 1)) for _ in range(2))
        possible = _possible(known[first], known[second])
        operation, setting, shape = draw(sampled_from(possible))
        reads = (first, second) if operation in _BINARY else (first,)
        constant = cuts and draw(integers(0, 9)) == 9
        steps.append(Step(operation, reads, setting, constant))
        known.append(shape)
    return Graph(tuple(inputs), tuple(steps))


_BINARY = ("add", "sub", "mul", "div", "matmul", "concatenate")


def _possible(x: Shape, y: Shape) -> list[tuple[str, Any, Shape]]:
    """What may be done with values of these shapes: operation, setting, shape of the result."""
    found: list[tuple[str, Any, Shape]] = [
        (name, None, x) for name in ("square", "bell", "root", "log", "neg")
    ]
    found += [
        ("scale", -1.5, x),
        ("detach", None, x),
        ("flatten", None, (int(np.prod(x)),)),
        ("sum", (None, False), ()),
    ]
    if len(x) < 3:
        found.append(("broadcast", 2, (2, *x)))
    for axis in range(-len(x), len(x)):
        cut = tuple(n for i, n in enumerate(x) if i != axis % len(x))
        kept = tuple(1 if i == axis % len(x) else n for i, n in enumerate(x))
        found += [("sum", (axis, False), cut), ("mean", (axis, True), kept), ("flip", axis, x)]
    if x:
        found += [("take", [0, -1, 0], (3, *x[1:])), ("take", slice(None, None, -1), x), ("take", -1, x[1:])]
        found.append(("pad", (1, 2), (*x[:-1], x[-1] + 3)))
    if len(x) > 1:
        found.append(("transpose", None, (*x[:-2], x[-1], x[-2])))
    if len(x) == len(y) == 2 and x[1] == y[1]:
        found.append(("matmul", None, (x[0], y[0])))
    if x and len(x) == len(y) and x[1:] == y[1:]:
        found.append(("concatenate", None, (x[0] + y[0], *x[1:])))
    try:
        both = np.broadcast_shapes(x, y)
    except ValueError:
        return found
    return found + [(name, None, both) for name in ("add", "sub", "mul", "div")]
