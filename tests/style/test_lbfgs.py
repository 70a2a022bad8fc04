"""The bridge to L-BFGS: it finds minima, keeps the box, and says why it stopped."""

import numpy as np
import pytest

from minigan.style.lbfgs import explain, minimise


def bowl(centre, scale=1.0):
    return lambda x: (scale * float(((x - centre) ** 2).sum()), scale * 2 * (x - centre))


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_finds_the_minimum_whatever_the_units(scale):
    """Without scaling, SciPy stops at once on values as small as 1e-9."""
    centre = np.full((1, 3, 2, 2), 0.3, np.float32)
    outcome = minimise(bowl(centre, scale), np.zeros((1, 3, 2, 2), np.float32), iterations=50)
    np.testing.assert_allclose(outcome.x, centre, atol=1e-4)
    assert outcome.x.dtype == np.float32 and outcome.iterations >= 1
    assert outcome.value == pytest.approx(0, abs=1e-6 * scale)


def test_stays_in_the_box():
    outcome = minimise(bowl(np.full((4,), 2.0)), np.zeros(4), iterations=20)
    np.testing.assert_allclose(outcome.x, 1)
    free = minimise(bowl(np.full((4,), 2.0)), np.zeros(4), iterations=20, box=None)
    np.testing.assert_allclose(free.x, 2, rtol=1e-5)


def rosenbrock(x):
    a, b = x
    value = (1 - a) ** 2 + 100 * (b - a * a) ** 2
    return value, np.array([-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)])


def test_counts_reports_and_can_be_stopped():
    seen = []
    outcome = minimise(rosenbrock, np.array([-1.2, 1.0]), iterations=7, box=None,
                       on_iteration=lambda k, x, value: bool(seen.append((k, value))))  # fmt: skip
    assert [k for k, _ in seen] == list(range(1, 8)) and outcome.iterations == 7
    assert outcome.reason == "all 7 iterations done" and outcome.evaluations >= 8
    assert seen[-1][1] == pytest.approx(outcome.value)
    stopped = minimise(rosenbrock, np.array([-1.2, 1.0]), iterations=50, on_iteration=lambda k, x, v: k == 3)
    assert stopped.reason == "asked to stop" and stopped.iterations == 3


def test_reasons_in_plain_words():
    centre = np.full(3, 0.5)
    assert "minimum" in minimise(bowl(centre), centre + 0.1, iterations=50).reason
    wrong_way = minimise(lambda x: (float((x**2).sum()), -2 * x), np.full(3, 0.5), iterations=5)
    assert "no step downhill" in wrong_way.reason or "no longer falls" in wrong_way.reason
    assert "too many evaluations" in explain("STOP: TOTAL NO. OF F,G EVALUATIONS EXCEEDS LIMIT", 3, 9)
    assert "no longer falls" in explain("CONVERGENCE: RELATIVE REDUCTION OF F <= FACTR*EPSMCH", 3, 9)
    assert explain("something new", 3, 9) == "after 3 iterations: something new"


def test_a_start_at_zero_value_is_a_minimum():
    outcome = minimise(bowl(np.zeros(2)), np.zeros(2), iterations=5)
    assert outcome.value == 0 and "minimum" in outcome.reason
