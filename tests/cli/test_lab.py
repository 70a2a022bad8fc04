"""`minigan lab`: a line a seed and a film."""

import pytest
from PIL import Image

from minigan import cli
from minigan.gan import laboratory


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(laboratory, "POINTS", 2000)


@pytest.mark.parametrize("words", [["ring"], ["grid", "--plain"]])
def test_a_line_a_seed_and_a_film_of_the_first(words, tmp_path, capsys):
    film = tmp_path / "film.gif"
    assert cli.main(["lab", *words, "--steps", "4", "--seeds", "2", "--out", str(film)]) == 0
    lines = capsys.readouterr().out.splitlines()
    modes = 8 if words[0] == "ring" else 25
    assert [line.split()[0] for line in lines if "%" in line] == ["0", "1"]
    assert all(f"/{modes}" in line for line in lines if "%" in line)
    with Image.open(film) as picture:
        assert picture.n_frames == 4


def test_an_existing_film_is_kept(tmp_path, capsys):
    (tmp_path / "film.gif").write_text("mine")
    assert cli.main(["lab", "ring", "--steps", "1", "--out", str(tmp_path / "film.gif")]) == 2
    assert "exists already" in capsys.readouterr().err
    assert (tmp_path / "film.gif").read_text() == "mine"
