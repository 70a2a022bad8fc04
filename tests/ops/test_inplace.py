"""``inplace=True``: the input becomes the result, for whoever reads it afterwards."""

import numpy as np
import pytest

import minigan
import minigan.nn.functional as F
from minigan import nn
from minigan.errors import GraphError

CALLS = {
    "relu": (F.relu, nn.ReLU), "leaky_relu": (F.leaky_relu, nn.LeakyReLU), "elu": (F.elu, nn.ELU),
    "selu": (F.selu, nn.SELU), "celu": (F.celu, nn.CELU), "relu6": (F.relu6, nn.ReLU6),
    "silu": (F.silu, nn.SiLU),
    "hardsigmoid": (F.hardsigmoid, nn.Hardsigmoid), "hardswish": (F.hardswish, nn.Hardswish),
    "mish": (F.mish, nn.Mish), "hardtanh": (F.hardtanh, nn.Hardtanh),
}  # fmt: skip


@pytest.mark.parametrize("function, layer", CALLS.values(), ids=CALLS)
def test_the_input_becomes_the_result(function, layer):
    data = np.random.default_rng(0).normal(size=(3, 4)) * 3
    leaf = minigan.Tensor(data, requires_grad=True)
    plain = function(leaf * 1)
    for change in (lambda x: function(x, inplace=True), layer(inplace=True)):
        x = leaf * 1
        y = change(x)
        assert y is x
        np.testing.assert_array_equal(x.numpy(), plain.numpy())
        (mine,) = minigan.grad((x * x).sum(), leaf)
        (wanted,) = minigan.grad((plain * plain).sum(), leaf, retain_graph=True)
        np.testing.assert_allclose(mine.numpy(), wanted.numpy(), rtol=1e-14)
        constant = minigan.Tensor(data.copy())
        memory = constant.array
        assert change(constant).array is memory
        np.testing.assert_array_equal(memory, plain.numpy())


def test_a_skip_around_a_layer_in_place_carries_its_result():
    x = minigan.tensor([-1.0, 2.0], requires_grad=True) * 1
    y = x + nn.Sequential(nn.ReLU(True), nn.Identity())(x)
    np.testing.assert_array_equal(y.detach().numpy(), [0, 4])


def test_positions_and_refusals():
    x = minigan.tensor([-1.0, 2.0])
    assert F.leaky_relu(x, 0.5, True) is x and x.tolist() == [-0.5, 2.0]
    assert F.threshold(x, 0.0, 7.0, True) is x and x.tolist() == [7.0, 2.0]
    assert nn.Dropout(0.5, inplace=True).eval()(x) is x and x.version == 2
    assert F.dropout(x, 1.0, True, True) is x and x.tolist() == [0, 0]
    with pytest.raises(GraphError, match=r"relu\(inplace=True\).*no_grad"):
        F.relu(minigan.ones(2, requires_grad=True), inplace=True)


def test_a_graph_that_needs_the_old_value_notices():
    x = minigan.ones(3, requires_grad=True) * 2
    z = x * x
    F.relu(x, inplace=True)
    with pytest.raises(GraphError, match="changed in place"):
        z.sum().backward()
