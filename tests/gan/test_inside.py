"""Looking inside a pair: each figure against one that was worked out another way."""

import math

import numpy as np
import pytest

from minigan import gan, nn
from minigan.errors import ArgumentError
from minigan.gan import checkpoint, inside, models
from minigan.gan.checkpoint import Sampler
from minigan.gan.record import by_layer
from minigan.modes import no_grad
from minigan.tensor import Tensor


def sampler_of(model="dense", **options):
    config = gan.resolve(model, shape=(1, 16, 16), latent=6, base=2, batch=8, **options)
    generator, discriminator = models.build(config)
    return Sampler(config, generator, {}), discriminator.eval().requires_grad_(False)


def test_layers_are_found_in_order_whatever_holds_them():
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.Linear(3, 4, generator=rng), nn.Sequential(nn.ReLU(), nn.Unflatten(1, (4, 1, 1))))
    x = Tensor(rng.standard_normal((2, 3)).astype(np.float32))
    found = inside.layers(net, x)
    assert [(one.name, one.kind) for one in found] == [("0", "Linear"), ("1.0", "ReLU"), ("1.1", "Unflatten")]
    with no_grad():
        assert np.array_equal(found[1].output, np.maximum(net[0](x).numpy(), 0))
    assert not net._before and not net[1]._after  # the hooks are gone


def test_a_modulated_convolution_is_a_layer_and_so_is_the_dense_one_in_it():
    sampler, _ = sampler_of("style")
    kinds = [(one.name, one.kind) for one in inside.layers(sampler.generator, Tensor(sampler.latents(2)))]
    assert ("levels.1.layers.0", "Modulated") in kinds and ("levels.1.layers.0.scale", "Linear") in kinds


