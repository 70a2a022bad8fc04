"""Operators and methods of tensors that no operation's record reaches."""

import operator

import numpy as np
import pytest

from minigan import Tensor

LESS, SAME, MORE = 1.0, 2.0, 3.0


@pytest.mark.parametrize(
    "compare", [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
)
@pytest.mark.parametrize("swapped", (False, True))
def test_comparisons_are_numpys_and_have_no_gradient(compare, swapped):
    values, middle = np.array([LESS, SAME, MORE]), np.array([SAME, SAME, SAME])
    x, y = (Tensor(values, requires_grad=True), Tensor(middle))
    got = compare(y, x) if swapped else compare(x, y)
    wanted = compare(middle, values) if swapped else compare(values, middle)
    assert got.dtype == bool and not got.requires_grad
    np.testing.assert_array_equal(got.data, wanted)
    np.testing.assert_array_equal(compare(x, SAME).data, compare(values, SAME))
