"""The evidence lower bound: closed forms, a Monte Carlo estimate, scipy's densities, derivatives."""

import numpy as np
import pytest
from scipy import stats

from minigan import Tensor
from minigan.errors import ArgumentError, ShapeError
from minigan.gan import elbo
from minigan.testing import gradcheck


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def test_kl_is_zero_for_the_prior_and_known_for_shifts_and_scales():
    zero = Tensor(np.zeros((2, 3)))
    assert elbo.kl_to_prior(zero, zero).numpy() == pytest.approx([0, 0], abs=1e-15)
    shifted = Tensor(np.array([[1.0, 2.0, 0.0]]))
    assert elbo.kl_to_prior(shifted, zero[:1]).numpy() == pytest.approx([(1 + 4) / 2])  # |mean|^2 / 2
    variance = 4.0
    scaled = Tensor(np.full((1, 3), np.log(variance)))
    assert elbo.kl_to_prior(zero[:1], scaled).numpy() == pytest.approx(
        [3 * (variance - 1 - np.log(variance)) / 2]
    )


def test_kl_agrees_with_sampling():
    mean, log_variance = np.array([0.7, -1.2]), np.array([-0.5, 0.8])
    z = mean + np.exp(log_variance / 2) * draw(400_000, 2)
    log_q = stats.norm.logpdf(z, mean, np.exp(log_variance / 2)).sum(axis=1)
    estimate = (log_q - stats.norm.logpdf(z).sum(axis=1)).mean()
    assert elbo.kl_to_prior(Tensor(mean[None]), Tensor(log_variance[None])).item() == pytest.approx(
        estimate, rel=0.01
    )


def test_kl_has_gradients_to_second_order():
    assert gradcheck(elbo.kl_to_prior, [Tensor(draw(2, 3)), Tensor(draw(2, 3, seed=1))], order=2)
    with pytest.raises(ShapeError, match="kl_to_prior"):
        elbo.kl_to_prior(Tensor(draw(2, 3)), Tensor(draw(2, 4)))


def test_reconstruction_is_the_density_of_a_normal():
    x, y = draw(2, 3, 4, 4), draw(2, 3, 4, 4, seed=1)
    expected = -stats.norm.logpdf(x, y, 0.3).sum(axis=(1, 2, 3))
    assert elbo.gaussian_nll(Tensor(x), Tensor(y), sigma=0.3).numpy() == pytest.approx(expected)
    with pytest.raises(ArgumentError, match="sigma"):
        elbo.gaussian_nll(Tensor(x), Tensor(y), sigma=0.0)
    with pytest.raises(ShapeError, match="the decoder gave"):
        elbo.gaussian_nll(Tensor(x), Tensor(y[:, :2]), sigma=1.0)


def test_the_best_sigma_is_the_best():
    x, y = Tensor(draw(2, 3, 4, 4)), Tensor(draw(2, 3, 4, 4, seed=1))
    best = elbo.optimal_gaussian_nll(x, y).item()
    sigma = float(np.sqrt(((x.numpy() - y.numpy()) ** 2).mean()))
    assert elbo.gaussian_nll(x, y, sigma=sigma).mean().item() == pytest.approx(best)
    for other in (0.9 * sigma, 1.1 * sigma):
        assert elbo.gaussian_nll(x, y, sigma=other).mean().item() > best


def test_reconstructions_have_gradients_to_second_order():
    pictures = Tensor(draw(2, 1, 2, 2))
    decoded = Tensor(draw(2, 1, 2, 2, seed=1))
    assert gradcheck(lambda y: elbo.optimal_gaussian_nll(pictures, y), [decoded], order=2)
    assert gradcheck(lambda y: elbo.gaussian_nll(pictures, y, sigma=0.5), [decoded], order=2)


def test_a_drawn_code_has_the_mean_and_spread_it_was_told_and_a_gradient():
    mean, log_variance = np.tile([1.0, -2.0], (50_000, 1)), np.tile([-1.0, 0.5], (50_000, 1))
    z = elbo.draw_code(Tensor(mean), Tensor(log_variance), np.random.default_rng(0)).numpy()
    assert z.mean(axis=0) == pytest.approx([1, -2], abs=0.03)
    assert z.std(axis=0) == pytest.approx(np.exp([-0.5, 0.25]), rel=0.02)
    two = [Tensor(draw(2, 3)), Tensor(draw(2, 3, seed=1))]
    assert gradcheck(lambda m, v: elbo.draw_code(m, v, np.random.default_rng(0)), two, order=2)
