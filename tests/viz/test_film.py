"""Films: the frames that went in come out, in time."""

import numpy as np
import pytest
from PIL import Image, ImageSequence

from minigan.errors import ArgumentError, FileError, ShapeError
from minigan.viz.film import save_film


def frames(count, channels, size=16):
    """A bright square that moves over a dim ground."""
    film = np.full((count, size, size, channels), 40, np.uint8)
    for i, frame in enumerate(film):
        frame[i : i + 5, i : i + 5, : max(1, channels - 1)] = 220
    return list(film)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_frames_and_times_come_back(tmp_path, channels, suffix):
    film = frames(6, channels)
    save_film(tmp_path / f"a{suffix}", film, seconds=0.2, hold=1.0)
    with Image.open(tmp_path / f"a{suffix}") as picture:
        assert picture.n_frames == 6 and picture.info["loop"] == 0
        got, times = [], []
        for frame in ImageSequence.Iterator(picture):
            got.append(np.asarray(frame.convert("RGB")).astype(int))
            times.append(frame.info["duration"])
    assert times == [200] * 5 + [1200]
    for one, other in zip(got, film, strict=True):
        assert np.abs(one - other.astype(int)).mean() <= (6 if suffix == ".webp" else 1)


def test_grey_is_exact(tmp_path):
    ramp = [np.arange(256, dtype=np.uint8).reshape(16, 16, 1), np.zeros((16, 16, 1), np.uint8)]
    for suffix in (".gif", ".webp"):
        save_film(tmp_path / f"a{suffix}", ramp)
        with Image.open(tmp_path / f"a{suffix}") as picture:
            np.testing.assert_array_equal(np.asarray(picture.convert("L")), ramp[0][..., 0])


def test_what_stands_still_does_not_flicker(tmp_path):
    generator = np.random.default_rng(0)
    still, *moving = generator.integers(0, 256, (6, 16, 8, 3), np.uint8)
    film = [np.concatenate([still, part], axis=1) for part in moving]
    save_film(tmp_path / "a.gif", film)
    with Image.open(tmp_path / "a.gif") as picture:
        got = [np.asarray(frame.convert("RGB"))[:, :8] for frame in ImageSequence.Iterator(picture)]
    for one in got[1:]:
        np.testing.assert_array_equal(one, got[0])


def test_one_frame_is_a_film(tmp_path):
    save_film(tmp_path / "a.gif", frames(1, 3))
    with Image.open(tmp_path / "a.gif") as picture:
        assert picture.size == (16, 16)


@pytest.mark.parametrize(
    "name, film, options, error, words",
    [
        ("a.mp4", frames(2, 1), {}, ArgumentError, "'.mp4', expected .gif or .webp"),
        ("a.gif", [], {}, ShapeError, "at least one frame"),
        ("a.gif", frames(1, 1) + frames(1, 3), {}, ShapeError, "all of one shape"),
        ("a.gif", [np.zeros((4, 4, 1))], {}, ShapeError, "expected uint8"),
        ("a.gif", frames(2, 1), {"seconds": 0}, ArgumentError, "seconds"),
        ("a.gif", frames(2, 1), {"hold": -1}, ArgumentError, "hold"),
        ("no/a.gif", frames(2, 1), {}, FileError, "does not exist"),
    ],
)
def test_bad_input_leaves_nothing_behind(tmp_path, name, film, options, error, words):
    with pytest.raises(error, match=words):
        save_film(tmp_path / name, film, **options)
    assert not list(tmp_path.iterdir())
