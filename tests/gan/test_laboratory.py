"""The laboratory in its own units; a short training already finds every mode of the ring."""

import numpy as np
import pytest

from minigan.errors import ArgumentError
from minigan.gan import laboratory
from minigan.gan.laboratory import CURES, Laboratory
from minigan.gan.models.minibatch import MinibatchFeatures


@pytest.mark.parametrize("mixture, reach", [("grid", 4), ("ring", 1)])
def test_points_and_beliefs_are_in_the_mixtures_units(mixture, reach):
    lab = Laboratory(mixture, base=8, latent=2)
    assert lab.reach == pytest.approx(reach) and lab.scale == pytest.approx(reach / laboratory.EXTENT)
    real = lab.trainer.loader.images
    assert real.shape[1:] == (2, 1, 1)
    assert lab.mixture.statistics(real.reshape(-1, 2) * lab.scale).high_quality > 0.98
    made = lab.trainer.sample(np.random.default_rng(3).standard_normal((5, 2), np.float32))
    assert lab.points(5, seed=3) == pytest.approx(made.reshape(5, 2) * lab.scale, abs=1e-5)
    belief = lab.beliefs(lab.mixture.centres)
    assert belief.shape == (len(lab.mixture.centres),) and (0 < belief).all() and (belief < 1).all()


def test_all_modes_of_the_ring_and_each_gets_its_share():
    options = {"base": 32, "batch": 128, "lr_g": 3e-3, "lr_d": 3e-3, "r1": 0.2, "r2": 0.2, "ema": 0.99}
    lab = Laboratory("ring", seed=1, **options)  # stronger than the default: surer, but less sharp
    for record in lab.run(600):
        assert np.isfinite(record.d_loss)
    found = lab.statistics()
    assert abs(np.linalg.norm(lab.points(), axis=1).mean() - 1) < 0.15
    assert found.counts.min() > 0.5 * 2500 / 8  # every eighth of the circle is served
    assert found.kl < 0.1


def test_each_cure_changes_the_plain_game_by_what_its_table_says(monkeypatch):
    monkeypatch.setattr(laboratory, "POINTS", 1000)
    plain = Laboratory("ring", cure="none", base=8)
    weights = len(plain.trainer.discriminator.state_dict())
    for cure, changes in CURES.items():
        cured = Laboratory("ring", cure=cure, base=8)
        differences = {line.split(":")[0] for line in cured.config.differences(plain.config)}
        assert differences == set(changes)
        assert np.isfinite(next(cured.run(1)).d_loss)
        compares = any(isinstance(m, MinibatchFeatures) for m in cured.trainer.discriminator.modules())
        assert compares == (cure == "minibatch")
        assert (len(cured.trainer.discriminator.state_dict()) == weights) != compares


def test_refusals():
    with pytest.raises(ArgumentError, match="expected one of ring, grid"):
        Laboratory("torus")
    with pytest.raises(ArgumentError, match="expected one of none, penalty, packing"):
        Laboratory("ring", cure="prayer")


def test_a_second_run_trains_with_the_last_learning_rates():
    lab = Laboratory("ring", base=4, batch=8)
    rates = [lab.trainer.g_optimizer.param_groups[0]["lr"] for _ in range(2) for _ in lab.run(4)]
    assert rates == sorted(rates, reverse=True)
    assert rates[4:] == pytest.approx([lab.config.lr_g * lab.config.lr_end] * 4)


def test_beliefs_in_packs():
    """A point heads a pack, and the others of it are generated."""
    lab = Laboratory("ring", cure="packing", base=4, batch=8)
    points = lab.points(3, seed=5)
    belief = lab.beliefs(points)
    assert belief.shape == (3,) and (0 < belief).all() and (belief < 1).all()
    made = np.arange(10, dtype=np.float32).reshape(5, 2, 1, 1)
    packs = laboratory.in_packs(made[:2] + 100, made, 3)
    assert packs.reshape(2, 6).tolist() == [[100, 101, 2, 3, 4, 5], [102, 103, 4, 5, 6, 7]]
