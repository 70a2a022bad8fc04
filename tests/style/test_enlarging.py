"""From size to size: the content's detail comes back exactly, and noise is as strong as the style's grain."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import correlate1d

from minigan.data import resize
from minigan.style.colour import colour_statistics
from minigan.style.enlarging import LIMITS, STRENGTH, enlarged, grain, regrained, roughened
from minigan.style.waves import short_power

sys.path.insert(0, str(Path(__file__).parent))
import tiny

CONTENT = tiny.picture(0, 64, 96)
GREY = np.full((3, 64, 96), 0.5, np.float32)


def rough(seed, strength=0.05):
    generator = np.random.default_rng(seed)
    colours = np.array([[1.0], [0.5], [0.2]])[..., None]
    return (0.5 + strength * colours * generator.standard_normal((1, 64, 96))).astype(np.float32)


def test_the_content_comes_back_with_its_detail():
    small = resize(CONTENT, 32, 48)
    np.testing.assert_allclose(enlarged(small, CONTENT, 64, 96), CONTENT, atol=1e-6)
    assert np.abs(enlarged(small, None, 64, 96) - CONTENT).max() > 0.05
    shifted = enlarged((small + 0.05).clip(0, 1), CONTENT, 64, 96)
    np.testing.assert_allclose(shifted, (CONTENT + 0.05).clip(0, 1), atol=1e-5)  # what was painted stays


def test_grain_is_what_a_blur_takes_away():
    picture, wanted = CONTENT, CONTENT
    for axis in (1, 2):
        wanted = correlate1d(wanted, [0.25, 0.5, 0.25], axis=axis)
    np.testing.assert_allclose(grain(picture), (picture - wanted)[:, 1:-1, 1:-1], atol=1e-6)
    assert np.abs(grain(GREY)).max() == 0


def test_noise_has_the_strength_and_the_colours_of_the_grain():
    style = rough(1)
    added = roughened(GREY, [style], [1.0], np.random.default_rng(0)) - GREY
    wanted = STRENGTH**2 * colour_statistics(grain(style))[1]
    np.testing.assert_allclose(np.cov(added.reshape(3, -1)), wanted, atol=0.05 * wanted.max())
    assert np.abs(roughened(GREY, [GREY], [1.0], np.random.default_rng(0)) - GREY).max() < 0.01
    assert np.array_equal(roughened(GREY, [], [], np.random.default_rng(0)), GREY)


def test_styles_count_by_their_shares():
    generator = np.random.default_rng
    both = roughened(GREY, [rough(1), GREY], [0.25, 0.75], generator(0)) - GREY
    alone = roughened(GREY, [rough(1)], [1.0], generator(0)) - GREY
    assert np.isclose(both.std(), 0.5 * alone.std(), rtol=0.02)
    np.testing.assert_array_equal(alone, roughened(GREY, [rough(1)], [1.0], generator(0)) - GREY)


@pytest.mark.parametrize("wanted", [0.04, 0.05, 0.065])
def test_a_finished_painting_gets_the_strength_of_the_styles_grain(wanted):
    picture, style = rough(1, 0.05), rough(2, wanted)
    painted = regrained(picture, [style], [1.0])
    assert np.isclose(short_power(painted), short_power(style), rtol=1e-3)
    long = 0.5 + 0.2 * np.cos(np.pi * 12 / 64 * (np.arange(64)[:, None] + 0.5)) * np.ones((3, 1, 96))
    np.testing.assert_allclose(regrained(long, [style], [1.0]), long, atol=1e-5)


def test_grain_changes_within_limits_and_by_the_styles_shares():
    picture = rough(1)
    softest, hardest = (regrained(picture, [style], [1.0]) for style in (GREY, rough(2, 0.2)))
    for painted, limit in ((softest, LIMITS[0]), (hardest, LIMITS[1])):
        assert np.isclose(short_power(painted), limit**2 * short_power(picture), rtol=1e-2)
    both = regrained(picture, [rough(2, 0.06), rough(3, 0.04)], [0.5, 0.5])
    wanted = 0.5 * short_power(rough(2, 0.06)) + 0.5 * short_power(rough(3, 0.04))
    assert np.isclose(short_power(both), wanted, rtol=1e-3)
    assert np.array_equal(regrained(picture, [], []), picture)
    assert np.array_equal(regrained(picture, [GREY], [1.0], amount=0.0), picture)
    half = regrained(picture, [GREY], [1.0], amount=0.5)
    assert np.isclose(short_power(half), LIMITS[0] * short_power(picture), rtol=1e-2)
    np.testing.assert_allclose(regrained(GREY, [picture], [1.0]), GREY, atol=1e-5)
