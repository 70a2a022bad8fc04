"""Schedules: saving, several groups, and what they refuse (PyTorch holds the formulas elsewhere)."""

import numpy as np
import pytest

from minigan import Tensor, optim
from minigan.errors import ArgumentError


def optimizer(*rates):
    groups = [{"params": [Tensor(np.zeros(2), requires_grad=True)], "lr": rate} for rate in rates]
    return optim.SGD(groups)


def test_every_group_starts_at_its_own_rate():
    schedule = optim.ExponentialLR(optimizer(1.0, 0.5), 0.1)
    schedule.step()
    schedule.step()
    assert schedule.get_last_lr() == pytest.approx([0.01, 0.005])


def test_state_comes_back():
    first = optim.CosineAnnealingLR(optimizer(1.0), 10)
    for _ in range(4):
        first.step()
    second = optim.CosineAnnealingLR(optimizer(0.3), 10)
    second.load_state_dict(first.state_dict())
    assert second.get_last_lr() == first.get_last_lr()
    with pytest.raises(ArgumentError, match="expected 2 groups, got 1"):
        optim.CosineAnnealingLR(optimizer(1.0, 1.0), 10).load_state_dict(first.state_dict())


def test_a_second_schedule_starts_where_training_started():
    sgd = optimizer(1.0)
    optim.StepLR(sgd, 1).step()
    assert sgd.param_groups[0]["lr"] == pytest.approx(0.1)
    assert optim.StepLR(sgd, 1).base_lrs == [1.0]


@pytest.mark.parametrize("make", [
    lambda sgd: optim.StepLR(sgd, 0),
    lambda sgd: optim.CosineAnnealingLR(sgd, 0),
    lambda sgd: optim.LinearLR(sgd, start_factor=0.0),
    lambda sgd: optim.LinearLR(sgd, total_iters=0),
])  # fmt: skip
def test_bad_arguments(make):
    with pytest.raises(ArgumentError):
        make(optimizer(1.0))


def test_the_base_has_no_formula():
    with pytest.raises(NotImplementedError):
        optim.LRScheduler(optimizer(1.0))


def test_defaults():
    """A third of the rate at first, all of it from the fifth step; one step is a period, too."""
    sgd = optimizer(3.0)
    linear = optim.LinearLR(sgd)
    rates = []
    for _ in range(7):
        rates += linear.get_last_lr()
        linear.step()
    np.testing.assert_allclose(rates, [1.0, 1.4, 1.8, 2.2, 2.6, 3.0, 3.0], rtol=1e-12)
    cosine = optim.CosineAnnealingLR(optimizer(2.0), 1)
    cosine.step()
    assert cosine.get_last_lr() == pytest.approx([0.0], abs=1e-15)
