"""Activations and choices part by part, in the memory order of their input."""

import numpy as np
import pytest

from minigan import Tensor, grad, ops
from minigan.kernels import parallel
from minigan.kernels.host.arithmetic import kept

FUNCTIONS = [ops.relu, ops.leaky_relu, ops.elu, ops.sigmoid, ops.tanh, ops.softplus, ops.gelu, ops.silu]
INF = float("inf")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_channels_last_memory_stays_so_forward_and_backward(function):
    image = np.random.default_rng(0).standard_normal((2, 5, 4, 3)).transpose(0, 3, 1, 2)
    x = Tensor(image, requires_grad=True)
    y = function(x)
    assert y.array.strides == image.strides
    (g,) = grad(y, x, Tensor(np.ones_like(image)))
    assert g.array.strides == image.strides


def test_a_large_relu_in_parts(monkeypatch):
    monkeypatch.setattr(parallel, "WORTH", 1000)
    x = Tensor(np.random.default_rng(0).standard_normal((40, 30)).T, requires_grad=True)
    (g,) = grad(ops.relu(x), x, Tensor(np.where(x.numpy() > 0, 3.0, INF)))
    np.testing.assert_array_equal(g.numpy(), np.where(x.numpy() > 0, 3.0, 0.0))


@pytest.mark.parametrize("shape, condition", [((), ()), ((3, 2), (3, 1)), ((2, 3, 2), (2,))])
def test_kept_broadcasts_its_condition(shape, condition):
    generator = np.random.default_rng(0)
    x, mask = generator.standard_normal(shape), np.asarray(generator.random(condition) < 0.5)
    np.testing.assert_array_equal(kept(np.asarray(x), mask), np.where(mask, x, 0))


@pytest.mark.parametrize("slope", [-0.5, 0.2, 1.5])
@pytest.mark.parametrize("shape", [(), (0,), (3,)])
def test_every_slope_has_a_derivative_for_a_number_too(slope, shape):
    x = Tensor(np.full(shape, -2.0), requires_grad=True)
    (g,) = grad(ops.leaky_relu(x, slope), x, Tensor(np.ones(shape)))
    np.testing.assert_array_equal(g.numpy(), np.full(shape, slope))


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("slope", [0, 0.2, 1.5])
def test_large_arrays_part_by_part(monkeypatch, threads, slope):
    data = np.random.default_rng(0).standard_normal((5, 6, 7)).transpose(1, 2, 0)

    def results():
        x = Tensor(data, requires_grad=True)
        y = ops.leaky_relu(x, slope) if slope else ops.relu(x)
        ((y + y * 2.0) * y).sum().backward()
        return y.array, x.grad.array

    wanted, before = results(), parallel.threads()
    monkeypatch.setattr(parallel, "WORTH", 64)
    monkeypatch.setattr(parallel, "PART", 64)
    parallel.set_threads(threads)
    try:
        for got, expected in zip(results(), wanted, strict=True):
            np.testing.assert_array_equal(got, expected)
    finally:
        parallel.set_threads(before)


def test_the_mask_does_not_depend_on_memory_order_and_keeps_it():
    image = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    last = np.ascontiguousarray(image.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    one, other = (
        ops.dropout(Tensor(a), 0.5, training=True, generator=np.random.default_rng(1)).array
        for a in (image, last)
    )
    np.testing.assert_array_equal(one, other)
    assert other.strides == last.strides
