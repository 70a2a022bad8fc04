"""Memory layouts: where each element lies, and what lies between them."""

import numpy as np
import pytest

from minigan.testing.layout import LAYOUTS, in_layout


@pytest.mark.parametrize(
    "layout, strides",
    [
        ("c", (24, 8)),
        ("fortran", (8, 16)),
        ("channels_last", (24, 8)),
        ("sliced", (2 * 7 * 8, 2 * 8)),  # of an array of 5 by 7
        ("reversed", (-24, -8)),
        ("tangled", (-2 * 8, -2 * 5 * 8)),  # of an array of 7 by 5, transposed
        ("broadcast", (0, 8)),
    ],
)
def test_strides_of_two_rows_of_three(layout, strides):
    assert in_layout(np.arange(6.0).reshape(2, 3), layout).strides == strides


def test_channels_last_of_pictures_and_of_one_axis():
    picture = in_layout(np.arange(120.0).reshape(2, 3, 4, 5), "channels_last")
    assert picture.strides == (480, 8, 120, 24)
    assert in_layout(np.arange(3.0), "channels_last").strides == (8,)


def test_what_lies_between_sliced_elements_is_no_number():
    for layout in ("sliced", "tangled"):
        base = in_layout(np.ones((2, 3)), layout)
        while base.base is not None:
            base = base.base
        assert base.size == 35 and np.isnan(base).sum() == 29 and np.isnan(base.ravel()[0])
    whole = in_layout(np.ones((2, 3), int), "sliced")
    assert whole.dtype == int and whole.base.sum() == 6


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_copy_even_of_a_single_number(layout):
    one = np.array(3.0)
    assert in_layout(one, layout) == 3 and not np.shares_memory(in_layout(one, layout), one)
    if layout != "broadcast":
        array = np.arange(6.0).reshape(2, 3)
        assert not np.shares_memory(in_layout(array, layout), array)
