"""Pooling on raw device arrays by windows.cu; ``axes`` are the two `Windows` of ops/pool.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.kernels.cuda import Planes, launch, lines, planes, sizes


def _call(name: str, axes: Any, out: Array, *arguments: Any) -> None:
    count = out.size
    launch(name, lines(count), out, out, *arguments, out.shape[3], *sizes(axes), count)


def max_windows(x: Array, axes: Any) -> tuple[Array, Array]:
    """(N, C, H, W) -> the largest cell of every window and the number of its tap (int32), (N, C, OH, OW)."""
    cells = planes(x)
    y = cells.empty(axes[0].out, axes[1].out)
    winner = cells.empty(axes[0].out, axes[1].out, np.int32)
    _call("max_windows", axes, y, winner, cells.array)
    return cells.image(y), cells.image(winner)


def scatter_max(g: Array, winner: Array, axes: Any) -> Array:
    """(N, C, OH, OW) -> (N, C, H, W): g at the winner of every window, laid out as the winners are."""
    winners = planes(winner)
    given = planes(g, winners.last)
    gx = given.empty(axes[0].size, axes[1].size)
    _call("scatter_max", axes, gx, given.array, winners.array)
    return given.image(gx)


def gather_max(x: Array, winner: Array, axes: Any) -> Array:
    """(N, C, H, W) -> (N, C, OH, OW): the cell at the winner of every window."""
    winners = planes(winner)
    cells = planes(x, winners.last)
    y = cells.empty(axes[0].out, axes[1].out)
    _call("gather_max", axes, y, cells.array, winners.array)
    return cells.image(y)


def sum_windows(x: Array, axes: Any, scale: float) -> Array:
    """(N, C, H, W) -> (N, C, OH, OW): scale times the sum of every window."""
    cells = planes(x)
    return _scaled("sum_windows", cells, cells.empty(axes[0].out, axes[1].out), axes, scale)


def spread_windows(g: Array, axes: Any, scale: float) -> Array:
    """(N, C, OH, OW) -> (N, C, H, W): scale times the sum of g over the windows that see the cell."""
    given = planes(g)
    return _scaled("spread_windows", given, given.empty(axes[0].size, axes[1].size), axes, scale)


def _scaled(name: str, given: Planes, out: Array, axes: Any, scale: float) -> Array:
    _call(name, axes, out, given.array, float(scale))
    return given.image(out)
