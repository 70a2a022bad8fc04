"""The oracle itself, held against SciPy, which shares no code with it."""

import numpy as np
import pytest
from scipy.signal import correlate2d

from minigan.kernels.conv import naive
from minigan.ops.conv.spec import from_conv

SETTINGS = [
    {},
    {"stride": (2, 1), "padding": (1, 2)},
    {"stride": (3, 2), "dilation": (1, 2), "padding": (0, 1)},
    {"groups": 2, "padding": (2, 0)},
]


def by_scipy(x, weight, spec):
    """Zero-pad, space the taps out, correlate every pair of channels, keep every stride-th pixel."""
    (SH, SW), (PH, PW), (DH, DW) = spec.stride, spec.padding, spec.dilation
    padded = np.pad(x, ((0, 0), (0, 0), (PH, PH), (PW, PW)))
    spaced = np.zeros(weight.shape[:2] + ((spec.KH - 1) * DH + 1, (spec.KW - 1) * DW + 1))
    spaced[:, :, ::DH, ::DW] = weight
    per_group, y = spec.C // spec.groups, np.zeros(spec.y_shape)
    for n in range(spec.N):
        for o in range(spec.O):
            first = o // (spec.O // spec.groups) * per_group
            for c in range(per_group):
                y[n, o] += correlate2d(padded[n, first + c], spaced[o, c], mode="valid")[::SH, ::SW]
    return y


@pytest.mark.parametrize("settings", SETTINGS)
def test_forward_is_scipys_correlation(settings):
    generator = np.random.default_rng(1)
    x, weight = (
        generator.normal(size=(2, 4, 7, 6)),
        generator.normal(size=(2, 4 // settings.get("groups", 1), 3, 2)),
    )
    spec = from_conv(x.shape, weight.shape, **settings)
    np.testing.assert_allclose(
        naive.forward(x, weight, spec), by_scipy(x, weight, spec), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("settings", SETTINGS)
def test_gradients_are_the_derivatives_of_scipys_correlation(settings):
    """The sum is linear in each factor, so a derivative is an exact difference: no step size."""
    generator = np.random.default_rng(2)
    x, weight = (
        generator.normal(size=(1, 4, 5, 6)),
        generator.normal(size=(2, 4 // settings.get("groups", 1), 3, 2)),
    )
    spec = from_conv(x.shape, weight.shape, **settings)
    g = generator.normal(size=spec.y_shape)
    gx, gweight = naive.input_grad(g, weight, spec), naive.weight_grad(x, g, spec)
    for at in np.ndindex(*x.shape):
        unit = np.zeros(x.shape)
        unit[at] = 1
        np.testing.assert_allclose(gx[at], np.sum(g * by_scipy(unit, weight, spec)), rtol=1e-12, atol=1e-12)
    for at in np.ndindex(*weight.shape):
        unit = np.zeros(weight.shape)
        unit[at] = 1
        np.testing.assert_allclose(gweight[at], np.sum(g * by_scipy(x, unit, spec)), rtol=1e-12, atol=1e-12)
