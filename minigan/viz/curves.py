"""Curves over the steps of a run: faint as measured, bold smoothed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any, TypeAlias

import numpy as np

from minigan.data.arrays import replace_file
from minigan.errors import ShapeError

Series: TypeAlias = tuple[Sequence[float], Sequence[float]]
Panels: TypeAlias = Mapping[str, Mapping[str, Series]]
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # the colour-blind see them too
SMOOTHED_FROM = 20  # points; fewer are drawn as they are


def series(records: Iterable[Mapping[str, Any]], key: str, *, step: str = "step") -> Series:
    """Collect (steps, values) of one key from records such as the lines of ``metrics.jsonl``.

    Records without the key, or with None there, are passed over.
    """
    points = [(record[step], record[key]) for record in records if record.get(key) is not None]
    return [float(x) for x, _ in points], [float(y) for _, y in points]


def smooth(values: Sequence[float] | np.ndarray, window: int) -> np.ndarray:
    """Replace each value by the mean of the finite ones at most ``window // 2`` places away (NaN if none)."""
    values = np.asarray(values, np.float64)
    finite = np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(finite, values, 0))])
    counts = np.concatenate([[0], np.cumsum(finite)])
    place = np.arange(len(values))
    first, last = (place - window // 2).clip(0), (place + window // 2 + 1).clip(max=len(values))
    with np.errstate(invalid="ignore"):
        return (sums[last] - sums[first]) / (counts[last] - counts[first])


def curves_png(panels: Panels, *, title: str = "", x_label: str = "step") -> bytes:
    """Draw panels one above the other and return a PNG.

    Args:
        panels: label of the vertical axis -> name of the curve -> (steps, values).  Curves may differ in
            length; NaN leaves a gap.
        title: above the picture.
        x_label: below it.

    Raises:
        ShapeError: no panel, or a curve with unequal numbers of steps and values.
    """
    from matplotlib.figure import Figure

    if not panels:
        raise ShapeError("curves: expected at least one panel, got none")
    width, height, top = 8.0, 0.8 + 2.6 * len(panels), 0.6 if title else 0.35  # inches
    figure = Figure(figsize=(width, height), dpi=100)
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    # The margins are given, because a layout that finds them draws everything twice.
    figure.subplots_adjust(0.95 / width, 0.5 / height, 1 - 0.2 / width, 1 - top / height, hspace=0.15)
    for axis, (label, curves) in zip(axes, panels.items(), strict=True):
        for i, (name, (steps, values)) in enumerate(curves.items()):
            colour = COLOURS[i % len(COLOURS)]
            _draw(axis, name, np.asarray(steps, float), np.asarray(values, float), colour)
        _frame(axis, curves.values())
        axis.set_ylabel(label)
        axis.ticklabel_format(axis="y", scilimits=(-3, 5))  # longer numbers would push the label out
        axis.grid(alpha=0.3)
        axis.margins(x=0.01)
        if curves:
            axis.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(curves), frameon=False)
    axes[-1].set_xlabel(x_label)
    if title:
        # File names stand in it: what UTF-8 cannot hold is escaped, and a dollar starts no formula.
        plain = title.encode("utf-8", "backslashreplace").decode()
        figure.suptitle(plain, x=0.01, y=1 - 0.08 / height, ha="left", va="top", parse_math=False)
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _draw(axis: Any, name: str, steps: np.ndarray, values: np.ndarray, colour: str) -> None:
    if steps.ndim != 1 or steps.shape != values.shape:
        raise ShapeError(
            f"curves: {name!r} has steps of shape {steps.shape} and values of shape "
            f"{values.shape}; expected as many steps as values"
        )
    if len(values) < SMOOTHED_FROM:
        axis.plot(steps, values, color=colour, marker=".", label=name)
        return
    axis.plot(steps, values, color=colour, alpha=0.25, linewidth=0.7)
    axis.plot(steps, smooth(values, len(values) // 30), color=colour, linewidth=1.8, label=name)


def _frame(axis: Any, curves: Iterable[Series]) -> None:
    """Fit the vertical axis to the bulk of every curve: a few wild values would flatten all the rest."""
    bulks = [ends for _, values in curves if (ends := bulk(np.asarray(values, float))) is not None]
    if bulks:
        low, high = np.min(bulks), np.max(bulks)
        margin = 0.06 * (high - low) or 0.5
        axis.set_ylim(low - margin, high + margin)


def bulk(values: np.ndarray) -> tuple[float, float] | None:
    """Return the ends between which 99.4 % of the finite values lie (all of a few), None without any."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None
    if len(finite) < SMOOTHED_FROM:
        return float(finite.min()), float(finite.max())
    low, high = np.quantile(finite, [0.003, 0.997])
    return float(low), float(high)


def save_curves(path: str | os.PathLike, panels: Panels, *, title: str = "", x_label: str = "step") -> None:
    """Write :func:`curves_png` to a file, replacing an older one at once."""
    content = curves_png(panels, title=title, x_label=x_label)
    with replace_file(path, needed=len(content)) as file:
        file.write(content)
