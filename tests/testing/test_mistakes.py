"""What newcomers write, and that they are told what is wrong in few words."""

import sys
from pathlib import Path

import numpy as np
import pytest

from minigan import Op, Tensor, ops
from minigan.errors import ArgumentError
from minigan.testing import OpCase, Sample, check_op, gradcheck
from minigan.testing.strategies import arrays, distinct_arrays

sys.path.insert(0, str(Path(__file__).parent))
from faulty import backward_of, normal


class AddBias(Op):
    """(N, C) + (C,), with a backward to be filled in."""

    def forward(self, x, bias):
        return x + bias


class Forgetful(Op):
    """x**2 that does not say that its backward reads x."""

    def forward(self, x):
        return x * x

    def backward(self, g):
        return g * self.input(0) * 2.0


class Square(Op):
    keeps = (0,)

    def forward(self, x):
        return (x * x).sum()

    def backward(self, g):
        return g * self.input(0)


def op(base, function):
    return type("Mine", (base,), {"backward": function})


MISTAKES = {
    "bias gradient not summed": (
        op(AddBias, lambda op, g: (g, g)),
        (normal(4, 3), normal(3)),
        ["shape (4, 3), expected (3,)", "hint: a broadcast input? sum its gradient"],
    ),
    "bias gradient averaged": (
        op(AddBias, lambda op, g: (g, g.mean(axis=0))),
        (normal(4, 3), normal(3)),
        [
            "argument 1",
            "1/4 times the true gradient",
            "averaged (or divided by it) where it should be summed?",
        ],
    ),
    "keeps forgotten": (Forgetful, normal(3), ["backward reads input 0, which `keeps` does not list"]),
    "nothing returned": (
        backward_of(lambda op, g: None),
        normal(3),
        ["the gradient is zero here", "not returned?"],
    ),
    "an array returned": (
        backward_of(lambda op, g: g.array * 2),
        normal(3),
        [
            "backward returned ndarray for the gradient of argument 0, expected a Tensor",
            "not with their .data",
        ],
    ),
    "factor of the square missing": (
        Square,
        normal(3, 4),
        ["1/2 times the true gradient", "a factor 2 is missing"],
    ),
    "forward makes Tensors": (
        type("Mine", (Square,), {"forward": lambda op, x: Tensor(x * x)}),
        normal(3),
        ["an Op's forward returned a Tensor, expected an array"],
    ),
    "a number returned": (
        lambda x: x.sum().item(),
        normal(3),
        ["the function returned float, expected a Tensor"],
    ),
    "an array returned by the function": (
        lambda x: x.array,
        normal(3),
        ["returned ndarray, expected a Tensor"],
    ),
    "an argument missing": (lambda x, y: x * y, normal(3), ["missing 1 required positional argument: 'y'"]),
    "detached in the middle": (lambda x: x.detach() * x, normal(3), ["1/2 times the true gradient"]),
    "a root at zero": (
        ops.sqrt,
        np.zeros(2),
        ["finite: the gradient of argument 0 is", "the value is finite"],
    ),
}


@pytest.mark.parametrize("fn, inputs, words", MISTAKES.values(), ids=[m.replace(" ", "-") for m in MISTAKES])
def test_is_told_in_few_words(fn, inputs, words):
    report = gradcheck(fn, inputs, seed=0)
    assert report.verdict == "FAIL" and len(str(report).splitlines()) <= 15
    assert all(word in str(report) for word in words), report


@pytest.mark.parametrize("inputs", [[1.0, 2.0], 1.5, (1.5,), [np.ones(2)], np.ones((2, 0))])
def test_numbers_lists_and_arrays_are_inputs(inputs):
    assert gradcheck(lambda x: ops.exp(x), inputs, seed=0)


def test_whole_numbers_are_constants_and_no_probe_proves_nothing():
    with pytest.raises(ArgumentError, match="integers are constants"):
        gradcheck(ops.exp, np.array([1, 2]))
    with pytest.raises(ArgumentError, match="at least 1 probe, got 0"):
        gradcheck(ops.exp, [1.0], probes=0)


def test_a_strategy_may_draw_arrays_alone():
    for strategy in (distinct_arrays((2,)), arrays((2,)).map(lambda a: (a,)), arrays((2,)).map(Sample)):
        assert (
            check_op(OpCase("double", lambda x: x * 2.0, strategy, lambda x: 2 * x), examples=3).examples == 3
        )


def test_a_sample_makes_arrays_of_what_it_is_given():
    sample = Sample(([1.0, 2.0], 3))
    assert [a.dtype.kind for a in sample.inputs] == ["f", "i"] and repr(
        sample
    ) == "Sample(float64[2], int64[])"


def test_values_at_zero_where_the_slope_fades_are_decided():
    for power in (2, 3, 4):
        assert gradcheck(lambda x, power=power: x**power, np.zeros(3), seed=0)
    wrong = backward_of(lambda op, g: g * 1e-3)
    wrong.forward = lambda op, x: x**3
    assert gradcheck(wrong, np.zeros(3), seed=0, order=1).properties == ["gradient"]
