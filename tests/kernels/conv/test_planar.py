"""The planes of an image of few channels: strides that leave lines, columns and whole phases untouched."""

import numpy as np
import pytest

from minigan.kernels.conv import naive, planar
from minigan.ops.conv.spec import ConvSpec


@pytest.mark.parametrize(
    "spec",
    [
        ConvSpec(1, 2, 17, 2, 3, 1, 2, stride=(9, 3)),  # lines and phases that nothing reaches
        ConvSpec(2, 1, 11, 4, 2, 2, 1, stride=(5, 6), padding=(1, 0)),
        ConvSpec(1, 3, 5, 1, 2, 1, 1, stride=(7, 4)),
    ],
    ids=["gaps", "padded gaps", "one output"],
)
def test_strides_that_skip(spec, monkeypatch):
    monkeypatch.setattr(planar, "TILE", 1)  # every tile as small as can be
    rng = np.random.default_rng(0)
    x, weight, g = (rng.normal(size=shape) for shape in (spec.x_shape, spec.weight_shape, spec.y_shape))
    for function, arrays in (("forward", (x, weight)), ("input_grad", (g, weight)), ("weight_grad", (x, g))):
        assert planar.supports(spec, function) == ""
        found, wanted = (getattr(module, function)(*arrays, spec) for module in (planar, naive))
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12, err_msg=function)
