"""Transform sizes, and what the threads share."""

import numpy as np

from minigan.kernels.conv import fft
from minigan.ops.conv.spec import ConvSpec


def test_fast_sizes_have_small_factors_and_are_the_next():
    fast = sorted(2**a * 3**b * 5**c for a in range(9) for b in range(6) for c in range(4))
    for size in range(1, 200):
        assert fft.fast_size(size) == next(one for one in fast if one >= size)


def test_cells_hold_the_padded_image_and_jobs_two_a_thread(jobs, workers):
    workers(2)
    spec = ConvSpec(3, 9, 11, 12, 10, 3, 5, padding=(1, 2))
    assert fft.sizes(spec) == (15, 16)
    spectrum = fft.image_spectrum(np.ones(spec.x_shape, np.float32), spec)
    assert spectrum.shape == (15 * 9, 3, 9) and spectrum.dtype == np.complex64 and jobs == [4]
    jobs.clear()
    fft.multiply(spectrum, spectrum.transpose(0, 2, 1))
    assert jobs == [2]  # a thread each
    jobs.clear()
    assert fft.inverse(spectrum, (15, 16), slice(0, 11), slice(0, 12)).dtype == np.float32 and jobs == [4]
