"""The dot-product test: what is linear, whose adjoint it is, and what it says of what is not."""

import sys
from pathlib import Path

import numpy as np
import pytest

from minigan import Tensor, nn, ops
from minigan.errors import ArgumentError
from minigan.testing import adjoint_check
from minigan.testing.numeric import probe

sys.path.insert(0, str(Path(__file__).parent))
from faulty import backward_of, normal


@pytest.mark.parametrize(
    "fn, inputs",
    [
        (ops.matmul, (normal(2, 3), normal(3, 4))),
        (lambda x: x[:, ::2], normal(3, 5)),
        (
            nn.Conv2d(2, 3, 3, generator=np.random.default_rng(0)),
            normal(1, 2, 5, 4),
        ),  # its bias is a constant
        (lambda x: x * 0.0, normal(3)),
        (backward_of(lambda op, g: g * 2.0), normal(2, 2)),
    ],
    ids=["both factors", "view", "layer", "zero", "op"],
)
def test_passes_an_adjoint(fn, inputs):
    report = adjoint_check(fn, inputs, seed=0)
    assert report, report
    assert report.evaluations >= 5 and report.error1 < 1e-12


def test_an_argument_can_be_chosen():
    divide = (lambda x, y: x / y, (normal(3), normal(3) + 5))
    assert adjoint_check(*divide, argument=0, seed=0)
    report = adjoint_check(*divide, argument=1, seed=0)
    assert report.properties == ["linear"] and "in argument 1: A(0.7 a - 1.3 b) is" in str(report)
    assert adjoint_check(*divide, seed=0).properties == ["linear"]  # all in turn
    with pytest.raises(ArgumentError, match=r"argument in 0..1, got 2"):
        adjoint_check(*divide, argument=2)


def test_a_backward_that_is_not_the_adjoint_is_measured():
    report = adjoint_check(backward_of(lambda op, g: g * 3.0), normal(3, 4), seed=0)
    assert report.properties == ["adjoint"] and "ratio 1.5" in str(report)
    assert 0 < report.error1 <= 0.5


def test_a_gradient_where_there_should_be_none():
    report = adjoint_check(lambda x: (x * 1.0 - x.detach()).sum(), normal(3), seed=0)
    assert report.properties == ["adjoint"] and "ratio" not in str(report)


@pytest.mark.parametrize("wrong", [1e-6, 1e-9])
def test_is_exact_where_finite_differences_are_not(wrong):
    assert not adjoint_check(backward_of(lambda op, g: g * (2.0 + wrong)), normal(40), seed=0)


def test_one_wrong_entry_of_many_is_found():
    for seed in range(20):
        factors = np.full(4096, 2.0)
        factors[seed] += 1e-4
        op = backward_of(lambda op, g, factors=factors: g * Tensor(factors))
        assert not adjoint_check(op, normal(4096, seed=seed), seed=seed)


def test_fresh_seeds_unless_one_is_given():
    seeds = {adjoint_check(ops.sum, normal(2)).seed for _ in range(3)}
    assert len(seeds) == 3


@pytest.mark.parametrize("wrong, right", [(1.9e-11, True), (2.1e-11, False)])
def test_is_exact_to_a_hundred_thousand_millionth_of_both_sides(wrong, right):
    """Of one number both sides are as large, so the bound is 2e-11 of either."""
    report = adjoint_check(backward_of(lambda op, g: g * (2.0 * (1 + wrong))), np.array([3.0]), seed=0)
    assert bool(report) == right and report.evaluations == 5
    assert report.error1 == pytest.approx(wrong, rel=1e-3)


@pytest.mark.parametrize("share, right", [(0.98, True), (1.02, False)])
def test_linear_means_to_ten_digits_of_image_and_constant(share, right):
    """2 z + e z^2 + 50 at one number: the mixture is off by e times what its squares are off by."""
    generator = np.random.default_rng(0)
    z, other = probe(generator, 1)[0], probe(generator, 1)[0]
    off = abs((0.7 * z - 1.3 * other) ** 2 - (0.7 * z**2 - 1.3 * other**2))
    e = share * 1e-10 * (2 * abs(z) + 50) / off
    report = adjoint_check(lambda x: x * 2.0 + x * x * e + 50.0, np.array([3.0]), seed=0)
    assert ("linear" not in report.properties) == right


def test_evaluations_are_those_of_all_arguments():
    assert adjoint_check(ops.matmul, (normal(2, 3), normal(3, 4)), seed=0).evaluations == 10
    assert adjoint_check(ops.matmul, (normal(2, 3), normal(3, 4)), argument=1, seed=0).evaluations == 5
    with pytest.raises(ArgumentError, match=r"0\.\.1, got -1"):
        adjoint_check(ops.matmul, (normal(2, 3), normal(3, 4)), argument=-1)
