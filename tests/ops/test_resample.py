"""Resizing beyond its cases: identities, adjointness to summing, and values that must not mix."""

import numpy as np
import pytest

from minigan import Tensor, grad, ops

X = np.random.default_rng(0).standard_normal((2, 3, 4, 5))


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_the_same_size_changes_nothing(mode):
    np.testing.assert_allclose(ops.interpolate(Tensor(X), size=(4, 5), mode=mode).numpy(), X, rtol=1e-15)


def test_doubling_repeats_and_its_gradient_sums_blocks():
    x = Tensor(X, requires_grad=True)
    y = ops.interpolate(x, scale_factor=2)
    np.testing.assert_array_equal(y.numpy(), X.repeat(2, axis=2).repeat(2, axis=3))
    seed = np.random.default_rng(1).standard_normal(y.shape)
    (g,) = grad(y, x, Tensor(seed))
    np.testing.assert_allclose(g.numpy(), seed.reshape(2, 3, 4, 2, 5, 2).sum(axis=(3, 5)), rtol=1e-12)


def test_nearest_takes_cells_so_one_bad_value_stays_alone():
    bad = X.copy()
    bad[0, 0, 1, 1] = np.inf
    for size in ((8, 10), (7, 9), (2, 3)):
        assert np.isinf(ops.interpolate(Tensor(bad), size=size).numpy()).sum() <= 4


def test_corners_keep_their_values_when_aligned():
    y = ops.interpolate(Tensor(X), size=(9, 7), mode="bilinear", align_corners=True).numpy()
    np.testing.assert_allclose(y[:, :, :: 8, :: 6], X[:, :, :: 3, :: 4], rtol=1e-15)  # fmt: skip


def test_bilinear_reproduces_a_plane_away_from_the_border():
    rows, columns = np.mgrid[:6, :8]
    plane = (2.0 * rows + 3.0 * columns)[None, None]
    y = ops.interpolate(Tensor(plane), scale_factor=3, mode="bilinear").numpy()[0, 0]
    at = (np.arange(18) + 0.5) / 3 - 0.5
    across = (np.arange(24) + 0.5) / 3 - 0.5
    np.testing.assert_allclose(y[1:-1, 1:-1], (2 * at[:, None] + 3 * across)[1:-1, 1:-1], rtol=1e-12)
