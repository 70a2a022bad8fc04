"""Toy mixtures: drawn as said, and collapse is counted as said."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from minigan.data.toy import Mixture, grid, ring
from minigan.errors import ArgumentError, ShapeError

MIXTURES = {"ring": ring(), "grid": grid()}


def test_the_ring_is_eight_points_on_the_unit_circle():
    np.testing.assert_allclose(np.hypot(*ring().centres.T), 1)
    assert ring().sigma == 0.01 and len(np.unique(ring().centres.round(9), axis=0)) == 8


def test_the_grid_goes_from_minus_four_to_four_in_steps_of_two():
    want = {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}
    assert {tuple(centre) for centre in grid().centres} == want and grid().sigma == 0.05


@pytest.mark.parametrize("mixture", MIXTURES.values(), ids=MIXTURES)
def test_its_own_samples_score_best(mixture):
    points = mixture.sample(20_000, np.random.default_rng(0))
    assert points.shape == (20_000, 2) and points.dtype == np.float32
    found = mixture.statistics(points)
    assert found.modes == len(mixture.centres) and found.kl < 0.002
    # within 3 sigma in two dimensions: the Rayleigh distribution
    assert found.high_quality == pytest.approx(stats.rayleigh.cdf(3), abs=0.003)
    assert found.counts.sum() == 20_000
    # r^2 / 2 of those is exponential, cut off at 4.5
    assert found.spread == pytest.approx((1 - 4.5 / np.expm1(4.5)) ** 0.5, abs=0.01)
    around = points - mixture.centres[np.linalg.norm(points[:, None] - mixture.centres, axis=2).argmin(1)]
    np.testing.assert_allclose(around.std(axis=0), mixture.sigma, rtol=0.03)


def test_a_collapsed_generator_is_seen():
    found = ring().statistics(np.tile(ring().centres[2], (50, 1)))
    assert (found.modes, found.high_quality) == (1, 1.0) and found.kl == pytest.approx(np.log(8))
    assert found.spread < 1e-6


@given(counts=st.lists(st.integers(0, 20), min_size=8, max_size=8).filter(any))
def test_divergence_agrees_with_scipy(counts):
    points = np.repeat(ring().centres, counts, axis=0)
    found = ring().statistics(points)
    assert found.kl == pytest.approx(stats.entropy(counts, np.ones(8)), abs=1e-12)
    assert found.modes == np.count_nonzero(counts) and found.counts.tolist() == counts


def test_quality_is_three_sigma():
    mixture = Mixture(np.zeros((1, 2)), 1.0)
    assert mixture.statistics(np.array([[2.99, 0], [0, 3.01]])).high_quality == 0.5


def test_a_mode_may_need_more_than_one_point():
    points = np.repeat(ring().centres, [5, 4, 3, 2, 1, 1, 1, 1], axis=0)
    assert ring().statistics(points, at_least=3).modes == 3


def test_points_that_are_not_finite_count_as_bad():
    points = np.array([ring().centres[0], [np.nan, 0]])
    found = ring().statistics(points)
    assert (found.modes, found.high_quality, found.counts.sum()) == (1, 0.5, 1)
    lost = ring().statistics(np.full((3, 2), np.nan))
    assert lost.kl == np.inf and np.isnan(lost.spread)


@pytest.mark.parametrize("shape", [(0, 2), (3,), (3, 3)])
def test_shapes_are_checked(shape):
    with pytest.raises(ShapeError, match=r"\(N, 2\)"):
        ring().statistics(np.zeros(shape))


@pytest.mark.parametrize("make", [lambda: ring(0), lambda: ring(radius=0), lambda: grid(sigma=-1)])
def test_sizes_are_checked(make):
    with pytest.raises(ArgumentError, match="positive"):
        make()
