"""The demo's style picture: the same each time, colourful, at any size."""

import numpy as np
import pytest

from minigan.data.demo_style import paint_demo_style
from minigan.errors import DataError


def test_it_is_a_picture_and_repeats():
    picture = paint_demo_style(96)
    assert picture.shape == (3, 96, 96) and picture.dtype == np.float32
    assert picture.min() >= 0 and picture.max() <= 1
    np.testing.assert_array_equal(picture, paint_demo_style(96))
    assert not np.array_equal(picture, paint_demo_style(96, seed=8))


def test_sky_is_blue_lights_are_gold():
    picture = paint_demo_style(128)
    light = picture[:, 26:34, 22:30].mean((1, 2))  # the middle of the first light
    sky = picture[:, 5:20, 95:120].mean((1, 2))
    assert light[0] > light[2] + 0.2 and sky[2] > sky[0] + 0.15


def test_too_small_is_named():
    with pytest.raises(DataError, match="size 8: expected at least 32"):
        paint_demo_style(8)
