"""Glyphs: legible, varied, repeatable and quick."""

import numpy as np
import pytest
from scipy.interpolate import BSpline
from scipy.ndimage import map_coordinates

from minigan.data import glyphs
from minigan.data.glyphs import render_glyphs
from minigan.errors import ArgumentError, DataError


def ink(images):
    return (images[:, 0] + 1) / 2


@pytest.mark.parametrize("size, channels", [(28, 1), (8, 1), (33, 3), (64, 3)])
def test_shapes_types_and_range(size, channels):
    images, labels = render_glyphs(20, size=size, channels=channels)
    assert images.shape == (20, channels, size, size) and images.dtype == np.float32
    assert labels.shape == (20,) and labels.dtype == np.int64
    assert images.min() >= -1 and images.max() <= 1
    assert images.std(axis=(1, 2, 3)).min() > 0.1, "every picture shows something"


def test_an_empty_set_is_valid():
    images, labels = render_glyphs(0)
    assert images.shape == (0, 1, 28, 28) and labels.shape == (0,)


def test_equal_seeds_give_equal_pictures_and_others_do_not():
    first, again = render_glyphs(300, seed=5), render_glyphs(300, seed=np.random.default_rng(5))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[0], render_glyphs(300, seed=6)[0])


def test_a_generator_moves_on():
    generator = np.random.default_rng(0)
    assert not np.array_equal(render_glyphs(5, seed=generator)[0], render_glyphs(5, seed=generator)[0])


def test_the_chunk_of_work_does_not_show(monkeypatch):
    whole = render_glyphs(50, channels=3, seed=1)[0]
    monkeypatch.setattr(glyphs, "_CHUNK", 7)
    np.testing.assert_allclose(render_glyphs(50, channels=3, seed=1)[0], whole, atol=1e-5)


def test_a_simple_classifier_reads_all_ten_digits():
    images, labels = render_glyphs(5000, size=28, seed=0)
    inputs = np.concatenate([images.reshape(len(images), -1), np.ones((len(images), 1), np.float32)], axis=1)
    train, test = slice(0, 4000), slice(4000, None)
    # the three nearest training pictures vote: the plainest reader there is
    product = inputs[test] @ inputs[train].T
    squares = (inputs[train] ** 2).sum(axis=1)
    nearest = np.argsort(squares - 2 * product, axis=1)[:, :3]
    votes = np.apply_along_axis(lambda v: np.bincount(v, minlength=10).argmax(), 1, labels[train][nearest])
    for digit in range(10):
        mine = labels[test] == digit
        assert mine.sum() > 50
        assert (votes[mine] == digit).mean() > 0.9, f"digit {digit} is not legible"


def test_hands_differ_in_stroke_slant_and_place():
    images, labels = render_glyphs(3000, seed=2)
    ones = ink(images[labels == 1])
    width = ones.sum(axis=(1, 2))  # the ink of a line of given length grows with its width
    assert width.max() > 2 * width.min()
    rows, columns = np.mgrid[0:28, 0:28]
    centre = np.stack([(ones * axis).sum(axis=(1, 2)) / width for axis in (rows, columns)])
    assert (centre.std(axis=1) > 0.5).all()
    slant = [np.polyfit(rows.ravel(), columns.ravel(), 1, w=one.ravel() + 1e-6)[0] for one in ones[:200]]
    assert np.std(slant) > 0.1


def test_without_distortion_only_fonts_differ():
    images, labels = render_glyphs(500, distortion=0, seed=3)
    kinds = {image.tobytes() for image in images[labels == 4]}
    assert 1 < len(kinds) <= len(glyphs.FONTS)


def test_colours_are_legible():
    images, _ = render_glyphs(200, size=32, channels=3, seed=4)
    lightness = np.einsum("c,nchw->nhw", np.float32([0.299, 0.587, 0.114]), images).reshape(200, -1)
    spread = np.ptp(lightness, axis=1)
    assert np.quantile(spread, 0.05) > 0.3
    assert (images.std(axis=1).max(axis=(1, 2)) > 0.1).mean() > 0.9, "colour, not grey"


def test_letters_on_request():
    images, labels = render_glyphs(100, characters="abcXYZ", seed=0)
    assert set(labels) == set(range(6)) and len(images) == 100


