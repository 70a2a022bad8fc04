"""The moving average of a net against its formula."""

import numpy as np
import pytest

import minigan
from minigan import nn, optim
from minigan.errors import ArgumentError, DTypeError, ShapeError


def net():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Conv2d(2, 2, 3))


def disturb(module, step):
    generator = np.random.default_rng(step)
    for tensor in [*module.parameters(), *module.buffers()]:
        tensor.copy_(generator.integers(0, 9, tensor.shape))


@pytest.mark.parametrize("warmup", [False, True])
@pytest.mark.parametrize("buffers", ["average", "copy"])
def test_formula(warmup, buffers):
    source = net().to(dtype="float64")
    ema = optim.EMA(source, decay=0.7, warmup=warmup, buffers=buffers)
    expected = source.state_dict()
    for step in range(5):
        disturb(source, step)
        if step == 2:
            next(source.parameters()).array = np.asfortranarray(next(source.parameters()).array)
        ema.update(source)
        decay = min(0.7, (1 + step) / (10 + step)) if warmup else 0.7
        for name, value in source.state_dict().items():
            copied = value.dtype.kind == "i" or (buffers == "copy" and "running" in name)
            expected[name] = value if copied else decay * expected[name] + (1 - decay) * value
    for name, value in ema.module.state_dict().items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-12, atol=1e-12)


def test_the_average_is_apart_frozen_and_in_evaluation_mode():
    source = net()
    source[0](minigan.Tensor(np.ones((2, 3), np.float32))).sum().backward()
    ema = optim.EMA(source)
    assert source.training and all(p.requires_grad for p in source.parameters())
    assert not any(module.training for module in ema.module.modules())
    assert not any(p.requires_grad or p.grad is not None for p in ema.module.parameters())
    before = ema.module.state_dict()
    disturb(source, 0)
    np.testing.assert_array_equal(ema.module.state_dict()["0.weight"], before["0.weight"])


def test_state_comes_back():
    source = net()
    first, second = (optim.EMA(source, decay=0.9, warmup=True) for _ in range(2))
    disturb(source, 0)
    first.update(source)
    second.load_state_dict(first.state_dict())
    for ema in (first, second):
        ema.update(source)
    assert first.updates == second.updates == 2
    for name, value in first.module.state_dict().items():
        np.testing.assert_array_equal(value, second.module.state_dict()[name])


def test_bad_arguments():
    with pytest.raises(ArgumentError, match="decay must lie in"):
        optim.EMA(net(), decay=1.0)
    with pytest.raises(ArgumentError, match="buffers must be"):
        optim.EMA(net(), buffers="drop")
    with pytest.raises(ShapeError, match="load_state_dict"):
        optim.EMA(net()).load_state_dict({"updates": 3, "module": {}})


def test_float16_is_refused_whose_digits_would_round_the_steps_away():
    with pytest.raises(DTypeError, match="float16"):
        optim.EMA(net().to(dtype="float16"))
    source = net()
    source[1].running_mean.array = source[1].running_mean.array.astype(np.float16)  # a buffer alone
    with pytest.raises(DTypeError, match="float16"):
        optim.EMA(source)


def test_another_net_is_refused():
    ema = optim.EMA(net())
    with pytest.raises(ValueError, match="zip"):
        ema.update(nn.Sequential(*net(), nn.Linear(2, 2)))
