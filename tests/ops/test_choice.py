"""Choosing operations beside an infinite gradient: what was not chosen gets 0, not 0 times infinity."""

import numpy as np
import pytest

from minigan import Tensor, grad, ops

INF = float("inf")
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the infinities are meant


def square(x):
    return ops.reshape(x, 1, 1, 2, -1)


def row(x):
    return ops.reshape(x, 1, 1, 1, -1)


# function, x, dy/dx; the function after the choice has an infinite slope at what was chosen instead of x
CASES = {
    "clip below": (lambda x: ops.log(ops.clip(x, 0.0, 9.0)), [-3.0, 2.0], [0, 0.5]),
    "clip above": (lambda x: ops.sqrt(-ops.clip(x, None, 0.0)), [5.0, -4.0], [0, -0.25]),
    "relu": (lambda x: ops.log(ops.relu(x)), [-7.0, 0.0, 2.0], [0, 0, 0.5]),
    "leaky relu of slope 0": (lambda x: ops.sqrt(ops.leaky_relu(x, 0.0)), [-7.0, 4.0], [0, 0.25]),
    "hinge": (lambda x: ops.relu(1.0 - x) ** 0.5, [3.0, -3.0], [0, -0.25]),
    "maximum": (lambda x: ops.log(ops.maximum(0.0, x)), [-3.0, 2.0], [0, 0.5]),
    "minimum": (lambda x: ops.sqrt(-ops.minimum(x, 0.0)), [3.0, -4.0], [0, -0.25]),
    "where": (lambda x: 1.0 / ops.where(x < 0, 0.0, x), [-1.0, 2.0], [0, -0.25]),
    "max over an axis": (lambda x: ops.log(ops.reshape(x, 2, 2).amax(axis=0)), [0.0, -2.0, -1.0, 4.0],
                         [INF, 0, 0, 0.25]),
    "min": (lambda x: 1.0 / x.min(), [2.0, 0.0, 1.0], [0, -INF, 0]),
    "max pool": (lambda x: ops.log(ops.max_pool2d(square(x), 2)), [-1.0, 0.0, -3.0, -2.0], [0, INF, 0, 0]),
    "max pool, overlapping": (lambda x: ops.sqrt(ops.max_pool2d(row(x), (1, 2), stride=1)), [-1.0, 0.0, 4.0],
                              [0, INF, 0.25]),
    "abs": (lambda x: ops.sqrt(ops.abs(x)), [0.0, -4.0, 4.0], [0, -0.25, 0.25]),
    "pow 0": (lambda x: ops.sqrt(x**0 - 1.0), [3.0, 0.0], [0, 0]),
    "bilinear": (lambda x: ops.sqrt(ops.interpolate(row(x), size=(1, 3), mode="bilinear",
                                                    align_corners=True)), [0.0, 4.0, 1.0], [INF, 0.25, 0.5]),
    "adaptive mean": (lambda x: ops.sqrt(ops.adaptive_avg_pool2d(row(x), (1, 2))), [0.0, 0.0, 2.0],
                      [INF, INF, 0.25]),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_what_was_not_chosen_gets_no_gradient(name, dtype):
    function, values, slope = CASES[name]
    x = Tensor(np.array(values, dtype), requires_grad=True)
    for recorded in (False, True):
        (g,) = grad(function(x).sum(), x, create_graph=recorded)
        np.testing.assert_allclose(g.numpy(), np.array(slope, dtype), rtol=1e-3)


@pytest.mark.parametrize("name", CASES)
def test_nor_a_second_one(name):
    function, values, slope = CASES[name]
    x = Tensor(np.array(values), requires_grad=True)
    (g,) = grad(function(x).sum(), x, create_graph=True)
    (second,) = grad(g.sum(), x)
    passed_over = np.array(slope) == 0
    np.testing.assert_array_equal(second.numpy()[passed_over], 0)
    assert not np.isnan(second.numpy()).any()


@pytest.mark.parametrize("function", [ops.maximum, ops.minimum])
def test_equal_infinities_share_the_gradient(function):
    x, y = (Tensor(np.array([INF, -INF, 1.0]), requires_grad=True) for _ in range(2))
    for g in grad(function(x, y).sum(), [x, y]):
        np.testing.assert_array_equal(g.numpy(), [0.5, 0.5, 0.5])


def test_the_extremes_of_infinities_share_too():
    x = Tensor(np.array([[INF, INF, 1.0], [-INF, -INF, -INF]]), requires_grad=True)
    np.testing.assert_allclose(grad(x.amax(axis=1).sum(), x)[0].numpy(), [[0.5, 0.5, 0], [1 / 3] * 3])


def test_dropout_drops_infinities_and_infinite_gradients():
    x = Tensor(np.full(64, INF), requires_grad=True)
    y = ops.dropout(x, 0.5, training=True, generator=np.random.default_rng(0))
    assert set(y.numpy()) == {0.0, INF}
    (g,) = grad(y, x, Tensor(np.full(64, INF)))
    np.testing.assert_array_equal(g.numpy(), y.numpy())
    everything = ops.dropout(x, 1.0, training=True, generator=np.random.default_rng(0))
    assert (everything.numpy() == 0).all()


def test_a_resize_of_an_infinite_cell_leaves_the_others_alone():
    x = np.ones((1, 1, 1, 6))
    x[..., 1] = INF
    y = ops.interpolate(Tensor(x), size=(1, 9), mode="bilinear").numpy()
    assert np.isfinite(y[..., 4:]).all() and np.isinf(y[..., 1:3]).all()
