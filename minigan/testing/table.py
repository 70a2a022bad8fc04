"""The table of `minigan gradcheck`: one line a record, then the totals; and the same as plain data."""

from __future__ import annotations

from typing import Any

from minigan.testing.report import FAIL, INCONCLUSIVE, GradReport


def head(width: int) -> str:
    """Two lines above the table; `width` is that of the longest name."""
    titles = f"{'operation':<{width}}   order 1   order 2  examples   kinks  seconds  verdict"
    return f"{titles}\n{'-' * (len(titles) + 6)}"


def line(report: GradReport, width: int) -> str:
    """Worst relative error at order 1 and 2, samples tried, kinks met, seconds, verdict."""
    errors = "  ".join(
        "       -" if error != error else f"{error:8.1e}" for error in (report.error1, report.error2)
    )
    undecided = f" ({report.undecided} samples)" if report.verdict == INCONCLUSIVE else ""
    figures = f"{report.examples:>8}  {report.kinks:>6}  {report.seconds:>7.2f}"
    return f"{report.name:<{width}}  {errors}  {figures}  {report.verdict}{undecided}"


def totals(reports: list[GradReport]) -> str:
    """How much was tried, and how much of it failed or stayed open."""
    examples, undecided = sum(r.examples for r in reports), sum(r.undecided for r in reports)
    failed = sum(r.verdict == FAIL for r in reports)
    return (
        f"{len(reports)} checked, {examples} settings in {sum(r.seconds for r in reports):.0f} s: "
        f"{failed} FAIL, {undecided} settings INCONCLUSIVE ({undecided / max(examples, 1):.2%})"
    )


def as_data(reports: list[GradReport]) -> list[dict[str, Any]]:
    """The reports as JSON can hold them (an order that was not checked is None)."""
    return [
        {
            "operation": r.name,
            "verdict": r.verdict,
            "error1": None if r.error1 != r.error1 else float(r.error1),
            "error2": None if r.error2 != r.error2 else float(r.error2),
            "examples": r.examples,
            "inconclusive": r.undecided,
            "kinks": r.kinks,
            "evaluations": r.evaluations,
            "seconds": round(r.seconds, 3),
            "seed": r.seed,
            "findings": [str(finding) for finding in r.findings],
            "doubts": r.doubts,
        }
        for r in reports
    ]
