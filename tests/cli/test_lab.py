"""`minigan lab`: a line a run, every cure, films and pictures."""

from functools import partial

import pytest
from PIL import Image

from minigan import cli
from minigan.cli import lab
from minigan.gan import laboratory, stacked_laboratory


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    monkeypatch.setenv("MINIGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(laboratory, "POINTS", 2000)
    monkeypatch.setattr(stacked_laboratory, "PICTURES", 200)


@pytest.mark.parametrize("words", [["ring"], ["grid", "--plain"]])
def test_a_line_a_seed_and_a_film_of_the_first(words, tmp_path, capsys):
    film = tmp_path / "film.gif"
    assert cli.main(["lab", *words, "--steps", "4", "--seeds", "2", "--out", str(film)]) == 0
    lines = capsys.readouterr().out.splitlines()
    modes = 8 if words[0] == "ring" else 25
    rows = [line.split() for line in lines if "%" in line]
    assert [row[:2] for row in rows] == [["none" if "--plain" in words else "paired", str(s)] for s in (0, 1)]
    assert all(f"/{modes}" in row[2] and row[-2] == "4" for row in rows)
    with Image.open(film) as picture:
        assert picture.n_frames == 4


def test_all_cures_in_turn(capsys):
    assert cli.main(["lab", "ring", "--cure", "all", "--steps", "1", "--seed", "3"]) == 0
    rows = [line.split()[:2] for line in capsys.readouterr().out.splitlines() if "%" in line]
    assert rows == [[cure, "3"] for cure in laboratory.CURES] and list(laboratory.CURES) == list(lab.CURES)


def test_stacked_digits_with_the_last_picture(tmp_path, capsys, monkeypatch):
    few = partial(stacked_laboratory.grey_digits, limit=120)
    monkeypatch.setattr(stacked_laboratory, "grey_digits", few)
    monkeypatch.setattr("minigan.data.stacked.SAMPLES", 60)
    out = tmp_path / "last.png"
    words = ["lab", "stacked", "--size", "8", "--steps", "2", "--out", str(out)]
    assert cli.main(words) == 0
    first, _, row, last = capsys.readouterr().out.splitlines()
    assert first.startswith("real pictures: ") and row.split()[0] == "paired" and "/1000" in row
    assert last == f"picture: {out}"
    with Image.open(out) as picture:
        assert picture.mode == "RGB" and min(picture.size) >= 8 * 8


def test_what_makes_no_sense_is_refused(tmp_path, capsys):
    (tmp_path / "film.gif").write_text("mine")
    assert cli.main(["lab", "ring", "--steps", "1", "--out", str(tmp_path / "film.gif")]) == 2
    assert "exists already" in capsys.readouterr().err
    assert (tmp_path / "film.gif").read_text() == "mine"
    assert cli.main(["lab", "ring", "--size", "16"]) == 2
    assert "points have none" in capsys.readouterr().err
