"""A lesson's options and pictures, as a script and in a notebook."""

import sys
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from minigan.errors import ArgumentError, ShapeError
from minigan.viz import lesson

PIXELS = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)


@pytest.fixture
def notebook(monkeypatch):
    """As if this ran in a kernel, whose command line is not the lesson's."""
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    monkeypatch.setattr(sys, "argv", ["ipykernel_launcher.py", "-f", "kernel-1.json"])


@pytest.mark.parametrize("words, quick", [([], False), (["--quick"], True)])
def test_a_script_reads_its_command_line(words, quick, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["lesson.py", *words])
    assert lesson.options("A title").quick is quick


def test_a_script_refuses_other_options(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["lesson.py", "--quik"])
    with pytest.raises(SystemExit) as leaving:
        lesson.options("A title")
    assert leaving.value.code == 2 and "--quik" in capsys.readouterr().err


@pytest.mark.parametrize("word, quick", [("", False), ("no", False), ("1", True)])
def test_a_notebook_passes_over_the_command_line_of_its_kernel(word, quick, notebook, monkeypatch):
    monkeypatch.setenv("MINIGAN_QUICK", word)
    assert lesson.options("A title").quick is quick


def test_a_word_that_is_neither_yes_nor_no_is_named(notebook, monkeypatch):
    monkeypatch.setenv("MINIGAN_QUICK", "perhaps")
    with pytest.raises(ArgumentError, match="MINIGAN_QUICK"):
        lesson.options("A title")


def test_pixels_are_written_named_and_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shown = lesson.show(PIXELS, "dots.png", "Four dots.")
    assert capsys.readouterr().out == "dots.png: Four dots.\n"
    with Image.open("dots.png") as image:
        assert np.array_equal(np.asarray(image), PIXELS)
    bundle = shown._repr_mimebundle_()
    assert bundle["text/plain"] == "Four dots."
    assert b64decode(bundle["image/png"]) == (tmp_path / "dots.png").read_bytes()


def test_a_notebook_shows_and_does_not_print(tmp_path, monkeypatch, capsys, notebook):
    monkeypatch.chdir(tmp_path)
    shown = lesson.show("<svg xmlns='http://www.w3.org/2000/svg'/>", "drawing.svg", "Nothing.")
    assert shown._repr_mimebundle_()["image/svg+xml"].startswith("<svg")
    assert capsys.readouterr().out == "" and (tmp_path / "drawing.svg").exists()


def test_frames_become_a_film(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frames = [np.full((4, 4, 3), shade, np.uint8) for shade in (0, 120, 240)]
    assert lesson.show(frames, "film.gif", "Dawn.").kind == "image/gif"
    with Image.open("film.gif") as film:
        assert film.n_frames == 3


@pytest.mark.parametrize("picture, name", [(PIXELS, "a.jpg"), (PIXELS, "a.svg"), ("<svg/>", "a.png")])
def test_what_a_file_cannot_hold_is_refused(picture, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArgumentError, match="picture"):
        lesson.show(picture, name, "No.")
    assert not list(tmp_path.iterdir())


def test_panels_draw_each_array_under_its_title():
    colours = np.zeros((3, 4, 5))
    figure = lesson.panels({"grey": np.eye(4), "colours": colours, "three": np.eye(2)}, columns=2)
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["grey", "colours", "three", ""]
    assert figure.axes[1].images[0].get_array().shape == (4, 5, 3)
    assert not figure.axes[3].axison


@pytest.mark.parametrize("pictures", [{}, {"vector": np.zeros(3)}, {"five": np.zeros((5, 4, 4))}])
def test_panels_refuse_other_shapes(pictures):
    with pytest.raises(ShapeError, match="panels"):
        lesson.panels(pictures)


def test_lines_and_bars_draw_what_they_are_given():
    axis = lesson.lines({"a": [3, 1, 2], "b": [5]}, y="height", log=True).axes[0]
    assert [list(line.get_ydata()) for line in axis.lines] == [[3, 1, 2], [5]]
    assert (axis.get_yscale(), axis.get_ylabel()) == ("log", "height")
    figure = lesson.bars({"one": 1.0, "two": 2.0}, x="size")
    assert [bar.get_width() for bar in figure.axes[0].patches] == [1.0, 2.0]
    buffer = BytesIO()
    figure.savefig(buffer)
    assert buffer.tell() > 1000