@pytest.mark.parametrize(
    "options, word",
    [
        ({"count": -1}, "count"),
        ({"count": 1.5}, "count"),
        ({"count": 1, "size": 7}, "size"),
        ({"count": 1, "channels": 2}, "channels"),
        ({"count": 1, "characters": ""}, "characters"),
        ({"count": 1, "characters": "11"}, "characters"),
        ({"count": 1, "characters": "1 "}, "characters"),
        ({"count": 1, "characters": "é"}, "characters"),
        ({"count": 1, "distortion": -1}, "distortion"),
        ({"count": 1, "distortion": float("nan")}, "distortion"),
    ],
)
def test_bad_options_are_named(options, word):
    with pytest.raises(ArgumentError, match=f"glyphs: {word} must"):
        render_glyphs(**options)


def test_a_missing_font_is_named(monkeypatch):
    monkeypatch.setattr(glyphs, "FONTS", ("NoSuchFont.ttf",))
    with pytest.raises(DataError, match="NoSuchFont.ttf.*reinstall matplotlib"):
        render_glyphs(1, characters="7")


def plain_thinning(shape):
    """Zhang and Suen, pixel by pixel."""
    line = np.pad(shape, 1)
    changed = True
    while changed:
        changed = False
        for first in (True, False):
            peel = []
            for y, x in zip(*np.nonzero(line), strict=True):
                p = [
                    line[y - 1, x],
                    line[y - 1, x + 1],
                    line[y, x + 1],
                    line[y + 1, x + 1],
                    line[y + 1, x],
                    line[y + 1, x - 1],
                    line[y, x - 1],
                    line[y - 1, x - 1],
                ]
                turns = sum(not a and b for a, b in zip(p, p[1:] + p[:1], strict=True))
                n, e, s, w = p[0], p[2], p[4], p[6]
                sides = (
                    not (n and e and s) and not (e and s and w)
                    if first
                    else (not (n and e and w) and not (n and s and w))
                )
                if 2 <= sum(p) <= 6 and turns == 1 and sides:
                    peel.append((y, x))
            for y, x in peel:
                line[y, x] = False
            changed |= bool(peel)
    return line[1:-1, 1:-1]


def test_thinning_agrees_with_the_plain_loop():
    generator = np.random.default_rng(0)
    shapes = np.zeros((4, 24, 24), bool)
    for shape in shapes:
        for _ in range(4):
            top, left = generator.integers(1, 14, 2)
            high, wide = generator.integers(2, 9, 2)
            shape[top : top + high, left : left + wide] = True
    thin = glyphs._thin(shapes)
    for shape, line in zip(shapes, thin, strict=True):
        np.testing.assert_array_equal(line, plain_thinning(shape))
    assert thin.sum() < 0.5 * shapes.sum()


def test_the_look_agrees_with_scipy():
    generator = np.random.default_rng(1)
    maps = generator.standard_normal((3, glyphs._SIDE, glyphs._SIDE)).astype(np.float32)
    which = np.array([2, 0, 1])
    affine = (np.eye(2, 3) + 0.2 * generator.standard_normal((3, 2, 3))).astype(np.float32)
    size = 12
    got = glyphs._look(maps, which, affine, np.zeros((3, 2, 4, 4), np.float32), size)
    centres = (np.arange(size) + 0.5) * 2 / size - 1
    x, y = np.meshgrid(centres, centres)
    for i in range(3):
        points = affine[i] @ np.stack([x.ravel(), y.ravel(), np.ones(size**2)])
        column, row = np.clip(points * glyphs._INK / 2 + (glyphs._SIDE - 1) / 2, 0, glyphs._SIDE - 1.001)
        want = map_coordinates(maps[which[i]], [row, column], order=1).reshape(size, size)
        np.testing.assert_allclose(got[i], want, atol=2e-3)


def test_the_bending_is_a_cubic_spline():
    points = np.linspace(-1, 1, 23)
    tent = BSpline.basis_element([-2, -1, 0, 1, 2], extrapolate=False)
    knots = np.linspace(-1, 1, glyphs._KNOTS)
    want = np.nan_to_num(tent((points[:, None] - knots) / (knots[1] - knots[0])))
    np.testing.assert_allclose(glyphs._spline_basis(points), want, atol=1e-6)
