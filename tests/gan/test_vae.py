"""The VAE: its divergence as an integral, its gradients, that it learns, and what that costs in sharpness."""

import numpy as np
import pytest
from scipy.stats import norm

from minigan import Tensor
from minigan.data.glyphs import render_glyphs
from minigan.errors import ArgumentError
from minigan.gan import metrics, resolve, vae
from minigan.testing import gradcheck


def test_divergence_is_the_integral_it_stands_for():
    x = np.linspace(-12, 12, 20001)
    for mean, log_variance in ((0.0, 0.0), (1.5, -1.0), (-0.5, 0.7)):
        p = norm(mean, np.exp(log_variance / 2))
        integral = np.trapezoid(p.pdf(x) * (p.logpdf(x) - norm.logpdf(x)), x)
        found = vae.divergence(Tensor(np.array([[mean]])), Tensor(np.array([[log_variance]]))).item()
        assert found == pytest.approx(integral, abs=1e-8)
    draw = np.random.default_rng(0)
    assert gradcheck(vae.divergence, (draw.standard_normal((2, 3)), draw.standard_normal((2, 3))))


def test_it_learns_to_reproduce_and_its_pictures_are_less_sharp_than_real_ones():
    images, _ = render_glyphs(256, size=8, characters="01", seed=0)
    trainer = vae.VAETrainer(resolve("dcgan", shape=(1, 8, 8), base=4, latent=3, batch=32, lr_g=3e-3), images)
    records = [record for record, _ in zip(trainer.steps(), range(150), strict=False)]
    first, last = (np.mean([r.loss for r in part]) for part in (records[:10], records[-10:]))
    assert last < 0.6 * first
    assert all(r.loss == pytest.approx(r.reconstruction + r.divergence, rel=1e-5) for r in records)
    assert all(r.divergence >= 0 for r in records)
    made = trainer.sample(np.random.default_rng(0).standard_normal((64, 3), np.float32))
    assert made.shape == (64, 1, 8, 8) and trainer.model.decoder.training
    assert metrics.sharpness(made) < metrics.sharpness(images)


def test_variance_must_be_positive():
    with pytest.raises(ArgumentError, match="variance"):
        vae.VAETrainer(resolve("dcgan"), np.zeros((100, 1, 28, 28), np.float32), variance=0.0)
