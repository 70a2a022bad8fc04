"""Curves as a drawing in text (SVG), for pages: no matplotlib, made at once, sharp at any size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from minigan.errors import ShapeError
from minigan.viz.curves import COLOURS, SMOOTHED_FROM, Panels, Series, bulk, smooth

_WIDTH, _HEIGHT = 860, 190  # of a panel's field, in pixels
_LEFT, _RIGHT, _ABOVE, _BELOW = 64, 12, 30, 14
_MOST_POINTS = 600  # of a curve; more cannot be told apart


def curves_svg(panels: Panels, *, x_label: str = "step") -> str:
    """Draw panels one above the other, as `minigan.viz.curves.curves_png` does; returns an SVG document.

    Raises ShapeError for no panel, and for a curve with unequal numbers of steps and values.
    """
    if not panels:
        raise ShapeError("curves: expected at least one panel, got none")
    for name, (steps, values) in (item for curves in panels.values() for item in curves.items()):
        if len(steps) != len(values):
            raise ShapeError(f"curves: {name!r} has {len(steps)} steps and {len(values)} values")
    places = [x for curves in panels.values() for steps, _ in curves.values() for x in steps]
    across = (min(places), max(places)) if places else (0.0, 1.0)
    across = across if across[1] > across[0] else (across[0] - 1, across[0] + 1)
    parts, top = [], 0
    for label, curves in panels.items():
        parts.append(_panel(label, curves, across, top + _ABOVE))
        top += _ABOVE + _HEIGHT + _BELOW
    middle = _LEFT + _WIDTH / 2
    for x in ticks(*across):
        parts.append(_text(_LEFT + _share(x, across) * _WIDTH, top + 8, f"{x:,.0f}", "middle"))
    parts.append(_text(middle, top + 26, escape(x_label), "middle"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + _RIGHT} {top + 34}" '
        f'width="{_LEFT + _WIDTH + _RIGHT}" font-family="system-ui, sans-serif" font-size="13" '
        f'fill="#444">{"".join(parts)}</svg>'
    )


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers in [low, high], low < high, a step of 1, 2 or 5 times a power of ten apart."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * n for n in (1, 2, 5, 10) if power * n >= rough)
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _panel(label: str, curves: Mapping[str, Series], across: tuple[float, float], top: int) -> str:
    found = [bulk(np.asarray(values, float)) for _, values in curves.values()]
    bulks = [ends for ends in found if ends is not None]
    low, high = (min(b[0] for b in bulks), max(b[1] for b in bulks)) if bulks else (0.0, 1.0)
    margin = 0.06 * (high - low) or 0.5
    ends = low - margin, high + margin
    parts = [_text(_LEFT, top - 10, escape(label))]
    for y in ticks(*ends, most=5):
        height = top + (1 - _share(y, ends)) * _HEIGHT
        parts.append(f'<path d="M{_LEFT} {height:.1f}h{_WIDTH}" stroke="#e4e4e4"/>')
        parts.append(_text(_LEFT - 8, height + 4, f"{y:.4g}", "end"))
    right = _LEFT + _WIDTH
    for i, name in reversed(list(enumerate(curves))):  # from the right, the last first
        right -= 8 * len(name) + 30
        colour = COLOURS[i % len(COLOURS)]
        parts.append(f'<path d="M{right} {top - 14}h16" stroke="{colour}" stroke-width="3"/>')
        parts.append(_text(right + 21, top - 10, escape(name)))
    # What lies beyond the frame is cut off there: the frame fits the bulk of the values.
    parts.append(f'<svg x="{_LEFT}" y="{top}" width="{_WIDTH}" height="{_HEIGHT}">')
    for i, (steps, values) in enumerate(curves.values()):
        colour = COLOURS[i % len(COLOURS)]
        if faint := len(values) >= SMOOTHED_FROM:
            parts.append(_line(steps, values, across, ends, f'stroke="{colour}" stroke-opacity=".3"'))
        bold = smooth(values, len(values) // 30) if faint else values
        parts.append(_line(steps, bold, across, ends, f'stroke="{colour}" stroke-width="2"'))
    parts.append(f'</svg><path d="M{_LEFT} {top}v{_HEIGHT}h{_WIDTH}" fill="none" stroke="#888"/>')
    return "".join(parts)


def _line(steps: Sequence[float], values: Sequence[float] | np.ndarray, across, ends, style: str) -> str:
    every = -(-len(steps) // _MOST_POINTS) or 1
    path, broken = [], True
    for x, y in zip(steps[::every], values[::every], strict=True):
        if not math.isfinite(y):
            broken = True
            continue
        place = f"{_share(x, across) * _WIDTH:.1f} {(1 - _share(y, ends)) * _HEIGHT:.1f}"
        path.append(("M" if broken else "L") + place)
        broken = False
    return f'<path d="{"".join(path)}" fill="none" stroke-linecap="round" stroke-linejoin="round" {style}/>'


def _share(value: float, ends: tuple[float, float]) -> float:
    return (value - ends[0]) / (ends[1] - ends[0])


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{words}</text>'
