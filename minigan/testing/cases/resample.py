"""Cases of `ops.resample`: each output cell worked out on its own, with exact fractions."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

import numpy as np

from minigan import ops
from minigan.errors import ArgumentError, ShapeError
from minigan.ops.linalg import AlongAxis
from minigan.testing.case import BadInput, OpCase, Sample
from minigan.testing.oracles import pairwise
from minigan.testing.strategies import arrays, composite, resample_configs


@composite
def resizes(draw: Any, mode: str) -> Sample:
    """Up, down, to the same size, by whole and other factors."""
    config = draw(resample_configs((mode,)))
    return Sample((draw(arrays(config.x_shape)),), config.kwargs)


def output_sizes(x: np.ndarray, size: Any, scale_factor: Any) -> tuple[list[int], list[Fraction]]:
    """Cells along H and W, and how many input cells one output cell spans."""
    if size is not None:
        sizes = [int(n) for n in pairwise(size)]
        return sizes, [Fraction(n, out) for n, out in zip(x.shape[2:], sizes, strict=True)]
    factors = scale_factor if isinstance(scale_factor, tuple) else (scale_factor, scale_factor)
    sizes = [floor(n * f) for n, f in zip(x.shape[2:], factors, strict=True)]
    return sizes, [1 / Fraction(f) for f in factors]


def read(i: int, step: Fraction, n: int, m: int) -> int:
    """The cell in which output cell i's first corner falls; the sizes alone count for n and 2 n cells."""
    return i if m == n else i // 2 if m == 2 * n else min(floor(i * step), n - 1)


def nearest(x: np.ndarray, *, mode: str, size: Any = None, scale_factor: Any = None) -> np.ndarray:
    """The cell that each output cell reads."""
    sizes, steps = output_sizes(x, size, scale_factor)
    out = np.zeros((*x.shape[:2], *sizes))
    for place in np.ndindex(*sizes):
        row, column = (read(*axis) for axis in zip(place, steps, x.shape[2:], sizes, strict=True))
        out[:, :, *place] = x[:, :, row, column]
    return out


def bilinear(x: np.ndarray, *, mode: str, size: Any = None, scale_factor: Any = None,
             align_corners: bool = False) -> np.ndarray:  # fmt: skip
    """The weighted mean of the four cells around the output cell's centre."""
    sizes, steps = output_sizes(x, size, scale_factor)
    out = np.zeros((*x.shape[:2], *sizes))
    for place in np.ndindex(*sizes):
        lines = []
        for i, step, n, m in zip(place, steps, x.shape[2:], sizes, strict=True):
            at = (i + Fraction(1, 2)) * step - Fraction(1, 2) if n != m else Fraction(i)
            if align_corners:
                at = Fraction(i * (n - 1), max(m - 1, 1))
            at = max(at, Fraction(0))
            low = min(floor(at), n - 1)
            lines.append([(low, float(1 - (at - low))), (min(low + 1, n - 1), float(at - low))])
        for row, a in lines[0]:
            for column, b in lines[1]:
                out[:, :, *place] += a * b * x[:, :, row, column]
    return out


def weight(d: Fraction) -> float:
    """How much a cell at distance d counts in a bicubic mean (Keys 1981, with a = -3/4)."""
    a, d = Fraction(-3, 4), abs(d)
    if d >= 2:
        return 0.0
    return float(
        (a + 2) * d**3 - (a + 3) * d**2 + 1 if d <= 1 else a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a
    )


def bicubic(x: np.ndarray, *, mode: str, size: Any = None, scale_factor: Any = None,
            align_corners: bool = False) -> np.ndarray:  # fmt: skip
    """The weighted mean of the sixteen cells around the output cell's centre."""
    sizes, steps = output_sizes(x, size, scale_factor)
    if sizes == list(x.shape[2:]):
        return x
    out = np.zeros((*x.shape[:2], *sizes))
    for place in np.ndindex(*sizes):
        lines = []
        for i, step, n, m in zip(place, steps, x.shape[2:], sizes, strict=True):
            at = (
                Fraction(i * (n - 1), max(m - 1, 1))
                if align_corners
                else (2 * i + 1) * step / 2 - Fraction(1, 2)
            )
            around = range(floor(at) - 1, floor(at) + 3)
            lines.append([(min(max(cell, 0), n - 1), weight(at - cell)) for cell in around])
        for row, a in lines[0]:
            for column, b in lines[1]:
                out[:, :, *place] += a * b * x[:, :, row, column]
    return out


X = np.zeros((1, 2, 3, 4))
EMPTY = np.zeros((0, 2, 3, 4))


def in_torch(torch: Any, x: Any, **settings: Any) -> Any:
    """The same call."""
    return torch.nn.functional.interpolate(x, **settings)


BAD = (
    BadInput("neither size nor factor", (X,), {}, ArgumentError, "one of size and scale_factor"),
    BadInput("both", (X,), {"size": 2, "scale_factor": 2.0}, ArgumentError, "one of size and scale_factor"),
    BadInput("an unknown mode", (X,), {"size": 2, "mode": "cubic"}, ArgumentError, "bilinear or bicubic"),
    BadInput("corners", (X,), {"size": 2, "align_corners": True}, ArgumentError, "bicubic only"),
    BadInput("three axes", (X[0],), {"size": 2}, ShapeError, r"\(N, C, H, W\)"),
    BadInput("size 0", (X,), {"size": (2, 0)}, ArgumentError, "size must be at least 1"),
    BadInput("a size with a point", (X,), {"size": 2.0}, ArgumentError, "size must be"),
    BadInput("a truth value for a size", (X,), {"size": True}, ArgumentError, "size must be"),
    BadInput("three factors", (X,), {"scale_factor": (1.0, 2.0, 3.0)}, ArgumentError, "scale_factor must be"),
    BadInput("a factor of 0", (X,), {"scale_factor": 0}, ArgumentError, "scale_factor must be > 0"),
    BadInput("a factor of 0 for one axis", (X,), {"scale_factor": (1.0, 0.0)}, ArgumentError, "must be > 0"),
    BadInput("a negative factor", (X,), {"scale_factor": -1.0}, ArgumentError, "scale_factor must be > 0"),
    BadInput("a factor in words", (X,), {"scale_factor": "2"}, ArgumentError, "scale_factor must be"),
    BadInput("a factor that leaves nothing", (X,), {"scale_factor": 0.1}, ShapeError, "larger factor"),
)

CASES = [
    OpCase("interpolate nearest", ops.interpolate, resizes("nearest"), nearest, linear=True, torch=in_torch,
           empty=(Sample((EMPTY,), {"size": (6, 8), "mode": "nearest"}),), bad=BAD),
    OpCase("interpolate bilinear", ops.interpolate, resizes("bilinear"), bilinear, (AlongAxis,),
           linear=True, torch=in_torch, empty=(Sample((EMPTY,), {"size": (6, 5), "mode": "bilinear"}),)),
    OpCase("interpolate bicubic", ops.interpolate, resizes("bicubic"), bicubic, linear=True, torch=in_torch,
           empty=(Sample((EMPTY,), {"size": (6, 5), "mode": "bicubic"}),)),
]  # fmt: skip
