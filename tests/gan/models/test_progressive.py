"""Growing: the schedule, exact shapes at every level, no jump through a fade, and the level in the state."""

import numpy as np
import pytest

from minigan import Tensor, gan, no_grad
from minigan.gan import checkpoint, models
from minigan.gan.models import progressive
from minigan.testing import gradcheck

GROWING = progressive.GROWING


def pair(size=32, channels=3, base=2, **options):
    config = gan.resolve("progressive", shape=(channels, size, size), base=base, latent=6, batch=4, **options)
    return models.build(config)


def latents(n=4):
    return Tensor(np.random.default_rng(0).standard_normal((n, 6), np.float32))


def test_schedule_visits_every_level_in_order_and_ends_whole():
    seen = [progressive.schedule(p, 4) for p in np.linspace(0, 1, 2001)]
    height = [level - 1 + alpha for level, alpha in seen]  # alone at level k, or on the way to it
    assert height == sorted(height) and height[0] == 0 and height[-1] == 3
    assert progressive.schedule(0.0, 4) == (0, 1.0)
    assert progressive.schedule(GROWING, 4) == (3, 1.0) == progressive.schedule(1.0, 4)
    level, alpha = progressive.schedule(GROWING / 3 * 0.75, 4)  # in the middle of the first fade
    assert level == 1 and alpha == pytest.approx(0.5)
    assert progressive.schedule(-1.0, 4) == (0, 1.0) and progressive.schedule(2.0, 4) == (3, 1.0)


@pytest.mark.parametrize("size", [28, 32, 48, 64, 96, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_have_full_size_and_the_detail_of_their_level(size, channels):
    generator, discriminator = pair(size, channels)
    for level in range(len(generator.sizes)):
        progress = (level - 0.001) / (len(generator.sizes) - 1) * GROWING + 0.003
        for network in (generator, discriminator):
            models.set_progress(network, progress)
        assert generator.grown() == discriminator.grown() == (level, 1.0)
        with no_grad():
            pictures = generator(latents(2))
            assert pictures.shape == (2, channels, size, size)
            assert abs(pictures.numpy()).max() <= 1
            assert discriminator(pictures).shape == (2,)
        tile = generator.factor(level)
        blocks = pictures.numpy().reshape(2, channels, size // tile, tile, size // tile, tile)
        assert np.ptp(blocks, axis=(3, 5)).max() == 0  # each pixel repeated tile x tile times
        if level:
            assert generator.sizes[level][0] == 2 * generator.sizes[level - 1][0]


def test_a_new_level_fades_in_without_a_jump():
    """At alpha 0 both networks compute what they did before the level was there; at 1 the level alone."""
    generator, discriminator = pair(16)
    step = GROWING / 2

    def outputs(progress):
        for network in (generator, discriminator):
            models.set_progress(network, progress)
        with no_grad():
            pictures = generator(latents())
            return pictures.numpy(), discriminator(
                Tensor(np.tanh(np.ones((4, 3, 16, 16), np.float32)))
            ).numpy()

    for a, b in ((0.5 * step - 1e-9, 0.5 * step + 1e-7), (step - 1e-7, step + 1e-9)):
        for before, after in zip(outputs(a), outputs(b), strict=True):
            assert before == pytest.approx(after, abs=1e-4)
    middle = outputs(0.75 * step)[0]
    assert middle == pytest.approx((outputs(0.0)[0] + outputs(step)[0]) / 2, abs=1e-5)


def test_second_derivatives_pass_through_a_fade():
    """R1 needs the gradient's gradient; a fade mixes two paths."""
    discriminator = pair(16, 1, base=1)[1].eval().to(dtype=np.float64)  # no jitter
    discriminator.set_progress(GROWING * 0.75)
    assert discriminator.grown() == (1, pytest.approx(0.5))
    x = np.random.default_rng(1).standard_normal((2, 1, 16, 16))
    assert gradcheck(lambda x: discriminator(x), [Tensor(x)], order=2)


def images(n=16, size=32):
    return np.random.default_rng(0).uniform(-1, 1, (n, 1, size, size)).astype(np.float32)


def trainer_at(progress, **options):
    config = gan.resolve("progressive", shape=(1, 32, 32), base=2, latent=6, batch=4, **options)
    trainer = gan.Trainer.create(config, images())
    trainer.progress = progress
    return trainer


def test_training_grows_with_the_run_and_leaves_later_levels_alone():
    trainer = trainer_at(0.0)
    before = trainer.generator.state_dict()
    trainer.train_step()
    after = trainer.generator.state_dict()
    changed = {name.split(".")[1] for name in before if (before[name] != after[name]).any()}
    assert changed == {"0"}  # of blocks and of to_picture
    trainer.progress = 1.0
    trainer.train_step()
    assert trainer.generator.grown() == trainer.discriminator.grown() == (2, 1.0)
    assert trainer.average.module.grown() == (2, 1.0)  # samples are drawn as large as the networks are


def test_the_level_is_part_of_state_and_checkpoint(tmp_path):
    trainer = trainer_at(GROWING * 0.4)
    record = [trainer.train_step() for _ in range(3)][-1]
    assert trainer.generator.grown()[0] == 1 and np.isfinite(record.g_loss)
    checkpoint.save(tmp_path / "run.npz", trainer)
    fresh = trainer_at(0.0)
    assert fresh.generator.grown() == (0, 1.0)
    checkpoint.restore(tmp_path / "run.npz", fresh)
    assert fresh.generator.grown() == trainer.generator.grown()
    z = trainer.fixed_latents(3)
    assert (fresh.sample(z) == trainer.sample(z)).all()
    assert (checkpoint.load_sampler(tmp_path / "run.npz")(z) == trainer.sample(z)).all()
    for t in (trainer, fresh):
        t.train_step()
    states = fresh.generator.state_dict(), trainer.generator.state_dict()
    assert all((states[0][name] == states[1][name]).all() for name in states[0])
