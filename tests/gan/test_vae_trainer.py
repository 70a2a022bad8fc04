"""Training a VAE: the bound falls, pictures come back, and a run resumes bit for bit."""

import numpy as np
import pytest

from minigan import Tensor, gan, no_grad
from minigan.data.glyphs import render_glyphs
from minigan.errors import ArgumentError
from minigan.gan import checkpoint


def trainer_of(images, **options):
    config = gan.resolve("vae", shape=images.shape[1:], **{"base": 4, "latent": 8, "batch": 16, **options})
    return gan.Trainer.create(config, images)


def test_the_loss_falls_and_pictures_come_back():
    images = render_glyphs(64, size=12)[0]
    trainer = trainer_of(images, lr_g=4e-3, lr_d=4e-3, latent=16, kl_weight=1.0)
    assert isinstance(trainer, gan.VAETrainer)
    records = [trainer.train_step() for _ in range(300)]
    first, last = records[0], records[-1]
    assert [r.step for r in records[:2]] == [1, 2]
    assert last.g_loss < first.g_loss - 0.4  # nats a pixel
    assert last.d_loss > first.d_loss > 0  # the code has come to say something
    assert last.g_norm > 0 and last.d_norm > 0 and last.diversity > 0.3
    with no_grad():
        mean, _ = trainer.discriminator.eval()(Tensor(images))
        back = trainer.generator.core.eval()(mean).numpy()
    assert ((back - images) ** 2).mean() < 0.5 * images.var(axis=0).mean()  # 1: the mean picture
    assert trainer.sample(trainer.fixed_latents(3)).shape == (3, 1, 12, 12)


def test_same_seed_same_run_and_a_resumed_run_is_the_same(tmp_path):
    images = np.random.default_rng(0).uniform(-1, 1, (32, 1, 8, 8)).astype(np.float32)
    one, two = trainer_of(images), trainer_of(images)
    for trainer in (one, two):
        for _ in range(3):
            trainer.train_step()
    checkpoint.save(tmp_path / "run.npz", one)
    three = trainer_of(images)
    checkpoint.restore(tmp_path / "run.npz", three)
    figures = []
    for trainer in (one, two, three):
        row = trainer.train_step().to_dict()
        del row["seconds"]
        figures.append((row, checkpoint.tensors(trainer)))
    for row, arrays in figures[1:]:
        assert row == figures[0][0]
        assert all((arrays[name] == figures[0][1][name]).all() for name in arrays)


def test_samples_come_from_where_the_codes_lie_and_saving_keeps_that(tmp_path):
    images = render_glyphs(64, size=12)[0]
    trainer = trainer_of(images, lr_g=4e-3, lr_d=4e-3)
    for _ in range(40):
        trainer.train_step()
    assert trainer.generator.shares.numpy()[0] == 1 and not trainer.generator.means.numpy().any()
    pictures = trainer.sample(trainer.fixed_latents(4))
    assert trainer.generator.means.numpy().any()
    with no_grad():
        mean, log_variance = trainer.discriminator(Tensor(images))
    spread = mean.numpy().var(axis=0) + np.exp(log_variance.numpy()).mean(axis=0)
    for network in (trainer.generator, trainer.average.module):
        shares, means, factors = (b.numpy() for b in (network.shares, network.means, network.factors))
        parts = zip(shares, means, factors, strict=True)
        held = [share * (factor @ factor.T + np.outer(mean_, mean_)) for share, mean_, factor in parts]
        centre = shares @ means
        found = np.diag(sum(held) - np.outer(centre, centre))
        assert found == pytest.approx(spread, rel=0.5)
        assert centre == pytest.approx(mean.numpy().mean(axis=0), abs=0.5)
    checkpoint.save(tmp_path / "run.npz", trainer)
    assert (checkpoint.load_sampler(tmp_path / "run.npz")(trainer.fixed_latents(4)) == pictures).all()


def test_the_weight_of_the_divergence_counts():
    images = render_glyphs(64, size=12)[0]
    found = {}
    for weight in (0.1, 10.0):
        trainer = trainer_of(images, lr_g=4e-3, lr_d=4e-3, kl_weight=weight)
        found[weight] = [trainer.train_step() for _ in range(60)][-1].d_loss
    assert found[10.0] < 0.5 * found[0.1]


def test_options_of_the_game_are_refused():
    images = np.zeros((32, 1, 8, 8), np.float32)
    with pytest.raises(ArgumentError, match="r1: a VAE has no discriminator"):
        trainer_of(images, r1=1.0)


def test_there_is_no_half_of_a_step():
    with pytest.raises(ArgumentError, match="trained together"):
        trainer_of(np.zeros((32, 1, 8, 8), np.float32)).half_step("generator")
