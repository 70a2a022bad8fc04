"""Adamax and Adadelta beside their formulas unrolled, in plain Python numbers."""

from math import fsum, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigan import Tensor, optim
from minigan.modes import set_mode


def fading(values, decay):
    """The sum of decay**age value, where the last is of age 0."""
    return fsum(decay**age * value for age, value in enumerate(reversed(values)))


def adamax(p, g, past, *, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    """Kingma and Ba, arXiv 1412.6980, section 7.1: the largest gradient so far, each faded by its age."""
    past.append(g + weight_decay * p)
    first, second = betas
    m = (1.0 - first) * fading(past, first)
    u = max(second**age * (abs(g) + eps) for age, g in enumerate(reversed(past)))
    return p - lr * m / (1.0 - first ** len(past)) / u, {"exp_avg": m, "exp_inf": u}


def adadelta(p, g, past, *, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0.0):
    """Zeiler, arXiv 1212.5701, algorithm 1: the quotient of two root mean squares times the gradient."""
    past.append(g + weight_decay * p)
    steps = []
    for now in range(1, len(past) + 1):
        v = (1.0 - rho) * fading([g * g for g in past[:now]], rho)
        a = (1.0 - rho) * fading([d * d for d in steps], rho)
        steps.append(sqrt(a + eps) / sqrt(v + eps) * past[now - 1])
    kept = {"square_avg": v, "acc_delta": (1.0 - rho) * fading([d * d for d in steps], rho)}
    return p - lr * steps[-1], kept


MEANS = {"lr": [0.3, 0.01], "weight_decay": [0.1, 0.0], "eps": [0.1, 1e-4]}
RULES = {
    "adamax": (optim.Adamax, adamax, MEANS | {"betas": [(0.9, 0.99), (0.5, 0.7), (0.0, 0.9), (0.8, 0.0)]}),
    "adadelta": (optim.Adadelta, adadelta, MEANS | {"rho": [0.9, 0.5, 0.0]}),
}


@pytest.mark.parametrize("fast", [True, False], ids=["kernels", "definitions"])
@pytest.mark.parametrize("name", RULES)
@given(data=st.data())
def test_seven_steps(name, fast, data):
    """Values and what is kept, element by element, at every step; settings left out have their defaults."""
    rule, oracle, choices = RULES[name]
    settings = {k: data.draw(st.sampled_from(v)) for k, v in choices.items() if data.draw(st.booleans())}
    draw = np.random.default_rng(data.draw(st.integers(0, 99)))
    p = Tensor(draw.normal(size=(2, 3)).T, requires_grad=True)
    values, past = p.numpy().ravel().tolist(), [[] for _ in range(6)]
    optimizer = rule([p], **settings)
    for _ in range(7):
        g = draw.normal(size=(3, 2)) * (draw.random((3, 2)) > 0.15)
        p.grad = Tensor(g)
        with set_mode("kernels", fast):
            optimizer.step()
        moves = [oracle(*given, **settings) for given in zip(values, g.ravel().tolist(), past, strict=True)]
        values = [value for value, _ in moves]
        np.testing.assert_allclose(p.numpy().ravel(), values, rtol=1e-10, atol=1e-13)
        state = optimizer.state_dict()["state"][0]
        for slot in moves[0][1]:
            kept = [kept[slot] for _, kept in moves]
            np.testing.assert_allclose(np.asarray(state[slot]).ravel(), kept, rtol=1e-10, atol=1e-13)
