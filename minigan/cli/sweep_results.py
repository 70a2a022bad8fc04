"""What a sweep leaves behind: a file a cell, and from these a table, a CSV, a JSON file and a picture."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

import numpy as np

from minigan.errors import ArgumentError, FileError

LOW_IS_GOOD = ("kl", "frechet_distance", "kernel_distance", "class_divergence")
USUAL = ("modes", "frechet_distance")  # the metric where none is chosen: the first that is there
SHOWN = ("high_quality", "kl", "precision", "coverage", "accuracy", "diversity")  # beside it in the table


def slug(values: Mapping[str, Any]) -> str:
    """Return a file name that a person can read, and that differs where the values differ."""
    exact = json.dumps(dict(values), sort_keys=True)
    words = "_".join(f"{name}={value}" for name, value in values.items())
    return f"{re.sub(r'[^A-Za-z0-9=.+_-]', '', words)[:80]}-{hashlib.sha256(exact.encode()).hexdigest()[:8]}"


class Results:
    """The files of a sweep in ``folder``.

    Args:
        folder: of the sweep.
        labels: its axes, without the seed.
        metric: the figure in the table and the picture; None chooses a usual one.
        axes: the two axes of the picture, rows and columns; "seed" may be one.
    """

    def __init__(self, folder: Path, labels: list[str], metric: str | None, axes: tuple[str, str]):
        self.folder, self.labels, self.metric, self.axes = folder, labels, metric, axes
        self.cells = folder / "cells"

    def check_spec(self, spec: Mapping[str, Any]) -> None:
        """Write what all cells share, or compare it with what is there; ArgumentError lists differences."""
        from minigan.data.arrays import replace_file

        path = self.folder / "sweep.json"
        if path.is_file():
            try:
                old = json.loads(path.read_text(encoding="utf-8"))
                changed = [name for name in spec if old[name] != spec[name]]
                lines = [f"{name}: {old[name]!r}, now {spec[name]!r}" for name in changed]
            except (ValueError, KeyError, TypeError) as error:
                raise FileError(f"{path} is not of minigan's form ({error}); choose another --out") from error
            if lines:
                raise ArgumentError(
                    f"{self.folder} holds another sweep: {'; '.join(lines)}; choose another --out"
                )
        self.cells.mkdir(exist_ok=True)
        with replace_file(path) as file:
            file.write(json.dumps(spec, indent=2).encode() + b"\n")

    def read(self, name: str) -> dict[str, Any] | None:
        """Return a finished cell, or None."""
        try:
            found = json.loads((self.cells / f"{name}.json").read_text(encoding="utf-8"))
            return found if {"values", "figures", "failed", "verdict", "seconds"} <= found.keys() else None
        except (OSError, ValueError, AttributeError):
            return None

    def keep(self, name: str, result: Mapping[str, Any]) -> None:
        """Write a finished cell, all or nothing."""
        from minigan.data.arrays import replace_file

        with replace_file(self.cells / f"{name}.json") as file:
            file.write(json.dumps(result).encode() + b"\n")

    def line(self, result: Mapping[str, Any]) -> str:
        """Say one cell."""
        values = "  ".join(f"{name}={_short(value)}" for name, value in result["values"].items())
        name = self._metric([result])
        said = f"{name} {_short(result['figures'][name])}" if name in result["figures"] else "failed"
        return f"{values}: {said} ({result['seconds']:.0f} s)"

    def write(self, results: Sequence[dict[str, Any]]) -> str:
        """Write everything from the cells there are; return the table."""
        from minigan.data.arrays import replace_file

        if not results:
            return "no cell is done"
        metric = self._metric(results)
        rows = self._rows(results, metric)
        with replace_file(self.folder / "results.csv") as file:
            file.write(self._csv(results).encode())
        with replace_file(self.folder / "results.json") as file:
            content = {"metric": metric, "means": rows, "cells": results}
            file.write(json.dumps(content, indent=1).encode() + b"\n")
        with replace_file(self.folder / "heatmap.png") as file:
            file.write(self._picture(results, metric))
        written = "results.csv, results.json, heatmap.png"
        return f"{self._table(rows, metric)}\nwritten in {self.folder}: {written}"

    def _metric(self, results: Sequence[Mapping[str, Any]]) -> str:
        known = sorted({name for result in results for name in result["figures"]})
        if self.metric is None:
            return next((name for name in USUAL if name in known), USUAL[0])
        if known and self.metric not in known and any(not result["failed"] for result in results):
            raise ArgumentError(f"--metric: expected one of {', '.join(known)}, got {self.metric!r}")
        return self.metric

    def _rows(self, results: Sequence[dict[str, Any]], metric: str) -> list[dict[str, Any]]:
        """Return one row for each combination of values: means over its seeds."""
        groups: dict[str, list[dict[str, Any]]] = {}
        for result in results:
            values = [result["values"][label] for label in self.labels]
            groups.setdefault(json.dumps(values), []).append(result)
        rows = []
        for group in groups.values():
            row = {label: group[0]["values"][label] for label in self.labels}
            numbers = [cell["figures"][metric] for cell in group if metric in cell["figures"]]
            row |= {"seeds": len(group), "failed": sum(bool(cell["failed"]) for cell in group)}
            row |= {metric: _mean(numbers), "spread": pstdev(numbers) if numbers else None}
            for name in SHOWN:
                if others := [cell["figures"][name] for cell in group if name in cell["figures"]]:
                    row.setdefault(name, _mean(others))
            row["verdict"] = Counter(cell["verdict"] for cell in group).most_common(1)[0][0]
            rows.append(row)
        return rows

    def _table(self, rows: Sequence[Mapping[str, Any]], metric: str) -> str:
        names = list(dict.fromkeys(name for row in rows for name in row if name not in ("spread", "verdict")))
        if not any(row["failed"] for row in rows):
            names.remove("failed")
        best = self._best(rows, metric)
        lines = [[*names, "verdict", ""]]
        for row in rows:
            words = [_short(row.get(name)) for name in names]
            if row["spread"]:
                words[names.index(metric)] += f" +-{row['spread']:.2g}"
            lines.append([*words, row["verdict"], "<- best" if row is best else ""])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(word.rjust(width) if i < len(names) else word.ljust(width)
                      for i, (word, width) in enumerate(zip(line, widths, strict=True))).rstrip()
            for line in lines
        )  # fmt: skip

    def _best(self, rows: Sequence[Mapping[str, Any]], metric: str) -> Mapping[str, Any] | None:
        found = [row for row in rows if row[metric] is not None]
        choose = min if metric in LOW_IS_GOOD else max
        return choose(found, key=lambda row: row[metric]) if found else None

    def _csv(self, results: Sequence[Mapping[str, Any]]) -> str:
        figures = list(dict.fromkeys(name for result in results for name in result["figures"]))
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow([*self.labels, "seed", *figures, "verdict", "failed", "seconds"])
        for result in results:
            values = [result["values"][name] for name in (*self.labels, "seed")]
            numbers = [result["figures"].get(name, "") for name in figures]
            writer.writerow([*values, *numbers, result["verdict"], result["failed"], result["seconds"]])
        return buffer.getvalue()

    def _picture(self, results: Sequence[Mapping[str, Any]], metric: str) -> bytes:
        from minigan.viz.heatmap import heatmap_png

        row_name, column_name = self.axes
        places = [
            {_short(result["values"][name]): None for result in results} for name in (row_name, column_name)
        ]
        rows, columns = (list(words) for words in places)
        values = np.full((len(rows), len(columns)), np.nan)
        for r, c in np.ndindex(values.shape):
            here = [
                result["figures"][metric]
                for result in results
                if _short(result["values"][row_name]) == rows[r]
                and _short(result["values"][column_name]) == columns[c]
                and metric in result["figures"]
            ]
            values[r, c] = fmean(here) if here else np.nan
        others = [label for label in (*self.labels, "seed") if label not in self.axes]
        title = f"mean over {' and '.join(others)}" if others else ""
        words = metric.replace("_", " ")
        return heatmap_png(
            values,
            rows=rows,
            columns=columns,
            row_label=row_name,
            column_label=column_name,
            value_label=words,
            title=f"{words}, {title}" if title else words,
            low_is_good=metric in LOW_IS_GOOD,
        )


def _mean(numbers: Sequence[float]) -> float | None:
    return fmean(numbers) if numbers else None


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "-" if value is None else value if isinstance(value, str) else json.dumps(value)
