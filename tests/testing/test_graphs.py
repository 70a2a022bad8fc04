"""The engine against plain NumPy, on whole computation graphs drawn at random."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigan import Tensor, grad
from minigan.testing.graphs import OPERATIONS, Graph, Step, complex_gradient, constants_of, evaluate
from minigan.testing.strategies import graphs, seeds

MANY = {"default": 60, "ci": 200, "nightly": 5000}[os.environ.get("MINIGAN_HYPOTHESIS", "default")]


def drawn(graph, seed):
    rng = np.random.default_rng(seed)
    inputs = [rng.uniform(-1, 1, shape) for shape in graph.inputs]
    leaves = [Tensor(array, requires_grad=True) for array in inputs]
    result = evaluate(graph, leaves)
    return rng, inputs, leaves, result, rng.uniform(0.5, 1.5, result.shape)


def close(mine, exact, relative):
    size = max(float(np.max(np.abs(exact), initial=0.0)), 1.0)
    assert np.max(np.abs(mine - exact), initial=0.0) <= relative * size


@settings(max_examples=MANY)
@given(graphs(), seeds())
def test_gradient_is_that_of_the_complex_step(graph, seed):
    rng, inputs, leaves, result, weights = drawn(graph, seed)
    exact = complex_gradient(graph, inputs, weights)
    if not result.requires_grad:
        assert not any(g.any() for g in exact)
        return
    for mine, true in zip(
        grad(result, leaves, Tensor(weights), retain_graph=True, allow_unused=True), exact, strict=True
    ):
        close(np.zeros(true.shape) if mine is None else mine.numpy(), true, 1e-12)
    result.backward(Tensor(weights))
    for leaf, true in zip(leaves, exact, strict=True):
        close(np.zeros(true.shape) if leaf.grad is None else leaf.grad.numpy(), true, 1e-12)


@settings(max_examples=MANY // 2)
@given(graphs(), seeds())
def test_second_derivative_is_that_of_the_complex_steps_gradient(graph, seed):
    """H u against the central difference of the exact gradient, its constants held."""
    rng, inputs, leaves, result, weights = drawn(graph, seed)
    directions = [rng.uniform(0.5, 1.5, array.shape) for array in inputs]
    constants, step = constants_of(graph, inputs), 1e-5
    plus, minus = (
        complex_gradient(
            graph, [a + s * u for a, u in zip(inputs, directions, strict=True)], weights, constants
        )
        for s in (step, -step)
    )
    exact = [(p - m) / (2 * step) for p, m in zip(plus, minus, strict=True)]
    mine = [None] * len(leaves)
    if result.requires_grad:
        first = grad(result, leaves, Tensor(weights), create_graph=True, allow_unused=True)
        pairs = [
            (g, Tensor(u))
            for g, u in zip(first, directions, strict=True)
            if g is not None and g.requires_grad
        ]
        if pairs:
            roots, again = zip(*pairs, strict=True)
            mine = grad(roots, leaves, again, allow_unused=True)
    for found, true in zip(mine, exact, strict=True):
        close(np.zeros(true.shape) if found is None else found.numpy(), true, 1e-6)


def test_a_detached_value_is_a_constant():
    graph = Graph(((2,),), (Step("square", (0,)), Step("detach", (1,)), Step("mul", (0, 2))))
    x = np.array([0.5, -2.0])
    (exact,) = complex_gradient(graph, [x], np.ones(2))
    np.testing.assert_allclose(exact, x * x)  # d(x * c)/dx with c = x^2 held


@given(st.data())
def test_shapes_are_known_before_the_graph_is_run(data):
    graph = data.draw(graphs(cuts=False))
    _, _, _, result, _ = drawn(graph, 0)
    assert not any(step.constant for step in graph.steps)
    assert result.size >= 1


SETTINGS = {"scale": -1.5, "sum": (1, True), "mean": (0, False), "flip": 1, "take": (slice(None), [1, 0, 1]),
            "pad": (2, 1), "broadcast": 2}  # fmt: skip


@pytest.mark.parametrize("name", OPERATIONS)
def test_both_forms_of_an_operation_are_one(name):
    """Whatever the draw of graphs leaves out: each operation on Tensors and on arrays, at one point."""
    on_tensors, on_arrays = OPERATIONS[name]
    arrays = np.random.default_rng(0).uniform(0.5, 1.5, (2, 3, 3))
    binary = name in ("add", "sub", "mul", "div", "matmul", "concatenate")
    given_arrays = arrays if binary else arrays[:1]
    got = on_tensors(*(Tensor(array) for array in given_arrays), SETTINGS.get(name))
    wanted = on_arrays(*given_arrays, SETTINGS.get(name))
    np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-14)


def test_constants_are_those_of_cut_steps_in_their_order_and_can_be_held():
    steps = (
        Step("square", (0,)),
        Step("scale", (1,), 3.0, constant=True),
        Step("detach", (0,)),
        Step("mul", (2, 3)),
        Step("mul", (4, 0)),
    )
    graph, x = Graph(((2,),), steps), np.array([2.0, -1.0])
    np.testing.assert_array_equal(constants_of(graph, [x]), [[12, 3], [2, -1]])
    weights = np.array([1.0, 10.0])
    np.testing.assert_allclose(complex_gradient(graph, [x], weights), [[24, -30]], rtol=1e-15)
    held = complex_gradient(graph, [x], weights, [np.array([5.0, 7.0]), np.array([1.0, 2.0])])
    np.testing.assert_allclose(held, [[5, 140]], rtol=1e-15)
    leaf = Tensor(x, requires_grad=True)
    (g,) = grad(evaluate(graph, [leaf]), [leaf], Tensor(weights))
    assert g.numpy().tolist() == [24, -30]


def test_the_gradient_of_each_input_and_of_one_that_is_not_read():
    graph = Graph(((), (2,), (1,)), (Step("mul", (0, 1)),))
    first, second, third = complex_gradient(
        graph, [np.array(2.0), np.array([3.0, 4.0]), np.ones(1)], np.array([1.0, 10.0])
    )
    assert first == 43 and second.tolist() == [2, 20] and third.tolist() == [0]
