"""Losses beyond their cases: extreme logits, certain probabilities, targets of every kind."""

import numpy as np
import pytest

from minigan import Tensor, grad, ops, tensor
from minigan.errors import ShapeError


def test_cross_entropy_of_extreme_logits_is_finite_and_exact():
    x = Tensor(np.array([-1000.0, 1000.0, -1000.0, 1000.0]), requires_grad=True)
    target = np.array([0.0, 0.0, 1.0, 1.0])
    loss = ops.binary_cross_entropy_with_logits(x, target, reduction="none")
    np.testing.assert_array_equal(loss.numpy(), [0, 1000, 1000, 0])
    loss.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [0, 1, -1, 0])
    single = ops.binary_cross_entropy_with_logits(Tensor(x.numpy().astype(np.float32)), target.tolist())
    assert single.dtype == np.float32 and single.item() == 500


def test_small_losses_keep_their_digits():
    x = Tensor(np.array([40.0]))
    assert ops.binary_cross_entropy_with_logits(x, 1.0).item() == pytest.approx(np.exp(-40.0), rel=1e-12)


def test_certain_and_wrong_costs_a_hundred_and_certain_and_right_nothing():
    x = Tensor(np.array([0.0, 1.0, 0.0, 1.0]), requires_grad=True)
    loss = ops.binary_cross_entropy(x, np.array([1.0, 0.0, 0.0, 1.0]), reduction="none")
    np.testing.assert_array_equal(loss.numpy(), [100, 100, 0, 0])
    loss.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [-1e12, 1e12, 1, -1])


def test_nan_is_not_called_a_probability_out_of_range():
    assert np.isnan(ops.binary_cross_entropy(Tensor(np.array([np.nan])), 1.0).item())


@pytest.mark.parametrize(
    "loss",
    [
        ops.mse_loss,
        ops.l1_loss,
        ops.huber_loss,
        ops.binary_cross_entropy_with_logits,
        ops.binary_cross_entropy,
    ],
)
def test_a_number_stands_for_a_target_everywhere(loss):
    x = Tensor(np.array([[0.2, 0.7]]), requires_grad=True)
    assert loss(x, 1.0).item() == loss(x, np.ones((1, 2))).item() == loss(x, Tensor(np.ones((1, 2)))).item()
    assert loss(x, [[1, 0]]).item() == loss(x, np.array([[True, False]])).item()


def test_targets_get_gradients_only_if_they_ask():
    x, t = Tensor(np.array([0.2]), requires_grad=True), Tensor(np.array([0.6]), requires_grad=True)
    for loss in (ops.mse_loss, ops.l1_loss, ops.binary_cross_entropy):
        gx, gt = grad(loss(x, t), [x, t])
        assert gx.item() < 0 and gt.item() > 0
        assert grad(loss(x, t.detach()), x)[0].item() == pytest.approx(gx.item())


def test_perfect_logits_cost_nothing_and_classes_may_be_lists():
    x = Tensor(np.array([[1000.0, 0.0], [0.0, 1000.0]]))
    assert ops.cross_entropy(x, [0, 1]).item() == 0
    assert ops.cross_entropy(x, tensor([1, 0])).item() == 1000


def test_an_empty_mean_has_no_value():
    with pytest.raises(ShapeError, match="no elements"):
        ops.mse_loss(Tensor(np.zeros((0, 2))), np.zeros((0, 2)))


def test_smooth_l1_at_beta_zero_is_l1_and_huber_joins_smoothly():
    x = Tensor(np.array([-2.0, 0.0, 0.5, 3.0]), requires_grad=True)
    assert ops.smooth_l1_loss(x, 0.0, beta=0).item() == ops.l1_loss(x, 0.0).item()
    (g,) = grad(ops.huber_loss(x, 0.0, reduction="sum"), x)
    np.testing.assert_array_equal(g.numpy(), [-1, 0, 0.5, 1])
