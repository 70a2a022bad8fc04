"""When a mismatch is believed, when it is not, and where it is looked for."""

import sys
from pathlib import Path

import numpy as np
import pytest

from minigan import Tensor, ops
from minigan.testing import FAIL, INCONCLUSIVE, PASS, gradcheck
from minigan.testing.compare import Comparison

sys.path.insert(0, str(Path(__file__).parent))
from faulty import Cube, backward_of, normal, spoiled


def with_slopes(patch, change):
    """Change what is measured along the first direction, the second, ...; `change(number, slope)`."""
    measure, count = Comparison._slope, iter(range(100))

    def spoil(self, u):
        slope = measure(self, u)
        change(next(count), slope)
        return slope

    patch.setattr(Comparison, "_slope", spoil)


def off_by_a_percent(*numbers):
    def change(number, slope):
        if number in numbers:
            slope.value = slope.value * 1.01

    return change


def test_one_unlucky_direction_is_measured_again(monkeypatch):
    with_slopes(monkeypatch, off_by_a_percent(1))
    assert gradcheck(Cube, normal(20), seed=0, order=1).verdict == PASS


def test_two_unlucky_directions_are_no_bad_luck(monkeypatch):
    with_slopes(monkeypatch, off_by_a_percent(0, 2, *range(3, 50)))
    assert gradcheck(Cube, normal(20), seed=0, order=1).properties == ["gradient"]


def test_a_mismatch_that_no_entry_confirms_is_a_doubt(monkeypatch):
    with_slopes(monkeypatch, off_by_a_percent(0, 1))
    report = gradcheck(Cube, normal(20), seed=0, order=1)
    assert report.verdict == INCONCLUSIVE and "but no entry alone differs" in str(report)


@pytest.mark.parametrize("wrong, verdict", [(1.0, INCONCLUSIVE), (1.05, INCONCLUSIVE), (1.3, FAIL)])
def test_a_wide_bar_decides_nothing_but_what_is_far_off(monkeypatch, wrong, verdict):
    def blur(number, slope):
        slope.bar = np.full(slope.bar.shape, 0.01) * np.abs(slope.value)

    with_slopes(monkeypatch, blur)
    report = gradcheck(spoiled(lambda s: s * wrong), normal(20), seed=0, order=1)
    assert report.verdict == verdict, report
    assert verdict == FAIL or "cannot be judged" in str(report)


@pytest.mark.parametrize("size", [3, 40, 2000])
def test_the_worst_entry_is_named(size):
    def bump(slope):
        slope[size - 2] += 0.5
        return slope

    report = gradcheck(spoiled(bump), np.linspace(0.5, 1.5, size), seed=0, order=1)
    assert report.properties == ["gradient"] and f"at [{size - 2}]" in str(report)


def test_the_whole_jacobian_shows_what_drowns_in_a_direction():
    """An entry 1e-8 of the largest, wrong by as much as it is: below the floor of a probe, not of its own."""
    large = Tensor(np.array([1e4, 1e-4]))
    op = backward_of(lambda op, g: g * Tensor(large.array * np.array([1.0, 2.0])))
    op.forward = lambda self, x: x * large.array
    assert gradcheck(op, np.ones(2), seed=0, order=1, full=False)
    report = gradcheck(op, np.ones(2), seed=0, order=1, full=True)
    assert report.properties == ["gradient"] and "d result[1] / d argument 0[1]: analytic 0.0002" in str(
        report
    )


def test_outputs_without_gradient_and_inputs_without_elements():
    assert (
        gradcheck(lambda x: ops.relu(x), np.zeros(3), seed=0, full=True).kinks > 0
    )  # nothing smooth is left
    assert gradcheck(lambda x: x * 1.0, np.zeros((0, 2)), seed=0).error1 == 0


def test_kinks_at_second_order_have_the_property_of_that_order():
    class Hinge(Cube):
        """relu(x)**2, whose second derivative is 2 or 0, and claimed to be 5 at 0."""

        def forward(self, x):
            return np.maximum(x, 0) ** 2

        def backward(self, g):
            x = self.input(0)
            at_zero = Tensor((x.array == 0) * 5.0)
            return g * (ops.relu(x) * 2.0 * Tensor((x.array != 0) * 1.0) + x * at_zero)

    report = gradcheck(Hinge, np.array([0.0, 1.0, -1.0]), seed=0, full=False)
    assert report.properties == ["second order"] and "outside the one-sided slopes" in str(report)
