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


def rates(schedule, steps):
    found = []
    for _ in range(steps):
        found += schedule.get_last_lr()
        schedule.step()
    return found


def test_the_module_has_the_names():
    from minigan.optim import lr_scheduler

    assert lr_scheduler is optim.lr_scheduler and lr_scheduler.StepLR is optim.StepLR


def test_formulas_beside_plain_python():
    lr = optim.lr_scheduler
    expected = {
        lr.StepLR(optimizer(1.0), 2, 0.5): [1, 1, 0.5, 0.5, 0.25, 0.25],
        lr.MultiStepLR(optimizer(1.0), [1, 4], 0.1): [1, 0.1, 0.1, 0.1, 0.01, 0.01],
        lr.ConstantLR(optimizer(1.0), 0.5, 2): [0.5, 0.5, 1, 1, 1, 1],
        lr.MultiplicativeLR(optimizer(2.0), lambda t: 1.0 / t): [2, 2, 1, 1 / 3, 1 / 12, 1 / 60],
        lr.LambdaLR(optimizer(1.0), lambda t: 1 - t / 10): [1, 0.9, 0.8, 0.7, 0.6, 0.5],
        lr.PolynomialLR(optimizer(2.0), 4, 2.0): [2, 1.125, 0.5, 0.125, 0, 0],
        lr.CosineAnnealingWarmRestarts(optimizer(1.0), 2): [1, 0.5, 1, 0.5, 1, 0.5],
        lr.CyclicLR(optimizer(9.0), 1.0, 2.0, 2, 1): [1, 1.5, 2, 1, 1.5, 2],
        lr.CyclicLR(optimizer(9.0), 1.0, 2.0, 1, mode="triangular2"): [1, 2, 1, 1.5, 1, 1.25],
        lr.CyclicLR(optimizer(9.0), 0.0, 1.0, 1, mode="exp_range", gamma=0.5): [0, 0.5, 0, 0.125, 0, 1 / 32],
        lr.OneCycleLR(optimizer(9.0), 1.0, 6, pct_start=0.5, anneal_strategy="linear", div_factor=5.0,
                      final_div_factor=2.0, cycle_momentum=False): [0.2, 0.6, 1.0, 0.7, 0.4, 0.1],
    }  # fmt: skip
    for schedule, wanted in expected.items():
        assert rates(schedule, 6) == pytest.approx(wanted, rel=1e-12), type(schedule).__name__


def test_one_function_for_each_group():
    schedule = optim.LambdaLR(optimizer(1.0, 2.0), [lambda t: 0.5**t, lambda t: 1.0])
    schedule.step()
    assert schedule.get_last_lr() == [0.5, 2.0]
    with pytest.raises(ArgumentError, match="one for each of 1 groups, got 2"):
        optim.MultiplicativeLR(optimizer(1.0), [lambda t: 0.5, lambda t: 1.0])


def test_two_schedules_multiply_and_a_rate_set_by_hand_is_kept():
    sgd = optimizer(1.0)
    first, second = optim.ExponentialLR(sgd, 0.5), optim.StepLR(sgd, 2, 0.1)
    for wanted in (0.5, 0.025, 0.0125):
        first.step()
        second.step()
        assert sgd.param_groups[0]["lr"] == pytest.approx(wanted)
    sgd.param_groups[0]["lr"] = 8.0
    first.step()
    assert sgd.param_groups[0]["lr"] == pytest.approx(4.0)


def test_last_epoch_continues_a_run():
    sgd = optimizer(1.0)
    with pytest.raises(ArgumentError, match="needs 'initial_lr'"):
        optim.StepLR(sgd, 2, 0.5, last_epoch=3)
    sgd.param_groups[0]["initial_lr"] = 1.0
    assert rates(optim.StepLR(sgd, 2, 0.5, 2), 3) == pytest.approx([0.5, 0.25, 0.25])


def test_a_step_by_its_number():
    schedule = optim.StepLR(optimizer(1.0), 2, 0.5)
    schedule.step(5)
    assert schedule.get_last_lr() == [0.25]
    schedule.step(0)
    assert schedule.get_last_lr() == [1.0]


def test_one_after_another():
    sgd = optimizer(1.0)
    warm, cold = optim.LinearLR(sgd, 0.5, 1.0, 2), optim.ExponentialLR(sgd, 0.5)
    schedule = optim.SequentialLR(sgd, [warm, cold], [3])
    assert rates(schedule, 6) == pytest.approx([0.5, 0.75, 1.0, 1.0, 0.5, 0.25])
    with pytest.raises(ArgumentError, match="one milestone fewer"):
        optim.SequentialLR(sgd, [warm, cold], [3, 4])


