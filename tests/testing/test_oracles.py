"""The reference values themselves: by hand, by numpy, and convolutions by their defining sums."""

import numpy as np
import pytest

from minigan.testing import oracles


def whole(*shape):
    """Small whole numbers, all sums of which are exact."""
    return np.random.default_rng(0).integers(-4, 5, shape).astype(float)


def test_elementwise_and_moved_elements():
    power = oracles.one_by_one(lambda a, b, *, plus=0: a**b + plus)
    np.testing.assert_array_equal(power(np.array([[2.0], [3.0]]), np.array([1.0, 2.0])), [[2, 4], [3, 9]])
    assert power(np.array(2.0), np.array(3.0), plus=1) == 9

    def last_first(place, shape, *, gap):
        if place is None:
            return (shape[0] + gap,)
        return None if place[0] < gap else (shape[0] + gap - 1 - place[0],)

    assert oracles.from_places(last_first)(np.array([1.0, 2.0, 3.0]), gap=2).tolist() == [0, 0, 3, 2, 1]


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), (-1, 1), (0, 1, 2)])
def test_reductions_over_any_axes(axis):
    x = whole(2, 3, 4)
    for keepdims in (True, False):
        found = oracles.along_axes(sum)(x, axis, keepdims)
        np.testing.assert_array_equal(found, x.sum(axis, keepdims=keepdims))
    assert oracles.along_axes(sum)(x, axis).ndim == x.sum(axis).ndim


def by_definition(x, weight, stride, padding, dilation, groups):
    """y[n, o, i, j] = sum over c, k, l of xpadded[n, c, i S + k D, j S + l D] weight[o, c, k, l]."""
    padded = np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    height, width = (
        (padded.shape[2 + a] - dilation[a] * (weight.shape[2 + a] - 1) - 1) // stride[a] + 1 for a in (0, 1)
    )
    y = np.zeros((x.shape[0], weight.shape[0], height, width))
    for n, o, i, j in np.ndindex(*y.shape):
        first = o // (weight.shape[0] // groups) * weight.shape[1]
        for c, k, m in np.ndindex(*weight.shape[1:]):
            row, column = i * stride[0] + k * dilation[0], j * stride[1] + m * dilation[1]
            y[n, o, i, j] += padded[n, first + c, row, column] * weight[o, c, k, m]
    return y


SETTINGS = [
    ((1, 1), (0, 0), (1, 1), 1),
    ((2, 3), (0, 1), (1, 2), 1),
    ((1, 2), (2, 0), (2, 1), 2),
    ((3, 1), (1, 2), (1, 1), 2),
]


@pytest.mark.parametrize("stride, padding, dilation, groups", SETTINGS)
def test_convolution_its_weight_gradient_and_its_adjoint(stride, padding, dilation, groups):
    """<conv(x, w), g> = <x, transposed(g, w)> = <w, weight gradient(x, g)>, in whole numbers."""
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    x, weight = whole(2, 4, 7, 8), whole(6, 4 // groups, 3, 2)
    y = oracles.conv2d(x, weight, **settings)
    np.testing.assert_array_equal(y, by_definition(x, weight, **settings))
    g = whole(*y.shape)
    found = oracles.conv2d_weight_grad(x, g, kernel=(3, 2), **settings)
    assert found.shape == weight.shape and np.vdot(found, weight) == np.vdot(y, g)
    reached = [
        (n - 1) * s - 2 * p + d * (k - 1) + 1
        for n, s, p, d, k in zip(g.shape[2:], stride, padding, dilation, (3, 2), strict=True)
    ]
    rest = [size - n for size, n in zip(x.shape[2:], reached, strict=True)]
    back = oracles.conv_transpose2d(g, weight, output_padding=rest, **settings)
    assert back.shape == x.shape and np.vdot(back, x) == np.vdot(y, g)


def test_settings_are_1_0_1_1_unless_given_and_one_number_stands_for_both_axes():
    x, weight, bias = whole(1, 2, 5, 4), whole(2, 2, 3, 3), np.array([1.0, -2.0])
    plain = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1}
    np.testing.assert_array_equal(oracles.conv2d(x, weight), by_definition(x, weight, **plain))
    np.testing.assert_array_equal(
        oracles.conv2d(x, weight, bias, stride=2, padding=1) - oracles.conv2d(x, weight, stride=2, padding=1),
        np.broadcast_to(bias[:, None, None], (1, 2, 3, 2)),
    )
    transposed = oracles.conv_transpose2d(x, weight)
    np.testing.assert_array_equal(
        transposed, oracles.conv_transpose2d(x, weight, output_padding=(0, 0), **plain)
    )
    assert transposed.shape == (1, 2, 7, 6)
    np.testing.assert_array_equal(oracles.conv_transpose2d(x, weight, bias)[0, 1], transposed[0, 1] - 2)
    assert oracles.pairwise(3) == (3, 3) and oracles.pairwise([3, 4]) == (3, 4)


def test_zeros_between_pixels():
    spread = oracles.spread_out(np.arange(1.0, 5.0).reshape(1, 1, 2, 2), 3, 2)
    assert spread[0, 0].tolist() == [[1, 0, 2], [0, 0, 0], [0, 0, 0], [3, 0, 4]]
