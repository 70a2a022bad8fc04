"""Activations beyond their cases: extreme inputs, what is kept, the two paths of backward."""

import numpy as np
import pytest

from minigan import Tensor, grad, ops

FUNCTIONS = [ops.relu, ops.leaky_relu, ops.elu, ops.sigmoid, ops.tanh, ops.softplus, ops.gelu, ops.silu]
EXTREME = np.array([-1e18, -1000.0, -100.0, -0.0, 0.0, 100.0, 1000.0, 1e18])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("function", [*FUNCTIONS, ops.softmax, ops.log_softmax])
def test_extreme_inputs_stay_finite_without_a_warning(function, dtype):
    x = Tensor(EXTREME.astype(dtype), requires_grad=True)
    y = function(x)
    y.sum().backward()
    assert np.isfinite(y.numpy()).all() and np.isfinite(x.grad.numpy()).all()


def test_limits_far_out():
    x = Tensor(np.array([-1000.0, 1000.0]))
    known = {"relu": [0, 1000], "sigmoid": [0, 1], "tanh": [-1, 1], "softplus": [0, 1000], "elu": [-1, 1000],
             "gelu": [0, 1000], "silu": [0, 1000]}  # fmt: skip
    for name, limits in known.items():
        np.testing.assert_allclose(getattr(ops, name)(x).numpy(), limits, atol=1e-300)


def test_sigmoid_keeps_its_digits_where_it_is_tiny():
    assert ops.sigmoid(Tensor(np.array(-700.0))).item() == pytest.approx(np.exp(-700.0), rel=1e-14)


@pytest.mark.parametrize("function", [*FUNCTIONS, ops.softmax, ops.log_softmax])
def test_the_short_way_and_the_recorded_way_agree_and_leave_g_alone(function):
    generator = np.random.default_rng(1)
    x = Tensor(generator.standard_normal((3, 4)), requires_grad=True)
    seed = Tensor(generator.standard_normal((3, 4)))
    before = seed.numpy().copy()
    (short,) = grad(function(x), x, seed)
    (recorded,) = grad(function(x), x, seed, create_graph=True)
    np.testing.assert_allclose(short.numpy(), recorded.numpy(), rtol=1e-14)
    np.testing.assert_array_equal(seed.numpy(), before)


@pytest.mark.parametrize("function", [ops.relu, ops.leaky_relu, ops.sigmoid, ops.tanh])
def test_the_input_is_let_go_where_the_result_says_enough(function):
    x = Tensor(np.ones(3), requires_grad=True)
    assert function(x).node._kept == {}


def test_the_slope_at_zero_is_the_left_one():
    for function, expected in ((ops.relu, 0.0), (lambda x: ops.leaky_relu(x, 0.2), 0.2), (ops.elu, 1.0)):
        x = Tensor(np.zeros(1), requires_grad=True)
        function(x).backward()
        assert x.grad.item() == expected
    x = Tensor(np.zeros(1), requires_grad=True)
    ops.leaky_relu(x, -0.5).backward()
    assert x.grad.item() == -0.5


def test_nan_comes_through():
    x = Tensor(np.array([np.nan]))
    for function in FUNCTIONS:
        assert np.isnan(function(x).numpy()).all(), function.__name__


def test_methods_are_the_functions():
    x = Tensor(np.array([[-1.0, 2.0]]))
    for name in ("relu", "leaky_relu", "sigmoid", "tanh", "softmax", "log_softmax"):
        np.testing.assert_array_equal(getattr(x, name)().numpy(), getattr(ops, name)(x).numpy())
