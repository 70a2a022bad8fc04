"""Operations to be spoiled, for the tests of the checker."""

import numpy as np

from minigan import Op, Tensor


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
    return Cube(lambda slope: Tensor(change(slope.data.copy())))


class Double(Op):
    """y = 2 x, with a backward to be filled in."""

    keeps = (0,)

    def forward(self, x):
        return x * 2.0


def backward_of(function):
    """A Double whose backward is `function(op, g)`."""
    return type("Spoiled", (Double,), {"backward": function})
