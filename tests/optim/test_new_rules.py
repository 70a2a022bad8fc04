"""Positional arguments, closures, climbing, Adagrad: beside plain Python on one number."""

from math import sqrt

import numpy as np
import pytest

from minigan import Tensor, optim
from minigan.errors import ArgumentError
from minigan.modes import is_grad_enabled, no_grad, set_mode

GRADIENTS = [0.5, -1.25, 2.0, 0.25]


def leaf(value=1.0):
    return Tensor(np.array([value]), requires_grad=True)


def after(rule, gradients=GRADIENTS, value=1.0, **settings):
    """Where a parameter that starts at ``value`` is after one step for each gradient."""
    p = leaf(value)
    optimizer = rule([p], **settings)
    for g in gradients:
        p.grad = Tensor(np.array([g]))
        optimizer.step()
    return p.item()


def adagrad(p, lr, lr_decay, weight_decay, start, eps):
    total = start
    for t, g in enumerate(GRADIENTS):
        g = g + weight_decay * p
        total += g * g
        p -= lr / (1 + t * lr_decay) * g / (sqrt(total) + eps)
    return p


@pytest.mark.parametrize("kernels", [True, False])
@pytest.mark.parametrize("settings", [(0.1, 0.0, 0.0, 0.0, 1e-10), (0.3, 0.5, 0.1, 2.0, 1e-3)])
def test_adagrad(settings, kernels):
    p = leaf()
    optimizer = optim.Adagrad([p], *settings)
    with set_mode("kernels", kernels):
        for g in GRADIENTS:
            p.grad = Tensor(np.array([g]))
            optimizer.step()
    assert p.item() == pytest.approx(adagrad(1.0, *settings), rel=1e-12)


def test_adagrads_sum_is_saved_and_starts_where_it_is_told():
    p, q = leaf(), leaf()
    optimizer = optim.Adagrad([p, q], initial_accumulator_value=2.0)
    p.grad = Tensor(np.array([3.0]))
    optimizer.step()
    assert optimizer.state[p]["sum"] == 11.0 and optimizer.state[q] == {}
    second = optim.Adagrad([leaf(), leaf()])
    second.load_state_dict(optimizer.state_dict())
    assert second.state[second.param_groups[0]["params"][0]]["sum"] == 11.0
    with pytest.raises(ArgumentError, match="initial_accumulator_value must be >= 0, got -1"):
        optim.Adagrad([p], initial_accumulator_value=-1.0)
    with pytest.raises(ArgumentError, match="lr_decay must be >= 0"):
        optim.Adagrad([p], lr_decay=-1.0)
    with pytest.raises(ArgumentError, match="rho must lie in"):
        optim.Adadelta([p], rho=1.5)


POSITIONAL = [
    (optim.SGD, (0.2, 0.9, 0.1, 0.01, False), "lr momentum dampening weight_decay nesterov"),
    (optim.Adam, (2e-4, (0.5, 0.999), 1e-7, 0.1, True), "lr betas eps weight_decay amsgrad"),
    (optim.AdamW, (2e-4, (0.5, 0.999), 1e-7, 0.1, True), "lr betas eps weight_decay amsgrad"),
    (optim.RMSprop, (0.1, 0.9, 1e-6, 0.1, 0.5, True), "lr alpha eps weight_decay momentum centered"),
    (optim.Adagrad, (0.1, 0.2, 0.3, 0.4, 0.5), "lr lr_decay weight_decay initial_accumulator_value eps"),
    (optim.Adamax, (0.1, (0.5, 0.9), 1e-7, 0.1), "lr betas eps weight_decay"),
    (optim.Adadelta, (0.1, 0.5, 1e-5, 0.1), "lr rho eps weight_decay"),
    (optim.LBFGS, (0.5, 9, 7, 1e-3, 1e-4, 5, "strong_wolfe"),
     "lr max_iter max_eval tolerance_grad tolerance_change history_size line_search_fn"),
]  # fmt: skip


@pytest.mark.parametrize("rule, given, names", POSITIONAL, ids=[row[0].__name__ for row in POSITIONAL])
def test_positional_arguments(rule, given, names):
    group = rule([leaf()], *given).param_groups[0]
    assert tuple(group[name] for name in names.split()) == given


RULES = [optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop, optim.Adagrad, optim.Adamax, optim.Adadelta]


@pytest.mark.parametrize("kernels", [True, False])
@pytest.mark.parametrize("rule", RULES)
def test_climbing_is_descending_along_the_negative(rule, kernels):
    with set_mode("kernels", kernels):
        up = after(rule, lr=0.1, maximize=True)
        down = after(rule, [-g for g in GRADIENTS], lr=0.1)
        assert up == down != after(rule, lr=0.1)


@pytest.mark.parametrize("rule", RULES)
def test_what_changes_no_result_is_accepted(rule):
    assert after(rule, foreach=False, fused=None, capturable=False) == after(rule)
    with pytest.raises(ArgumentError, match="differentiable"):
        rule([leaf()], differentiable=True)
    with pytest.raises(TypeError, match="momemtum"):
        rule([leaf()], momemtum=0.5)


def test_a_closures_loss_is_returned_and_recorded():
    p = leaf(3.0)
    optimizer = optim.SGD([p], 0.5)

    def closure():
        assert is_grad_enabled()
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with no_grad():
        assert optimizer.step(closure).item() == 9.0
    assert p.item() == 0.0
    assert optimizer.step() is None


def test_zeros_for_gradients():
    p, q = leaf(), leaf()
    p.grad = kept = Tensor(np.array([2.0]))
    optimizer = optim.SGD([p, q])
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.item() == 0.0 and kept.item() == 2.0 and q.grad is None
    optimizer.zero_grad(set_to_none=True)
    assert p.grad is None


def test_the_rate_can_be_set_by_hand():
    p = leaf()
    optimizer = optim.SGD([p], lr=0.1)
    for group in optimizer.param_groups:
        group["lr"] = 0.5
    p.grad = Tensor(np.array([1.0]))
    optimizer.step()
    assert p.item() == 0.5


def test_a_state_of_tensors_and_of_float_counts_is_taken():
    p = leaf()
    optimizer = optim.Adam([p])
    moments = {"exp_avg": Tensor(np.array([0.5])), "exp_avg_sq": Tensor(np.array([0.25]))}
    state = optimizer.state_dict()
    optimizer.load_state_dict({**state, "state": {0: {"step": Tensor(4.0), **moments}}})
    assert optimizer.state[p]["step"] == 4 and optimizer.state[p]["exp_avg"] == 0.5
