"""Heat maps: one number for each pair of two options' values."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np

from minigan.errors import ShapeError

_NOTHING = "#c8c8c8"  # where there is no number


def heatmap_png(
    values: Any,
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    row_label: str = "",
    column_label: str = "",
    value_label: str = "",
    title: str = "",
    low_is_good: bool = False,
) -> bytes:
    """Draw numbers as colours, each written in its cell, and return a PNG.

    Args:
        values: (R, C); NaN is grey and says "none".  The best cell has a frame.
        rows, columns: R and C words, the first row on top.
        row_label, column_label, value_label, title: what they mean.
        low_is_good: the lightest colour, and the frame, are for the least number.

    Raises ShapeError when the words do not fit the numbers, or there are none.
    """
    from matplotlib.figure import Figure

    values = np.asarray(values, np.float64)
    R, C = len(rows), len(columns)
    if values.shape != (R, C) or not values.size:
        raise ShapeError(f"heat map: {R} rows and {C} columns for values of shape {values.shape}")
    figure = Figure(figsize=(2.6 + 1.05 * C, 1.7 + 0.62 * R), dpi=110, layout="constrained")
    axis = figure.subplots()
    shown = np.ma.masked_invalid(values)
    scale = _scale(shown.compressed())
    image = axis.imshow(
        shown, cmap=_colours("viridis_r" if low_is_good else "viridis"), norm=scale, aspect="auto"
    )
    for (row, column), value in np.ndenumerate(values):
        words, shade = "none", "#333333"
        if np.isfinite(value):
            # Light ink on dark ground: viridis is dark where it is low.
            light = 1 - float(scale(value)) if low_is_good else float(scale(value))
            words, shade = f"{value:.3g}", "white" if light < 0.55 else "black"
        axis.text(column, row, words, ha="center", va="center", color=shade)
    _frame_best(axis, values, low_is_good)
    axis.set_xticks(range(C), columns)
    axis.set_yticks(range(R), rows)
    axis.set_xlabel(column_label)
    axis.set_ylabel(row_label)
    if title:
        axis.set_title(title, loc="left", fontsize=11)
    figure.colorbar(image, ax=axis, label=value_label)
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _colours(name: str) -> Any:
    from matplotlib import colormaps

    return colormaps[name].with_extremes(bad=_NOTHING)


def _scale(numbers: np.ndarray) -> Any:
    """Return a scale over the numbers, logarithmic where they spread over more than two decades."""
    from matplotlib.colors import LogNorm, Normalize

    low, high = (numbers.min(), numbers.max()) if len(numbers) else (0.0, 1.0)
    if low > 0 and high > 100 * low:
        return LogNorm(low, high)
    return Normalize(low, high if high > low else low + 1)


def _frame_best(axis: Any, values: np.ndarray, low_is_good: bool) -> None:
    from matplotlib.patches import Rectangle

    if np.isfinite(values).any():
        best = np.nanargmin(values) if low_is_good else np.nanargmax(values)
        row, column = np.unravel_index(best, values.shape)
        axis.add_patch(
            Rectangle((column - 0.47, row - 0.47), 0.94, 0.94, fill=False, edgecolor="#d55e00", linewidth=3)
        )
