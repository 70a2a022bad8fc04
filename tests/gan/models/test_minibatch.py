"""Minibatch discrimination against plain loops, and what it is for: equal pictures are betrayed."""

import numpy as np
import pytest

from minigan import Tensor, gan, nn
from minigan.errors import ArgumentError
from minigan.gan import models
from minigan.gan.models import minibatch
from minigan.testing import gradcheck, gradgradcheck


@pytest.fixture
def draw():
    return np.random.default_rng(0)


@pytest.mark.parametrize("N, size", [(6, 6), (8, 4), (1, 1), (7, 4), (5, 2), (11, 4), (3, 2)])
def test_closeness_is_the_mean_over_the_others_of_the_group(N, size, monkeypatch, draw):
    monkeypatch.setattr(minibatch, "GROUP", size)
    layer = minibatch.MinibatchFeatures(3, rng=draw)
    x = draw.standard_normal((N, 3)).astype(np.float32)
    found = layer(Tensor(x)).numpy()
    m = (x @ layer.projection.weight.numpy().T).reshape(N, minibatch.KERNELS, minibatch.SIZE)
    groups = max(min(-(-N // size), N // 2), 1)
    want = np.zeros((N, minibatch.KERNELS))
    for n in range(N):
        others = [k for k in range(N) if k % groups == n % groups and k != n]
        for k in others:
            want[n] += np.exp(-np.abs(m[n] - m[k]).sum(axis=1)) / len(others)
    assert (found[:, :3] == x).all()
    np.testing.assert_allclose(found[:, 3:], want, atol=1e-6)


@pytest.mark.parametrize("N", [4, 5])
def test_derivatives_to_second_order(N, draw, monkeypatch):
    monkeypatch.setattr(minibatch, "GROUP", 3)
    layer = minibatch.MinibatchFeatures(3, rng=draw)
    layer.projection.weight.array = layer.projection.weight.array.astype(np.float64)
    x = draw.standard_normal((N, 3))
    assert gradcheck(layer, (x,)) and gradgradcheck(layer, (x,))


@pytest.mark.parametrize("N", [8, 73, 97, 131])
def test_a_batch_of_one_picture_repeated_is_as_close_as_can_be(N, draw):
    layer = minibatch.MinibatchFeatures(3, rng=draw)
    same = layer(Tensor(np.ones((N, 3), np.float32))).numpy()[:, 3:]
    apart = layer(Tensor(10 * draw.standard_normal((N, 3)).astype(np.float32))).numpy()[:, 3:]
    np.testing.assert_allclose(same, 1, atol=1e-6)
    assert apart.mean() < 0.2


@pytest.mark.parametrize("model, shape", [("planar", (2, 1, 1)), ("dense", (1, 8, 8)), ("dcgan", (3, 16, 16)),
                                          ("pooled", (1, 8, 8))])  # fmt: skip
def test_it_fits_these_discriminators(model, shape, draw):
    _, plain = models.build(gan.Config(model=model, shape=shape, base=4, latent=4))
    wide = minibatch.with_minibatch_features(plain, rng=draw)
    assert wide(Tensor(draw.standard_normal((6, *shape)).astype(np.float32))).shape == (6,)
    more = models.count_parameters(wide) - models.count_parameters(plain)
    features = plain[-2].in_features
    assert more == minibatch.KERNELS * (1 + features * minibatch.SIZE)


def test_others_are_refused(draw):
    with pytest.raises(ArgumentError, match="whose last layers are Linear and Flatten"):
        minibatch.with_minibatch_features(nn.Sequential(nn.Linear(3, 1)), rng=draw)
