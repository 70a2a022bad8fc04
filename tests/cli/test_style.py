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
    (tmp_path / "cut.png").write_bytes((tmp_path / "me.png").read_bytes()[:-200])
    Image.open(tmp_path / "me.png").save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:-200])
    (tmp_path / "text.jpg").write_text("hello")
    (tmp_path / "empty.png").touch()
    (tmp_path / "folder.png").mkdir()
    Image.fromarray(np.ones((20, 20), np.float32)).save(tmp_path / "float.tif")
    (tmp_path / "old-32-0002.png").write_bytes(b"kept")
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


@pytest.mark.parametrize("names", [("tiny.png", "waves.png"), ("me.png", "tiny.png")])
@pytest.mark.parametrize("side, said", [(1, True), (4, True), (5, False)])
def test_pictures_of_a_few_pixels_are_painted_and_that_is_said(folder, capsys, names, side, said):
    Image.new("RGB", (side, side), "red").save("tiny.png")
    assert paint(*names, "--out", "out.png") == 0
    note = f"note: tiny.png: {side} x {side} pixels; enlarged to 32, they show little"
    assert (note in capsys.readouterr().err.splitlines()) == said


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
    (["me.png", "waves.png", "--out", "folder.png", "--overwrite"], "folder.png is a folder"),
    (["me.png", "waves.png", "--out", "o.png", "--film", "film.mp4"], "--film film.mp4 ends in '.mp4'"),
    (["me.png", "waves.png", "--out", "o.png", "--curve", "o.gif"], "--curve o.gif ends in '.gif'"),
    (["me.png", "waves.png", "--out", "o.gif", "--film", "o.gif"], "o.gif is --out already"),
    (["me.png", "waves.png", "--out", "mask.png", "--mask", "mask.png", "--overwrite"], "one of the inputs"),
    (["me.png", "waves.png", "--out", "mask.png", "--init", "mask.png", "--overwrite"], "one of the inputs"),
    (["me.png", "waves.png", "--out", "old.png", "--save-every", "2"], "old-32-0002.png exists already"),
    (["me.png", "waves.png", "--out", "o.png", "--mask", "mask.png", "-"], "expected 1 blend weights"),
    (["me.png", "waves.png", "--out", "o.png", "--recolour", "2"], "recolour: expected a share from 0 to 1"),
    (["me.png", "waves.png", "--out", "o.png", "--coarse", "64"], "coarse: expected 0, or 16 to the size 32"),
    # odd pictures, as content, style, mask and start
    (["cut.png", "waves.png", "--out", "o.png"], "cut.png: truncated or damaged"),
    (["cut.jpg", "waves.png", "--out", "o.png"], "cut.jpg: truncated or damaged"),
    (["me.png", "cut.jpg", "--out", "o.png"], "cut.jpg: truncated or damaged"),
    (["me.png", "text.jpg", "--out", "o.png"], "text.jpg: not an image (starts with b'hello')"),
    (["me.png", "empty.png", "--out", "o.png"], "empty.png: not an image: the file is empty"),
    (["folder.png", "waves.png", "--out", "o.png"], "folder.png: not an image but a directory"),
    (["me.png", "float.tif", "--out", "o.png"], "float.tif: its values are floating-point"),
    (["me.png", "waves.png", "--out", "o.png", "--mask", "text.jpg"], "text.jpg: not an image"),
    (["me.png", "waves.png", "--out", "o.png", "--init", "cut.png"], "cut.png: truncated or damaged"),
    (["huge.png", "waves.png", "--out", "o.png"], "expected at most 50,000,000"),
]


@pytest.mark.parametrize(("words", "message"), REFUSED)
def test_refused_in_one_line_and_nothing_lost(folder, capsys, words, message):
    if "huge.png" in words:
        Image.new("1", (8000, 6251)).save("huge.png")
    before = contents(folder)
    assert paint(*words) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert message in lines[-1] and lines[-1].startswith("minigan: error: ")
    assert contents(folder) == before


def test_a_picture_too_large_for_memory_is_refused_with_a_size_that_fits(folder, capsys):
    assert cli.main(["style", "me.png", "waves.png", "--out", "o.png", "--size", "999999"]) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("minigan: error: size 999999 needs about") and "; use size " in line
    assert not Path("o.png").exists()


def contents(folder):
    return {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def hostile(kind):
    """A file of weights nobody should load: (name, bytes, what is said)."""
    import io
    import pickle

    buffer = io.BytesIO()
    if kind == "pickle":
        return "evil.pth", pickle.dumps(print, protocol=2), "refused, nothing was run: it asks for"
    if kind == "objects":
        np.savez(buffer, **{"features.0.weight": np.array([print], dtype=object)})
        return "objects.npz", buffer.getvalue(), "objects.npz"
    if kind == "missing":
        np.savez(buffer, **{"features.0.weight": np.zeros((64, 3, 3, 3), np.float32)})
        return "missing.npz", buffer.getvalue(), "missing"
    if kind == "header":
        return "cut.safetensors", (1 << 40).to_bytes(8, "little") + b"{}", "its header claims"
    return "page.npz", b"<!DOCTYPE html><html></html>", "expected weights (.npz, .safetensors, .pth)"


@pytest.mark.parametrize("kind", ["pickle", "objects", "missing", "header", "page"])
def test_hostile_weights_are_refused_in_one_line(folder, capsys, kind):
    name, content, message = hostile(kind)
    Path(name).write_bytes(content)
    before = contents(folder)
    words = ["me.png", "waves.png", "--out", "out.png", "--size", "64", "--features", "vgg19"]
    assert cli.main(["style", *words, "--weights", name]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and message in lines[0] and name in lines[0]
    assert lines[0].startswith("minigan: error: ") and contents(folder) == before


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


def test_a_gpu_paints_with_adam_unless_told(folder, monkeypatch):
    from dataclasses import replace

    from minigan import backend, style

    asked = []

    def transfer(*pictures, **settings):
        asked.append(settings.get("optimizer"))
        raise KeyboardInterrupt

    monkeypatch.setattr(style, "transfer", transfer)
    words = ["style", "me.png", "waves.png", "--out", "x.png", "--features", "shipped"]
    for device, more in ((backend.NUMPY, []), (replace(backend.NUMPY, name="gpu"), []),
                         (replace(backend.NUMPY, name="gpu"), ["--optimizer", "lbfgs"])):  # fmt: skip
        monkeypatch.setattr(backend, "_current", device)
        assert cli.main([*words, *more]) == 130
    assert asked == [None, "adam", "lbfgs"]
