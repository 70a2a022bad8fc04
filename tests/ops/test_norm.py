"""Normalisation beyond its cases: running statistics, and the formulas against their parts."""

import numpy as np
import pytest

from minigan import Tensor, grad, observe, ops
from minigan.errors import ShapeError
from minigan.ops.norm import Standardize, standardized


def tensors(*shape, channels_last=False, seed=0):
    generator = np.random.default_rng(seed)
    x = generator.standard_normal(shape) * 2 + 3
    if channels_last:
        x = np.ascontiguousarray(np.moveaxis(x, 1, -1))
        x = np.moveaxis(x, -1, 1)
    weight, bias = generator.standard_normal((2, shape[1]))
    return [Tensor(a, requires_grad=True) for a in (x, weight, bias)]


def composed_batch_norm(x, weight, bias):
    lane = (1, weight.size) + (1,) * (x.ndim - 2)
    xhat = standardized(x, (0, *range(2, x.ndim)), 1e-5)[0]
    return xhat * weight.reshape(lane) + bias.reshape(lane)


def two_orders(function, inputs, seed=1):
    """Value, first gradients (short way and recorded) and second gradients for random cotangents."""
    generator = np.random.default_rng(seed)
    y = function(*inputs)
    g = Tensor(generator.standard_normal(y.shape), requires_grad=True)
    short = grad(function(*inputs), inputs, g.detach())
    first = grad(y, inputs, g, create_graph=True)
    again = [Tensor(generator.standard_normal(f.shape)) for f in first]
    second = grad(list(first), [*inputs, g], again, allow_unused=True)
    return [t.numpy() for t in (y, *short, *first)] + [0.0 if t is None else t.numpy() for t in second]


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5), (2, 3, 4, 5), (8, 16, 2, 2), (3, 1, 5, 7)])
def test_fused_batch_norm_is_the_composed_one_to_second_order(shape, channels_last):
    inputs = tensors(*shape, channels_last=channels_last)
    fused = two_orders(lambda x, w, b: ops.batch_norm(x, None, None, w, b, training=True), inputs)
    composed = two_orders(composed_batch_norm, inputs)
    for mine, truth in zip(fused, composed, strict=True):
        np.testing.assert_allclose(mine, truth, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("axes", [(1,), (2, 3), (1, 2, 3)])
def test_standardize_is_the_composed_one_to_second_order(axes):
    inputs = tensors(2, 3, 4, 5)[:1]
    fused = two_orders(lambda x: Standardize(axes, 1e-5)(x), inputs)
    composed = two_orders(lambda x: standardized(x, axes, 1e-5)[0], inputs)
    for mine, truth in zip(fused, composed, strict=True):
        np.testing.assert_allclose(mine, truth, rtol=1e-9, atol=1e-11)


def test_a_frozen_input_costs_no_gradient():
    x, weight, bias = tensors(4, 3)
    passes = []
    y = ops.batch_norm(x.detach(), None, None, weight, bias, training=True)
    with observe(lambda phase, op, result, seconds: passes.append(result)):
        gweight, gbias = grad(y, [weight, bias], Tensor(np.ones((4, 3))))
    assert [g is None for g in passes[-1]] == [True, False, False]
    np.testing.assert_array_equal(gbias.numpy(), [4, 4, 4])
    np.testing.assert_allclose(gweight.numpy(), np.zeros(3), atol=1e-12)


# --- running statistics ------------------------------------------------------------------------------------


def test_running_statistics_move_in_place_with_the_unbiased_variance():
    x = np.random.default_rng(0).standard_normal((4, 2, 3, 3)) * 3 + 1
    running_mean, running_var = np.full(2, 10.0), Tensor(np.full(2, 20.0))
    ops.batch_norm(Tensor(x), running_mean, running_var, training=True, momentum=0.3)
    by_channel = np.moveaxis(x, 1, 0).reshape(2, -1)
    np.testing.assert_allclose(running_mean, 0.7 * 10 + 0.3 * by_channel.mean(axis=1))
    np.testing.assert_allclose(running_var.numpy(), 0.7 * 20 + 0.3 * by_channel.var(axis=1, ddof=1))
    assert running_var.version == 1


def test_evaluation_reads_the_running_statistics_and_leaves_them():
    x, weight, bias = tensors(4, 2, 3, 3)
    running_mean, running_var = np.array([1.0, -1.0]), np.array([4.0, 9.0])
    y = ops.batch_norm(x, running_mean, running_var, weight, bias).numpy()
    lane = (1, 2, 1, 1)
    normal = (x.numpy() - running_mean.reshape(lane)) / np.sqrt(running_var.reshape(lane) + 1e-5)
    np.testing.assert_allclose(y, normal * weight.numpy().reshape(lane) + bias.numpy().reshape(lane))
    np.testing.assert_array_equal(running_mean, [1.0, -1.0])


def test_evaluation_takes_a_batch_of_one_and_gradients_miss_the_batch_terms():
    x = Tensor(np.array([[2.0, 3.0]]), requires_grad=True)
    ops.batch_norm(x, np.zeros(2), np.array([4.0, 9.0]), eps=0.0).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [[1 / 2, 1 / 3]])


def test_a_refused_batch_leaves_the_running_statistics():
    running_mean, running_var = np.zeros(2), np.ones(2)
    with pytest.raises(ShapeError, match="more than one value per channel"):
        ops.batch_norm(Tensor(np.ones((1, 2))), running_mean, running_var, training=True)
    ops.batch_norm(Tensor(np.ones((0, 2))), running_mean, running_var, training=True)
    np.testing.assert_array_equal([running_mean, running_var], [[0, 0], [1, 1]])


def test_without_running_statistics_evaluation_uses_the_batch():
    (x, _, _) = tensors(4, 3)
    np.testing.assert_array_equal(ops.batch_norm(x).numpy(), ops.batch_norm(x, training=True).numpy())


@pytest.mark.parametrize(
    "function",
    [lambda x, **eps: ops.group_norm(x, 2, **eps), lambda x, **eps: ops.layer_norm(x, (3, 5), **eps),
     ops.instance_norm],
    ids=("group", "layer", "instance"),
)  # fmt: skip
def test_eps_is_pytorchs_by_default(function):
    x = Tensor(1e-3 * np.random.default_rng(0).standard_normal((2, 4, 3, 5)))
    np.testing.assert_array_equal(function(x).numpy(), function(x, eps=1e-5).numpy())
    assert np.abs(function(x).numpy() - function(x, eps=1e-6).numpy()).max() > 0.01
