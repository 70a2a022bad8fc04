"""Whole steps, a GAN's and a style transfer's, on a device with kernels: the same numbers as on NumPy."""

import numpy as np
import pytest

from minigan import backend, gan
from minigan.gan import models
from minigan.style import Extractor, Settings, filters
from minigan.style.features import PICTURES, vgg_like
from minigan.style.objective import Objective


def trained(device, steps=2, model="dcgan", shape=(1, 8, 8), **options):
    """Records and weights of a few steps of the trainer."""
    backend.use(device)
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (24, *shape)).astype(np.float32)
    config = gan.Config(model=model, shape=shape, latent=4, base=4, batch=8, seed=3, **options)
    trainer = gan.Trainer.create(config, images)
    records = [trainer.train_step() for _ in range(steps)]
    nets = (trainer.generator, trainer.discriminator)
    return records, [array for net in nets for array in net.state_dict().values()]


@pytest.mark.parametrize(
    "options", ({}, {"r1": 1.0, "ema": 0.9}, {"augment": "brightness,translation,cutout"})
)
def test_a_gan_step(device, options):
    wanted, expected = trained("numpy", **options)
    got, found = trained(device, **options)
    agree(got, wanted)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-2, atol=1e-3)


def agree(got, wanted):
    """What the records say, to the digits that float32 leaves after some steps."""
    for a, b in zip(got, wanted, strict=True):
        for name in ("d_loss", "g_loss", "g_norm", "d_norm", "penalty", "diversity"):
            assert getattr(a, name) == pytest.approx(getattr(b, name), rel=1e-3, abs=1e-5), name


SHAPES = {"planar": (1, 1, 2), "strided": (1, 28, 28)}


@pytest.mark.parametrize("model", models.MODELS)
def test_a_step_of_every_model(device, model):
    shape = SHAPES.get(model, (1, 16, 16))
    agree(*(trained(name, 1, model, shape)[0] for name in (device, "numpy")))


def value(device, dtype):
    """Loss and gradient of a small painting."""
    backend.use(device)
    layers = [*PICTURES, *vgg_like((4, 6))]
    weights = filters.random_weights(layers, np.random.default_rng(0))
    net = Extractor("tiny", layers, weights, mean=(0.5,) * 3, std=(0.25,) * 3, content=("relu2_1",),
                    style=("relu1_1", "relu2_1"), dtype=dtype)  # fmt: skip
    rng = np.random.default_rng(1)
    content, style, painting = (rng.uniform(0.1, 0.9, (3, 16, 24)) for _ in range(3))
    function = Objective(net, Settings(), content, [style], [1.0], [None])
    return function(painting[None].astype(dtype))


@pytest.mark.parametrize("dtype, bound", ((np.float64, 1e-10), (np.float32, 1e-4)))
def test_a_style_step(device, dtype, bound):
    wanted, got = value("numpy", dtype), value(device, dtype)
    assert got.total == pytest.approx(wanted.total, rel=bound)
    scale = np.abs(wanted.gradient).max()
    np.testing.assert_allclose(got.gradient, wanted.gradient, rtol=0, atol=bound * scale)
