"""Gradient descent and Adam on pixels: they get there, stay in the box, and hand their state on."""

import numpy as np
import pytest

from minigan.style.descent import descend, resized

CENTRE = np.random.default_rng(0).random((1, 3, 8, 8)).astype(np.float32)
START = np.full((1, 3, 8, 8), 0.5, np.float32)


def bowl(x):
    return float(((x - CENTRE) ** 2).sum()), 2 * (x - CENTRE)


@pytest.mark.parametrize("optimizer", ["adam", "gd"])
def test_gets_there(optimizer):
    outcome, _ = descend(bowl, START, optimizer=optimizer, lr=0.02, iterations=300)
    assert np.abs(outcome.x - CENTRE).mean() < 0.02
    assert outcome.iterations == 300 and outcome.reason == "all 300 iterations done"


@pytest.mark.parametrize("optimizer", ["adam", "gd"])
def test_stays_in_the_box(optimizer):
    outcome, _ = descend(
        lambda x: (float((x - 5).sum()), x - 5), START, optimizer=optimizer, lr=0.1, iterations=60
    )
    assert outcome.x.max() == 1 and outcome.x.min() == 1


def test_average_of_iterates():
    """After one step with decay d, the average is d start + (1 - d) step."""
    plain, _ = descend(bowl, START, optimizer="adam", lr=0.1, iterations=1)
    averaged, _ = descend(bowl, START, optimizer="adam", lr=0.1, iterations=1, ema=0.75)
    np.testing.assert_allclose(averaged.x, 0.75 * START + 0.25 * plain.x, rtol=1e-6)


def test_stops_when_asked():
    outcome, _ = descend(
        bowl, START, optimizer="adam", lr=0.1, iterations=50, on_iteration=lambda k, x, v: k == 4
    )
    assert outcome.iterations == 4 and outcome.reason == "asked to stop"


def test_state_goes_on_where_it_was():
    """20 steps at once, or 10 and 10 with the state handed on, are the same steps."""
    once, _ = descend(bowl, START, optimizer="adam", lr=0.01, iterations=20)
    half, state = descend(bowl, START, optimizer="adam", lr=0.01, iterations=10)
    rest, _ = descend(bowl, half.x, optimizer="adam", lr=0.01, iterations=10, state=state)
    np.testing.assert_array_equal(once.x, rest.x)


def test_moments_are_enlarged_like_pictures():
    _, state = descend(bowl, START, optimizer="adam", lr=0.01, iterations=3)
    larger = resized(state, (1, 3, 16, 16))
    moment = larger["state"][0]["exp_avg"]
    assert moment.shape == (1, 3, 16, 16) and larger["state"][0]["step"] == 3
    np.testing.assert_allclose(moment.mean(), state["state"][0]["exp_avg"].mean(), rtol=0.2, atol=1e-3)
    big = np.full((1, 3, 16, 16), 0.5, np.float32)
    outcome, _ = descend(lambda x: (0.0, x * 0), big, optimizer="adam", lr=0.01, iterations=1, state=state)
    assert np.abs(outcome.x - big).max() > 1e-4  # a zero gradient, and yet it moves: momentum came along
