"""Every pair of networks: shapes, ranges, sizes it refuses, and the lesson's own parameter counts."""

import numpy as np
import pytest

from minigan import Tensor, nn, no_grad
from minigan.errors import ArgumentError, DataError
from minigan.gan import RECIPES, models, resolve
from minigan.gan.models import dcgan
from minigan.testing import gradcheck

LESSON = {  # as the notebooks printed them: generator, discriminator, whether running statistics are counted
    "lesson-dense": (1_489_936, 533_505, False),
    "lesson-dcgan": (600_512, 661_248, False),
    "lesson-upscale": (856_193, 393_729, True),
}


@pytest.mark.parametrize("recipe", LESSON)
def test_parameter_counts_are_the_lessons(recipe):
    *printed, with_statistics = LESSON[recipe]
    for network, expected in zip(models.build(resolve(recipe)), printed, strict=True):
        count = models.count_parameters(network)
        if with_statistics:
            count += sum(b.size for name, b in network.named_buffers() if "running" in name)
        assert count == expected


def pair_of(recipe, **options):
    config = resolve(recipe, **options)
    return config, *models.build(config)


PLAIN = [name for name in RECIPES if RECIPES[name]["model"] not in ("msg", "vae")]  # pictures in, logits out


@pytest.mark.parametrize("recipe", PLAIN)
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_and_range(recipe, channels):
    config, generator, discriminator = pair_of(recipe, shape=(channels, 28, 28), base=4, latent=16)
    with no_grad():
        z = Tensor(np.random.default_rng(0).standard_normal((5, 16), np.float32))
        pictures = generator.eval()(z)  # in training msg's hands all its scales over on one sheet
        assert pictures.shape == (5, channels, 28, 28)
        assert pictures.numpy().min() >= -1 and pictures.numpy().max() <= 1
        judged = discriminator(pictures)
        if recipe == "vae":  # its encoder stands in the discriminator's place
            assert [part.shape for part in judged] == [(5, 16), (5, 16)]
        else:
            assert judged.shape == (5,)


@pytest.mark.parametrize("size", [(28, 28), (32, 32), (48, 48), (64, 64), (96, 96), (128, 128), (24, 40)])
def test_dcgan_takes_every_size(size):
    _, generator, discriminator = pair_of("dcgan", shape=(3, *size), base=2, latent=8)
    with no_grad():
        pictures = generator(Tensor(np.zeros((2, 8), np.float32)))
        assert pictures.shape == (2, 3, *size)
        assert discriminator(pictures).shape == (2,)


@pytest.mark.parametrize("size", [(28, 28), (64, 64), (24, 40)])
def test_dcgan_with_smooth_upsampling_and_a_look_at_the_batch(size):
    options = {"shape": (3, *size), "base": 2, "latent": 8, "upsampling": "bilinear", "minibatch_std": True}
    _, generator, discriminator = pair_of("dcgan", **options)
    assert not any(isinstance(m, nn.ConvTranspose2d) for m in generator.modules())
    with no_grad():
        pictures = generator(Tensor(np.random.default_rng(0).standard_normal((4, 8), np.float32)))
        assert pictures.shape == (4, 3, *size)
        alone = discriminator(pictures).numpy()
        same = discriminator(Tensor(np.repeat(pictures.numpy()[:1], 4, axis=0))).numpy()
    assert alone.shape == (4,) and abs(alone[0] - same[0]) > 1e-6  # the same picture in another company


def test_the_four_pixels_of_a_position_start_alike():
    _, generator, _ = pair_of("dcgan", shape=(3, 16, 16), base=4, latent=8, upsampling="bilinear")
    with no_grad():
        pictures = generator(Tensor(np.random.default_rng(0).standard_normal((2, 8), np.float32))).numpy()
    fours = pictures.reshape(2, 3, 8, 2, 8, 2)
    assert np.ptp(fours, axis=(3, 5)).max() < 1e-6 < np.ptp(pictures)


@pytest.mark.parametrize("shape", [(1, 1, 4, 7), (3, 2, 9, 6)])
def test_jitter_shifts_a_batch_by_a_pixel_or_none_each_way(shape):
    jitter, x = dcgan.Jitter(np.random.default_rng(0)), np.random.default_rng(1).standard_normal(shape)
    assert jitter.eval()(Tensor(x)).numpy() == pytest.approx(x)
    framed = np.pad(x, ((0, 0), (0, 0), (0, 1), (0, 1)), mode="edge")
    shifts = [framed[:, :, i : i + shape[2], j : j + shape[3]] for i in (0, 1) for j in (0, 1)]
    jitter.train()
    seen = []
    for _ in range(60):
        found = jitter(Tensor(x)).numpy()
        seen += [number for number, shift in enumerate(shifts) if (found == shift).all()]
    assert len(seen) == 60 and all(5 < seen.count(number) < 30 for number in range(4))
    state = jitter.random_state()

    def again(x):
        jitter.load_random_state(state)
        return jitter(x) ** 2

    assert gradcheck(again, [Tensor(x)], order=2)


