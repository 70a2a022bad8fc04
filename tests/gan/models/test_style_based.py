"""The style-based generator: modulation against N separate convolutions, mixing, truncation, noise, state."""

import numpy as np
import pytest

from minigan import Tensor, gan, no_grad, ops
from minigan.errors import ArgumentError, ShapeError
from minigan.gan import checkpoint, models
from minigan.gan.models import style_based
from minigan.gan.models.style_based import mix, modulated_conv2d
from minigan.testing import gradcheck


def pair(size=16, channels=3, base=2, **options):
    config = gan.resolve("style", shape=(channels, size, size), base=base, latent=6, batch=4, **options)
    return models.build(config)


def latents(n=4, seed=0):
    return Tensor(np.random.default_rng(seed).standard_normal((n, 6), np.float32))


def three(seed=0):
    draw = np.random.default_rng(seed)
    shapes = (2, 3, 4, 4), (5, 3, 3, 3), (2, 3)
    return [draw.standard_normal(shape) for shape in shapes]


@pytest.mark.parametrize("demodulate", [True, False])
def test_modulation_is_a_convolution_with_weights_of_each_pictures_own(demodulate):
    x, weight, style = three()
    found = modulated_conv2d(Tensor(x), Tensor(weight), Tensor(style), demodulate=demodulate).numpy()
    for n in range(2):
        own = weight * style[n][None, :, None, None]
        if demodulate:
            own = own / np.sqrt((own**2).sum(axis=(1, 2, 3), keepdims=True) + 1e-8)
        expected = ops.conv2d(Tensor(x[n : n + 1]), Tensor(own), padding=1).numpy()
        assert found[n : n + 1] == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("demodulate", [True, False])
def test_modulation_has_gradients_to_second_order(demodulate):
    inputs = [Tensor(array) for array in three(1)]
    assert gradcheck(lambda *a: modulated_conv2d(*a, demodulate=demodulate), inputs, order=2)


def test_demodulated_maps_keep_their_deviation_whatever_the_style():
    draw = np.random.default_rng(0)
    x, weight = draw.standard_normal((4, 32, 16, 16)), draw.standard_normal((32, 32, 3, 3))
    for size in (0.1, 10.0):
        y = modulated_conv2d(Tensor(x), Tensor(weight), Tensor(size * draw.standard_normal((4, 32)))).numpy()
        assert y[:, :, 1:-1, 1:-1].std() == pytest.approx(1, abs=0.1)
    with pytest.raises(ShapeError, match="modulated_conv2d: expected x"):
        modulated_conv2d(Tensor(x), Tensor(weight), Tensor(np.zeros((4, 31))))


@pytest.mark.parametrize("size", [28, 32, 48, 64, 96, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_and_range(size, channels):
    generator, discriminator = pair(size, channels)
    with no_grad():
        pictures = generator(latents(2))
        assert pictures.shape == (2, channels, size, size) and abs(pictures.numpy()).max() <= 1
        assert discriminator(pictures).shape == (2,)


def test_noise_is_drawn_in_training_and_still_in_evaluation():
    generator, _ = pair()
    for module in generator.modules():
        if isinstance(module, style_based.Modulated) and module.noisy:
            module.strength.array = module.strength.array + 1
    with no_grad():
        w = generator.styles(latents())
        assert (generator.synthesise(w).numpy() != generator.synthesise(w).numpy()).any()
        generator.eval()
        assert (generator.synthesise(w).numpy() == generator.synthesise(w).numpy()).all()


def test_mixing_takes_each_level_from_one_of_the_two():
    generator, _ = pair(64)
    generator.eval()
    a, b = latents(2), latents(2, seed=1)
    seen = []
    for crossover in (1, 2, 3):
        mixed = mix(generator, a, b, crossover).numpy()
        assert (mixed == mix(generator, a, b, crossover).numpy()).all()
        seen.append(mixed)
    with no_grad():
        alone, other = generator(a).numpy(), generator(b).numpy()
    assert mix(generator, a, a, 2).numpy() == pytest.approx(alone, abs=1e-6)
    distances = [np.abs(mixed - alone).mean() for mixed in seen]
    assert distances == sorted(distances, reverse=True) and distances[-1] > 0  # fewer levels of the other
    assert np.abs(seen[0] - other).mean() < np.abs(alone - other).mean()
    for crossover in (0, 4):
        with pytest.raises(ArgumentError, match="from 1 to 3"):
            mix(generator, a, b, crossover)


def test_truncation_pulls_styles_to_their_running_mean():
    generator, _ = pair()
    with no_grad():
        for seed in range(400):
            generator(latents(16, seed))
        generator.eval()
        w = generator.styles(latents(500, 999)).numpy()
        mean = generator.mean_style.numpy()
        assert mean == pytest.approx(
            w.mean(axis=0), abs=0.2 * float(w.std())
        )  # 0.995^400 leaves 13 % of the zeros
        half = generator.styles(latents(500, 999), truncation=0.5).numpy()
        assert half == pytest.approx(mean + 0.5 * (w - mean), abs=1e-6)
        flat = generator(latents(), truncation=0.0).numpy()
    assert flat == pytest.approx(np.repeat(flat[:1], 4, axis=0), abs=1e-6)


def images(n=16):
    return np.random.default_rng(0).uniform(-1, 1, (n, 1, 16, 16)).astype(np.float32)


def trainer_of(**options):
    config = gan.resolve("style", shape=(1, 16, 16), base=2, latent=6, batch=4, **options)
    return gan.Trainer.create(config, images(), np.arange(16) % 3 if config.classes else None)


def test_training_moves_every_parameter_and_resumes_bit_for_bit(tmp_path):
    trainer = trainer_of(penalty_every=1)
    before = trainer.generator.state_dict() | trainer.discriminator.state_dict()
    for _ in range(3):
        assert np.isfinite(trainer.train_step().d_loss)
    after = trainer.generator.state_dict() | trainer.discriminator.state_dict()
    same = [name for name in before if (before[name] == after[name]).all()]
    assert all(name.endswith("still") for name in same)
    checkpoint.save(tmp_path / "run.npz", trainer)
    resumed = trainer_of(penalty_every=1)
    checkpoint.restore(tmp_path / "run.npz", resumed)
    for t in (trainer, resumed):
        for _ in range(2):  # draws noise and second styles from the layers' own generators
            t.train_step()
    states = trainer.generator.state_dict(), resumed.generator.state_dict()
    assert all((states[0][name] == states[1][name]).all() for name in states[0])
    z = trainer.fixed_latents(3)
    assert (trainer.sample(z) == resumed.sample(z)).all()


def test_a_second_style_keeps_the_label():
    generator = trainer_of(classes=3).generator.core
    seen = []
    generator.mapping.forward = lambda z: seen.append(z.numpy()) or z
    z = Tensor(np.concatenate([latents().numpy(), np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]], axis=1))
    with no_grad():
        for _ in range(5):
            generator(z)
    assert len(seen) > 5  # the second styles are among them
    assert all((drawn[:, 6:] == z.numpy()[:, 6:]).all() for drawn in seen)
    assert any((drawn[:, :6] != z.numpy()[:, :6]).any() for drawn in seen)
