"""Elementwise operations beyond their cases: conversions, numbers on both sides, one gradient of two."""

import numpy as np
import pytest

from minigan import Tensor, grad, ops


def leaf(*values, dtype=float):
    return Tensor(np.array(values, dtype), requires_grad=True)


def test_a_power_computes_only_the_gradient_that_is_wanted():
    x, y = leaf(2.0), leaf(3.0)
    assert grad(ops.pow(x, y.detach()), x)[0].item() == 12
    assert grad(ops.pow(x.detach(), y), y)[0].item() == pytest.approx(8 * np.log(2))


def test_a_power_of_zero_has_no_nan_in_its_gradients():
    x, y = leaf(0.0, 0.0), leaf(0.0, 2.0)
    gx, gy = grad((x**y).sum(), [x, y])
    np.testing.assert_array_equal(gx.numpy(), [0, 0])
    np.testing.assert_array_equal(gy.numpy(), [0, 0])


def test_the_power_zero_has_gradient_zero_to_every_order():
    x = leaf(0.0, 2.0)
    (first,) = grad((x**0).sum(), x, create_graph=True)
    (second,) = grad(first.sum(), x)
    np.testing.assert_array_equal([first.numpy(), second.numpy()], np.zeros((2, 2)))


def test_where_takes_numbers_on_both_sides():
    found = ops.where(Tensor([1.0, 3.0]) > 2, 1.0, 0.0)
    np.testing.assert_array_equal(found.numpy(), [0, 1])


def test_astype_carries_the_gradient_between_floats_and_only_there():
    x = leaf(1.0, 2.0, dtype=np.float32)
    y = ops.astype(x, "float64")
    (y * y).sum().backward()
    assert y.dtype == np.float64 and x.grad.dtype == np.float32
    np.testing.assert_array_equal(x.grad.numpy(), [2, 4])
    assert ops.astype(x, np.float32) is x
    whole = ops.astype(x, int)
    assert whole.dtype == int and not whole.requires_grad
    assert ops.astype(whole, "float32").dtype == np.float32


def test_equal_numbers_share_the_gradient_of_an_extreme():
    for function in (ops.maximum, ops.minimum):
        x, y = leaf(1.0), leaf(1.0)
        assert [g.item() for g in grad(function(x, y), [x, y])] == [0.5, 0.5]
    x = leaf(2.0, 1.0, 2.0)
    np.testing.assert_array_equal(grad(x.max(), x)[0].numpy(), [0.5, 0, 0.5])


def test_limits_pass_the_gradient_on_the_bounds():
    x = leaf(-1.0, -0.5, 0.5, 1.0, 2.0)
    np.testing.assert_array_equal(grad(ops.clip(x, -0.5, 1.0).sum(), x)[0].numpy(), [0, 1, 1, 1, 0])
    np.testing.assert_array_equal(grad(ops.clip(x, 0.5, 0.5).sum(), x)[0].numpy(), [0, 0, 1, 0, 0])
