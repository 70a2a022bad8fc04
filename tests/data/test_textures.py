"""Textures: from a seed, in range, with the scale and orientation their labels claim."""

import numpy as np
import pytest

from minigan.data import textures
from minigan.data.textures import NAMES, ORIENTATIONS, SCALES, paint_texture, paint_textures
from minigan.errors import DataError


def paint(seed, **options):
    return paint_texture(np.random.default_rng(seed), 48, **options)


@pytest.mark.parametrize("family", NAMES)
def test_every_family_paints_a_picture_that_varies_and_repeats_from_its_seed(family):
    texture = paint(3, family=family, scale=1)
    assert texture.picture.shape == (3, 48, 48) and texture.picture.dtype == np.float32
    assert texture.picture.min() >= 0 and texture.picture.max() <= 1
    assert texture.picture.std() > 0.01
    assert NAMES[texture.family] == family
    np.testing.assert_array_equal(texture.picture, paint(3, family=family, scale=1).picture)
    assert not np.array_equal(texture.picture, paint(4, family=family, scale=1).picture)


def test_there_are_enough_families_scales_and_orientations():
    assert len(NAMES) >= 20 and len(set(NAMES)) == len(NAMES)
    assert len(SCALES) >= 3 and len(ORIENTATIONS) >= 4


def mean_frequency(picture):
    """Energy-weighted mean of |frequency|, cycles per pixel."""
    power = sum(np.abs(np.fft.fft2(plane - plane.mean())) ** 2 for plane in picture)
    fy, fx = np.meshgrid(*[np.fft.fftfreq(picture.shape[-1])] * 2, indexing="ij")
    return (power * np.hypot(fx, fy)).sum() / power.sum()


@pytest.mark.parametrize("family", NAMES)
def test_a_larger_scale_has_lower_frequencies(family):
    fine, coarse = (
        [mean_frequency(paint(seed, family=family, scale=scale).picture) for seed in range(12)]
        for scale in (0, 2)
    )
    assert np.median(fine) > 1.25 * np.median(coarse)


@pytest.mark.parametrize("orientation", range(4))
def test_stripes_lie_as_labelled(orientation):
    """The gradient of stripes points along the canvas' x axis, which the angle turns."""
    tensor = np.zeros((2, 2))
    for seed in range(8):
        plane = paint(seed, family="stripes", scale=1, orientation=orientation).picture.sum(0)
        slope = np.stack(np.gradient(plane))[::-1].reshape(2, -1)  # (x, y)
        tensor += slope @ slope.T
    direction = np.linalg.eigh(tensor)[1][:, -1]
    angle = np.degrees(np.arctan2(direction[1], direction[0])) % 180
    wanted = ORIENTATIONS[orientation]
    assert min(abs(angle - wanted), 180 - abs(angle - wanted)) < 12


def test_labels_cover_all_and_pictures_are_bytes():
    pictures, labels = paint_textures(np.random.default_rng(0), 400, 16)
    assert pictures.shape == (400, 3, 16, 16) and pictures.dtype == np.uint8
    assert [len(set(labels[:, k])) for k in range(3)] == [len(NAMES), len(SCALES), len(ORIENTATIONS)]
    again, _ = paint_textures(np.random.default_rng(0), 3, 16)
    np.testing.assert_array_equal(again, pictures[:3])


def test_palettes_are_colours():
    for seed in range(50):
        palette = textures.random_palette(np.random.default_rng(seed))
        assert 2 <= len(palette) <= 6 and palette.shape[1] == 3
        assert palette.min() >= 0 and palette.max() <= 1


def test_bad_requests_are_named():
    with pytest.raises(DataError, match="texture family 'tartan': expected one of stripes"):
        paint(0, family="tartan")
    with pytest.raises(DataError, match="size 4: expected at least 8"):
        paint_texture(np.random.default_rng(0), 4)
