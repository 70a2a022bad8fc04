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
