"""Properties of gradients that no comparison of numbers shows, those that need an unusual fault."""

import sys
from pathlib import Path

import numpy as np
import pytest

from minigan import Tensor, backend, is_grad_enabled
from minigan.testing import GradReport, gradcheck, gradgradcheck
from minigan.testing.problem import make_problem
from minigan.testing.properties import (
    _apart,
    accumulates,
    close,
    difference,
    inputs_unchanged,
    linear_in_cotangent,
    single_precision,
    well_formed,
)

sys.path.insert(0, str(Path(__file__).parent))
import fake_device
from faulty import backward_of, normal

fake_device.install()


def elsewhere():
    return Tensor(backend.to_device(normal(3), "fake"))


def test_on_another_device_everything_is_checked_as_here():
    assert gradcheck(lambda x: x * x, elsewhere(), seed=0)


def test_results_and_gradients_live_where_the_inputs_do():
    left = gradcheck(lambda x: Tensor(np.ones(3)), elsewhere(), seed=0, order=1)
    assert left.properties == ["device"] and "inputs on fake give a result on numpy" in str(left)
    report = gradcheck(backward_of(lambda op, g: Tensor(np.ones(3))), elsewhere(), seed=0)
    assert report.properties == ["device"] and "the gradient of argument 0 is on numpy" in str(report)


def test_a_backward_that_raises_only_when_it_is_recorded():
    def raises(op, g):
        if is_grad_enabled():
            raise TypeError("no second order")
        return g * 2.0

    report = gradcheck(backward_of(raises), normal(3), seed=0)
    assert report.properties == ["differentiable again"] and "create_graph=True raised TypeError" in str(
        report
    )


def test_a_backward_of_backward_that_raises():
    def later(op, g):
        return backward_of(lambda op, g: 1 / 0)()(g)

    report = gradgradcheck(backward_of(later), normal(3), seed=0)
    assert report.properties == ["differentiable again"]
    assert "the backward of backward raised ZeroDivisionError" in str(report)


def test_a_second_derivative_that_is_not_finite_is_placed():
    report = gradcheck(lambda x: x**1.5, np.array([1.0, 0.0]), seed=0)
    assert report.properties == ["finite"]
    assert "the second derivative is -inf at argument 0[1], the gradient is finite" in str(report)


def test_a_backward_that_raises_at_the_plain_call():
    def once(op, g):
        if not is_grad_enabled() and op.input(0).array.strides[-1] < 0:
            raise ValueError("not contiguous")
        return g * 2.0

    report = gradcheck(backward_of(once), normal(3, 4), seed=0)
    assert report.properties == [
        "error"
    ] and "a plain backward() with tangled inputs raised ValueError" in str(report)


def test_vectors_of_other_lengths_are_neither_close_nor_compared():
    assert not close(np.ones(2), np.ones(3)) and close(np.ones(2), np.ones(2) + 1e-12)
    assert difference(np.ones(2), np.ones(3), "one gives", "the other") == "one gives 2 numbers, the other 3"
    assert "worst, flat index 1" in difference(np.ones(2), np.array([1.0, 3.0]), "a", "b")


@pytest.mark.parametrize("shape", [(3,), (0,)])
def test_single_precision_is_seen_in_the_digits(shape):
    numbers = np.random.default_rng(0).uniform(0.5, 1.5, shape)
    assert not single_precision(numbers)
    assert single_precision(numbers.astype(np.float32).astype(float)) == (numbers.size > 0)


# --- one property after another, with what is said ---------------------------------------------------------


def recorded_of(fn, *arrays):
    problem = make_problem(fn, arrays)
    return problem, problem.record(), GradReport("mine", 0)


def test_a_change_of_one_leaf_is_named_and_no_number_is_equal_to_itself():
    problem, recorded, report = recorded_of(lambda x, y: x * y, np.array([1.0, np.nan]), np.ones(2))
    before = [array.copy() for array in problem.arrays]
    inputs_unchanged(problem, recorded, before, report, "forward")
    assert not report.findings
    recorded.leaves[1].array[0] = 2.0
    inputs_unchanged(problem, recorded, before, report, "forward")
    assert "inputs unchanged: forward wrote into argument 1" in str(report) and len(report.findings) == 1


def test_a_gradient_that_is_not_finite_is_placed_and_none_is_passed_over():
    problem, recorded, report = recorded_of(lambda x, y: x * 1.0, np.ones((2, 2)), np.ones(2))
    third = Tensor(np.array([[1 / 3, 2 / 3], [np.inf, np.nan]]))
    assert not well_formed(problem, recorded, [third, None], report)
    assert str(report).endswith("finite: the gradient of argument 0 is inf at [1, 0], the value is finite")
    report = GradReport("mine", 0)
    assert well_formed(problem, recorded, [None, Tensor(np.array([1 / 3, 2 / 3]))], report) and report
    assert well_formed(problem, recorded, [None, Tensor(np.ones(2, np.float32))], report)
    assert report.properties == ["dtype"] and "argument 1 is float32, expected float64" in str(report)


def test_two_backwards_accumulate_twice_and_leave_nothing_behind():
    problem, recorded, report = recorded_of(lambda x: x * x, np.array([1.0, 2.0]))
    weights = np.array([0.7, 1.3])
    accumulates(problem, recorded, weights, np.array([1.4, 5.2]), report)
    assert report and recorded.leaves[0].grad is None
    accumulates(problem, recorded, weights, np.array([1.4, 5.3]), report)
    assert "expected 5.3, a second backward gives 5.2 (worst, flat index 1)" in str(report)


def test_the_second_accumulated_gradient_is_compared_with_twice_the_first():
    calls = []

    def third_is_wrong(op, g):
        calls.append(g)
        return g * (2.0 if len(calls) < 2 else 3.0)

    problem, recorded, report = recorded_of(backward_of(third_is_wrong)(), np.array([1.0]))
    accumulates(problem, recorded, np.array([0.5]), np.array([1.0]), report)
    assert "expected 2, two backwards accumulate 2.5 (worst, flat index 0)" in str(report)


def test_linear_is_meant_to_rounding():
    weights = np.array([1.1, -0.9])
    for e, right in ((0.0, True), (1e-6, False)):
        _, recorded, report = recorded_of(backward_of(lambda op, g, e=e: g * 2.0 + g * g * e)(), np.ones(2))
        analytic = recorded.gradient(weights)
        linear_in_cotangent(recorded, weights, analytic, report, np.random.default_rng(0))
        assert bool(report) == right


def test_memory_is_shared_with_another_gradient_an_input_or_the_incoming_gradient():
    x, y = Tensor(np.ones(3)), Tensor(np.zeros(3))
    for owned, others, name in [
        ([("first", x), ("second", Tensor(x.array[1:]))], [], "second"),
        ([("first", x), ("second", y)], [("third", Tensor(y.array[::-1]))], "third"),
        ([("none", None), ("first", x)], [("nothing", None), ("itself", x)], "itself"),
    ]:
        report = GradReport("mine", 0)
        _apart(owned, others, report)
        assert report.properties == ["no alias"] and f"shares memory with {name}" in str(report)
    report = GradReport("mine", 0)
    _apart([("first", x), ("empty", Tensor(x.array[:0]))], [("second", y), ("none", None)], report)
    assert report
