"""Finite differences: how exact they are, how honest their error bars, and what they call what they meet."""

import numpy as np
import pytest

from minigan.testing import numeric
from minigan.testing.numeric import JUMP, KINK, ROUGH, SMOOTH


def slope_of(function, *point, direction=None):
    x = np.array(point, float)
    u = np.ones(x.size) if direction is None else np.array(direction, float)
    return numeric.directional(function, function(x), x, u)


@pytest.mark.parametrize(
    "function, derivative",
    [
        (np.exp, np.exp),
        (np.sin, np.cos),
        (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
        (lambda x: x**5, lambda x: 5 * x**4),
    ],
)
def test_is_exact_and_its_bar_covers_the_error(function, derivative):
    x = np.random.default_rng(0).uniform(0.3, 3, 500)
    slope = slope_of(function, *x)
    error = np.abs(slope.value - derivative(x))
    assert np.max(error / derivative(x).clip(0.1)) < 3e-9
    weights = numeric.probe(np.random.default_rng(1), x.size)
    found, bar = numeric.contracted(slope, weights, function(x))
    assert abs(found - weights @ derivative(x)) <= 3 * bar < 1e-8 * np.abs(weights * derivative(x)).sum()
    assert (slope.kind == SMOOTH).all()


def test_takes_three_evaluations_where_it_is_sure():
    calls = []

    def counted(x):
        calls.append(x)
        return np.exp(x)

    numeric.directional(counted, np.exp(np.ones(3)), np.ones(3), np.ones(3))
    assert len(calls) == 3
    found = numeric.remeasured(counted, np.exp(np.ones(3)), np.ones(3), np.ones(3), np.ones(3))
    assert [value for value, _ in found] == pytest.approx([3 * np.e] * 2) and len(calls) == 9


@pytest.mark.parametrize(
    "function, kind",
    [
        (lambda x: np.abs(x), KINK),
        (lambda x: np.where(x > 0, 5 * x, x), KINK),
        (lambda x: np.where(x > 0, x + 1.0, x), JUMP),
        (lambda x: 1e-7 * np.sin(1e13 * (x + 0.1)), ROUGH),
        (lambda x: x**3, SMOOTH),
    ],
)
def test_calls_things_by_their_names(function, kind):
    assert slope_of(function, 0.0).kind.tolist() == [kind]


def test_one_sided_slopes_bound_the_sub_gradients():
    slope = slope_of(lambda x: np.maximum(x, 3 * x), 0.0)
    assert (slope.left[0], slope.right[0]) == pytest.approx((1, 3))
    low, high = numeric.interval(slope, np.array([2.0]))
    assert low == pytest.approx(2, rel=1e-3) and high == pytest.approx(6, rel=1e-3) and low < 2 < 6 < high
    low, high = numeric.interval(slope, np.array([-1.0]))
    assert low < -3 < -1 < high


def test_a_kink_near_the_point_is_stepped_around():
    slope = slope_of(lambda x: np.abs(x), 2e-6)
    assert slope.kind[0] == SMOOTH and slope.value[0] == pytest.approx(1)


def test_directions_hide_nothing():
    u = numeric.probe(np.random.default_rng(0), 1000)
    assert (np.abs(u) >= 0.5).all() and (np.abs(u) <= 1.5).all() and 400 < (u > 0).sum() < 600


def test_a_slope_below_the_values_own_digits_is_nothing():
    start = np.array([1e6])
    assert numeric.rounding(start)[0] > 1e-5 and numeric.resolution(np.array([1.0]), start) > 0.5
