"""Value noise: smooth, in range, from its seed."""

import numpy as np

from minigan.data.noise import noise, octaves, soft, stretch


def test_noise_is_smooth_and_in_range():
    values = noise(np.random.default_rng(0), 200, 20.0)
    assert 0 <= values.min() and values.max() <= 1 and values.std() > 0.1
    assert np.abs(np.diff(values, axis=0)).max() < 1.5 / 20 + 1e-9  # slope of 3t^2 - 2t^3 is at most 1.5
    layered = octaves(np.random.default_rng(0), 100, 20.0)
    assert layered.min() == 0 and layered.max() == 1
    np.testing.assert_array_equal(layered, octaves(np.random.default_rng(0), 100, 20.0))


def test_steps_and_stretches():
    np.testing.assert_array_equal(soft(np.array([-1, -0.5, 0, 0.5, 1]), 1.0), [0, 0, 0.5, 1, 1])
    np.testing.assert_array_equal(stretch(np.array([2.0, 3.0, 6.0])), [0, 0.25, 1])
    np.testing.assert_array_equal(stretch(np.full(3, 2.0)), [0, 0, 0])
