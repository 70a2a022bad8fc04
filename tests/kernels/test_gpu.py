"""Element-wise functions in the order of memory."""

import numpy as np

from minigan.kernels import gpu


def test_element_wise_functions_walk_memory_and_keep_its_order():
    seen = []

    def function(*arrays):
        seen.append([array.flags.c_contiguous for array in arrays])
        return np.array(sum(arrays), order="C")

    image = np.random.default_rng(0).normal(size=(2, 4, 5, 3)).transpose(0, 3, 1, 2)
    lane = np.arange(3.0).reshape(1, 3, 1, 1)
    for arrays, walked in (
        ((image, image * 2), [True, True]),
        ((lane, image), [True, True]),
        ((image.copy(), lane), [True, True]),
        ((image, np.arange(5.0)), [False, True]),
        ((np.float64(1) * np.ones(()),), [True]),
    ):
        got = gpu.in_memory_order(function, *arrays)
        np.testing.assert_array_equal(got, sum(arrays))
        assert seen.pop() == walked
        if len(arrays) > 1 and all(array.ndim == 4 for array in arrays):
            assert got.strides == max(arrays, key=np.size).strides
