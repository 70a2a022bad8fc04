"""How weights start: the moments and bounds that the papers give."""

import numpy as np
import pytest

from minigan import Tensor, nn
from minigan.errors import ArgumentError, ShapeError
from minigan.nn import init

SHAPE = (60, 40, 3, 2)  # fan_in 240, fan_out 360
FAN_IN, FAN_OUT = 240, 360


def fresh(*shape):
    return nn.Parameter(np.zeros(shape or SHAPE))


def generator():
    return np.random.default_rng(0)


NORMAL = {
    "normal_": ({"mean": 0.5, "std": 2.0}, 0.5, 2.0),
    "xavier_normal_": ({"gain": 2.0}, 0.0, 2.0 * np.sqrt(2 / (FAN_IN + FAN_OUT))),
    "kaiming_normal_": ({}, 0.0, np.sqrt(2 / FAN_IN)),
}


@pytest.mark.parametrize("name", NORMAL)
def test_normal_ones(name):
    settings, mean, std = NORMAL[name]
    data = getattr(init, name)(fresh(), **settings, generator=generator()).array
    assert data.mean() == pytest.approx(mean, abs=4 * std / np.sqrt(data.size))
    assert data.std() == pytest.approx(std, rel=0.02)


UNIFORM = {
    "uniform_": ({"a": -1.0, "b": 1.0}, 1.0),
    "xavier_uniform_": ({}, np.sqrt(6 / (FAN_IN + FAN_OUT))),
    "kaiming_uniform_": ({"a": 0.5, "mode": "fan_out"}, np.sqrt(2 / 1.25) * np.sqrt(3 / FAN_OUT)),
}


@pytest.mark.parametrize("name", UNIFORM)
def test_uniform_ones(name):
    settings, bound = UNIFORM[name]
    data = getattr(init, name)(fresh(), **settings, generator=generator()).array
    assert np.abs(data).max() <= bound
    assert np.abs(data).max() == pytest.approx(bound, rel=0.01)
    assert data.std() == pytest.approx(bound / np.sqrt(3), rel=0.02)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (3, 2, 2, 2)])
def test_orthogonal_rows_or_columns(shape):
    matrix = init.orthogonal_(fresh(*shape), gain=2.0, generator=generator()).array.reshape(shape[0], -1)
    small = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(small, 4.0 * np.eye(len(small)), atol=1e-12)


def test_constants_and_versions():
    weight = fresh(2, 3)
    before = weight.version
    assert init.ones_(weight).array.sum() == 6
    assert init.zeros_(weight).array.sum() == 0
    assert init.constant_(weight, 0.5) is weight and weight.version > before


def test_dcgan_starts_a_whole_net():
    net = nn.Sequential(nn.Conv2d(8, 64, 4), nn.BatchNorm2d(64), nn.Linear(64, 100))
    init.dcgan_(net, generator=generator())
    assert net[0].weight.array.std() == pytest.approx(0.02, rel=0.05)
    assert net[2].weight.array.std() == pytest.approx(0.02, rel=0.05)
    assert net[1].weight.array.mean() == pytest.approx(1.0, abs=0.01)
    assert net[1].weight.array.std() == pytest.approx(0.02, rel=0.3)
    assert not net[0].bias.array.any() and not net[1].bias.array.any()


def test_bad_requests():
    with pytest.raises(ShapeError, match="at least 2 axes"):
        init.xavier_normal_(fresh(3))
    with pytest.raises(ShapeError, match="at least 2 axes"):
        init.orthogonal_(fresh(3))
    with pytest.raises(ArgumentError, match="expected fan_in or fan_out"):
        init.kaiming_normal_(fresh(), mode="fan")
    with pytest.raises(ArgumentError, match="nonlinearity 'swish'"):
        init.kaiming_normal_(fresh(), nonlinearity="swish")


def test_draws_repeat_and_advance():
    a, b = (init.normal_(fresh(), generator=generator()).array for _ in range(2))
    np.testing.assert_array_equal(a, b)
    one = generator()
    assert not np.array_equal(
        init.normal_(fresh(), generator=one).array, init.normal_(fresh(), generator=one).array
    )


@pytest.mark.parametrize("name, args", [
    ("normal_", (3.0, 0.02)), ("uniform_", (-1.0, 2.0)), ("constant_", (0.5,)), ("ones_", ()), ("zeros_", ()),
    ("xavier_uniform_", (2.0,)), ("xavier_normal_", (2.0,)),
    ("kaiming_uniform_", (0.2, "fan_out", "leaky_relu")),
    ("kaiming_normal_", (0.2, "fan_in", "leaky_relu")), ("orthogonal_", (2.0,)), ("eye_", ()),
    ("trunc_normal_", (0.5, 2.0, -1.0, 1.5)),
])  # fmt: skip
def test_in_place_on_data(name, args):
    """What is written into .data is the parameter's; moments and bounds are PyTorch's."""
    layer = nn.Linear(200, 150)
    before = layer.weight.array
    result = getattr(init, name)(layer.weight.data, *args)
    assert layer.weight.array is before and np.array_equal(result.array, before)
    assert layer.weight.requires_grad
    torch = pytest.importorskip("torch")
    other = getattr(torch.nn.init, name)(torch.empty(150, 200), *args).numpy()
    for statistic, rel in ((np.mean, 0.1), (np.std, 0.1), (np.min, 0.3), (np.max, 0.3)):
        assert statistic(before) == pytest.approx(statistic(other), rel=rel, abs=0.02), statistic
    assert before.shape == other.shape


def test_truncated_normal_is_refused_backwards():
    with pytest.raises(ArgumentError, match="a < b"):
        init.trunc_normal_(Tensor(np.zeros(3)), a=1.0, b=0.0)


@pytest.mark.parametrize("name, param", [
    ("linear", None), ("conv1d", None), ("sigmoid", None), ("tanh", None), ("relu", None), ("selu", None),
    ("leaky_relu", None), ("leaky_relu", 0.2),
])  # fmt: skip
def test_gains_are_torchs(name, param):
    torch = pytest.importorskip("torch")
    assert init.calculate_gain(name, param) == pytest.approx(torch.nn.init.calculate_gain(name, param))


@pytest.mark.parametrize("shape, groups", [((4, 2, 3), 1), ((4, 2, 3, 2), 2), ((2, 3, 1, 3), 1)])
def test_dirac(shape, groups):
    torch = pytest.importorskip("torch")
    mine = init.dirac_(Tensor(np.ones(shape, np.float32)), groups)
    assert np.array_equal(mine.array, torch.nn.init.dirac_(torch.empty(shape), groups).numpy())
    with pytest.raises(ArgumentError, match="groups"):
        init.dirac_(mine, 3)
    with pytest.raises(ShapeError, match="kernel"):
        init.dirac_(Tensor(np.ones(3)))
