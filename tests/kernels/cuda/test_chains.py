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
