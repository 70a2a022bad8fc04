"""Passes over many small arrays by the kernels of many.cu, eight arrays a launch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from minigan import backend
from minigan.backend import Array
from minigan.kernels.cuda import Flat, dense, launch, lines

AT_ONCE = 8


def _eights(groups: Sequence[tuple[Array, ...]]) -> Iterator[tuple[int, list[Any]]]:
    """Yield (elements, arguments) of up to eight groups of dense arrays of one size each, which follows them.

    A place that is left over has an empty array for each pointer, and size 0.
    """
    for start in range(0, len(groups), AT_ONCE):
        some = groups[start : start + AT_ONCE]
        nothing = tuple(array[:0] for array in some[0])
        places = [*some, *[nothing] * (AT_ONCE - len(some))]
        arguments: list[Any] = []
        for group in places:
            arguments += [array if array.ndim == 1 else Flat(array) for array in group]
            arguments.append(group[0].size)
        yield sum(group[0].size for group in some), arguments


def adam(
    groups: Sequence[tuple[Array, Array, Array, Array]], *, shrink: float, decay: float,
    betas: tuple[float, float], eps: float, rate: float,
) -> None:  # fmt: skip
    """Update p, m and v of each (p, m, v, g), as `alike` gives them, in place; many.cu has the numbers."""
    beta1, beta2 = betas
    numbers = (shrink, decay, beta1, 1.0 - beta1, beta2, 1.0 - beta2, eps, rate)
    for count, arguments in _eights(groups):
        launch("adam", lines(count), groups[0][0], *arguments, *map(float, numbers))


def follow(groups: Sequence[tuple[Array, Array]], rate: float) -> None:
    """average += rate (value - average) for each (average, value), arrays as `alike` gives them, in place."""
    for count, arguments in _eights(groups):
        launch("follow", lines(count), groups[0][0], *arguments, float(rate))


def alike(*arrays: Array) -> tuple[Array, ...] | None:
    """Return arrays of one shape as arrays that lie in memory as the first does; None unless that is dense.

    Themselves where they do; else flat views, and copies where they must be.
    """
    strides = arrays[0].strides
    if all([array.strides == strides for array in arrays]) and dense(arrays[0]):
        return arrays
    order = backend.memory_order(arrays[0])
    first, *rest = (array.transpose(order) for array in arrays)
    if not first.flags.c_contiguous:
        return None
    contiguous = backend.namespace(first).ascontiguousarray
    return first.reshape(-1), *(contiguous(array).reshape(-1) for array in rest)
