"""Pooling beyond its cases: the tie rule, saved winners, infinities."""

import numpy as np
import pytest

from minigan import Tensor, grad, ops
from minigan.ops.windows import Windows, fold, unfold


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
            best = max(cells, key=lambda w: x.array[n, c, i, w])
            want[n, c, i, j] = x.array[n, c, i, best]
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
    assert node.saved is None


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


def test_windows_show_every_cell_at_its_place_and_fold_is_the_adjoint():
    generator = np.random.default_rng(0)
    for K, S, P, D, ceil in np.ndindex(3, 3, 2, 2, 2):
        kernel = K + 1
        axes = [Windows(size, kernel, S + 1, min(P, kernel // 2), D + 1, bool(ceil)) for size in (5, 7)]
        if min(axis.out for axis in axes) < 1:
            continue
        x = generator.standard_normal((2, 3, 5, 7))
        seen = unfold(x, axes, fill=9.0)
        for n, c, i, j, k, m in np.ndindex(*seen.shape):
            h, w = (a * axis.stride + b * axis.dilation - axis.padding
                    for a, b, axis in ((i, k, axes[0]), (j, m, axes[1])))  # fmt: skip
            inside = 0 <= h < 5 and 0 <= w < 7
            assert seen[n, c, i, j, k, m] == (x[n, c, h, w] if inside else 9.0)
        values = generator.standard_normal(seen.shape)
        np.testing.assert_allclose(
            (fold(values, axes) * x).sum(), (values * unfold(x, axes)).sum(), rtol=1e-10
        )
