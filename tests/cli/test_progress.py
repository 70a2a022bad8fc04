"""The bar and the lines of a training run."""

import pytest

from minigan.cli import progress
from minigan.cli.progress import Progress, clock


class Clock:
    """A clock that the test turns."""

    now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def hands(monkeypatch):
    found = Clock()
    monkeypatch.setattr(progress, "time", found)
    return found


def test_lines_for_a_log(hands, capsys):
    shown = Progress(first=100, steps=300, seconds=None)
    hands.now = 10
    shown.update(200, {"D": 0.5})
    assert capsys.readouterr().err == ""  # too soon for a line
    hands.now = 20
    shown.update(200, {"D": 0.5, "D(x)": 0.75})
    assert capsys.readouterr().err == " 50%  step 200  5.0/s  0:20 left  D 0.500  D(x) 0.750\n"
    hands.now = 40
    shown.close(300, {})
    assert capsys.readouterr().err.startswith("100%  step 300  5.0/s  0:00 left")


def test_time_decides_where_it_ends_first(hands):
    shown = Progress(first=0, steps=1000, seconds=60)
    hands.now = 45
    assert shown.fraction(10) == 0.75 and shown.fraction(900) == 0.9
    hands.now = 99
    assert shown.fraction(10) == 1


def test_nothing_done_yet(hands):
    shown = Progress(first=5, steps=5, seconds=None)
    assert shown.fraction(5) == 0
    assert "? left" in shown._describe(5, {})


def test_a_terminal_gets_a_bar(hands, capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    shown = Progress(first=0, steps=10, seconds=None)
    hands.now = 1
    shown.update(5, {"G": 1.25})
    shown.close(10, {"G": 1.5})
    err = capsys.readouterr().err
    assert "100%" in err and "| step 10 " in err and "G 1.500" in err and err.endswith("\n")


def test_clock():
    assert [clock(s) for s in (0, 59.6, 61, 3600, 7325)] == ["0:00", "1:00", "1:01", "1:00:00", "2:02:05"]