def test_a_strided_layer_behind_a_jitter_teaches_no_grid():
    """The slope of a strided convolution has waves of two pixels; averaged over the shifts it has none."""
    jitter = dcgan.Jitter(np.random.default_rng(0))
    layer = nn.Conv2d(1, 3, 4, stride=2, padding=1, generator=np.random.default_rng(1)).to(dtype=np.float64)
    x = Tensor(np.zeros((1, 1, 16, 16)), requires_grad=True)

    def grid(slope):
        inner = slope[0, 0, 4:12, 4:12]  # away from the edges
        return np.abs(np.fft.fft2(inner)[[4, 4, 0], [4, 0, 4]]).max()

    slopes = {}
    while len(slopes) < 4:
        x.grad = None
        layer(jitter(x)).sum().backward()
        slopes[x.grad.numpy().tobytes()] = x.grad.numpy()
    assert max(map(grid, slopes.values())) > 1
    assert grid(sum(slopes.values())) < 1e-9


@pytest.mark.parametrize(
    "recipe, size", [("dcgan", 30 + 1), ("dcgan", 6), ("lesson-dcgan", 32), ("lesson-upscale", 30)]
)
def test_sizes_that_do_not_fit_are_refused_with_the_size(recipe, size):
    with pytest.raises(ArgumentError, match=f"{size} x {size}"):
        models.build(resolve(recipe, shape=(1, size, size)))


@pytest.mark.parametrize(
    "model, option",
    [("dense", "minibatch_std"), ("vae", "minibatch_std"), ("msg", "upsampling"), ("dcgan", "kl_weight")],
)
def test_options_that_a_model_has_no_use_for_are_refused(model, option):
    value = {"minibatch_std": True, "upsampling": "bilinear", "kl_weight": 3.0}[option]
    with pytest.raises(ArgumentError, match=f"{option}: only for .*, and the model is {model}"):
        models.build(resolve(model, **{"shape": (1, 32, 32), option: value}))


def test_same_seed_same_weights_other_seed_others():
    def weights(seed):
        return models.build(resolve("dcgan", base=2, latent=8, seed=seed))[0].state_dict()

    a, b, c = weights(1), weights(1), weights(2)
    assert all((a[name] == b[name]).all() for name in a)
    assert any((a[name] != c[name]).any() for name in a)


def test_lesson_dcgan_starts_with_small_normal_weights():
    _, generator, discriminator = pair_of("lesson-dcgan")
    convolutions = [p.numpy() for n in (generator, discriminator) for p in n.parameters() if p.ndim == 4]
    assert all(abs(w.std() - 0.02) < 0.003 for w in convolutions)
    scales = np.concatenate(
        [p.numpy() for name, p in generator.named_parameters() if p.ndim == 1 and name.endswith("weight")]
    )
    assert abs(scales.mean() - 1) < 0.01 and abs(scales.std() - 0.02) < 0.005


def test_unknown_model_is_refused():
    with pytest.raises(ArgumentError, match="expected one of dense"):
        models.build(resolve("dense", model="transformer"))


@pytest.mark.parametrize("recipe", ["dcgan", "dense", "lesson-upscale"])
def test_conditional_networks_listen_to_the_label(recipe):
    config, generator, discriminator = pair_of(recipe, shape=(2, 12, 12), base=2, latent=5, classes=3)
    generator.eval(), discriminator.eval()
    with no_grad():
        z = Tensor(np.random.default_rng(0).standard_normal((1, 5), np.float32).repeat(3, axis=0))
        pictures = generator(z, np.arange(3)).numpy()
        assert pictures.shape == (3, 2, 12, 12)
        assert abs(pictures[0] - pictures[1]).max() > 1e-4 and abs(pictures[1] - pictures[2]).max() > 1e-4
        same = Tensor(pictures[:1].repeat(3, axis=0))
        assert len(np.unique(discriminator(same, np.arange(3)).numpy())) == 3
        for labels in (np.array([0, 1, 3]), np.array([0, -1, 2])):
            with pytest.raises(DataError, match="expected 0 to 2"):
                generator(z, labels)


@pytest.mark.parametrize("size", [28, 64])
def test_pooled_discriminator_has_a_dense_feature_vector(size):
    _, generator, discriminator = pair_of("dcgan", model="pooled", shape=(3, size, size), base=4, latent=8)
    with no_grad():
        pictures = generator(Tensor(np.zeros((2, 8), np.float32)))
        assert pictures.shape == (2, 3, size, size)
        assert discriminator[:-3](pictures).shape == (2, 128)
        assert discriminator(pictures).shape == (2,)


@pytest.mark.parametrize("model", ["dcgan", "dense", "pooled", "upscale"])
def test_projection_starts_as_the_unconditional_net_and_learns_to_mind_the_label(model):
    options = {"model": model, "shape": (2, 12, 12), "base": 2, "latent": 5, "classes": 3}
    _, _, discriminator = pair_of("dcgan", **options, projection=True)
    discriminator.eval()
    x = Tensor(np.random.default_rng(0).standard_normal((3, 2, 12, 12), np.float32))
    with no_grad():
        assert discriminator.head(discriminator.trunk(x)).flatten().numpy() == pytest.approx(
            discriminator(x, np.arange(3)).numpy(), abs=1e-6
        )
        features = discriminator.trunk(x).numpy()
        discriminator.vectors.array = np.random.default_rng(1).standard_normal(
            discriminator.vectors.shape, np.float32
        )
        plain = discriminator.head(Tensor(features)).numpy()[:, 0]
        for label in range(3):
            expected = plain + features @ discriminator.vectors.numpy()[label]
            assert discriminator(x, np.full(3, label)).numpy() == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_projection_needs_a_dense_end():
    with pytest.raises(
        ArgumentError, match="projection: expected a discriminator that ends in a dense layer"
    ):
        pair_of("lesson-dcgan", classes=3, projection=True)
