"""The laboratory that may be changed while it trains."""

import numpy as np
import pytest

from minigan.errors import ArgumentError
from minigan.gan import laboratory, live, losses
from minigan.gan.live import CURES, SETTINGS, LiveLaboratory


@pytest.fixture(autouse=True)
def few_points(monkeypatch):
    monkeypatch.setattr(live, "POINTS", 500)


def small(experiment="ring", **options):
    return LiveLaboratory(experiment, base=8, batch=16, **options)


def weights(network):
    return [tensor.numpy().copy() for tensor in network.parameters()]


def same(before, after):
    return len(before) == len(after) and all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_a_step_is_the_trainers_own():
    lab = small()
    other = laboratory.make_trainer(lab.trainer.config, lab.trainer.loader.images, minibatch=False)
    assert lab.step().d_loss == other.train_step().d_loss
    assert same(weights(lab.trainer.generator), weights(other.generator))


@pytest.mark.parametrize("who, moved, still", [
    ("generator", "generator", "discriminator"), ("discriminator", "discriminator", "generator"),
])  # fmt: skip
def test_a_half_step_moves_one_network(who, moved, still):
    lab = small()
    before = {name: weights(getattr(lab.trainer, name)) for name in (moved, still)}
    record = lab.half_step(who)
    assert not same(before[moved], weights(getattr(lab.trainer, moved)))
    assert same(before[still], weights(getattr(lab.trainer, still)))
    assert lab.trainer.step == 1 and (record.g_norm > 0) == (who == "generator") == (record.d_norm == 0)
    assert not lab.records  # half a step is nothing to judge a game by


def test_rates_and_losses_change_in_the_trainer_and_the_weights_stay():
    lab = small()
    lab.step()
    before = weights(lab.trainer.generator)
    assert lab.change(lr_d=0.01, lr_g=0.004, loss="hinge", d_steps=3, noise=0.5, rest=0.8) == ""
    assert same(before, weights(lab.trainer.generator))
    config = lab.trainer.config
    assert (config.lr_d, config.lr_g, config.loss, config.d_steps) == (0.01, 0.004, "hinge", 3)
    assert config.fresh_fakes and config.instance_noise == 0.5 and config.accuracy_target == 0.8
    assert lab.trainer.loss is losses.LOSSES["hinge"]
    lab.step()
    assert lab.trainer.d_optimizer.param_groups[0]["lr"] == 0.01
    assert lab.trainer.g_optimizer.param_groups[0]["lr"] == 0.004


@pytest.mark.parametrize("penalty, options", list(live.PENALTIES.items()))
def test_every_penalty_gets_the_strength(penalty, options):
    lab = small()
    lab.change(penalty=penalty, strength=0.3)
    set_ = {name for name in ("r1", "r2", "wgan_gp", "dragan", "clip") if getattr(lab.trainer.config, name)}
    assert set_ == set(options) and all(getattr(lab.trainer.config, name) == 0.3 for name in options)
    assert np.isfinite(lab.step().d_loss)


@pytest.mark.parametrize("cure", CURES)
def test_every_cure_trains_and_keeps_the_generator(cure):
    lab = small()
    lab.step()
    before = weights(lab.trainer.generator)
    told = lab.change(**CURES[cure])
    assert same(before, weights(lab.trainer.generator)) and lab.trainer.step == 1
    assert ("made anew" in told) == (cure in ("packing", "minibatch"))
    assert np.isfinite(lab.step().g_loss) and lab.trainer.step == 2
    assert same(
        weights(LiveLaboratory("ring", base=8, batch=16, cure=cure).trainer.generator),
        weights(small().trainer.generator),
    )


@pytest.mark.parametrize("settings, why", [
    ({"warmth": 1}, "no such setting"), ({"lr_d": "fast"}, "expected a number"), ({"lr_d": 5}, "0.1"),
    ({"lr_d": float("nan")}, "expected a number"), ({"lr_g": True}, "expected a number"),
    ({"loss": "prayer"}, "one of non-saturating"), ({"pack": 3}, "one of 1, 2, 4, 8"),
    ({"pack": True}, "one of"),
    ({"minibatch": 1}, "true or false"), ({"loss": "wgan", "smoothing": 0.1}, "has no labels"),
    ({"lr_d": 0.01, "loss": 1}, "one of"),
])  # fmt: skip
def test_what_cannot_be_is_refused_and_nothing_changes(settings, why):
    lab = small()
    before = dict(lab.settings)
    with pytest.raises(ArgumentError, match=why):
        lab.change(**settings)
    assert lab.settings == before and lab.trainer.config.lr_d == before["lr_d"]


def test_numbers_that_run_off_stop_the_game_until_it_is_reset():
    lab = small()
    for parameter in lab.trainer.generator.parameters():
        parameter.array[...] = np.inf
    assert lab.step() is None and "step 1" in lab.failure and ";" not in lab.failure
    assert lab.half_step("discriminator") is None
    lab.reset(seed=5)
    assert lab.failure == "" and lab.step().step == 1 and lab.seed == 5


def test_painting_feeds_the_game_and_clearing_ends_it():
    lab = small("paint")
    spots = len(lab.mixture.centres)
    lab.step()
    before = weights(lab.trainer.generator)
    lab.paint([[0.9, 0.9], [0.9, 0.91], [-0.9, 0.9]])  # the second lies on the first
    assert len(lab.mixture.centres) == spots + 2 and same(before, weights(lab.trainer.generator))
    points = lab.trainer.loader.images.reshape(-1, 2) * lab.scale
    assert (np.linalg.norm(points - [0.9, 0.9], axis=1) < 0.12).any()
    lab.clear()
    assert lab.trainer is None and lab.step() is None and lab.change(lr_d=0.01) == ""
    lab.paint([[0.1, 0.2]])
    assert lab.step().step == 1 and lab.trainer.config.lr_d == 0.01


def test_spots_that_cannot_be_are_refused():
    lab = small("paint")
    for spots, why in (
        [[[9, 0]], "within"],
        ["a", "pairs"],
        [[[1, 2, 3]], "pairs"],
        [[[float("nan"), 0]], "within"],
    ):
        with pytest.raises(ArgumentError, match=why):
            lab.paint(spots)
    many = np.stack(np.meshgrid(np.linspace(-1.3, 1.3, 25), np.linspace(-1.3, 1.3, 25)), -1).reshape(-1, 2)
    with pytest.raises(ArgumentError, match="at most 400"):
        lab.paint(many.tolist())
    with pytest.raises(ArgumentError, match="are given"):
        small().paint([[0, 0]])
    with pytest.raises(ArgumentError, match="are given"):
        small().clear()


def test_refusals_of_names():
    for words, why in ((["torus"], "ring, grid, paint"),):
        with pytest.raises(ArgumentError, match=why):
            LiveLaboratory(*words)
    with pytest.raises(ArgumentError, match="cure"):
        small(cure="prayer")
    with pytest.raises(ArgumentError, match="seed"):
        small().reset(seed=-1)
    with pytest.raises(ArgumentError, match="generator or discriminator"):
        small().half_step("judge")


def test_every_value_of_every_menu_trains():
    lab = small()
    for name, setting in SETTINGS.items():
        for value in setting.values if setting.kind == "menu" else ():
            lab.change(**{name: value})
            assert np.isfinite(lab.step().d_loss), (name, value)
        lab.change(**{name: setting.start})
