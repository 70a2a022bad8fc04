"""Dropout: how much it drops, and that derivatives of every order see one mask."""

import numpy as np

from minigan import Tensor, grad, ops


def test_a_share_p_is_dropped_and_the_mean_stays():
    x = Tensor(np.ones((200, 200)))
    y = ops.dropout(x, 0.3, training=True, generator=np.random.default_rng(0)).numpy()
    assert abs((y == 0).mean() - 0.3) < 0.01 and abs(y.mean() - 1) < 0.01
    assert set(np.unique(y)) == {0.0, 1 / 0.7}


def test_value_and_both_gradients_see_one_mask():
    x = Tensor(np.arange(1.0, 50.0), requires_grad=True)
    y = ops.dropout(x * x, 0.5, training=True, generator=np.random.default_rng(0))
    kept = y.numpy() != 0
    (first,) = grad(y.sum(), x, create_graph=True)
    (second,) = grad(first.sum(), x)
    np.testing.assert_array_equal(first.numpy() != 0, kept)
    np.testing.assert_array_equal(second.numpy(), np.where(kept, 4.0, 0.0))


def test_evaluation_and_zero_draw_nothing():
    x = Tensor(np.ones(3))
    generator = np.random.default_rng(0)
    state = generator.bit_generator.state
    assert ops.dropout(x, 0.5, training=False) is x
    assert ops.dropout(x, 0.0, training=True, generator=generator) is x
    assert generator.bit_generator.state == state
