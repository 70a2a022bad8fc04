"""Where exactly a comparison turns: just under and just over each tolerance, and the numbers printed."""

import sys
from pathlib import Path

import numpy as np
import pytest

from minigan import Tensor
from minigan.testing import GradReport, checkop, gradcheck, numeric
from minigan.testing.compare import FULL, LOCATE, Comparison, Probe
from minigan.testing.hints import CLOSE, hint
from minigan.testing.numeric import KINK, ROUGH, SMOOTH
from minigan.testing.problem import make_problem
from minigan.testing.properties import close, difference, single_precision

sys.path.insert(0, str(Path(__file__).parent))
from faulty import Cube, normal, spoiled

ABOVE = 1 + 1e-6  # this much over a tolerance, or under it, must decide


# --- one probe ---------------------------------------------------------------------------------------------


def probe(claimed, found, bar=0.0, floor=0.0, scale=1.0, resolution=0.0):
    return Probe(np.ones(1), claimed, found, bar, floor, scale, resolution)


def test_a_probe_agrees_up_to_three_bars_and_the_floor():
    edge = 3 * 2.0**-10 + 2.0**-12  # exact in binary: the edge itself still agrees
    for sign in (1, -1):
        assert probe(1 + sign * edge, 1.0, bar=2.0**-10, floor=2.0**-12).agrees
        assert not probe(1 + sign * edge * ABOVE, 1.0, bar=2.0**-10, floor=2.0**-12).agrees


def test_a_bar_convinces_up_to_a_thousandth_of_the_scale_or_to_the_resolution():
    assert probe(0, 0, bar=0.000999 / 3, scale=1.0).convincing
    assert not probe(0, 0, bar=0.001001 / 3, scale=1.0).convincing
    assert probe(0, 0, bar=2.0, scale=1.0, resolution=6.0).convincing
    assert not probe(0, 0, bar=2.0 * ABOVE, scale=1.0, resolution=6.0).convincing
    assert probe(3.0, 1.0, scale=4.0).error == 0.5
    assert str(probe(1 / 3, 2.0, bar=0.001)) == ("along a direction analytic 0.33333333, numeric 2 +- 0.001")


def comparison(fn, *arrays, order=1, weights=None):
    problem = make_problem(fn, arrays)
    recorded = problem.record()
    weights = np.ones(recorded.value.size) if weights is None else weights
    report = GradReport("mine", 0)
    return Comparison(problem, recorded, weights, report, np.random.default_rng(0), order)


def test_a_probe_is_measured_against_the_largest_number_in_it():
    compare = comparison(lambda x: x * 1.0, np.zeros(2))
    flat_ = numeric.Slope(*(np.zeros(2) for _ in range(4)), np.zeros(2, int), np.zeros(2))

    def scale_of(analytic, u, value=0.0, weights=(1.0, 0.0)):
        slope = numeric.Slope(np.full(2, value), *(np.zeros(2) for _ in range(3)), flat_.kind, flat_.drift)
        return compare._probe(np.array(u), slope, np.array(weights), np.array(analytic))

    cancelled = scale_of([5.0, 5.0], [1.0, -1.0])
    assert (cancelled.claimed, cancelled.scale, cancelled.floor) == (0.0, 5.0, pytest.approx(5e-7))
    assert scale_of([5.0, 5.0], [1.0, 1.0]).scale == 10
    assert scale_of([0.0, 0.0], [1.0, 1.0], value=-7.0).scale == 7
    nothing = scale_of([0.0, 0.0], [1.0, 1.0])
    assert nothing.scale == pytest.approx(1e3 * nothing.resolution) == pytest.approx(1e-9)
    assert scale_of([0.0, 0.0], [1.0, 1.0], weights=(0.0, 0.0)).scale == 1e-300


# --- a whole gradient --------------------------------------------------------------------------------------


def test_directions_are_of_the_size_of_the_argument(monkeypatch):
    """Half of it to one and a half, 3 of them, and the same for the one added at kinks."""
    seen, measure = [], Comparison._slope
    monkeypatch.setattr(Comparison, "_slope", lambda self, u: seen.append(u) or measure(self, u))
    compare = comparison(lambda x, y: x * 1.0, np.full(300, 1e4), np.full(300, 1e-3))
    compare.run(compare.recorded.gradient(compare.weights), probes=3, full=False)
    compare._at_kinks(compare.weights, [])
    sizes = np.abs(seen) / np.repeat([1e4, 1e-3], 300)
    assert len(seen) == 4 and 0.5 <= sizes.min() < 0.55 and 1.45 < sizes.max() <= 1.5
    assert (seen[3] > 0).all()  # all signs alike


