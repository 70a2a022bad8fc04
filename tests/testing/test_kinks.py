"""What the checker says at kinks and ties, near poles, and of noise."""

import sys
from pathlib import Path

import numpy as np

from minigan import Op, Tensor, no_grad, ops
from minigan.testing import INCONCLUSIVE, gradcheck

sys.path.insert(0, str(Path(__file__).parent))
from faulty import Cube, normal


def test_any_sub_gradient_will_do_at_a_kink_but_no_other():
    class Relu(Op):
        keeps = (0,)
        at_zero = 0.0

        def forward(self, x):
            return np.maximum(x, 0)

        def backward(self, g):
            x = self.input(0).array
            return g * Tensor(np.where(x == 0, self.at_zero, x > 0))

    x = np.array([-1.0, 0.0, 0.0, 2.0])
    for value, right in ((0.0, True), (0.5, True), (1.0, True), (-0.2, False), (1.3, False)):
        report = gradcheck(type("R", (Relu,), {"at_zero": value}), x, seed=0, full=False)
        assert bool(report) == right, report
        assert report.kinks >= 2 and (right or report.properties == ["sub-gradient"])


def test_a_tie_counted_twice_is_found():
    class Max(Op):
        keeps = (0,)

        def forward(self, x):
            return x.max(axis=0)

        def backward(self, g):
            x = self.input(0).array
            return ops.broadcast_to(g, x.shape) * Tensor((x == x.max(axis=0)) * 1.0)

    for seed in range(20):
        assert gradcheck(Max, np.ones((2, 3)), seed=seed, order=1).properties == ["sub-gradient"]
    assert gradcheck(lambda x: ops.amax(x, axis=0), np.ones((2, 3)), seed=0)


def test_a_wrong_gradient_beside_a_kink_is_still_found():
    wrong = Cube(lambda slope: slope * 1.001)
    both = lambda x: ops.concatenate([ops.relu(x), wrong_twin(wrong, x)])  # noqa: E731
    assert gradcheck(both, np.array([0.0, 0.0, 1.0, -1.0]), order=1, seed=0).properties == ["gradient"]


def wrong_twin(op, x):
    return Cube(op.wrong)(x)


def test_a_kink_nearby_is_stepped_around():
    report = gradcheck(ops.relu, np.array([1e-6, -2e-6, 1.0, 0.5]), seed=0, order=1)
    assert report and report.kinks == 0


def test_noise_and_values_that_are_not_finite_are_inconclusive_and_said():
    noisy = lambda x: x * 1.0 + Tensor(1e-7 * np.sin(1e12 * x.array))  # noqa: E731
    report = gradcheck(noisy, normal(4), seed=0, order=1)
    assert report.verdict == INCONCLUSIVE and not report and "undecided: " in str(report), report
    report = gradcheck(ops.log, np.array([1.0, -1.0]), seed=0)
    assert report.verdict == INCONCLUSIVE and "the value is nan at flat index 1" in str(report)


def test_a_gradient_that_is_not_finite_where_the_value_is_fails():
    report = gradcheck(ops.sqrt, np.array([1.0, 0.0]), seed=0)
    assert report.properties == ["finite"] and "inf at [1]" in str(report)
    with no_grad():
        assert gradcheck(ops.sqrt, np.array([1.0, 2.0]), seed=0)  # records inside no_grad as well
