"""Functions, Ops and Modules as one function of one flat vector."""

import numpy as np
import pytest

from minigan import Tensor, is_grad_enabled, nn, no_grad, ops
from minigan.errors import GraphError
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
        return x[index.array] * y

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


def test_an_entrys_step_is_kept_between_a_millionth_and_a_million():
    problem = make_problem(
        lambda *given: given[0], tuple(np.full(2, size) for size in (1e-9, 1e-5, 1e5, 1e9))
    )
    assert problem.scale[::2] == pytest.approx([1e-6, 1e-5, 1e5, 1e6])
    odd = make_problem(lambda *given: given[0], (np.array([np.inf]), np.zeros((0, 2)), np.array([3.0, -4.0])))
    assert odd.scale == pytest.approx([1, 12.5**0.5, 12.5**0.5])


def test_evaluations_are_counted_one_by_one():
    problem = make_problem(ops.exp, np.ones(2))
    assert problem.evaluations == 0
    problem.value(np.zeros(2))
    problem.record()
    assert problem.evaluations == 2


def test_only_a_recording_asks_for_gradients_and_it_works_on_copies():
    seen = []

    def fn(x):
        seen.append((x.requires_grad, is_grad_enabled()))
        x.array[...] = 7.0
        return x * 1.0

    problem = make_problem(fn, np.zeros(2))
    problem.value(np.zeros(2))
    with no_grad():
        problem.record()
    assert seen == [(False, False), (True, True)] and problem.arrays[0].tolist() == [0, 0]


def test_the_second_order_is_recorded_only_when_it_is_asked_for():
    second = make_problem(lambda x: x**3, np.array([1.0, 2.0])).second([np.array([1.0, 10.0])])
    assert second.labels == ["argument 0", "incoming gradient 0"]
    assert second.value(second.point).tolist() == [3, 120]
    leaves, (g,) = second.build(second.arrays, False)
    assert not g.requires_grad and not leaves[1].requires_grad
    leaves, (g,) = second.build(second.arrays, True)
    assert g.requires_grad and leaves[1].requires_grad


def test_gradients_can_be_asked_for_often_until_the_plain_backward():
    recorded = make_problem(lambda x: (x * 2.0, x * x, Tensor(np.ones(1))), np.array([1.0, 3.0])).record()
    weights = np.array([1.0, 1.0, 10.0, 100.0, 5.0])
    for _ in range(2):
        assert recorded.gradient(weights).tolist() == [22, 602]
    assert not recorded.gradients(weights)[0].requires_grad
    assert recorded.gradients(weights, create_graph=True)[0].requires_grad
    assert recorded.plain_backward(weights).tolist() == [22, 602]
    with pytest.raises(GraphError):
        recorded.results[1].backward(Tensor(np.ones(2)))


def test_numbers_in_a_list_are_one_argument_and_tensors_in_it_are_several():
    assert len(make_problem(ops.exp, [1.0, 2.0]).arrays) == 1
    assert len(make_problem(ops.add, [np.ones(2), np.ones(2)]).arrays) == 2
    assert len(make_problem(ops.add, (1.0, 2.0)).arrays) == 2
