"""Functions, Ops and Modules as one function of one flat vector."""

import numpy as np
import pytest

from minigan import Tensor, nn, ops
from minigan.testing import gradcheck
from minigan.testing.problem import make_problem


def test_an_entry_of_the_flat_vector_has_a_place():
    problem = make_problem(lambda x, y, z: x, (np.zeros((2, 3)), np.zeros((0, 2)), np.zeros(4)))
    assert [problem.argument(i) for i in (0, 5, 6, 9)] == [(0, (0, 0)), (0, (1, 2)), (2, (0,)), (2, (3,))]
    assert problem.labels == ["argument 0", "argument 1", "argument 2"]


def test_steps_are_relative_to_each_argument():
    problem = make_problem(lambda *given: given[0], (np.full(2, 300.0), np.zeros(1), np.full(1, 1e-9)))
    assert problem.scale == pytest.approx([300, 300, 1, 1e-6])


def test_a_frozen_parameter_is_a_constant():
    layer = nn.Linear(3, 2, generator=np.random.default_rng(0))
    layer.weight.requires_grad_(False)
    problem = make_problem(layer, np.ones((1, 3)))
    assert problem.labels == ["argument 0", "parameter bias"]
    assert gradcheck(layer, np.ones((1, 3)), seed=0)


def test_integers_are_handed_on_and_doubles_made_of_floats():
    seen = []

    def fn(x, index, y):
        seen.append((x.dtype, index.dtype, y.dtype))
        return x[index.data] * y

    assert gradcheck(fn, (np.ones(3, np.float32), np.array([0, 2]), Tensor(np.ones(2, np.float32))), seed=0)
    assert set(seen) == {(np.dtype(np.float64), np.dtype(int), np.dtype(np.float64))}


@pytest.mark.parametrize(
    "fn, name",
    [
        (ops.exp, "exp"),
        (nn.Tanh(), "Tanh"),
        (ops.elementwise.Exp, "Exp"),
        (ops.elementwise.Exp(), "Exp"),
        (lambda x: ops.exp(x), "Exp"),
    ],
)
def test_the_report_has_the_name_of_what_was_checked(fn, name):
    assert gradcheck(fn, np.ones(2), seed=0).name == name
    assert gradcheck(fn, np.ones(2), seed=0, name="mine").name == "mine"
