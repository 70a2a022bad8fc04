"""Clipping: what PyTorch's tests do not reach (its values are held against PyTorch's elsewhere)."""

import numpy as np
import pytest

from minigan import Tensor, optim
from minigan.errors import ArgumentError, NumericError


def leaf(*values):
    p = Tensor(np.zeros(len(values)), requires_grad=True)
    p.grad = Tensor(np.array(values))
    return p


def test_values_are_clipped_in_place():
    p, bare = leaf(-3.0, 0.5, 2.0), Tensor(np.zeros(2), requires_grad=True)
    grad, version = p.grad, p.grad.version
    optim.clip_grad_value_([p, bare], 1.0)
    assert p.grad is grad and grad.version > version
    assert grad.array.tolist() == [-1.0, 0.5, 1.0]


def test_a_parameter_named_twice_is_scaled_once():
    p = leaf(3.0, 4.0)
    assert optim.clip_grad_norm_([p, p], 1.0) == 5.0
    assert np.linalg.norm(p.grad.array) == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("values, norm_type", [([3e4, 4e4], 2.0), ([5e4, -6e4], 1.0), ([2.0] * 30000, 2.0),
                                               ([1e-3, 2e-3], 3.0), ([3e-4, 4e-4], 2.0)])  # fmt: skip
def test_the_norm_of_float16_gradients_is_computed_in_float32(values, norm_type):
    p = Tensor(np.zeros(len(values), np.float16), requires_grad=True)
    p.grad = Tensor(np.array(values, np.float16))
    norm = np.linalg.norm(np.array(values), norm_type)
    assert optim.clip_grad_norm_(p, norm / 8, norm_type) == pytest.approx(norm, rel=2e-3)
    np.testing.assert_allclose(p.grad.numpy(), np.array(values) / 8, rtol=2e-2)


def test_a_large_float16_gradient_keeps_its_direction():
    p, q = (Tensor(np.zeros(1, np.float16), requires_grad=True) for _ in range(2))
    p.grad, q.grad = Tensor(np.array([6e4], np.float16)), Tensor(np.array([3e4], np.float16))
    optim.clip_grad_norm_([p, q], 1e-3)
    assert p.grad.item() == pytest.approx(2 * q.grad.item(), rel=1e-2)


def test_no_gradients_no_norm():
    assert optim.clip_grad_norm_([Tensor(np.zeros(2), requires_grad=True)], 1.0) == 0.0


def test_a_norm_that_is_not_finite():
    p = leaf(float("nan"), 1.0)
    with pytest.raises(NumericError, match="norm is nan"):
        optim.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
    assert p.grad.array[1] == 1.0
    assert np.isnan(optim.clip_grad_norm_(p, 1.0)) and np.isnan(p.grad.array).all()
    with pytest.raises(ArgumentError, match="norm_type"):
        optim.clip_grad_norm_(p, 1.0, 0.0)
