"""A mixture of Gaussians: found again where codes were drawn from one, and carried to exactly."""

import numpy as np
import pytest
from scipy import stats

from minigan.errors import ShapeError
from minigan.gan import mixture

SHARES, MEANS = np.array([0.5, 0.3, 0.2]), np.array([[4.0, 0.0], [-4.0, 1.0], [0.0, -6.0]])
FACTORS = np.array([[[1.0, 0.0], [0.5, 0.5]], [[0.3, 0.0], [0.0, 1.5]], [[1.0, 0.0], [-0.8, 0.6]]])


def codes(n=4000, seed=0):
    draw = np.random.default_rng(seed)
    chosen = draw.choice(3, n, p=SHARES)
    return MEANS[chosen] + np.einsum("nij,nj->ni", FACTORS[chosen], draw.standard_normal((n, 2)))


def test_the_parts_of_a_known_mixture_are_found():
    shares, means, factors = mixture.fit(codes(), 3, np.random.default_rng(0))
    order = [int(np.argmin(((means - mean) ** 2).sum(axis=1))) for mean in MEANS]
    assert sorted(order) == [0, 1, 2]
    assert shares[order] == pytest.approx(SHARES, abs=0.03)
    assert means[order] == pytest.approx(MEANS, abs=0.12)
    covariances = factors @ factors.transpose(0, 2, 1)
    assert covariances[order] == pytest.approx(FACTORS @ FACTORS.transpose(0, 2, 1), abs=0.15)


def test_one_component_is_the_mean_and_the_covariance():
    x = codes(500)
    shares, means, factors = mixture.fit(x, 1, np.random.default_rng(0))
    assert shares == pytest.approx([1.0]) and means[0] == pytest.approx(x.mean(axis=0))
    expected = np.cov(x, rowvar=False, bias=True) + mixture.LEAST_VARIANCE * np.eye(2)
    assert factors[0] @ factors[0].T == pytest.approx(expected)


def test_few_samples_get_few_components():
    draw = np.random.default_rng(0)
    assert len(mixture.fit(draw.standard_normal((20, 4)), 10, draw)[0]) == 1
    assert len(mixture.fit(draw.standard_normal((80, 4)), 10, draw)[0]) == 5
    with pytest.raises(ShapeError, match=r"expected codes \(N, L\) with N of at least 2"):
        mixture.fit(draw.standard_normal((1, 4)), 1, draw)
    with pytest.raises(ShapeError, match="got \\(5,\\)"):
        mixture.fit(draw.standard_normal(5), 1, draw)


def test_equal_codes_make_no_component_of_no_width():
    shares, means, factors = mixture.fit(np.ones((40, 2)), 3, np.random.default_rng(0))
    assert shares.sum() == pytest.approx(1) and np.isfinite(factors).all()
    assert means == pytest.approx(np.ones(means.shape), abs=1e-6)


def test_carried_draws_are_draws_of_the_mixture():
    latents = np.random.default_rng(1).standard_normal((20_000, 2)).astype(np.float32)
    found = mixture.carry(latents, (SHARES, MEANS, FACTORS))
    assert found.dtype == np.float32
    nearest = ((found[:, None] - MEANS) ** 2).sum(axis=2).argmin(axis=1)
    assert np.bincount(nearest) / len(found) == pytest.approx(SHARES, abs=0.02)
    chosen = np.searchsorted(np.cumsum(SHARES), stats.norm.cdf(latents[:, 0].astype(float)), side="right")
    for k in range(3):  # turned back, each component's draws are standard normal in both numbers
        back = np.linalg.solve(FACTORS[k], (found[chosen == k] - MEANS[k]).T)
        for numbers in back:
            assert stats.kstest(numbers, "norm").pvalue > 1e-3
        assert abs(np.corrcoef(back)[0, 1]) < 0.05


def test_one_standard_component_changes_nothing_and_the_ends_stay_finite():
    latents = np.random.default_rng(2).standard_normal((100, 3)).astype(np.float32)
    unit = np.ones(1), np.zeros((1, 3)), np.eye(3)[None]
    assert mixture.carry(latents, unit) == pytest.approx(latents, abs=1e-5)
    far = np.array([[-40.0, 0.0, 0.0], [40.0, 0.0, 0.0]], np.float32)
    unused = np.array([0.4, 0.6, 0.0]), np.zeros((3, 3)), np.tile(np.eye(3), (3, 1, 1))
    assert np.isfinite(mixture.carry(far, unused)).all()
