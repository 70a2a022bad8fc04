"""Finite differences that say how far they can be trusted: directional derivatives of raw functions.

Everything here is on flat float64 host arrays: `function(point) -> values`.  Along one direction u the three
values f(x + hu), f(x + hu/2) and f(x - hu) give two estimates of the same derivative,

    right = 2 (f(x + hu/2) - f(x)) / (h/2)  -  (f(x + hu) - f(x)) / h      from the right side only,
    both  =   (f(x + hu) - f(x - hu)) / 2h                                 from both sides,

with errors -h^2 f'''/12 and +h^2 f'''/6, so (2 right + both) / 3 is free of both (Richardson's extrapolation,
1911) and their difference is an error bar: it holds truncation and rounding alike.  It also finds kinks:
where the two sides have different slopes, `right` and `both` differ by half the jump at *every* step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Function = Callable[[np.ndarray], np.ndarray]

EPS = float(np.finfo(np.float64).eps)
STEP = 2.0**-16  # about 1.5e-5: truncation h^2 and rounding eps/h are then both near 1e-10
FINER = (STEP / 16, STEP / 256, STEP * 16)  # tried where the first step is not convincing
NEAR = (STEP / 4, STEP * 4)  # tried again before a mismatch is believed
SMOOTH, KINK, JUMP, ROUGH = range(4)


@dataclass
class Slope:
    """What the values do along one direction; every field has one entry per output.

    value, bar: derivative and signed error bar.  left, right: one-sided derivatives.
    kind: SMOOTH; KINK (two one-sided slopes); JUMP (the value itself jumps here); ROUGH (noise, a pole, or
    many kinks: nothing can be said).  drift: how far the slopes of the two sides, and of the two steps, are
    apart; a jump of five times the size on the left as on the right has no error bar, but it has drift.
    """

    value: np.ndarray
    bar: np.ndarray
    left: np.ndarray
    right: np.ndarray
    kind: np.ndarray
    drift: np.ndarray


def directional(function: Function, start: np.ndarray, point: np.ndarray, direction: np.ndarray) -> Slope:
    """Measure the slope of every output along `direction`: 3 evaluations, 9 more if some are not convincing.

    `start` is `function(point)`.  `direction` should be of the size of `point`, for the step is relative to
    it.
    """
    coarse = _measure(function, start, point, direction, STEP)
    if not _doubtful(coarse, start, STEP).any():
        return coarse
    steps = (STEP, *FINER)
    slopes = [coarse] + [_measure(function, start, point, direction, step) for step in FINER]
    return _settle(slopes, steps, start)


def _measure(
    function: Function, start: np.ndarray, point: np.ndarray, direction: np.ndarray, step: float
) -> Slope:
    with np.errstate(all="ignore"):
        outer = (function(point + step * direction) - start) / step
        inner = (function(point + step / 2 * direction) - start) / (step / 2)
        left = (start - function(point - step * direction)) / step
        right, both = 2 * inner - outer, (outer + left) / 2
        bar = right - both
        drift = np.maximum(abs(inner - outer), abs(outer - left))
    bar = np.where(np.isfinite(bar), bar, np.inf)
    return Slope((2 * right + both) / 3, bar, left, outer, np.zeros(start.shape, int), drift)


def _size(slope: Slope) -> np.ndarray:
    return np.maximum(np.abs(slope.left), np.abs(slope.right))


def rounding(start: np.ndarray, step: float = STEP) -> np.ndarray:
    """How large a slope the rounding of each value alone can feign."""
    return 32 * EPS * (np.abs(start) + _rms(start)) / step


def resolution(weights: np.ndarray, start: np.ndarray) -> float:
    """A slope of the weighted sum below this is nothing next to the values themselves."""
    return 1e-6 * float(np.sqrt(np.sum((weights * (np.abs(start) + _rms(start) + 1e-6)) ** 2)))


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else 0.0


def _doubtful(slope: Slope, start: np.ndarray, step: float) -> np.ndarray:
    with np.errstate(all="ignore"):
        size = _size(slope)
        typical = np.nan_to_num(_rms(size), nan=0.0, posinf=0.0)
        exact = np.abs(slope.bar) <= 1e-6 * (size + typical) + rounding(start, step)
        return ~(exact & (slope.drift <= 1e-3 * (size + typical) + rounding(start, step)))


def _settle(slopes: list[Slope], steps: Sequence[float], start: np.ndarray) -> Slope:
    """Take, output by output, the most convincing step; where none convinces, say what is there instead."""
    doubtful = np.array([_doubtful(s, start, h) for s, h in zip(slopes, steps, strict=True)])
    for slope, bar in zip(slopes, _raised(slopes, steps), strict=True):
        slope.bar = np.where(doubtful.all(axis=0), bar, slope.bar)
    bars = np.array([np.abs(s.bar) + rounding(start, h) for s, h in zip(slopes, steps, strict=True)])
    convincing = np.where(doubtful & ~doubtful.all(axis=0), np.inf, bars)
    best = np.argmin(convincing, axis=0)

    def pick(name: str) -> np.ndarray:
        return np.take_along_axis(np.array([getattr(s, name) for s in slopes]), best[None], 0)[0]

    middle, finest = slopes[1], slopes[2]
    kind = np.where(doubtful.all(axis=0), ROUGH, SMOOTH)
    with np.errstate(all="ignore"):
        same = np.maximum(abs(middle.left - finest.left), abs(middle.right - finest.right))
        gap = abs(finest.right - finest.left)
        kind[(kind == ROUGH) & (gap > 1e-3 * _size(finest)) & (same <= 0.1 * gap)] = KINK
        ratio = FINER[1] / FINER[0]  # a jump at the point itself: slope times step stays the same
        fall = np.maximum(abs(middle.left - ratio * finest.left), abs(middle.right - ratio * finest.right))
        kind[(kind == ROUGH) & (fall <= 1e-2 * _size(middle)) & (_size(finest) > 8 * _size(middle))] = JUMP
        noisy = abs(pick("bar")) <= 1e-3 * np.maximum(abs(pick("left")), abs(pick("right")))
        kind[(kind == ROUGH) & noisy] = SMOOTH  # as far as the bar says
        fading = _size(finest) <= _size(slopes[0]) / 16
        kind[(kind == ROUGH) & fading] = SMOOTH  # the slope goes to 0 with the step, as that of x**3 at 0
    settled = Slope(pick("value"), pick("bar"), pick("left"), pick("right"), kind, pick("drift"))
    for name in ("left", "right"):
        getattr(settled, name)[kind == KINK] = getattr(finest, name)[kind == KINK]
    return settled


def _raised(slopes: list[Slope], steps: Sequence[float]) -> list[np.ndarray]:
    """No bar is below what the noise seen at finer steps makes at its own: a small one may be luck."""
    bars = [np.abs(slope.bar) for slope in slopes]
    return [
        np.max([bar * finer / step for bar, finer in zip(bars, steps, strict=True) if finer <= step], axis=0)
        for step in steps
    ]


def contracted(slope: Slope, weights: np.ndarray, start: np.ndarray) -> tuple[float, float]:
    """Return derivative and error bar of the weighted sum of the outputs.

    Errors of different outputs are added as independent ones, so the bar grows with the root of their number
    as rounding does, and never falls below their plain sum, which is what truncation makes.
    """
    keep = weights != 0
    w, errors = weights[keep], slope.bar[keep]
    noise = float(np.sqrt(np.sum((w * rounding(start)[keep]) ** 2))) / 8
    bar = max(abs(float(w @ errors)), float(np.sqrt(np.sum((w * errors) ** 2)))) + noise
    return float(w @ slope.value[keep]), bar


def remeasured(
    function: Function, start: np.ndarray, point: np.ndarray, direction: np.ndarray, weights: np.ndarray
) -> list[tuple[float, float]]:
    """Measure once more at a smaller and a larger step, so that a mismatch by bad luck is not believed."""
    slopes = [_measure(function, start, point, direction, step) for step in NEAR]
    return [contracted(slope, weights, start) for slope in slopes]


def interval(slope: Slope, weights: np.ndarray) -> tuple[float, float]:
    """Bounds on the derivative of the weighted sum over all sub-gradients of each output."""
    one, other = weights * slope.left, weights * slope.right
    keep = weights != 0
    slack = 1e-4 * float(np.sum(np.abs(one[keep]) + np.abs(other[keep])))
    return float(np.minimum(one, other)[keep].sum()) - slack, float(
        np.maximum(one, other)[keep].sum()
    ) + slack


def probe(generator: np.random.Generator, size: int) -> np.ndarray:
    """A direction of +-U[0.5, 1.5]: no entry can hide, no two entries have the same weight."""
    return generator.uniform(0.5, 1.5, size) * generator.choice([-1.0, 1.0], size)
