"""Reports: verdicts, figures, and never more than fifteen lines."""

import numpy as np
import pytest

from minigan.testing import FAIL, INCONCLUSIVE, PASS, GradReport
from minigan.testing.table import as_data, head, line, totals


def test_findings_outweigh_doubts_and_only_pass_is_true():
    report = GradReport("cube", 7)
    assert report and report.verdict == PASS
    report.doubts.append("noise")
    assert not report and report.verdict == INCONCLUSIVE
    report.add("gradient", "wrong")
    assert not report and report.verdict == FAIL and report.properties == ["gradient"]


def test_only_known_properties_can_be_broken():
    with pytest.raises(AssertionError, match="colour"):
        GradReport("cube", 0).add("colour", "blue")


def test_taking_another_adds_up_and_keeps_the_worst():
    one = GradReport("a", 0, error1=1e-9, evaluations=3, kinks=1)
    one.take(GradReport("b", 1, error1=1e-7, error2=1e-8, evaluations=4, kinks=2, doubts=["noise"]))
    assert (one.error1, one.error2, one.evaluations, one.kinks, one.doubts) == (1e-7, 1e-8, 7, 3, ["noise"])


def test_doubts_are_cut_short():
    report = GradReport("cube", 0, doubts=[f"doubt {i}" for i in range(40)])
    assert str(report).count("undecided") == 4 and "undecided: 37 more" in str(report)
    report.add("gradient", "\n".join("line" for _ in range(12)))
    assert len(str(report).splitlines()) == 15


def test_the_table_has_a_line_for_each_and_the_totals():
    good = GradReport("cube", 0, error1=1e-9, examples=20, kinks=2, seconds=1.5)
    open_ = GradReport("noise", 0, examples=5, undecided=5, doubts=["noise"])
    bad = GradReport("wrong", 0, error1=0.5, error2=np.float64(0.25), examples=1)
    bad.add("gradient", "off")
    assert head(5).splitlines()[0].startswith("operation   order 1")
    assert line(good, 5).split() == ["cube", "1.0e-09", "-", "20", "2", "1.50", "PASS"]
    assert line(open_, 5).endswith("INCONCLUSIVE (5 samples)")
    assert totals([good, open_, bad]) == (
        "3 checked, 26 settings in 2 s: 1 FAIL, 5 settings INCONCLUSIVE (19.23%)"
    )
    rows = as_data([good, open_, bad])
    assert rows[0]["error2"] is None and rows[1]["doubts"] == ["noise"] and rows[2]["error2"] == 0.25
    assert rows[2]["findings"] == ["gradient: off"] and rows[2]["verdict"] == FAIL


def test_a_report_starts_with_one_example_and_nothing_else():
    report = GradReport("cube", 7)
    assert (report.evaluations, report.kinks, report.examples, report.undecided, report.seconds) == (
        0,
        0,
        1,
        0,
        0,
    )
    assert np.isnan(report.error1) and np.isnan(report.error2)
    assert str(report) == "PASS: cube (seed 7, 0 evaluations)"


def test_findings_fill_fourteen_lines_and_the_rest_is_named_once():
    report = GradReport("cube", 0)
    for property in ("value", "shape", "dtype", "device", "finite", "finite"):
        report.add(property, "one\ntwo", "three")
    lines = str(report).splitlines()
    assert len(lines) == 14 and lines[1:4] == ["  value: one", "  two", "    hint: three"]
    assert lines[-1] == "  and also: finite"
    report = GradReport("cube", 0, doubts=["noise", "more"])
    report.add("value", "\n".join("x" * 300 for _ in range(13)))
    assert len(str(report).splitlines()) == 15 and str(report).endswith("undecided: 2 more")
    assert {len(line) for line in str(report).splitlines()[1:-1]} == {200}
    report = GradReport("cube", 0, doubts=["noise"] * 3)
    assert str(report).count("undecided: noise") == 3 and "more" not in str(report)


def test_seconds_are_kept_to_the_millisecond():
    rows = as_data([GradReport("cube", 0, error1=1e-9, seconds=1.23456)])
    assert rows[0]["seconds"] == 1.235 and rows[0]["error1"] == 1e-9
    assert as_data([GradReport("cube", 0)])[0]["error1"] is None
