"""``minigan style``: what it writes, what it refuses in one line, and that nothing is lost."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minigan import cli

sys.path.insert(0, str(Path(__file__).parents[1] / "style"))
import tiny


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with two pictures and a mask, made current."""
    for name, seed in (("me.png", 0), ("waves.png", 1)):
        pixels = np.rint(255 * tiny.picture(seed, 30, 40)).astype(np.uint8)
        Image.fromarray(pixels.transpose(1, 2, 0)).save(tmp_path / name)
    Image.fromarray(np.full((8, 8), 255, np.uint8)).save(tmp_path / "mask.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def paint(*words):
    return cli.main(["style", *words, "--size", "32", "--iterations", "3", "--features", "random"])


def test_paints_a_picture_and_says_what_it_did(folder, capsys):
    assert paint("me.png", "waves.png", "--out", "out.png") == 0
    with Image.open("out.png") as picture:
        assert picture.size == (32, 24) and picture.mode == "RGB"
    captured = capsys.readouterr()
    assert captured.out.startswith("out.png: ") and "style" in captured.out
    assert "forecast: about" in captured.err and "all 3 iterations done" in captured.err


def test_everything_on_the_way(folder):
    words = [
        "--save-every",
        "2",
        "--film",
        "film.gif",
        "--curve",
        "curve.png",
        "--coarse",
        "16",
        "--seed",
        "3",
    ]
    assert paint("me.png", "waves.png", "--out", "out.png", "--init", "noise", *words) == 0
    assert {path.name for path in folder.iterdir()} >= {
        "out.png", "out-16-0002.png", "out-32-0002.png", "film.gif", "curve.png"}  # fmt: skip
    with Image.open("film.gif") as film:
        assert film.n_frames == 4 and film.size == (32, 24)


def test_all_the_words(folder):
    words = "--optimizer adam --lr 0.05 --ema 0.5 --blend 2 1 --mask mask.png - --colours luminance "
    words += "--style-layers relu1_1,relu2_1=2 --content-layers relu2_2 --statistic gram --variation l1 "
    words += "--content-weight 1 --style-weight 2 --variation-weight 0 --pooling max --style-scale 0.8 "
    words = (words + "--stop 0.001 --init waves.png --tile 16").split()
    assert paint("me.png", "waves.png", "me.png", "--out", "out.jpg", *words) == 0
    assert paint("-", "waves.png", "--out", "texture.png") == 0
    assert paint("me.png", "-", "--out", "content.png") == 0


def test_forecast_only_writes_nothing(folder, capsys):
    assert paint("me.png", "waves.png", "--out", "out.png", "--forecast") == 0
    assert capsys.readouterr().out.startswith("forecast: about ")
    assert not Path("out.png").exists()


def test_of_an_animation_the_first_frame_is_used_and_that_is_said(folder, capsys):
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    frames[0].save("moves.gif", save_all=True, append_images=frames[1:])
    assert paint("moves.gif", "waves.png", "--out", "out.png", "--iterations", "0") == 0
    assert "note: moves.gif: animated" in capsys.readouterr().err


def test_demo_needs_no_pictures(folder):
    assert paint("--demo", "--out", "demo.png") == 0
    with Image.open("demo.png") as picture:
        assert picture.size[1] == 32


REFUSED = [
    (["me.png", "waves.png", "--out", "me.png"], "me.png is one of the inputs"),
    (["me.png", "waves.png", "--out", "mask.png"], "mask.png exists already"),
    (["me.png", "waves.png", "--out", "no/out.png"], "there is no folder no"),
    (["me.png", "waves.png", "--out", "out.txt"], "ends in '.txt'"),
    (["me.png", "waves.png", "--out", "o.png", "--film", "waves.png"], "waves.png is one of the inputs"),
    (["me.png", "--out", "out.png"], "expected CONTENT and STYLE"),
    (["--out", "out.png"], "expected CONTENT and STYLE"),
    (["-", "-", "--out", "out.png"], "got neither"),
    (["me.png", "waves.png", "--demo", "--out", "out.png"], "--demo brings its own pictures"),
    (["none.png", "waves.png", "--out", "out.png"], "none.png: cannot be read"),
    (["me.png", "waves.png", "--out", "out.png", "--weights", "me.png"], "random take no weights"),
    (["me.png", "waves.png", "--out", "out.png", "--style-layers", "relu9_9"], "layer relu9_9: random has"),
    (["me.png", "waves.png", "--out", "out.png", "--style-layers", "a,,b"], "expected layer names"),
    (["me.png", "waves.png", "--out", "out.png", "--blend", "1", "2"], "expected 1 blend weights"),
    (["me.png", "waves.png", "--out", "out.png", "--style-scale", "0.1"], "at least"),
    (["me.png", "waves.png"], "--out"),
]


@pytest.mark.parametrize(("words", "message"), REFUSED)
def test_refused_in_one_line_and_nothing_lost(folder, capsys, words, message):
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert paint(*words) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert message in lines[-1] and lines[-1].startswith("minigan: error: ")
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_hostile_weights_are_refused_by_name(folder, capsys):
    import pickle

    Path("evil.pth").write_bytes(pickle.dumps(print, protocol=2))
    words = [
        "me.png",
        "waves.png",
        "--out",
        "out.png",
        "--size",
        "64",
        "--features",
        "vgg19",
        "--weights",
        "evil.pth",
    ]
    assert cli.main(["style", *words]) == 2
    assert "evil.pth: refused, nothing was run: it asks for" in capsys.readouterr().err


def test_overwrite_is_possible_and_asked_for(folder):
    Path("out.png").write_bytes(b"old")
    assert paint("me.png", "waves.png", "--out", "out.png") == 2
    assert Path("out.png").read_bytes() == b"old"
    assert paint("me.png", "waves.png", "--out", "out.png", "--overwrite") == 0
    assert Path("out.png").read_bytes() != b"old"


def test_ctrl_c_keeps_what_was_reached(folder, monkeypatch):
    import signal

    from minigan.cli.style import Watcher

    original = Watcher.__call__

    def press(self, event):
        original(self, event)
        if event.iteration == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Watcher, "__call__", press)
    words = ["me.png", "waves.png", "--out", "out.png", "--size", "32", "--features", "random"]
    assert cli.main(["style", *words, "--iterations", "50"]) == 130
    with Image.open("out.png") as picture:
        assert picture.size == (32, 24)
