"""Normalisation in chunks, and the memory order of what comes out."""

import numpy as np
import pytest

from minigan import Tensor, grad, ops
from minigan.kernels.host import norm
from minigan.kernels.host.norm import Rows


def tensors(*shape):
    """x in channels-last memory, weight, bias."""
    generator = np.random.default_rng(0)
    x = np.moveaxis(np.ascontiguousarray(np.moveaxis(generator.standard_normal(shape) * 2 + 3, 1, -1)), -1, 1)
    weight, bias = generator.standard_normal((2, shape[1]))
    return [Tensor(a, requires_grad=True) for a in (x, weight, bias)]


def test_many_chunks_give_what_one_gives(monkeypatch):
    inputs = tensors(5, 3, 7, 6)

    def run():
        y = ops.batch_norm(inputs[0], None, None, *inputs[1:], training=True)
        return [y.numpy(), *(g.numpy() for g in grad(y, inputs, Tensor(np.cos(y.numpy()))))]

    whole = run()
    monkeypatch.setattr(norm, "CHUNK_BYTES", 256)
    assert len(Rows(inputs[0].array).chunks()) > 10
    for part, expected in zip(run(), whole, strict=True):
        np.testing.assert_allclose(part, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("shape", [(2, 6, 4, 5), (3, 6, 7)])
def test_channels_last_memory_comes_out(shape):
    x, weight, bias = tensors(*shape)
    y = ops.batch_norm(x, None, None, weight, bias, training=True)
    (g,) = grad(y, x, Tensor(np.cos(y.array)))
    for array in (y.array, g.array):
        assert np.moveaxis(array, 1, -1).flags.c_contiguous
    evaluated = ops.batch_norm(x, np.zeros(6), np.ones(6), weight, bias)
    assert np.moveaxis(evaluated.array, 1, -1).flags.c_contiguous


def test_a_large_mean_costs_no_more_than_storing_it_did():
    generator = np.random.default_rng(0)
    x = generator.standard_normal((256, 4)).astype(np.float32)
    y = ops.batch_norm(Tensor(x + np.float32(4096)), training=True).numpy()
    exact = x + np.float32(4096)
    exact = (exact - exact.mean(axis=0, dtype=float)) / exact.std(axis=0, dtype=float)
    np.testing.assert_allclose(y, exact, atol=2 * 4096 * np.finfo(np.float32).eps)
