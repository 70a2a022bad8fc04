"""L-BFGS: known minima, the two loops beside the matrix they stand for, the line search, saving, refusals."""

import numpy as np
import pytest

from minigan import Tensor, optim
from minigan.errors import ArgumentError
from minigan.optim.lbfgs import Point, cubic_minimum, direction, strong_wolfe


def rosenbrock(x):
    return ((1.0 - x[0]) ** 2 + 100.0 * (x[1] - x[0] ** 2) ** 2).sum()


def run(optimizer, function, *parameters, steps=1):
    losses = []

    def closure():
        optimizer.zero_grad()
        loss = function(*parameters)
        loss.backward()
        return loss

    for _ in range(steps):
        losses.append(optimizer.step(closure).item())
    return losses


def leaf(values, dtype=np.float64):
    return Tensor(np.array(values, dtype), requires_grad=True)


def test_rosenbrocks_valley():
    x = leaf([-1.2, 1.0])
    losses = run(
        optim.LBFGS([x], 1, 60, tolerance_change=1e-14, line_search_fn="strong_wolfe"), rosenbrock, x
    )
    assert losses == [pytest.approx(24.2)]
    np.testing.assert_allclose(x.array, [1.0, 1.0], rtol=1e-5)


def test_a_quadratic_in_two_parameters_and_one_without_a_gradient():
    a, b, idle = leaf([[3.0, -1.0]], np.float32), leaf(5.0, np.float32), leaf([7.0], np.float32)
    optimizer = optim.LBFGS([a, b, idle], lr=0.8)
    run(optimizer, lambda a, b: (a * a).sum() + 3.0 * (b - 2.0) ** 2, a, b, steps=3)
    np.testing.assert_allclose(a.array, [[0.0, 0.0]], atol=1e-4)
    assert b.item() == pytest.approx(2.0, abs=1e-4) and idle.item() == 7.0


def test_two_loops_are_the_matrix_of_the_bfgs_formula():
    """H = (1 - rho s y') H (1 - rho y s') + rho s s', Nocedal and Wright, equation 6.17."""
    rng = np.random.default_rng(0)
    curvature = np.diag([1.0, 2.0, 5.0, 9.0])
    pairs, h, scale = [], np.eye(4) * 0.3, 0.3
    for _ in range(3):
        s = rng.normal(size=4)
        y = curvature @ s
        rho = 1.0 / (y @ s)
        pairs.append((s, y, rho))
        left = np.eye(4) - rho * np.outer(s, y)
        h = left @ h @ left.T + rho * np.outer(s, s)
    g = rng.normal(size=4)
    np.testing.assert_allclose(direction(g, pairs, scale), -h @ g, rtol=1e-10)


def line(function, slope):
    return lambda t: Point(t, function(t), None, slope(t))


def test_cubic_through_a_cubic():
    look = line(lambda t: t**3 - 3.0 * t, lambda t: 3.0 * t * t - 3.0)
    assert cubic_minimum(look(0.0), look(3.0), 0.0, 3.0) == pytest.approx(1.0)
    assert cubic_minimum(look(3.0), look(0.0), 0.0, 0.5) == 0.5
    assert cubic_minimum(look(2.0), look(2.0), 1.0, 2.0) == 1.5
    flat = line(lambda t: 0.0, lambda t: 0.0)
    assert cubic_minimum(flat(0.0), flat(1.0), 0.0, 1.0) == 0.5


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 30.0])
def test_the_line_search_meets_both_conditions(first):
    look = line(lambda t: (t - 2.0) ** 4 - t, lambda t: 4.0 * (t - 2.0) ** 3 - 1.0)
    start = look(0.0)
    found = strong_wolfe(look, start, first, 1.0, 1e-9, 25)
    assert found.value <= start.value + 1e-4 * found.t * start.slope
    assert abs(found.slope) <= 0.9 * abs(start.slope)


def test_a_line_search_without_looks_left_keeps_the_better_point():
    look = line(lambda t: t * t, lambda t: 2.0 * t - 1e-3)
    assert strong_wolfe(look, look(0.0), 5.0, 1.0, 1e-9, 0).t == 0.0


def test_where_there_is_nothing_to_gain_nothing_moves():
    x = leaf([1.0, 1.0])
    optimizer = optim.LBFGS([x])
    assert run(optimizer, rosenbrock, x) == [0.0]
    np.testing.assert_array_equal(x.array, [1.0, 1.0])
    assert optimizer.evaluations == 1


def test_evaluations_are_counted_and_bounded():
    x = leaf([-1.2, 1.0])
    optimizer = optim.LBFGS([x], max_iter=10, max_eval=4, line_search_fn="strong_wolfe")
    run(optimizer, rosenbrock, x)
    assert optimizer.evaluations == 4


def test_a_resumed_run_is_bit_equal():
    x = leaf([-1.2, 1.0])
    optimizer = optim.LBFGS([x], max_iter=4, history_size=3, line_search_fn="strong_wolfe")
    run(optimizer, rosenbrock, x, steps=2)
    y = leaf(x.numpy().copy())
    second = optim.LBFGS([y])
    second.load_state_dict(optimizer.state_dict())
    assert len(second.pairs) == 3 and second.param_groups[0]["max_iter"] == 4
    a, b = run(optimizer, rosenbrock, x, steps=2), run(second, rosenbrock, y, steps=2)
    assert a == b
    np.testing.assert_array_equal(x.array, y.array)
    with pytest.raises(ArgumentError, match="does not fit 3 parameters"):
        optim.LBFGS([leaf([1.0, 2.0, 3.0])]).load_state_dict(optimizer.state_dict())


@pytest.mark.parametrize("make, message", [
    (lambda p: optim.LBFGS([p]).step(), "needs a closure"),
    (lambda p: optim.LBFGS([p], line_search_fn="armijo"), "None or 'strong_wolfe', got 'armijo'"),
    (lambda p: optim.LBFGS([{"params": p}, {"params": leaf([1.0])}]), "one group"),
    (lambda p: optim.LBFGS([p, leaf([1.0], np.float32)]), "one dtype"),
    (lambda p: optim.LBFGS([{"params": p, "maximize": True}]), "negative of the loss"),
])  # fmt: skip
def test_bad_arguments(make, message):
    with pytest.raises(ArgumentError, match=message):
        make(leaf([1.0]))