def test_directions_of_a_linear_first_layer_are_its_singular_vectors():
    """For white latents GANSpace on a linear layer is SeFa: the right singular vectors of its weight."""
    sampler, _ = sampler_of("dense")
    rng = np.random.default_rng(3)
    layer = sampler.generator[0]
    left, right = (np.linalg.qr(rng.standard_normal((n, 6)))[0] for n in (layer.weight.shape[0], 6))
    sizes = np.array([9.0, 6, 4, 2, 1, 0.5])
    layer.weight.array[...] = (left * sizes) @ right.T
    layer.bias.array[...] = 100.0  # so that the leaky ReLU is a straight line
    sampler.generator[1] = nn.Identity()
    found = inside.directions(sampler, most=3, count=4000)
    assert np.abs(found.ways @ right)[range(3), range(3)] == pytest.approx(1, abs=0.02)
    assert found.share == pytest.approx((sizes**2 / (sizes**2).sum())[:3], abs=0.03)
    assert found.length == pytest.approx(1, abs=0.05) and not found.styles
    assert np.linalg.norm(found.ways, axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("model, classes", [("dcgan", 0), ("style", 0), ("style", 3), ("dense", 3)])
def test_the_middle_of_every_walk_is_the_picture_itself(model, classes):
    sampler, _ = sampler_of(model, classes=classes)
    latents, label = sampler.latents(2), 1 if classes else None
    found = inside.directions(sampler, most=2, count=50)
    assert found.styles == (model == "style")
    pictures = inside.walk(sampler, found, latents[0], label, np.array([-2.0, 0.0, 2.0]))
    own = sampler(latents[:1], None if label is None else np.array([label]))
    assert pictures.shape == (2, 3, 1, 16, 16)
    assert pictures[:, 1] == pytest.approx(np.repeat(own, 2, 0), abs=1e-5)
    assert not np.allclose(pictures[0, 0], pictures[0, 2])


@pytest.mark.parametrize("options", [{}, {"classes": 3}, {"pack": 2}, {"classes": 3, "projection": True}])
def test_slopes_are_those_of_differences(options):
    sampler, discriminator = sampler_of("dcgan", **options)
    labels = np.array([0, 2]) if "classes" in options else None
    pictures = sampler(sampler.latents(2), labels)
    logits, slope = inside.slopes(sampler.config, discriminator, pictures, labels)
    assert logits.shape == (2,) and slope.shape == pictures.shape
    if "pack" not in options:  # a picture stands in two packs, and its slope is of both logits
        place, step = (0, 0, 5, 7), 1e-2
        moved = [pictures.copy(), pictures.copy()]
        moved[0][place] += step
        moved[1][place] -= step
        up, down = (inside.slopes(sampler.config, discriminator, one, labels)[0] for one in moved)
        assert slope[place] == pytest.approx((up - down)[0] / (2 * step), abs=1e-3)


def test_a_vae_has_no_logit():
    sampler, encoder = sampler_of("vae")
    with pytest.raises(ArgumentError, match="no logit"):
        inside.slopes(sampler.config, encoder, sampler(sampler.latents(2)), None)


@pytest.mark.parametrize("model", ["dense", "vae"])
def test_gradient_norms_are_the_trainers_and_nothing_learns(model):
    images = np.random.default_rng(0).uniform(-1, 1, (16, 1, 16, 16)).astype(np.float32)
    config = gan.resolve(model, shape=(1, 16, 16), latent=6, base=2, batch=8)
    trainer, other = (gan.Trainer.create(config, images) for _ in range(2))
    before = {k: v.numpy().copy() for k, v in trainer.discriminator.state_dict().items()}
    found = inside.gradient_norms(trainer)
    record = other.train_step()
    for net, whole in (("G", record.g_norm), ("D", record.d_norm)):
        assert np.sqrt(sum(n**2 for who, _, n, _ in found if who == net)) == pytest.approx(whole, rel=1e-4)
    after = trainer.discriminator.state_dict()
    assert all(np.array_equal(before[name], after[name].numpy()) for name in before if "running" not in name)
    assert [name for who, name, *_ in found if who == "D"] == [
        n for n, _ in trainer.discriminator.named_parameters()
    ]
    assert np.isfinite(trainer.train_step().d_loss)  # the optimisers work again


def test_nearest_pictures_by_their_pixels():
    rng = np.random.default_rng(0)
    data = rng.uniform(-1, 1, (30, 1, 4, 4)).astype(np.float32)
    index, distance = inside.nearest(data[[7, 3]] * 0.999, data, most=2)
    assert index[:, 0].tolist() == [7, 3] and (distance[:, 0] < 0.01).all()
    other = np.sqrt(((data[7] * 0.999 - data[index[0, 1]]) ** 2).mean())
    assert distance[0, 1] == pytest.approx(other, abs=1e-4) and (distance[:, 1] > distance[:, 0]).all()


def test_the_discriminator_comes_back_from_a_checkpoint(tmp_path):
    images = np.random.default_rng(0).uniform(-1, 1, (16, 1, 16, 16)).astype(np.float32)
    trainer = gan.Trainer.create(gan.resolve("dcgan", shape=(1, 16, 16), latent=6, base=2, batch=8), images)
    trainer.train_step()
    checkpoint.save(tmp_path / "one.npz", trainer)
    found = checkpoint.load_discriminator(tmp_path / "one.npz")
    with no_grad():
        wanted = trainer.discriminator.eval()(Tensor(images)).numpy()
        assert found(Tensor(images)).numpy() == pytest.approx(wanted, abs=1e-6)
    assert not found.training and not any(p.requires_grad for p in found.parameters())


@pytest.mark.parametrize("recipe", ["dcgan", "vae", "progressive", "style"])
def test_the_layers_lengths_are_those_of_the_gradients(recipe):
    images = np.random.default_rng(0).uniform(-1, 1, (8, 1, 16, 16)).astype(np.float32)
    config = gan.resolve(recipe, shape=(1, 16, 16), latent=4, base=2, batch=4)
    trainer = gan.Trainer.create(config, images)
    assert inside.gradient_lengths(trainer) == {}
    seen = {}

    def spy(optimizer, network, name):
        step = optimizer.step

        def watched():
            seen[name] = [
                0.0 if p.grad is None else float((p.grad.numpy().astype(np.float64) ** 2).sum())
                for p in network.parameters()
            ]
            return step()

        optimizer.step = watched

    spy(trainer.g_optimizer, trainer.generator, "G")
    spy(trainer.d_optimizer, trainer.discriminator, "D")
    step = trainer.train_step()
    lengths = inside.gradient_lengths(trainer)
    networks = {"G": trainer.generator, "D": trainer.discriminator}
    for name, network in networks.items():
        assert lengths[name] == pytest.approx(by_layer(network, seen[name]), rel=1e-5)
        total = step.g_norm if name == "G" else step.d_norm
        assert total == pytest.approx(math.hypot(*lengths[name].values()), rel=1e-9)
    grown = [length > 0 for length in lengths["G"].values()]
    assert any(grown) and all(grown) == (recipe != "progressive")


def test_d_that_rests_has_no_gradient():
    images = np.random.default_rng(0).uniform(-1, 1, (8, 1, 16, 16)).astype(np.float32)
    config = gan.resolve("dcgan", shape=(1, 16, 16), latent=4, base=2, batch=4, skip_d_below=100.0)
    trainer = gan.Trainer.create(config, images)
    step = trainer.train_step()
    lengths = inside.gradient_lengths(trainer)
    assert step.skipped and not any(lengths["D"].values()) and all(lengths["G"].values())
