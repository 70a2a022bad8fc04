"""Operations to be spoiled, for the tests of the checker."""

from unittest import mock

import numpy as np

from minigan import Op, Tensor
from minigan.testing import gradcheck
from minigan.testing.compare import Comparison


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


class Cube(Op):
    """x**3 with a gradient that can be spoiled: `wrong` maps the true slope to the one that is used."""

    keeps = (0,)

    def __init__(self, wrong=lambda slope: slope):
        self.wrong = wrong

    def forward(self, x):
        return x**3

    def backward(self, g):
        return g * self.wrong(self.input(0) ** 2 * 3.0)


def spoiled(change):
    """A Cube whose slopes are changed by an array function."""
    return Cube(lambda slope: Tensor(change(slope.array.copy())))


class Double(Op):
    """y = 2 x, with a backward to be filled in."""

    keeps = (0,)

    def forward(self, x):
        return x * 2.0


def backward_of(function):
    """A Double whose backward is `function(op, g)`."""
    return type("Spoiled", (Double,), {"backward": function})


def needle(seed):
    """One entry of 4,096, anywhere, is wrong by 0.01 %: is it found, and with how many evaluations?

    Only the decision is counted; what follows it, the search for the entry, is left out.
    """
    rng = np.random.default_rng(seed)
    x, place = rng.uniform(-1.5, 1.5, 4096), int(rng.integers(4096))
    x[place] = rng.choice([-1, 1]) * rng.uniform(0.5, 1.5)
    wrong = spoiled(lambda slope: slope * (1 + 1e-4 * (np.arange(4096) == place)))
    with mock.patch.object(Comparison, "_explain", lambda self, *given: self.report.add("gradient", "")):
        report = gradcheck(wrong, x, order=1, seed=seed, name="needle")
    return not report, report.evaluations
