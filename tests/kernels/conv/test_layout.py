"""Pieces of images: blocks that cover every row once, windows with zeros outside, views where promised."""

import numpy as np
import pytest

from minigan.kernels.conv import layout


@pytest.mark.parametrize("size", range(1, 9))
@pytest.mark.parametrize("count", range(0, 11))
def test_even_ranges_cover_and_differ_by_one(size, count):
    ranges = layout.even(size, count)
    assert [i for a, b in ranges for i in range(a, b)] == list(range(size))
    lengths = [b - a for a, b in ranges]
    assert len(ranges) == max(1, min(size, count)) and max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize("N, rows", ((1, 1), (1, 7), (3, 5), (8, 2)))
def test_row_blocks_are_within_the_limit_and_no_more_than_needed(N, rows, times_covered):
    for limit in range(0, N * rows + 3):
        blocks = layout.row_blocks(N, rows, limit)
        assert (times_covered(blocks, N, rows) == 1).all()
        assert max((n1 - n0) * (i1 - i0) for n0, n1, i0, i1 in blocks) <= max(1, limit)
        if limit >= rows:  # whole images, as many as fit
            assert all((i0, i1) == (0, rows) for _, _, i0, i1 in blocks)
            assert len(blocks) == -(-N // (limit // rows))
        else:  # rows of one image
            assert all(n1 == n0 + 1 for n0, n1, _, _ in blocks)
            assert len(blocks) == N * -(-rows // max(1, limit))
    assert layout.row_blocks(0, rows, 4) == []


def test_a_window_has_zeros_where_it_lies_outside():
    image = np.random.default_rng(0).normal(size=(2, 3, 4, 2))
    around = np.pad(image, ((0, 0), (6, 6), (6, 9), (0, 0)))
    for top in range(-4, 5):
        for left in range(-4, 6):
            for rows, cols in ((1, 1), (2, 4), (3, 4), (5, 7)):
                layout.workspace.take(image, "window", (2, rows, cols, 2))[...] = 9
                wanted = around[:, top + 6 : top + 6 + rows, left + 6 : left + 6 + cols]
                np.testing.assert_array_equal(layout.window(image, top, rows, left, cols), wanted)


def test_a_window_is_a_view_where_whole_rows_are_wanted(taken):
    image = np.ones((2, 5, 4, 3), np.float32)
    for top, rows in ((0, 5), (0, 2), (1, 4), (4, 1)):
        assert np.shares_memory(layout.window(image, top, rows, 0, 4), image)
    assert not taken
    for top, rows, left, cols in ((-1, 3, 0, 4), (3, 3, 0, 4), (0, 5, 1, 4), (0, 5, -1, 4), (0, 5, 0, 3)):
        assert not np.shares_memory(layout.window(image, top, rows, left, cols), image)
    assert not np.shares_memory(layout.window(image[:, :, ::-1], 0, 5, 0, 4), image)
    assert len(taken) == 6


def test_axes_and_the_matrix_of_taps():
    weight = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    assert layout.nhwc(weight).shape == (2, 4, 5, 3)
    np.testing.assert_array_equal(layout.nchw(layout.nhwc(weight)), weight)
    matrix = layout.tap_matrix(weight)
    assert matrix.shape == (4 * 5 * 3, 2) and matrix[(2 * 5 + 3) * 3 + 1, 1] == weight[1, 1, 2, 3]
    last = np.ascontiguousarray(layout.nhwc(weight))
    assert np.shares_memory(layout.tap_matrix(layout.nchw(last)), last)
    empty = layout.empty_image(np.zeros(1, np.float32), 2, 3, 4, 5)
    assert empty.shape == (2, 3, 4, 5) and empty.dtype == np.float32 and empty.flags.c_contiguous
