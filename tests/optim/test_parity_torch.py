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
    if name == "Adagrad":
        more = {
            "lr_decay": st.sampled_from([0.0, 0.3]),
            "initial_accumulator_value": st.sampled_from([0.0, 1.0]),
        }
        return st.fixed_dictionaries({"lr": rates, "weight_decay": decay, "maximize": switch} | more)
    if name == "Adadelta":
        more = {"rho": st.sampled_from([0.9, 0.5]), "eps": st.sampled_from([1e-6, 1e-3])}
        return st.fixed_dictionaries({"lr": rates, "weight_decay": decay, "maximize": switch} | more)
    betas = st.sampled_from([(0.9, 0.999), (0.5, 0.99), (0.0, 0.9)])
    more = {} if name == "Adamax" else {"amsgrad": switch}
    return st.fixed_dictionaries(
        {"lr": rates, "betas": betas, "weight_decay": decay, "maximize": switch} | more
    )


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam", "AdamW", "Adagrad", "Adamax", "Adadelta"])
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
    "MultiplicativeLR": {"lr_lambda": lambda t: 1.0 - 0.5 / (t + 1)},
    "ConstantLR": {"factor": 0.3, "total_iters": 3},
    "PolynomialLR": {"total_iters": 7, "power": 1.5},
    "CosineAnnealingWarmRestarts": {"T_0": 3, "T_mult": 2, "eta_min": 0.01},
    "CyclicLR": {
        "base_lr": 0.1,
        "max_lr": 0.7,
        "step_size_up": 3,
        "step_size_down": 2,
        "mode": "triangular2",
    },
    "OneCycleLR": {"max_lr": 0.7, "total_steps": 12},
}
NAMES = [*SCHEDULES, "ReduceLROnPlateau", "SequentialLR"]


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name):
    mine = optim.SGD([Tensor(np.zeros(2), requires_grad=True)], lr=0.3, momentum=0.5)
    theirs = torch.optim.SGD([torch.zeros(2, requires_grad=True)], lr=0.3, momentum=0.5)
    a = getattr(optim, name)(mine, **SCHEDULES[name])
    b = getattr(torch.optim.lr_scheduler, name)(theirs, **SCHEDULES[name])
    for _ in range(12):
        assert a.get_last_lr() == pytest.approx(b.get_last_lr(), rel=1e-9)
        assert mine.param_groups[0]["lr"] == a.get_last_lr()[0]
        assert mine.param_groups[0]["momentum"] == pytest.approx(theirs.param_groups[0]["momentum"])
        theirs.step()
        a.step()
        b.step()


def together(make, steps):
    """Step two schedules side by side; ``make(module, optimiser)`` gives a list that is stepped in turn."""
    mine = optim.SGD([Tensor(np.zeros(2), requires_grad=True)], lr=0.3)
    theirs = torch.optim.SGD([torch.zeros(2, requires_grad=True)], lr=0.3)
    ours, others = make(optim.lr_scheduler, mine), make(torch.optim.lr_scheduler, theirs)
    for metric in steps:
        assert mine.param_groups[0]["lr"] == pytest.approx(theirs.param_groups[0]["lr"], rel=1e-9)
        theirs.step()
        for schedule in (*ours, *others):
            schedule.step(*([] if metric is None else [metric]))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("make", [
    lambda lr, opt: [lr.ExponentialLR(opt, 0.9), lr.MultiStepLR(opt, [2, 5], 0.1)],
    lambda lr, opt: [lr.LinearLR(opt, 0.1, 1.0, 4), lr.CosineAnnealingLR(opt, 9)],
    lambda lr, opt: [lr.SequentialLR(opt, [lr.LinearLR(opt, 0.1, 1.0, 3), lr.StepLR(opt, 6)], [3])],
    lambda lr, opt: [lr.SequentialLR(
        opt, [lr.ConstantLR(opt, 0.1, 2), lr.ExponentialLR(opt, 0.9), lr.StepLR(opt, 2)], [2, 6])],
])  # fmt: skip
def test_schedules_together(make):
    together(make, [None] * 11)


@pytest.mark.parametrize("settings", [
    {}, {"mode": "max"}, {"threshold_mode": "abs", "threshold": 0.2}, {"cooldown": 2}, {"min_lr": 0.05},
])  # fmt: skip
def test_plateaus(settings):
    metrics = np.random.default_rng(0).normal(size=60).cumsum()
    together(lambda lr, opt: [lr.ReduceLROnPlateau(opt, patience=2, factor=0.5, **settings)], metrics)


def valley(x, y):
    return ((1.0 - x) ** 2).sum() + 10.0 * ((y - x * x) ** 2).sum() + (x * y).sum().exp() * 0.01


@pytest.mark.parametrize("settings", [
    {"line_search_fn": "strong_wolfe"}, {"lr": 0.05, "max_iter": 7}, {"lr": 0.02, "history_size": 3},
    {"line_search_fn": "strong_wolfe", "max_iter": 6, "history_size": 2, "max_eval": 9},
])  # fmt: skip
def test_lbfgs(settings):
    start = [np.random.default_rng(0).normal(size=3), np.random.default_rng(1).normal(size=3)]
    mine = [Tensor(a.copy(), requires_grad=True) for a in start]
    theirs = [torch.tensor(a, requires_grad=True) for a in start]
    ours, other = optim.LBFGS(mine, **settings), torch.optim.LBFGS(theirs, **settings)

    def closure(optimizer, parameters):
        optimizer.zero_grad()
        loss = valley(*parameters)
        loss.backward()
        return loss

    for _ in range(4):
        a = ours.step(lambda: closure(ours, mine))
        b = other.step(lambda: closure(other, theirs))
        assert a.item() == pytest.approx(b.item(), rel=1e-6)
    assert ours.evaluations == other.state[theirs[0]]["func_evals"]
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a.array, b.detach().numpy(), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam", "AdamW", "Adagrad", "Adamax", "Adadelta"])
def test_a_state_of_pytorchs_is_continued(name):
    settings = {"lr": 0.1} | ({"momentum": 0.9} if name == "SGD" else {})
    value, generator = np.ones(3), np.random.default_rng(0)
    theirs = torch.tensor(value, requires_grad=True)
    other = getattr(torch.optim, name)([theirs], **settings)
    theirs.grad = torch.from_numpy(generator.normal(size=3))
    other.step()
    mine = Tensor(theirs.detach().numpy().copy(), requires_grad=True)
    ours = getattr(optim, name)([mine])
    ours.load_state_dict(other.state_dict())
    g = generator.normal(size=3)
    mine.grad, theirs.grad = Tensor(g), torch.from_numpy(g)
    ours.step()
    other.step()
    np.testing.assert_allclose(mine.array, theirs.detach().numpy(), rtol=1e-12)


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
    for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adamax", "Adadelta", "LBFGS"):
        compared += same_defaults(getattr(optim, name), getattr(torch.optim, name))
    for name in NAMES:
        compared += same_defaults(getattr(optim, name), getattr(torch.optim.lr_scheduler, name))
    assert compared >= 60


def same_defaults(ours, theirs):
    """Compare the order and the defaults of two classes' arguments; return how many were compared."""
    wanted = inspect.signature(theirs).parameters
    places = [n for n, p in inspect.signature(ours).parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert places == list(wanted)[: len(places)], ours.__name__
    count = 0
    for name, parameter in inspect.signature(ours).parameters.items():
        if name in wanted and inspect.Parameter.empty not in (parameter.default, wanted[name].default):
            assert parameter.default == wanted[name].default, (ours.__name__, name)
            count += 1
    return count
