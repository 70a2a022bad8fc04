"""Sums of large arrays on all threads."""

import numpy as np
import pytest

from minigan.kernels import parallel
from minigan.tensor import Tensor


@pytest.mark.parametrize("shape", [(1, 64), (64,), (128, 1), (128, 64)])
def test_a_row_that_lies_in_memory_as_one_of_the_matrix_is_added_to_all_of_them(shape, monkeypatch):
    monkeypatch.setattr(parallel, "WORTH", 1024)
    monkeypatch.setattr(parallel, "threads", lambda: 2)
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal(size).astype(np.float32) for size in ((128, 64), shape))
    assert np.array_equal((Tensor(x) + Tensor(y)).numpy(), x + y)
