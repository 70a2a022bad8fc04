"""The log of every layer's gradient: small, and whatever happens to a run, readable."""

import json

import pytest

from minigan.cli.gradient_log import MOST, GradientLog, due, gap
from minigan.errors import FileError


def lengths(step):
    return {"G": {"0": 1 / step, "2": 0.0}, "D": {"net.1": float(step)}}


def written(path, last, first=1):
    log = GradientLog(path)
    for step in filter(due, range(first, last + 1)):
        log.append(step, lengths(step))
    return path.read_text().splitlines()


def test_a_long_run_has_no_more_rows_than_a_short_one(tmp_path):
    for last in (4, 999, 1000, 2010):
        rows = [json.loads(line) for line in written(tmp_path / str(last), last)]
        assert [row["step"] for row in rows] == [1, *range(gap(last), last + 1, gap(last))]
        assert len(rows) <= MOST and rows[-1] == {"step": rows[-1]["step"]} | {
            net: {name: float(f"{x:.4g}") for name, x in layers.items()}
            for net, layers in lengths(rows[-1]["step"]).items()
        }
    assert gap(10**6) * MOST > 10**6


@pytest.mark.parametrize("pause, went", [(7, 7), (990, 1012)])
def test_a_run_that_was_broken_off_has_the_log_of_one_that_was_not(tmp_path, pause, went):
    """Killed at one step, its last checkpoint an earlier one; the last line is cut."""
    parts = tmp_path / "parts"
    written(parts, went)
    with open(parts, "a") as file:
        file.write('{"step": 9999, "G": {"0"')
    GradientLog(parts).rewind(pause)
    assert written(parts, 1020, first=pause + 1) == written(tmp_path / "whole", 1020)


def test_lines_that_are_no_rows_are_left_out(tmp_path):
    path = tmp_path / "log"
    assert GradientLog(path).read() == []
    good = '{"step": 5, "G": {"0": 1.0}}'
    bad = ["5", "null", "{}", '{"step": 1, "G": 2}', '{"step": 1, "G": {"0": "1"}}',
           '{"step": 2, "G": {"0": -1}}',
           '{"step": 3, "G": {"0": NaN}}', '{"step": tr', "\x00\xff"]  # fmt: skip
    path.write_text("\n".join([*bad, good]), encoding="latin-1")
    assert GradientLog(path).read() == [json.loads(good)]


def test_what_cannot_be_read_or_written_is_one_line(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileError, match="cannot read"):
        GradientLog(tmp_path / "folder").read()
    with pytest.raises(FileError, match="--resume"):
        GradientLog(tmp_path / "none" / "log").append(1, lengths(1))
