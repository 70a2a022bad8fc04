"""Lengths and distances of rows that are all 0, hold a NaN, or are measured by a p that is no norm."""

import numpy as np
import pytest

from minigan import Tensor, grad, ops
from minigan.errors import ArgumentError
from minigan.nn import functional as F

NORMS = [1, 1.5, 2, 3, float("inf")]


@pytest.mark.parametrize("p", NORMS)
def test_a_row_with_a_nan_has_no_length(p):
    rows = Tensor(np.array([[3.0, np.nan, 4.0], [1.0, 2.0, 2.0]]))
    for result in (F.normalize(rows, p), F.pairwise_distance(rows, rows * 0.0, p), ops.norm(rows, p, 1)):
        missing = np.isnan(result.array)
        assert missing[0].all() and not missing[1].any()


@pytest.mark.parametrize("p", [p for p in NORMS if 1 < p < float("inf")])
def test_a_row_of_zeros_has_length_and_gradient_0(p):
    rows = Tensor(np.zeros((3, 4)), requires_grad=True)
    length = F.pairwise_distance(rows, Tensor(np.zeros((3, 4))), p, eps=0.0)
    (gradient,) = grad(length.sum(), rows)
    assert not length.array.any() and not gradient.array.any()
    assert not F.normalize(rows, p).array.any()


@pytest.mark.parametrize("p", [0, -1, float("nan")])
def test_p_is_above_0(p):
    rows = Tensor(np.ones((2, 3)))
    for refused in (F.normalize, ops.norm, lambda x, p: F.pairwise_distance(x, x, p)):
        with pytest.raises(ArgumentError, match="expected p > 0"):
            refused(rows, p)
