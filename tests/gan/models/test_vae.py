"""The VAE's networks are the DCGAN's, the trunk turned into an encoder."""

import numpy as np
import pytest

from minigan import Tensor, gan, no_grad
from minigan.gan import models


@pytest.mark.parametrize("size", [28, 32, 48, 64, 96, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes(size, channels):
    config = gan.resolve("vae", shape=(channels, size, size), base=2, latent=5)
    decoder, encoder = models.build(config)
    with no_grad():
        mean, log_variance = encoder(Tensor(np.zeros((2, channels, size, size), np.float32)))
        assert mean.shape == log_variance.shape == (2, 5)
        assert decoder(mean).shape == (2, channels, size, size)


def test_in_evaluation_latents_are_carried_to_where_codes_lie():
    decoder, _ = models.build(gan.resolve("vae", shape=(1, 8, 8), base=2, latent=3))
    decoder.core.eval()
    z = Tensor(np.random.default_rng(0).standard_normal((5, 3), np.float32))
    with no_grad():
        codes = decoder(z).numpy()  # in training: what comes in are codes
        decoder.training = False
        assert decoder(z).numpy() == pytest.approx(codes, abs=1e-5)  # nothing is known yet: N(0, 1)
        decoder.settle((np.ones(1), np.full((1, 3), 2.0), 0.5 * np.eye(3)[None]))
        carried = decoder(z).numpy()
        assert carried == pytest.approx(decoder.core(z * 0.5 + 2.0).numpy(), abs=1e-5)
    assert np.abs(carried - codes).max() > 1e-3


def test_the_networks_are_those_of_the_dcgan():
    decoder, encoder = models.build(
        gan.resolve("vae", shape=(1, 28, 28), base=4, latent=5, upsampling="transposed")
    )
    generator, discriminator = models.build(gan.resolve("dcgan", shape=(1, 28, 28), base=4, latent=5))
    shapes = [[p.shape for p in n.parameters()] for n in (decoder, generator, encoder.trunk, discriminator)]
    assert shapes[0] == shapes[1]
    assert shapes[2] == shapes[3][:-2]  # all but the logit's weight and bias
    assert encoder.head.out_features == 10
