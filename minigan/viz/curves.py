"""The curves of a training run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import BinaryIO

import numpy as np

from minigan.errors import ArgumentError, DataError


def draw_curves(
    file: str | os.PathLike | BinaryIO,
    steps: Sequence[int],
    panels: Sequence[tuple[str, Mapping[str, Sequence[float]]]],
    *,
    title: str = "",
    smooth: float = 0.02,
) -> None:
    """Draw panels of curves over the steps, one below another, as a PNG.

    Each curve is drawn twice: as it is, faintly, and as a running mean over ``smooth`` of its length.
    Figures that are None or not finite leave a gap.

    Args:
        file: a path, or a file open for writing bytes.
        steps: the S steps of the horizontal axis, S >= 1.
        panels: (label of the vertical axis, name -> S values) each.
        title: above the first panel.
        smooth: share of the run in one running mean, in (0, 1].

    Raises:
        DataError: no steps, or a curve of another length.
        ArgumentError: smooth out of range, no panel.
    """
    if not 0 < smooth <= 1 or not panels:
        raise ArgumentError(
            f"draw_curves: expected panels and smooth in (0, 1], got {len(panels)} and {smooth!r}"
        )
    if not len(steps):
        raise DataError("draw_curves: nothing was logged yet")
    # The object interface needs no display and leaves matplotlib's global state alone.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 1 + 2.5 * len(panels)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    window = max(1, round(smooth * len(steps)))
    for axis, (label, curves) in zip(axes, panels, strict=True):
        for name, given in curves.items():
            values = np.array([np.nan if value is None else value for value in given], np.float64)
            if len(values) != len(steps):
                raise DataError(f"draw_curves: {name} has {len(values)} values for {len(steps)} steps")
            values[~np.isfinite(values)] = np.nan
            (line,) = axis.plot(steps, running_mean(values, window), label=name)
            axis.plot(steps, values, color=line.get_color(), alpha=0.25, linewidth=0.7)
        axis.set_ylabel(label)
        axis.grid(alpha=0.3)
        axis.legend(loc="upper right")
    axes[0].set_title(title)
    axes[-1].set_xlabel("step")
    figure.savefig(file, format="png", dpi=110)


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Return the mean of each value and up to ``window`` - 1 before it (N,); NaN counts as absent."""
    known = np.isfinite(values)
    totals = np.cumsum(np.where(known, values, 0.0))
    counts = np.cumsum(known)
    totals[window:] -= totals[:-window].copy()
    counts[window:] -= counts[:-window].copy()
    return np.where(counts > 0, totals / np.maximum(counts, 1), np.nan)
