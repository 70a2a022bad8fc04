"""How threads share a convolution: by channels where there are few pixels, and by sums that are added up."""

import numpy as np
import pytest

from minigan import Tensor, ops
from minigan.kernels import blas
from minigan.kernels.conv import im2col, naive, registry, winograd, winograd1d
from minigan.ops.conv.spec import ConvSpec

WIDE = ConvSpec(1, 2, 4, 6, 192, 3, 3, padding=1)  # few pixels, many filters
TALL = ConvSpec(3, 2, 9, 7, 4, 3, 3, padding=1)  # three rows of the kernel do not divide by two


@pytest.mark.parametrize("name", ["im2col", "winograd", "winograd1d"])
@pytest.mark.parametrize("spec", [WIDE, TALL], ids=["wide", "tall"])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_any_number_of_threads_gives_the_same_result(name, spec, threads, monkeypatch):
    monkeypatch.setattr(blas, "workers", lambda: threads)  # whatever the machine has
    for module, limit, value in ((im2col, "SMALL", 0), (im2col, "TILE", 900), (winograd, "TILE", 900),
                                 (winograd, "LEAST", 1), (winograd1d, "TILE", 900)):  # fmt: skip
        monkeypatch.setattr(module, limit, value, raising=False)
    algorithm, rng = registry.get(name), np.random.default_rng(0)
    x, weight, g = (rng.normal(size=shape) for shape in (spec.x_shape, spec.weight_shape, spec.y_shape))
    for function, arrays in (("forward", (x, weight)), ("input_grad", (g, weight)), ("weight_grad", (x, g))):
        if algorithm.supports(spec, function) == "":
            found, wanted = (getattr(how, function)(*arrays, spec) for how in (algorithm, naive))
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9, err_msg=function)


def test_a_weight_that_was_computed_keeps_nothing_prepared():
    weight = Tensor(np.ones((2, 1, 3, 3)), requires_grad=True)
    computed = weight * 2.0
    ops.conv2d(Tensor(np.ones((1, 1, 5, 5))), computed).sum().backward()
    assert computed.cache is None and weight.grad is not None
