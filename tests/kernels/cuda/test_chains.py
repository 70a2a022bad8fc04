"""Element-wise chains at the ends of what a number can be; test_kernels.py has the rest."""

import numpy as np

from minigan import backend
from minigan.kernels.cuda import chains


def test_softplus_far_out(on_device):
    x = np.array([-1e4, -800.0, 0.0, 30.0, 1e4, np.nan, np.inf, -np.inf])
    wanted = [0, 0, np.log(2), 30, 1e4, np.nan, np.inf, 0]
    for threshold in (20.0, np.inf):
        y = backend.to_host(chains.softplus(on_device(x), threshold))
        np.testing.assert_allclose(y, wanted, rtol=1e-12, atol=1e-300)
        slope = backend.to_host(chains.softplus_grad(on_device(np.ones(8)), on_device(x), threshold))
        np.testing.assert_allclose(slope, [0, 0, 0.5, 1, 1, np.nan, 1, 0], rtol=1e-12, atol=1e-12)


def test_probabilities_at_the_ends(on_device):
    """No log under -100, no divisor under 1e-12, and NaN for what is no probability."""
    x, t = np.array([0.0, 1.0, 0.0, 1.0, -0.1, 1.1, np.nan]), np.array([1.0, 0.0, 0.0, 1.0, 0.5, 0.5, 1.0])
    loss = backend.to_host(chains.cross_entropy(on_device(x), on_device(t), "probability_loss"))
    np.testing.assert_array_equal(loss, [100, 100, 0, 0, np.nan, np.nan, np.nan])
    arrays = map(on_device, (np.ones(4), x[:4], t[:4]))
    slope = backend.to_host(chains.cross_entropy_grad(*arrays, "probability_loss_grad"))
    np.testing.assert_allclose(slope, [-1e12, 1e12, 1, -1])


def test_sigmoid_far_out(on_device):
    x = np.array([-1e4, -800.0, 0.0, 800.0, np.inf, -np.inf, np.nan])
    y = backend.to_host(chains.sigmoid(on_device(x)))
    np.testing.assert_allclose(y, [0, 0, 0.5, 1, 1, 0, np.nan], atol=1e-300)
