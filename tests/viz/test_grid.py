"""Grids: every picture in its place, pixel for pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigan.errors import ArgumentError, NumericError, ShapeError
from minigan.viz import image_grid
from minigan.viz.grid import fitting_scale


@given(
    st.integers(1, 7), st.sampled_from([1, 3]), st.integers(1, 4), st.integers(1, 4),
    st.integers(1, 5), st.integers(1, 3), st.integers(0, 3), st.integers(0, 99),
)  # fmt: skip
def test_every_picture_is_found_where_it_belongs(count, channels, height, width, columns, scale, gap, seed):
    images = np.random.default_rng(seed).uniform(-1, 1, (count, channels, height, width)).astype(np.float32)
    grid = image_grid(images, columns=columns, scale=scale, gap=gap, background=0.25)
    rows = -(-count // columns)
    assert grid.shape == (
        channels,
        rows * (height * scale + gap) - gap,
        columns * (width * scale + gap) - gap,
    )
    painted = np.zeros(grid.shape[1:], bool)
    for i, image in enumerate(images):
        top, left = i // columns * (height * scale + gap), i % columns * (width * scale + gap)
        for y in range(height):
            for x in range(width):
                place = np.s_[
                    top + y * scale : top + (y + 1) * scale, left + x * scale : left + (x + 1) * scale
                ]
                painted[place] = True
                expected = (image[:, y, x] + 1) / 2
                np.testing.assert_allclose(
                    grid[:, *place], expected[:, None, None] * np.ones((scale, scale)), atol=1e-6
                )
    assert (grid[:, ~painted] == 0.25).all()


def test_nine_make_a_square_and_values_are_clipped():
    grid = image_grid(np.full((9, 1, 2, 2), 7.0), gap=0)
    assert grid.shape == (1, 6, 6) and (grid == 1).all()


@pytest.mark.parametrize("shape", [(2, 2), (0, 1, 4, 4), (1, 2, 4, 4), (1, 1, 0, 4)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ShapeError, match="image_grid"):
        image_grid(np.zeros(shape))


@pytest.mark.parametrize("bad", [{"columns": 0}, {"scale": 0}, {"gap": -1}])
def test_sizes_out_of_range_are_refused(bad):
    with pytest.raises(ArgumentError, match=next(iter(bad))):
        image_grid(np.zeros((1, 1, 2, 2)), **bad)


def test_nan_is_refused():
    with pytest.raises(NumericError, match="NaN"):
        image_grid(np.full((1, 1, 2, 2), np.nan))


@pytest.mark.parametrize("size, scale", [(28, 2), (32, 2), (64, 1), (256, 1), (16, 4)])
def test_fitting_scale(size, scale):
    assert fitting_scale(size) == scale
