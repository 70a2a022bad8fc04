"""Resizing beyond its cases: identities, adjointness to summing, and values that must not mix."""

import numpy as np
import pytest

from minigan import Tensor, grad, ops
from minigan.errors import ArgumentError, ShapeError

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


@pytest.mark.parametrize("factor", [1.00001, 1.01, 1.19])
@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_a_factor_that_leaves_the_size_copies(mode, factor):
    x = Tensor(X, requires_grad=True)  # 4 x 5 cells
    y = ops.interpolate(x, scale_factor=(factor, 1.0), mode=mode)
    np.testing.assert_array_equal(y.numpy(), X)
    seed = np.random.default_rng(1).standard_normal(X.shape)
    np.testing.assert_array_equal(grad(y, x, Tensor(seed))[0].numpy(), seed)


@pytest.mark.parametrize("factor", [2.00001, 2.1, 2.19])
def test_nearest_with_a_factor_that_doubles_the_size_repeats(factor):
    y = ops.interpolate(Tensor(X), scale_factor=(1.2, factor)).numpy()
    np.testing.assert_array_equal(y, X.repeat(2, axis=3))


def test_each_axis_goes_by_its_own_size():
    x = np.arange(40.0).reshape(1, 1, 4, 10)
    y = ops.interpolate(Tensor(x), scale_factor=1.15).numpy()  # 4 stays 4, 10 becomes 11
    np.testing.assert_array_equal(y, x[..., [int(i / 1.15) for i in range(11)]])
    y = ops.interpolate(Tensor(x), scale_factor=(1.9, 2.3)).numpy()  # neither 8 nor 20
    rows, columns = [int(i / 1.9) for i in range(7)], [int(i / 2.3) for i in range(23)]
    np.testing.assert_array_equal(y, x[:, :, rows][..., columns])


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@pytest.mark.parametrize("factor", [0, 0.0, -0.0, -1, -0.5, float("nan"), float("inf"), -float("inf")])
def test_a_factor_must_be_above_0_and_finite(factor, mode):
    for given in (factor, (1, factor), (factor, 1), (1.0, factor), [factor, 2.0]):
        with pytest.raises(ArgumentError, match="scale_factor must be > 0 and finite"):
            ops.interpolate(Tensor(X), scale_factor=given, mode=mode)


@pytest.mark.parametrize("factor", [0.1, (1.0, 0.19), 1e-9])
def test_a_factor_that_leaves_nothing_is_refused(factor):
    with pytest.raises(ShapeError, match="must be at least 1"):
        ops.interpolate(Tensor(X), scale_factor=factor)
