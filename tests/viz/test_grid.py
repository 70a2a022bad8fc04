"""Grids: each picture in its place, and files that fit."""

import subprocess
import sys
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from minigan.errors import ArgumentError, FileError, NumericError, ShapeError
from minigan.viz.grid import image_grid, png_bytes, save_grid, save_png, to_pixels, write_text


def batch(count, channels=1, height=4, width=3):
    return np.random.default_rng(0).uniform(-1, 1, (count, channels, height, width)).astype(np.float32)


def test_the_range_becomes_bytes():
    got = to_pixels(np.array([-1, -0.5, 0, 1, -9, 9], np.float32).reshape(1, 1, 1, 6))
    assert got.dtype == np.uint8 and got[0, 0, :, 0].tolist() == [0, 64, 128, 255, 0, 255]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("count, columns, rows", [(7, 3, 3), (4, 2, 2), (1, 1, 1), (5, 5, 1), (2, 9, 1)])
def test_every_picture_is_in_its_place(channels, count, columns, rows):
    images = batch(count, channels)
    scale, padding = 2, 3
    sheet = image_grid(images, columns=columns, scale=scale, padding=padding)
    columns = min(columns, count)
    assert sheet.shape == (rows * 11 + 3, columns * 9 + 3, channels)
    pixels = to_pixels(images).repeat(scale, 1).repeat(scale, 2)
    for i in range(count):
        top, left = 3 + i // columns * 11, 3 + i % columns * 9
        np.testing.assert_array_equal(sheet[top : top + 8, left : left + 6], pixels[i])


def test_the_default_is_square_and_of_readable_size():
    sheet = image_grid(batch(64, height=28, width=28))
    assert sheet.shape[0] == sheet.shape[1] and 400 < sheet.shape[0] <= 560


def test_labels_and_title_add_text_and_move_no_picture():
    images = batch(4, 1, 20, 20)
    plain = image_grid(images, columns=2, scale=1)
    told = image_grid(images, columns=2, scale=1, labels=[3, "b", 5, 6], title="step 10")
    assert told.shape[0] == plain.shape[0] + 3 * 18
    assert told[:18].max() > 200, "a title"
    below = told[18 + 2 + 20 : 18 + 2 + 20 + 17]
    assert below[:, 2:22].max() > 200 and below[:, 24:44].max() > 200, "a label under each"
    np.testing.assert_array_equal(told[20:40, 2:22], plain[2:22, 2:22])


def test_text_is_drawn_only_where_it_stands():
    ground = np.zeros((30, 80, 3), np.uint8)
    got = write_text(ground, [(40, 5, "x")])
    assert got[:, :40].max() < 30 and got[:, 40:].max() > 150 and ground.max() == 0


@pytest.mark.parametrize(
    "images, options, error, words",
    [
        (np.zeros((2, 2, 4, 4)), {}, ShapeError, r"\(N, 1 or 3, H, W\)"),
        (np.zeros((1, 4, 4)), {}, ShapeError, "expected shape"),
        (np.zeros((0, 1, 4, 4)), {}, ShapeError, "N >= 1"),
        (np.full((3, 1, 2, 2), np.nan), {}, NumericError, "3 of 3 pictures, first in picture 0"),
        (np.zeros((2, 1, 4, 4)), {"labels": [1]}, ShapeError, "expected 2 labels"),
        (np.zeros((2, 1, 4, 4)), {"scale": -1}, ArgumentError, "at least 1"),
        (np.zeros((2, 1, 4, 4)), {"columns": -1}, ArgumentError, "at least 1"),
        (np.zeros((2, 1, 4, 4)), {"padding": -1}, ArgumentError, "padding"),
    ],
)
def test_bad_input(images, options, error, words):
    with pytest.raises(error, match=words):
        image_grid(images, **options)


def test_a_png_within_the_limit_is_exact(tmp_path):
    images = batch(9, 3)
    save_grid(tmp_path / "a.png", images, scale=1)
    with Image.open(tmp_path / "a.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), image_grid(images, scale=1))


@pytest.mark.parametrize("channels", [1, 3])
def test_even_noise_fits_the_limit(channels):
    noise = np.random.default_rng(0).integers(0, 256, (280, 320, channels), np.uint8)
    content = png_bytes(noise, limit=40_000)
    assert 15_000 < len(content) <= 40_000 < len(png_bytes(noise, limit=None))
    picture = Image.open(BytesIO(content))
    assert abs(picture.width / picture.height - 8 / 7) < 0.02


def test_fewer_colours_come_before_fewer_pixels():
    ground = np.random.default_rng(0).integers(100, 140, (200, 200, 3), np.uint8)
    whole = len(png_bytes(ground, limit=None))
    picture = Image.open(BytesIO(png_bytes(ground, limit=int(0.7 * whole))))
    assert picture.mode == "P" and picture.size == (200, 200)


def test_an_older_file_is_replaced_whole_or_kept(tmp_path):
    save_png(tmp_path / "a.png", np.zeros((4, 4, 1), np.uint8))
    before = (tmp_path / "a.png").read_bytes()
    with pytest.raises(NumericError):
        save_grid(tmp_path / "a.png", np.full((1, 1, 2, 2), np.inf))
    assert (tmp_path / "a.png").read_bytes() == before
    save_png(tmp_path / "a.png", np.ones((4, 4, 3), np.uint8))
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"] and (tmp_path / "a.png").read_bytes() != before
    with pytest.raises(FileError, match="does not exist"):
        save_png(tmp_path / "no" / "a.png", np.zeros((4, 4, 1), np.uint8))


@pytest.mark.parametrize("shape, kind", [((4, 4, 1), "f4"), ((4, 4, 2), "u1"), ((4,), "u1")])
def test_pixels_are_checked(shape, kind):
    with pytest.raises(ShapeError, match="expected uint8"):
        png_bytes(np.zeros(shape, kind))


def test_importing_viz_and_drawing_curves_never_touches_pyplot():
    code = (
        "import sys, minigan.viz, minigan.data\n"
        "assert not {'matplotlib', 'PIL', 'scipy'} & set(sys.modules)\n"
        "minigan.viz.curves_png({'loss': {'D': ([0, 1], [1, 2])}})\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
