"""`minigan interpolate`: great circles through the latent space."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from minigan import cli
from minigan.cli.interpolate import lerp, slerp, walk

seeds = st.integers(0, 2**32 - 1)


def pair(seed, latent=5, count=3):
    draw = np.random.default_rng(seed)
    return draw.standard_normal((count, latent)), draw.standard_normal((count, latent))


@given(seeds)
def test_ends_are_the_ends(seed):
    a, b = pair(seed)
    np.testing.assert_allclose(slerp(a, b, 0.0), a, atol=1e-12)
    np.testing.assert_allclose(slerp(a, b, 1.0), b, atol=1e-9)


@given(seeds, st.floats(0, 1))
def test_between_vectors_of_one_length_the_length_stays_and_the_angle_is_shared_out(seed, t):
    a, b = (vector / np.linalg.norm(vector, axis=1, keepdims=True) for vector in pair(seed))
    point = slerp(a, b, t)
    np.testing.assert_allclose(np.linalg.norm(point, axis=1), 1, atol=1e-9)
    whole = np.arccos(np.sum(a * b, axis=1))
    np.testing.assert_allclose(np.arccos(np.sum(a * point, axis=1).clip(-1, 1)), t * whole, atol=1e-6)


@pytest.mark.parametrize("factor", [1.0, 2.0, -1.0])
def test_on_one_line_it_goes_straight(factor):
    a = np.ones((1, 4))
    np.testing.assert_allclose(slerp(a, factor * a, 0.25), (0.75 + 0.25 * factor) * a, atol=1e-9)


def test_a_closed_walk_comes_back_and_an_open_one_ends():
    stops = np.random.default_rng(0).standard_normal((3, 2, 4)).astype(np.float32)
    closed, opened = walk(stops, 5, closed=True), walk(stops, 5, closed=False)
    assert closed.shape == (15, 2, 4) and opened.shape == (11, 2, 4) and opened.dtype == np.float32
    np.testing.assert_allclose(closed[:11], opened, atol=1e-5)
    for path in (closed, opened):
        np.testing.assert_allclose(path[:11:5], stops, atol=1e-5)
    steps = np.linalg.norm(np.diff(np.concatenate([closed, closed[:1]]), axis=0), axis=2)
    assert steps.max() < 3 * steps.mean()


def test_a_straight_line_cuts_the_corner():
    stops = np.random.default_rng(0).standard_normal((2, 30, 64)).astype(np.float32)
    straight, round_ = (walk(stops, 4, closed=False, along=way) for way in (lerp, slerp))
    np.testing.assert_allclose(straight[2], stops.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(straight[[0, -1]], round_[[0, -1]], atol=1e-6)
    # Two latents of N(0, 1) are about at right angles: half-way the straight line is 1 / sqrt(2) as long.
    lengths = np.linalg.norm(straight[2], axis=1) / np.linalg.norm(round_[2], axis=1)
    assert lengths.mean() == pytest.approx(2**-0.5, abs=0.03)


def test_the_way_is_chosen_on_the_command_line(trained, tmp_path):
    files = [tmp_path / f"{way}.png" for way in ("slerp", "lerp")]
    for out in files:
        words = ["-n", "2", "--steps", "4", "--stops", "2", "--along", out.stem, "--out", str(out)]
        assert cli.main(["interpolate", str(trained), *words]) == 0
    assert files[0].read_bytes() != files[1].read_bytes()


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_a_film(trained, tmp_path, suffix):
    out = tmp_path / f"walk.{suffix}"
    assert (
        cli.main(["interpolate", str(trained), "-n", "4", "--steps", "3", "--stops", "2", "--out", str(out)])
        == 0
    )
    with Image.open(out) as film:
        assert film.n_frames == 6


def test_a_sheet(trained, tmp_path):
    out = tmp_path / "walk.png"
    assert (
        cli.main(["interpolate", str(trained), "-n", "2", "--steps", "4", "--stops", "2", "--out", str(out)])
        == 0
    )
    with Image.open(out) as sheet:
        assert sheet.width > 2 * sheet.height  # five moments wide, two walks high


@pytest.mark.parametrize(
    "words, said",
    [(["--out", "a.mp4"], ".gif"), (["--stops", "1"], "at least 2"), (["--steps", "0"], "at least 1")],
)
def test_bad_arguments_get_one_line(words, said, trained, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["interpolate", str(trained), *words]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1 and list(tmp_path.iterdir()) == []
