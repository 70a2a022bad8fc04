"""Several resolutions at once: the sheet, what G puts on it, and that D looks at every scale."""

import numpy as np
import pytest

from minigan import Tensor, gan, no_grad
from minigan.autograd import grad
from minigan.errors import ArgumentError, ShapeError
from minigan.gan import models
from minigan.gan.models import msg
from minigan.testing import gradcheck


def pair(size=32, channels=3, base=2, **options):
    config = gan.resolve("msg", shape=(channels, size, size), base=base, latent=6, batch=4, **options)
    return models.build(config)


def latents(n=4):
    return Tensor(np.random.default_rng(0).standard_normal((n, 6), np.float32))


def pyramid(sizes, dtype=np.float64):
    draw = np.random.default_rng(0)
    return [Tensor(draw.standard_normal((2, 1, *size)).astype(dtype)) for size in sizes]


SIZES = [(3, 5), (6, 10), (12, 20), (24, 40)]


def test_what_is_packed_comes_out_again_and_the_rest_is_zero():
    pictures = pyramid(SIZES)
    sheet = msg.pack(pictures[::-1])
    assert sheet.shape == (2, 1, 24, 60)
    for before, after in zip(pictures, msg.unpack(sheet, SIZES), strict=True):
        assert (before.numpy() == after.numpy()).all()
    assert np.count_nonzero(sheet.numpy()) == sum(x.size for x in pictures)


def test_pack_and_unpack_have_gradients_to_second_order():
    sizes = SIZES[:2]

    def through(*pictures):
        small, large = msg.unpack(msg.pack(list(pictures)), sizes)
        return (small**3).sum() + (large**3).sum()

    assert gradcheck(through, pyramid(sizes)[::-1], order=2)


@pytest.mark.parametrize("size", [28, 32, 48, 64, 96, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes(size, channels):
    generator, discriminator = pair(size, channels)
    with no_grad():
        sheet = generator(latents(2))
        assert sheet.shape == (2, channels, size, size + size // 2)
        generator.training = False  # its own answer changes; its batch norms still take the batch's figures
        pictures = generator(latents(2))
        assert pictures.shape == (2, channels, size, size)
        assert pictures.numpy() == pytest.approx(sheet.numpy()[..., :size], abs=1e-5)
        assert discriminator(sheet).shape == discriminator(pictures).shape == (2,)


def test_plain_pictures_are_judged_by_their_own_scales():
    discriminator = pair(16)[1].eval()  # no jitter
    x = Tensor(np.random.default_rng(0).uniform(-1, 1, (4, 3, 16, 16)).astype(np.float32))
    with no_grad():
        sheet = msg.pack(msg.scales(x, 2)[::-1])
        assert discriminator(x).numpy() == pytest.approx(discriminator(sheet).numpy(), abs=1e-5)
        means = [scale.numpy().mean() for scale in msg.scales(x, 3)]
    assert means == pytest.approx([means[0]] * 3, abs=1e-5)
    with pytest.raises(ShapeError, match="or sheets"):
        discriminator(Tensor(np.zeros((4, 3, 16, 17), np.float32)))


def test_every_scale_gets_a_gradient_of_its_own():
    _, discriminator = pair(32)
    x = Tensor(np.random.default_rng(0).uniform(-1, 1, (4, 3, 32, 48)).astype(np.float32), requires_grad=True)
    (slope,) = grad(discriminator(x).sum(), x)
    parts = msg.unpack(slope, discriminator.sizes)
    assert len(parts) == 3 and all(np.abs(part.numpy()).max() > 1e-6 for part in parts)


def test_the_discriminator_has_second_derivatives():
    discriminator = pair(16, 1, base=1)[1].eval().to(dtype=np.float64)
    x = np.random.default_rng(1).standard_normal((2, 1, 16, 16))
    assert gradcheck(lambda x: discriminator(x), [Tensor(x)], order=2)


@pytest.mark.parametrize("options", [{"r1": 1.0, "r2": 1.0, "penalty_every": 1}, {"classes": 3}])
def test_training_moves_every_parameter(options):
    config = gan.resolve("msg", shape=(1, 16, 16), base=2, latent=6, batch=4, **options)
    images = np.random.default_rng(0).uniform(-1, 1, (12, 1, 16, 16)).astype(np.float32)
    trainer = gan.Trainer.create(config, images, np.arange(12) % 3 if "classes" in options else None)
    before = trainer.generator.state_dict() | trainer.discriminator.state_dict()
    for _ in range(2):
        record = trainer.train_step()
    after = trainer.generator.state_dict() | trainer.discriminator.state_dict()
    assert np.isfinite(record.d_loss) and record.diversity > 0
    assert [name for name in before if (before[name] == after[name]).all()] == []
    assert trainer.sample(trainer.fixed_latents(3)).shape == (3, 1, 16, 16)


@pytest.mark.parametrize("option", [{"augment": "flip"}, {"wgan_gp": 10.0}])
def test_options_that_would_cut_through_a_sheet_are_refused(option):
    with pytest.raises(ArgumentError, match=f"{next(iter(option))}: the msg model"):
        pair(**option)