def test_momentum_goes_against_the_rate():
    p = Tensor(np.zeros(2), requires_grad=True)
    for rule, read in ((optim.SGD, lambda g: g["momentum"]), (optim.Adam, lambda g: g["betas"][0])):
        one = rule([p], lr=0.1)
        schedule = optim.OneCycleLR(one, 1.0, epochs=2, steps_per_epoch=5, pct_start=0.4)
        seen = []
        for _ in range(10):
            seen.append(read(one.param_groups[0]))
            schedule.step()
        assert seen[0] == seen[9] == 0.95 and seen[3] == pytest.approx(0.85)
        with pytest.raises(ArgumentError, match="step 11 of a cycle of 10"):
            schedule.step()


def plateau(values, lr, factor, patience, threshold, cooldown, min_lr, sign, relative):
    best, bad, quiet, found = sign * float("inf"), 0, 0, []
    for value in values:
        bound = best * (1 - sign * threshold) if relative else best - sign * threshold
        better = value < bound if sign > 0 else value > bound
        best, bad = (value, 0) if better else (best, bad + 1)
        if quiet > 0:
            quiet, bad = quiet - 1, 0
        if bad > patience:
            lr, quiet, bad = max(lr * factor, min_lr), cooldown, 0
        found.append(lr)
    return found


VALUES = [5.0, 4.0, 4.1, 4.05, 3.999, 4.2, 4.3, 3.0, 3.1, 3.2, 3.3, 3.4, 2.99, 2.5, 2.6, 2.7, 2.8, 2.9]


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("kind", ["rel", "abs"])
@pytest.mark.parametrize("patience, cooldown", [(0, 0), (1, 2), (3, 1)])
def test_a_plateau(mode, kind, patience, cooldown):
    sgd = optimizer(1.0)
    schedule = optim.ReduceLROnPlateau(sgd, mode, 0.5, patience, 0.01, kind, cooldown, 0.05)
    sign = 1 if mode == "min" else -1
    found = []
    for value in VALUES:
        schedule.step(Tensor(np.float64(sign * value)))
        found += schedule.get_last_lr()
    signed = [sign * value for value in VALUES]
    wanted = plateau(signed, 1.0, 0.5, patience, 0.01, cooldown, 0.05, sign, kind == "rel")
    assert found == pytest.approx(wanted) and found[-1] < 1.0


def test_a_plateaus_state_comes_back_and_small_changes_are_left_out():
    first = optim.ReduceLROnPlateau(optimizer(1.0), patience=2)
    first.step(1.0)
    first.step(2.0)
    second = optim.ReduceLROnPlateau(optimizer(1.0), patience=2)
    second.load_state_dict(first.state_dict())
    assert second.state_dict() == first.state_dict() == {
        "best": 1.0, "num_bad_epochs": 1, "cooldown_counter": 0, "last_epoch": 2}  # fmt: skip
    third = optim.ReduceLROnPlateau(optimizer(1e-8), patience=0)
    for _ in range(3):
        third.step(1.0)
    assert third.get_last_lr() == [1e-8]


@pytest.mark.parametrize("make", [
    lambda sgd: optim.ReduceLROnPlateau(sgd, factor=1.0),
    lambda sgd: optim.ReduceLROnPlateau(sgd, mode="least"),
    lambda sgd: optim.ReduceLROnPlateau(sgd, threshold_mode="both"),
    lambda sgd: optim.ReduceLROnPlateau(sgd, min_lr=[0.1, 0.2]),
    lambda sgd: optim.ConstantLR(sgd, 2.0),
    lambda sgd: optim.OneCycleLR(sgd, 1.0),
    lambda sgd: optim.CyclicLR(sgd, 0.1, 1.0, mode="square"),
    lambda sgd: optim.CyclicLR(optim.Adagrad(sgd.param_groups[0]["params"]), 0.1, 1.0),
    lambda sgd: optim.PolynomialLR(sgd, 0),
    lambda sgd: optim.CosineAnnealingWarmRestarts(sgd, 0),
    lambda sgd: optim.OneCycleLR(optim.Adagrad(sgd.param_groups[0]["params"]), 1.0, 5),
    lambda sgd: optim.OneCycleLR(sgd, 1.0, 5, anneal_strategy="steps"),
])  # fmt: skip
def test_bad_arguments_of_the_newer_ones(make):
    with pytest.raises(ArgumentError):
        make(optimizer(1.0))
