"""The length of every layer's gradient over a run, in a file that stays small however long the run is."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minigan.errors import FileError

MOST, EVERY = 200, 5  # rows that are kept; steps between two as long as the run is short

Row = dict[str, Any]  # {"step": n, "G": {layer: length}, "D": {layer: length}}


def due(step: int) -> bool:
    """Whether a run that is at ``step`` measures it: the first one, and those that `gap` divides."""
    return step == 1 or step % gap(step) == 0


def gap(step: int) -> int:
    """Return the steps between two rows of a run that is at ``step``: doubled whenever rows are too many."""
    found = EVERY
    while step >= MOST * found:
        found *= 2
    return found


class GradientLog:
    """One JSON object a line.  Which rows there are depends on the last step only, so equal runs agree.

    Raises (all methods): FileError when the file cannot be read or written.
    """

    def __init__(self, path: Path):
        self.path = path
        self._rows: list[Row] | None = None  # what is in the file, once somebody has looked

    def append(self, step: int, lengths: Mapping[str, Mapping[str, float]]) -> None:
        """Add a row, floats to four digits; every second one goes when there are too many."""
        rows = self.read() if self._rows is None else self._rows
        row = {"step": step} | {
            net: {layer: float(f"{length:.4g}") for layer, length in layers.items()}
            for net, layers in lengths.items()
        }
        kept = [old for old in rows if old["step"] < step and _stays(old["step"], gap(step))]
        self._rows = [*kept, row]
        if len(kept) < len(rows):
            self._write(self._rows)
            return
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(_line(row))
        except OSError as error:
            raise FileError(f"cannot write {self.path}: {error.strerror}; make room and --resume") from error

    def read(self) -> list[Row]:
        """Return the rows, [] without a file; a line that is no row, such as a cut one, is left out."""
        rows: list[Row] = []
        try:
            text = self.path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return rows
        except OSError as error:
            raise FileError(f"cannot read {self.path} ({error.strerror})") from error
        for line in text.splitlines():
            with contextlib.suppress(ValueError):
                if _is_row(row := json.loads(line)):
                    rows.append(row)
        return rows

    def rewind(self, step: int) -> None:
        """Forget the rows after ``step``: a resumed run makes them again."""
        if self.path.exists():
            self._rows = [row for row in self.read() if row["step"] <= step]
            self._write(self._rows)

    def _write(self, rows: list[Row]) -> None:
        from minigan.data.arrays import replace_file

        with replace_file(self.path) as file:
            file.writelines(_line(row).encode() for row in rows)


def _stays(step: int, every: int) -> bool:
    return step == 1 or step % every == 0


def _line(row: Row) -> str:
    return json.dumps(row, allow_nan=False) + "\n"


def _is_row(row: Any) -> bool:
    """Whether a JSON value is what `GradientLog.append` writes."""
    if not isinstance(row, dict) or not isinstance(row.get("step"), int):
        return False
    nets = [layers for name, layers in row.items() if name != "step"]
    return all(
        isinstance(layers, dict) and all(isinstance(x, (int, float)) and x >= 0 for x in layers.values())
        for layers in nets
    )