@pytest.mark.parametrize("order, name", [(1, "gradient"), (2, "second order")])
def test_a_comparison_has_the_property_of_its_order(order, name):
    assert comparison(lambda x: x * 1.0, np.ones(2), order=order).property == name


@pytest.mark.parametrize("size, words", [(LOCATE, "worst at"), (LOCATE + 1, "wrong at")])
def test_up_to_512_entries_are_compared_one_by_one(size, words):
    assert LOCATE == 512
    compare = comparison(spoiled(lambda s: s + 0.5 * (np.arange(size) == 7)), np.full(size, 100.0))
    compare.run(compare.recorded.gradient(compare.weights), probes=3, full=False)
    assert f"{words} [7]: analytic 30000.5, numeric 30000" in str(compare.report)


@pytest.mark.parametrize("size, found", [(FULL // 2, True), (FULL // 2 + 1, False)])
def test_up_to_12_inputs_and_outputs_the_jacobian_is_compared(monkeypatch, size, found):
    seen = []
    monkeypatch.setattr(Comparison, "_full", lambda self, weights: seen.append(weights.size))
    assert gradcheck(Cube, normal(size), seed=0) and seen == [size] * found
    assert gradcheck(Cube, normal(size), seed=0, full=False) and seen == [size] * found
    assert FULL == 12


def test_wrong_entries_are_counted_from_a_millionth_of_the_largest_on():
    """Entries off by 5e-7, 2e-6 and 1 of the largest: two are over the tolerance."""
    off = np.array([5e-7, 2e-6, 1.0, 0.0])
    compare = comparison(spoiled(lambda s: s + 3 * off), np.ones(4))
    compare.run(compare.recorded.gradient(compare.weights), probes=3, full=False)
    text = str(compare.report)
    assert "worst at [2]: analytic 6, numeric 3 +- " in text and ", ratio 2; 2 of 4 entries differ" in text


@pytest.mark.parametrize("bars_off, wrong", [(0.0, 0), (2.9, 0), (3.1, 1)])
def test_an_entry_differs_from_three_of_its_bars_on(monkeypatch, bars_off, wrong):
    compare, bar = comparison(lambda x: x * 1.0, np.ones(2)), np.array([0.01, 0.0])
    monkeypatch.setattr(compare, "_entries", lambda weights: (np.ones(2), bar))
    compare._explain(np.ones(2), 1 + bars_off * bar, probe(2.0, 1.0))
    assert len(compare.report.findings) == wrong and len(compare.report.doubts) == 1 - wrong
    assert not wrong or "worst at [0]: analytic 1.031, numeric 1 +- 0.01, ratio 1.031; 1 of 2" in str(
        compare.report
    )


def test_entries_are_measured_in_steps_of_their_argument():
    compare = comparison(Cube, np.array([100.0, -300.0]))
    truth, bars = compare._entries(np.array([1.0, -2.0]))
    assert truth == pytest.approx([3e4, -54e4], rel=1e-8)
    measured, bar = numeric.contracted(
        compare._slope(np.array([compare.scale[0], 0.0])), np.array([1.0, -2.0]), compare.start
    )
    assert bars[0] == pytest.approx(bar / compare.scale[0]) and truth[0] == measured / compare.scale[0]


def test_sizes_are_those_a_factor_may_stand_for():
    compare = comparison(lambda x: x.sum(axis=(0, 1)), np.ones((2, 1, 3, 5)))
    assert compare._sizes((2, 1, 3, 5)) == {
        "axis 0 of the argument": 2, "axis 2 of the argument": 3, "axis 3 of the argument": 5,
        "the number of elements of the argument": 30, "the plane of the argument": 15,
        "the batch and plane of the argument": 30, "axis 0 of the result": 3, "axis 1 of the result": 5,
        "the number of elements of the result": 15,
    }  # fmt: skip


def test_the_jacobian_says_which_entry_and_what_it_should_be():
    wrong = spoiled(lambda s: s * np.array([1, 1, 1.01]))
    for weights, said in [
        (np.ones(3), "d result[2] / d argument 0[2]"),
        (np.array([1.0, 0.0, 1.0]), "d result[2]"),
    ]:
        compare = comparison(wrong, np.array([10.0, 20.0, 30.0]))
        compare._full(weights)
        assert said in str(compare.report) and "analytic 2727, numeric 2700" in str(compare.report)
    compare._full(np.array([1.0, 1.0, 0.0]))
    assert len(compare.report.findings) == 1


@pytest.mark.parametrize("wrong, found", [(0.8e-7, False), (4e-7, True)])
def test_the_jacobian_agrees_to_a_ten_millionth(wrong, found):
    compare = comparison(spoiled(lambda s: s * (1 + wrong)), np.array([1.0, 2.0]))
    compare._full(np.ones(2))
    assert bool(compare.report.findings) == found


def test_rough_outputs_are_counted_and_the_first_is_shown():
    def noisy(x):
        return x * 1.0 + Tensor(np.where(np.arange(4) > 1, 1e-7 * np.sin(1e12 * x.array), 0.0))

    x = np.array([0.5, 1.5, 2.5, 3.5])
    text = str(gradcheck(noisy, x, seed=0, order=1))
    assert "2 of 4 outputs are too rough" in text and "(first: flat index 2, value 2.5)" in text


def test_kinks_and_jumps_are_counted_once_each():
    assert gradcheck(lambda x: x.abs(), np.array([0.0, 1.0, 0.0]), seed=0, order=1).kinks == 2


@pytest.mark.parametrize("claimed, right", [(0.9e-7, True), (1.2e-7, False)])
def test_at_a_kink_rounding_dust_of_what_cancels_is_let_pass(monkeypatch, claimed, right):
    """Both one-sided slopes 0, and contributions of 1 and -1 that leave `claimed`."""
    compare = comparison(lambda x: x.sum(), np.ones(2))
    flat_ = numeric.Slope(*(np.zeros(1) for _ in range(4)), np.array([KINK]), np.zeros(1))
    monkeypatch.setattr(Comparison, "_slope", lambda self, u: flat_)
    monkeypatch.setattr(compare.recorded, "gradient", lambda weights: np.array([1.0, -1.0]))
    monkeypatch.setattr(
        compare, "generator", type("Ones", (), {"uniform": lambda *given: np.array([1.0, 1.0])})
    )
    for direction in (np.array([1.0, 1.0 - claimed]), np.array([1.0 - claimed, 1.0])):
        compare.report.findings.clear()
        compare._at_kinks(np.ones(1), [direction])
        assert bool(compare.report.findings) != right
    flat_.kind[0] = ROUGH
    compare.report.findings.clear()
    compare._at_kinks(np.ones(1), [np.array([1.0, 0.0])])
    assert not compare.report.findings


# --- hints -------------------------------------------------------------------------------------------------


def test_a_pattern_must_hold_to_a_ten_thousandth_of_the_largest_entry():
    true = np.array([1.0, 0.25, -0.5, 0.125, 0.0, 2.0])
    for share, said in ((0.9, True), (1.1, False)):
        dust = np.zeros(6)
        dust[3] = share * CLOSE * 2
        assert ("flipped" in hint((true + dust)[::-1], true[::1], {})) == said
        assert ("of 6 entries are" in hint(true + dust, true, {})) != said
    assert CLOSE == 1e-4


def test_factors_around_nothing_one_and_the_known_ones():
    true = np.array([1.0, 1.0])
    assert "0.0001 times the true gradient everywhere" in hint(true * CLOSE, true, {}).replace(
        "1/10000", "0.0001"
    )
    assert "times the true gradient everywhere" not in hint(true * 0.9 * CLOSE, true, {})
    assert "a sign is wrong" in hint(-1.00009 * true, true, {})
    assert "the negative of 1.00012 times" in hint(-1.00012 * true, true, {})
    assert "1.00012 times the true gradient everywhere: a constant" in hint(1.00012 * true, true, {})
    assert "everywhere" not in hint(1.00009 * true, true, {})
    assert "2 times the true gradient everywhere: counted twice?" in hint(2.00018 * true, true, {})
    assert "2.00022 times the true gradient everywhere: a constant" in hint(2.00022 * true, true, {})
    assert "1/2 times the true gradient everywhere: a factor 2 is missing" in hint(0.5 * true, true, {})
    assert "counted twice" in hint(2 * true, true, {"axis": 2})  # the usual reason first
    assert "1/3 times the true gradient everywhere: 3 is the batch: averaged" in hint(
        true / 3, true, {"the batch": 3}
    )
    assert "3 is the first" in hint(3 * true, true, {"the first": 3, "the second": 3})


def test_movements_of_three_axes():
    true = normal(2, 3, 4)
    assert "transposed to (1, 2, 0)" in hint((c := normal(3, 3, 3)).transpose(1, 2, 0), c, {})
    assert "flipped along axes (0, 2)" in hint(true[::-1, :, ::-1], true, {})
    assert "flipped" not in hint(true[::-1, ::-1, ::-1], true, {})
    assert "shifted by 1 along axis 2" in hint(np.roll(true, 1, 2), true, {})
    end = np.concatenate([true[:, 1:], true[:, -1:] * 5], 1)
    assert "shifted by -1 along axis 1 (an offset forgotten?)" in hint(end, true, {})
    one = np.array([[3.0], [0.0], [0.0]])
    assert "shifted" not in hint(one * 0 + [[0.5], [0.7], [0.0]], one, {})


def test_parts_are_counted_and_their_factor_is_named_if_it_is_one():
    true = np.array([4.0, 2.0, 1.0, 0.0])
    assert (
        hint(np.array([4.0, 3.0, 1.5, 0.0]), true, {}) == "2 of 4 entries are 1.5 times what they should be"
    )
    assert hint(np.array([4.0, 3.0, 1.6, 0.0]), true, {}) == "2 of 4 entries are wrong, the others are right"
    assert hint(np.array([4.0, 3.0, 1.0, 0.5]), true, {}) == "2 of 4 entries are wrong, the others are right"
    assert hint(np.array([4.0, 0.0, 1.0, 0.0]), true, {}).startswith(
        "1 of 4 entries are zero and should not be"
    )
    assert "2 of 4 entries are 1.5 times" in hint(np.array([4.0, 3.0, 1.5 + 1.2e-4, 0.0]), true, {})
    assert "2 of 4 entries are wrong" in hint(np.array([4.0, 3.0, 1.5 + 1.8e-4, 0.0]), true, {})


def test_a_pattern_is_relative_to_the_gradient_however_small_or_large_that_is():
    true = np.array([1.0, 0.25, -0.5, 0.125, 0.0, 2.0])
    for size in (1e-9, 1e9):
        assert "flipped" in hint(size * true[::-1], size * true, {})
        noise = hint(size * (true[::-1] + 1e-2 * np.arange(6)), size * true, {})
        assert noise == "5 of 6 entries are wrong, the others are right" or noise == "", noise


# --- finite differences ------------------------------------------------------------------------------------


def measured(function, x=0.0, u=1.0):
    x = np.array([x])
    return numeric._measure(function, function(x), x, np.array([u]), 2.0**-16)


def test_slopes_of_polynomials_are_what_the_formulas_say():
    h = 2.0**-16
    square = measured(np.square)
    assert (square.left[0], square.right[0], square.value[0], square.bar[0]) == (-h, h, 0, 0)
    assert square.drift[0] == 2 * h
    cube = measured(lambda x: x**3)  # errors -h^2/2 and +h^2 of two estimates, none of their mixture
    assert (cube.value[0], cube.bar[0]) == (pytest.approx(0, abs=1e-25), pytest.approx(-1.5 * h**2))
    assert (cube.left[0], cube.right[0]) == (h**2, h**2)
    bent = measured(lambda x: np.where(x > 0, 5 * x, x))
    assert (bent.left[0], bent.right[0], bent.bar[0], bent.drift[0]) == (1, 5, 2, 4)


def test_noise_levels_by_hand():
    start, eps = np.array([3.0, -4.0]), np.finfo(float).eps
    rms = np.sqrt(12.5)
    np.testing.assert_allclose(numeric.rounding(start), 32 * eps * (np.abs(start) + rms) * 2**16)
    np.testing.assert_allclose(numeric.rounding(start, 0.5), 64 * eps * (np.abs(start) + rms))
    by_hand = 1e-6 * np.hypot(2 * (3 + rms), 1 * (4 + rms))
    assert numeric.resolution(np.array([2.0, -1.0]), start) == pytest.approx(by_hand, rel=1e-6)
    assert numeric.resolution(np.array([1.0]), np.zeros(1)) == pytest.approx(1e-12)
    assert numeric._rms(np.zeros(0)) == 0


def slope(value, bar, left=(0.0, 0.0), right=(0.0, 0.0)):
    arrays = [np.array(v, float) for v in (value, bar, left, right)]
    return numeric.Slope(*arrays, np.zeros(2, int), np.zeros(2))


def test_bars_of_many_outputs_add_as_independent_ones_but_never_below_their_sum():
    start = np.zeros(2)
    assert numeric.contracted(slope([1, 2], [3, 4]), np.array([1.0, 1.0]), start) == (3, 7)
    assert numeric.contracted(slope([1, 2], [3, -4]), np.array([1.0, 1.0]), start) == (3, 5)
    assert numeric.contracted(slope([1, np.nan], [3, np.inf]), np.array([2.0, 0.0]), start) == (2, 6)
    noise = np.hypot(*numeric.rounding(np.array([1.0, 2.0]))) / 8
    assert numeric.contracted(slope([0, 0], [0, 0]), np.ones(2), np.array([1.0, 2.0]))[1] == pytest.approx(
        noise
    )


def test_bounds_of_sub_gradients_have_a_slack_of_a_ten_thousandth():
    low, high = numeric.interval(slope([0, 0], [0, 0], [1, 5], [3, -4]), np.array([2.0, -1.0]))
    slack = 1e-4 * (2 + 6 + 5 + 4)
    assert (low, high) == (pytest.approx(2 - 5 - slack, rel=1e-12), pytest.approx(6 + 4 + slack, rel=1e-12))
    low, high = numeric.interval(slope([0, 0], [0, 0], [1, np.nan], [3, np.nan]), np.array([1.0, 0.0]))
    assert (low, high) == (pytest.approx(1 - 4e-4), pytest.approx(3 + 4e-4))


@pytest.mark.parametrize("gap, kind", [(1.0e-3, ROUGH), (1.1e-3, KINK)])
def test_two_slopes_a_thousandth_apart_are_a_kink(gap, kind):
    """Below, nothing is called a kink: at a gap of 1e-4 the bar alone decides."""
    function = lambda x: x * (1 - gap / 2) + gap / 2 * np.abs(x)  # noqa: E731
    found = numeric.directional(function, np.zeros(1), np.zeros(1), np.ones(1)).kind[0]
    assert (found == KINK) == (kind == KINK)


def test_directions_reach_both_ends_of_their_interval():
    u = np.abs(numeric.probe(np.random.default_rng(0), 2000))
    assert 0.5 <= u.min() < 0.51 and 1.49 < u.max() <= 1.5


# --- equality of vectors -----------------------------------------------------------------------------------


def test_gradients_are_equal_to_a_thousand_millionth_of_the_largest():
    ones = np.array([1.0, 100.0])
    for share, same in ((0.99, True), (1.01, False)):
        assert close(ones + [share * 1e-7, 0], ones) == same
        assert close(np.array([share * 1e-13]), np.zeros(1)) == same
        assert close(ones[:1] + share * 1e-6, ones[:1], 1000.0) == same
    assert difference(np.array([1 / 3, 2.0]), np.array([1 / 3, -2.0]), "a", "b") == (
        "a 2, b -2 (worst, flat index 1)"
    )


def test_numbers_below_a_millionth_tell_nothing_of_precision():
    double = 1 / 3
    assert single_precision(np.array([0.5, double * 1e-7])) and not single_precision(
        np.array([0.5, double * 1e-5])
    )
    assert single_precision(np.array([0.5, np.nan])) and not single_precision(np.array([1e-7]))


def test_the_worst_difference_is_relative_and_shown_with_its_place():
    expected = np.array([[100.0, 0.0], [1.0, 2.0]])
    for share, said in ((0.99, False), (1.01, True)):
        got = expected + [[0, 0], [share * 1e-4 * 100.01, 0]]
        assert bool(checkop._worst(got, expected, 1e-4)) == said
        assert bool(checkop._worst(np.array([share * 1e-6]), np.zeros(1), 1e-4)) == said
    assert checkop._worst(expected + [[0, 0], [0, 1]], expected, 1e-4) == "3 against 2 at [1, 1]"
    assert checkop._worst(np.array([np.inf, 1.0]), np.array([np.inf, 1.0]), 1e-4) == ""
    assert checkop._worst(np.array([np.nan, 5.0]), np.array([1.0, 1.0]), 1e-4) == "nan against 1 at [0]"
    assert SMOOTH == 0
