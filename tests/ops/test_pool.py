"""Pooling beyond its cases: the tie rule, saved winners, memory order, infinities."""

import numpy as np
import pytest

from minigan import Tensor, grad, ops, parallel
from minigan.ops.pool import Windows


def image(*shape, requires_grad=True):
    return Tensor(np.random.default_rng(0).standard_normal(shape), requires_grad=requires_grad)


def test_of_equal_cells_the_first_in_row_major_order_gets_the_gradient():
    x = Tensor(np.zeros((1, 1, 4, 4)), requires_grad=True)
    ops.max_pool2d(x, 2).sum().backward()
    expected = np.zeros((4, 4))
    expected[::2, ::2] = 1
    np.testing.assert_array_equal(x.grad.numpy()[0, 0], expected)


def test_the_first_cell_wins_in_overlapping_windows_too():
    x = Tensor(np.zeros((1, 1, 1, 4)), requires_grad=True)
    ops.max_pool2d(x, (1, 3), stride=1, padding=(0, 1)).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy().ravel(), [2, 1, 1, 0])


def test_padding_never_wins():
    x = Tensor(np.full((1, 1, 2, 2), -5.0), requires_grad=True)
    y = ops.max_pool2d(x, 3, stride=1, padding=1)
    y.sum().backward()
    assert (y.numpy() == -5).all() and x.grad.numpy().sum() == 4


@pytest.mark.parametrize(
    "width, k, S, P, D, ceil", [(1, 2, 1, 1, 2, False), (3, 2, 1, 1, 4, False), (2, 2, 5, 1, 4, True)]
)
def test_a_window_of_padding_alone_is_minus_infinity_and_has_no_gradient(width, k, S, P, D, ceil):
    x = image(1, 2, 2, width)
    y = ops.max_pool2d(x, (1, k), stride=(1, S), padding=(0, P), dilation=(1, D), ceil_mode=ceil)
    (g,) = grad(y, x, Tensor(np.ones(y.shape)))
    empty = 0
    want, slope = np.full(y.shape, -np.inf), np.zeros(x.shape)
    for n, c, i, j in np.ndindex(*y.shape):
        cells = [w for w in (j * S + tap * D - P for tap in range(k)) if 0 <= w < width]
        empty += not cells
        if cells:
            best = max(cells, key=lambda w: x.data[n, c, i, w])
            want[n, c, i, j] = x.data[n, c, i, best]
            slope[n, c, i, best] += 1
    assert empty
    np.testing.assert_array_equal(y.numpy(), want)
    np.testing.assert_array_equal(g.numpy(), slope)


def test_minus_infinity_can_win_and_gets_its_gradient():
    x = Tensor(np.full((1, 1, 2, 2), -np.inf), requires_grad=True)
    y = ops.max_pool2d(x, 2)
    (g,) = grad(y, x, Tensor(np.ones((1, 1, 1, 1))))
    assert y.item() == -np.inf
    np.testing.assert_array_equal(g.numpy().ravel(), [1, 0, 0, 0])


def test_a_window_of_padding_only_has_no_winner():
    x = Tensor(np.ones((1, 1, 1, 1)), requires_grad=True)
    y = ops.max_pool2d(x, 2, stride=1, padding=1, dilation=2)
    np.testing.assert_array_equal(y.numpy().ravel(), [-np.inf])
    y.backward()
    np.testing.assert_array_equal(x.grad.numpy().ravel(), [0])


def test_nan_comes_through():
    x = np.zeros((1, 1, 2, 4))
    x[0, 0, 1, 0] = np.nan
    found = ops.max_pool2d(Tensor(x), 2).numpy().ravel()
    assert np.isnan(found[0]) and found[1] == 0


def test_two_backward_passes_scatter_alike_and_release_drops_the_winners():
    x = image(2, 3, 6, 6)
    y = ops.max_pool2d(x, 3, stride=2)
    first = grad(y.sum(), x, retain_graph=True)[0].numpy()
    node = y.node
    second = grad(y.sum(), x)[0].numpy()
    np.testing.assert_array_equal(first, second)
    assert node.winner is None


def test_winners_are_not_saved_when_nothing_is_recorded():
    assert ops.max_pool2d(image(1, 1, 4, 4, requires_grad=False), 2).node is None


@pytest.mark.parametrize("kernel", ((20, 20), (300, 1), (1, 300)))
def test_windows_of_more_taps_than_a_byte_can_number(kernel):
    x = image(1, 2, *kernel)
    y = ops.max_pool2d(x, kernel)
    y.sum().backward()
    flat = x.numpy().reshape(2, -1)
    np.testing.assert_array_equal(y.numpy().ravel(), flat.max(axis=1))
    np.testing.assert_array_equal(x.grad.numpy().reshape(2, -1).argmax(axis=1), flat.argmax(axis=1))


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
    (g,) = grad(y, x, Tensor(y.data * 1.0))
    assert channels_last(y.data) and channels_last(g.data)


def test_taps_cover_every_cell_of_every_window_once():
    for size, kernel, stride, padding, dilation, ceil in np.ndindex(6, 3, 3, 2, 2, 2):
        axis = Windows(
            size + 1, kernel + 1, stride + 1, min(padding, (kernel + 1) // 2), dilation + 1, bool(ceil)
        )
        if axis.out < 1:
            continue
        seen = set()
        for k in range(axis.kernel):
            outputs, cells = axis.tap(k)
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
            for pool in (ops.max_pool2d, ops.avg_pool2d):
                image = Tensor(x, requires_grad=True)
                y = pool(image, kernel, stride=stride, padding=padding)
                (slope,) = grad((y * y).sum(), image)
                yield from (y.data, slope.data)

    wanted = list(results())
    before = parallel.threads()
    monkeypatch.setattr(parallel, "PART", 64)
    parallel.set_threads(threads)
    try:
        for got, expected in zip(results(), wanted, strict=True):
            np.testing.assert_array_equal(got, expected)
    finally:
        parallel.set_threads(before)
