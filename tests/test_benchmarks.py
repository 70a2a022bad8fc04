"""The benchmarks' own side of a comparison answers: what PyTorch's answers is not needed for that."""

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted((ROOT / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("script, request_", [
    ("conv_algorithms", {"shape": "3x3 7", "function": "weight_grad", "algorithm": "names", "frozen": False}),
    ("conv_algorithms", {"shape": "3x3 7", "function": "forward", "algorithm": "im2col", "frozen": True}),
    ("op_overhead", {"names": True}),
    ("op_overhead", {"environment": True}),
])  # fmt: skip
def test_minigans_worker_answers(script, request_):
    command = [sys.executable, str(ROOT / "benchmarks" / f"{script}.py"), "--worker", "minigan"]
    run = subprocess.run(
        command, input=json.dumps(request_) + "\n", capture_output=True, text=True, check=False
    )
    assert json.loads(run.stdout), run.stderr


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_what_a_script_takes_from_minigan_is_there(path):
    """Names imported from minigan, also inside functions, and what is read from its modules."""
    tree, modules = ast.parse(path.read_text(encoding="utf-8")), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "minigan":
                    modules[alias.asname or alias.name] = importlib.import_module(alias.name)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "minigan":
            for alias in node.names:
                found = _member(node.module, alias.name)
                if type(found) is type(ast):
                    modules[alias.asname or alias.name] = found
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            assert hasattr(modules[node.value.id], node.attr), f"{path.name}:{node.lineno}: {node.attr}"


def _member(module, name):
    found = importlib.import_module(module)
    return getattr(found, name) if hasattr(found, name) else importlib.import_module(f"{module}.{name}")


@pytest.fixture
def style_score(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("style_score")


def test_a_score_is_0_for_the_style_and_1_for_a_change_of_colours(style_score):
    """And the bands tell noise from blur."""
    from minigan.data.demo_style import paint_demo_style
    from minigan.style.colour import match_colours

    style, content = paint_demo_style(128), np.random.default_rng(0).random((3, 128, 128), np.float32)
    content = 0.5 * content + 0.5 * content.mean((1, 2), keepdims=True)
    found = style_score.judge(style, content, style)
    assert found["gram"] == {1: 0.0, 4: 0.0, 8: 0.0} and found["bands"] == pytest.approx([1.0] * 4)
    recoloured = style_score.judge(match_colours(content, style), content, style)
    assert recoloured["gram"] == pytest.approx({1: 1.0, 4: 1.0, 8: 1.0})
    assert recoloured["bands"][0] > 2
    blurred = (style + np.roll(style, 1, 1) + np.roll(style, 1, 2) + np.roll(style, (1, 1), (1, 2))) / 4
    assert style_score.judge(blurred, content, style)["bands"][0] < 0.5


def test_energy_falls_in_its_band(style_score):
    """A wave of a known length has all its energy in one band."""
    for number, length in enumerate((3, 6, 12, 24)):
        wave = 0.5 + 0.4 * np.sin(2 * np.pi * np.arange(96) / length)
        energies = style_score.band_energies(np.broadcast_to(wave, (3, 96, 96)))
        assert energies[number] > 0.95 * energies.sum()


def test_shrinking_takes_means_over_squares(style_score):
    picture = np.arange(3 * 5 * 4, dtype=np.float32).reshape(3, 5, 4)
    assert style_score.shrunk(picture, 2)[0].tolist() == [[2.5, 4.5], [10.5, 12.5]]


def test_a_sheet_of_all_sizes_shows_each_whole_and_in_part(style_score, tmp_path):
    """``style_score`` brings benchmarks/ into reach."""
    from minigan.data import load_image, save_image

    pictures = importlib.import_module("style_pictures")
    for size in (64, 128):
        picture = np.zeros((3, size * 3 // 4, size), np.float32)
        picture[0, size * 3 // 8 - 2 : size * 3 // 8 + 2] = 1  # a red line of four pixels across the middle
        save_image(tmp_path / f"a+b-{size}-content.png", picture)
    pictures.sizes_sheet(tmp_path / "s.png", [("a", "b"), ("c", "d")], [64, 128], "content", tmp_path, 64)
    sheet = load_image(tmp_path / "s.png")
    assert sheet.shape == (3, 104, 136)  # two rows of 48 pixels and two columns of 64, with 4 between
    red = (sheet[0] - sheet[1] > 0.5).sum(0)  # pixels of the line in each column
    assert red[10] == 8 and red[68 + 10] == 6  # 4 whole and 4 in part; 2 whole, as it is halved, and 4
    assert len(list(tmp_path.glob("*.png"))) == 3
