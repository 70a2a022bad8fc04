"""The laboratory in its own units; a short training already finds every mode of the ring."""

import numpy as np
import pytest

from minigan.errors import ArgumentError
from minigan.gan.laboratory import Laboratory


def test_points_and_beliefs_are_in_the_mixtures_units():
    lab = Laboratory("grid", base=8, latent=2)
    assert lab.scale == pytest.approx(1)
    real = lab.trainer.loader.images
    assert 3.9 < abs(real).max() < 4.4 and real.shape[1:] == (2, 1, 1)
    made = lab.trainer.sample(np.random.default_rng(3).standard_normal((5, 2), np.float32))
    assert lab.points(5, seed=3) == pytest.approx(made.reshape(5, 2), abs=1e-5)
    belief = lab.beliefs(lab.mixture.centres)
    assert belief.shape == (25,) and (0 < belief).all() and (belief < 1).all()


def test_all_modes_of_the_ring_and_each_gets_its_share():
    lab = Laboratory("ring", base=64, batch=128, ema=0.99, seed=1)
    for record in lab.run(400):
        assert np.isfinite(record.d_loss)
    found = lab.statistics()
    points = lab.points()
    assert abs(np.linalg.norm(points, axis=1).mean() - 1) < 0.15
    assert found.counts.min() > 0.3 * 2500 / 8  # every eighth of the circle is served
    assert found.kl < 0.1


def test_the_plain_game_differs_only_in_its_loss():
    cured, plain = Laboratory("ring", base=8), Laboratory("ring", cured=False, base=8)
    lines = [line.split(":")[0] for line in cured.config.differences(plain.config)]
    assert lines == ["loss", "r1", "r2"]
    with pytest.raises(ArgumentError, match="expected one of ring, grid"):
        Laboratory("torus")
