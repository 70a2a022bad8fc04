"""Twenty steps of every rule beside PyTorch's, over random settings; schedules and clipping too."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigan import Tensor, optim

torch = pytest.importorskip("torch")

SHAPES = [(3, 4), (5,), (), (2, 3, 4, 5), (70,), (0, 2)]


def settings_of(name):
    rates = st.sampled_from([0.3, 0.01])
    switch = st.booleans()
    decay = st.sampled_from([0.0, 0.1])
    if name == "SGD":
        plain = {"lr": rates, "weight_decay": decay, "momentum": st.sampled_from([0.0, 0.9])}
        heavy = st.fixed_dictionaries(plain | {"dampening": st.sampled_from([0.0, 0.3])})
        return heavy | st.fixed_dictionaries(plain | {"momentum": st.just(0.8), "nesterov": st.just(True)})
    if name == "RMSprop":
        more = {
            "alpha": st.sampled_from([0.9, 0.99]),
            "momentum": st.sampled_from([0.0, 0.9]),
            "centered": switch,
        }
        return st.fixed_dictionaries({"lr": rates, "weight_decay": decay, "eps": st.just(1e-3)} | more)
    betas = st.sampled_from([(0.9, 0.999), (0.5, 0.99), (0.0, 0.9)])
    return st.fixed_dictionaries({"lr": rates, "betas": betas, "weight_decay": decay, "amsgrad": switch})


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam", "AdamW"])
@given(data=st.data())
def test_twenty_steps(name, data):
    """With gradients missing at times, values replaced by other layouts, and a change of rate on the way."""
    settings = data.draw(settings_of(name))
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    start = [generator.normal(size=shape) for shape in SHAPES]
    mine = [Tensor(a.copy(), requires_grad=True) for a in start]
    theirs = [torch.tensor(a, requires_grad=True) for a in start]
    mine[3].array = np.ascontiguousarray(start[3].transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    ours, other = getattr(optim, name)(mine, **settings), getattr(torch.optim, name)(theirs, **settings)
    for step in range(20):
        ours.zero_grad()
        other.zero_grad()
        for i, shape in enumerate(SHAPES):
            g = generator.normal(size=shape)
            if step < 2 or generator.random() > 0.15:
                mine[i].grad, theirs[i].grad = Tensor(g), torch.from_numpy(g)
        if step == 5:
            mine[0].array = np.asfortranarray(mine[0].array)
            mine[4].array = np.repeat(mine[4].array, 2)[::2]
        if step == 9:
            ours.param_groups[0]["lr"] = other.param_groups[0]["lr"] = 0.05
        ours.step()
        other.step()
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a.array, b.detach().numpy(), rtol=1e-9, atol=1e-12)


SCHEDULES = {
    "StepLR": {"step_size": 3, "gamma": 0.5},
    "MultiStepLR": {"milestones": [2, 5, 5], "gamma": 0.5},
    "ExponentialLR": {"gamma": 0.9},
    "LinearLR": {"start_factor": 0.2, "end_factor": 0.8, "total_iters": 4},
    "CosineAnnealingLR": {"T_max": 5, "eta_min": 0.01},
    "LambdaLR": {"lr_lambda": lambda t: 0.8**t + 0.1},
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name):
    mine = optim.SGD([Tensor(np.zeros(2), requires_grad=True)], lr=0.3)
    theirs = torch.optim.SGD([torch.zeros(2, requires_grad=True)], lr=0.3)
    a = getattr(optim, name)(mine, **SCHEDULES[name])
    b = getattr(torch.optim.lr_scheduler, name)(theirs, **SCHEDULES[name])
    for _ in range(12):
        assert a.get_last_lr() == pytest.approx(b.get_last_lr(), rel=1e-9)
        assert mine.param_groups[0]["lr"] == a.get_last_lr()[0]
        theirs.step()
        a.step()
        b.step()


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, float("inf")])
@pytest.mark.parametrize("bound", [0.5, 1e3])
def test_clip_grad_norm(norm_type, bound):
    generator = np.random.default_rng(0)
    mine, theirs = [], []
    for shape in ((3, 4), (), (2, 3)):
        g = generator.normal(size=shape)
        mine.append(Tensor(np.zeros(shape), requires_grad=True))
        theirs.append(torch.zeros(shape, dtype=torch.float64, requires_grad=True))
        mine[-1].grad, theirs[-1].grad = Tensor(g.copy()), torch.from_numpy(g.copy())
    norm = optim.clip_grad_norm_(mine, bound, norm_type)
    assert norm == pytest.approx(torch.nn.utils.clip_grad_norm_(theirs, bound, norm_type).item(), rel=1e-12)
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a.grad.array, b.grad.numpy(), rtol=1e-12)


def test_defaults_are_pytorchs():
    """Every setting that both have under one name has one default."""
    compared = 0
    for name in ("SGD", "Adam", "AdamW", "RMSprop"):
        compared += same_defaults(getattr(optim, name), getattr(torch.optim, name))
    for name in ("StepLR", "MultiStepLR", "ExponentialLR", "LinearLR", "CosineAnnealingLR", "LambdaLR"):
        compared += same_defaults(getattr(optim, name), getattr(torch.optim.lr_scheduler, name))
    assert compared >= 20


def same_defaults(ours, theirs):
    """Compare the defaults of two classes' arguments; return how many were compared."""
    wanted = inspect.signature(theirs).parameters
    count = 0
    for name, parameter in inspect.signature(ours).parameters.items():
        if name in wanted and inspect.Parameter.empty not in (parameter.default, wanted[name].default):
            assert parameter.default == wanted[name].default, (ours.__name__, name)
            count += 1
    return count
