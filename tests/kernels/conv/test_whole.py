"""The kernel that covers the whole image: chosen where it applies, right when its rows are shared out."""

import numpy as np
import pytest

from minigan.kernels import blas
from minigan.kernels.conv import naive, registry, whole
from minigan.ops.conv.spec import ConvSpec

SPEC = ConvSpec(5, 3, 4, 3, 7, 4, 3)


@pytest.mark.parametrize("function", registry.FUNCTIONS)
def test_it_is_chosen_for_a_latent_vector_s_first_layer(function):
    assert registry.choose(ConvSpec(128, 128, 7, 7, 100, 7, 7), function).name == "whole"
    assert "without padding" in whole.supports(ConvSpec(2, 3, 4, 4, 2, 4, 4, padding=1), function)
    assert "must cover" in whole.supports(ConvSpec(2, 3, 5, 4, 2, 4, 4), function)
    assert "one group" in whole.supports(ConvSpec(2, 4, 4, 4, 2, 4, 4, groups=2), function)


def test_shared_rows_and_images_come_out_channels_last(monkeypatch):
    monkeypatch.setattr(blas, "WORTH_SPLITTING", 0)
    generator = np.random.default_rng(0)
    x, weight, g = (generator.normal(size=s) for s in (SPEC.x_shape, SPEC.weight_shape, SPEC.y_shape))
    for function, pair in (("forward", (x, weight)), ("input_grad", (g, weight)), ("weight_grad", (x, g))):
        got = getattr(whole, function)(*pair, SPEC)
        np.testing.assert_allclose(got, getattr(naive, function)(*pair, SPEC), rtol=1e-12, atol=1e-12)
        assert got.transpose(0, 2, 3, 1).flags.c_contiguous
