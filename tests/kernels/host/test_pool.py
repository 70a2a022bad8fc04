"""Pooling tap by tap: what a tap sees, memory order, threads."""

import numpy as np
import pytest

from minigan import Tensor, grad, ops
from minigan.kernels import parallel
from minigan.kernels.host import pool
from minigan.ops.windows import Windows


@pytest.mark.parametrize(
    "function",
    [lambda x: ops.max_pool2d(x, 2), lambda x: ops.avg_pool2d(x, 2), lambda x: ops.avg_pool2d(x, 3, 1, 1),
     lambda x: ops.interpolate(x, scale_factor=2), lambda x: ops.interpolate(x, size=7, mode="bilinear"),
     lambda x: ops.adaptive_avg_pool2d(x, 3)],
)  # fmt: skip
def test_channels_last_memory_stays_so(function):
    def channels_last(array):
        return array.transpose(0, 2, 3, 1).flags.c_contiguous

    x = Tensor(
        np.random.default_rng(0).standard_normal((2, 4, 4, 5)).transpose(0, 3, 1, 2), requires_grad=True
    )
    y = function(x)
    (g,) = grad(y, x, Tensor(y.array * 1.0))
    assert channels_last(y.array) and channels_last(g.array)


def test_taps_cover_every_cell_of_every_window_once():
    for size, kernel, stride, padding, dilation, ceil in np.ndindex(6, 3, 3, 2, 2, 2):
        axis = Windows(
            size + 1, kernel + 1, stride + 1, min(padding, (kernel + 1) // 2), dilation + 1, bool(ceil)
        )
        if axis.out < 1:
            continue
        seen = set()
        for k in range(axis.kernel):
            outputs, cells = pool.tap(axis, k)
            pairs = zip(range(axis.out)[outputs], range(axis.size)[cells], strict=True)
            seen |= {(o, k, c) for o, c in pairs}
        expected = {
            (o, k, o * axis.stride - axis.padding + k * axis.dilation)
            for o in range(axis.out)
            for k in range(axis.kernel)
        }
        assert seen == {t for t in expected if 0 <= t[2] < axis.size}


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("N", [1, 5])
def test_large_images_on_any_number_of_threads(monkeypatch, threads, N):
    settings = [(3, 2, 1), (2, 2, 0)]
    x = np.random.default_rng(0).standard_normal((N, 9, 8, 3)).transpose(0, 3, 1, 2)

    def results():
        for kernel, stride, padding in settings:
            for function in (ops.max_pool2d, ops.avg_pool2d):
                image = Tensor(x, requires_grad=True)
                y = function(image, kernel, stride=stride, padding=padding)
                (slope,) = grad((y * y).sum(), image)
                yield from (y.array, slope.array)

    wanted = list(results())
    before = parallel.threads()
    monkeypatch.setattr(parallel, "PART", 64)
    parallel.set_threads(threads)
    try:
        for got, expected in zip(results(), wanted, strict=True):
            np.testing.assert_array_equal(got, expected)
    finally:
        parallel.set_threads(before)
