"""What every lesson in examples/ does alike: read its options, and show pictures.

A lesson is a script and a notebook at once.  As a script it reads the command line, writes each picture into
the current folder and names it.  In a notebook the command line is the kernel's own, so it is passed over
(``MINIGAN_QUICK=1`` stands for ``--quick``), and the picture is the value of its cell.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from minigan.data.arrays import replace_file
from minigan.errors import ArgumentError, ShapeError, truth
from minigan.viz.film import save_film
from minigan.viz.grid import png_bytes

_KINDS = {".png": "image/png", ".gif": "image/gif", ".svg": "image/svg+xml"}
_DOTS = 110  # per inch, of a matplotlib figure


def in_notebook() -> bool:
    """Say whether this runs in a Jupyter kernel."""
    return "ipykernel" in sys.modules


def options(parser: ArgumentParser | str) -> Namespace:
    """Read a lesson's options; every lesson has ``quick``.

    Args:
        parser: with the lesson's other options, or just its title where it has none.

    Raises ArgumentError for a ``MINIGAN_QUICK`` that is neither yes nor no; leaves with exit code 2 for an
    unknown option of a script.
    """
    if isinstance(parser, str):
        parser = ArgumentParser(description=parser, allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="small and short (the tests run this)")
    chosen = parser.parse_args([] if in_notebook() else None)
    chosen.quick = chosen.quick or truth("MINIGAN_QUICK", os.environ.get("MINIGAN_QUICK") or "off")
    return chosen


@dataclass(frozen=True)
class Picture:
    """A picture and what it shows; as the last value of a notebook's cell it is displayed."""

    content: bytes
    kind: str  # such as "image/png"
    caption: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        text = self.kind == "image/svg+xml"
        shown = self.content.decode() if text else b64encode(self.content).decode()
        return {self.kind: shown, "text/plain": self.caption}


def show(picture: Any, name: str, caption: str) -> Picture:
    """Write a picture into the current folder and return it for the notebook.

    Args:
        picture: a matplotlib figure; pixels, uint8 (H, W, 1 or 3); an SVG text; or, for a .gif,
            a list of pixels of one shape, the frames of a film.
        name: of the file; it ends in .png, .svg or .gif.
        caption: one sentence that says what is to be seen.

    Raises ArgumentError for another kind of file or of picture.
    """
    suffix = Path(name).suffix
    if suffix not in _KINDS:
        raise ArgumentError(f"picture: {name} ends in {suffix!r}, expected .png, .svg or .gif")
    if suffix == ".gif":
        save_film(name, picture, seconds=0.4)
        content = Path(name).read_bytes()
    else:
        content = _content(picture, suffix)
        with replace_file(name, needed=len(content)) as file:
            file.write(content)
    if not in_notebook():
        print(f"{name}: {caption}")
    return Picture(content, _KINDS[suffix], caption)


def _content(picture: Any, suffix: str) -> bytes:
    if suffix == ".svg" and isinstance(picture, str):
        return picture.encode()
    if suffix == ".png" and isinstance(picture, np.ndarray):
        return png_bytes(picture)
    if suffix == ".png" and hasattr(picture, "savefig"):
        buffer = BytesIO()
        picture.savefig(buffer, format="png", dpi=_DOTS, metadata={"Software": None})
        return buffer.getvalue()
    raise ArgumentError(f"picture: a {suffix} file cannot hold a {type(picture).__name__}")


def panels(
    pictures: Mapping[str, Any], *, columns: int = 4, cmap: str = "gray", width: float = 9.0, **limits: Any
) -> Any:
    """Draw arrays side by side as shades, each under its title; returns a matplotlib figure.

    Args:
        pictures: title -> (H, W) numbers, or (3, H, W) or (H, W, 3) colours in [0, 1].
        columns: panels in a row, at most.
        cmap: matplotlib's name of the shades for numbers.
        width: inches of the whole.
        limits: ``vmin`` and ``vmax``, the numbers of the darkest and the lightest shade (else each its own).

    Raises ShapeError for an array of another shape, and when there is none.
    """
    from matplotlib.figure import Figure

    columns = min(columns, len(pictures))
    if not pictures:
        raise ShapeError("panels: expected at least one picture, got none")
    rows = ceil(len(pictures) / columns)
    figure = Figure(figsize=(width, rows * (width / columns + 0.3)), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes[len(pictures) :]:
        axis.set_axis_off()
    for axis, (title, array) in zip(axes, pictures.items(), strict=False):
        array = np.asarray(array, np.float64)
        if array.ndim == 3 and array.shape[0] == 3:
            array = array.transpose(1, 2, 0)
        if array.ndim != 2 and array.shape[2:] != (3,):
            raise ShapeError(f"panels: {title!r} has shape {array.shape}, expected (H, W) or (3, H, W)")
        axis.imshow(array.clip(0, 1) if array.ndim == 3 else array, cmap=cmap, **limits)
        axis.set_title(title, fontsize=10)
        axis.set(xticks=[], yticks=[])
    return figure


def lines(curves: Mapping[str, Sequence[float]], *, x: str = "step", y: str = "", log: bool = False) -> Any:
    """Draw curves over 0, 1, 2, ... in one field; returns a matplotlib figure.

    Args:
        curves: name -> values, of any length.
        x, y: words at the axes.
        log: a logarithmic vertical axis.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axis = figure.subplots()
    for name, values in curves.items():
        axis.plot(np.asarray(values, np.float64), label=name)
    axis.set(xlabel=x, ylabel=y, yscale="log" if log else "linear")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    return figure


def bars(values: Mapping[str, float], *, x: str = "", log: bool = False) -> Any:
    """Draw one bar for each number, the first on top; returns a matplotlib figure.

    Args:
        values: name -> number.
        x: words at the axis of the numbers.
        log: a logarithmic axis.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 0.8 + 0.32 * len(values)), layout="constrained")
    axis = figure.subplots()
    drawn = axis.barh(list(values), list(values.values()), color="#0072b2", log=log)
    axis.bar_label(drawn, fmt="%.3g", padding=3)
    axis.invert_yaxis()
    axis.margins(x=0.12)
    axis.set_xlabel(x)
    return figure
