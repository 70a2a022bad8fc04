"""`check_op` and its parts: what each says of an operation that breaks its promise."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from minigan import Tensor, nn, ops
from minigan.errors import ArgumentError, ShapeError
from minigan.testing import BadInput, GradReport, OpCase, Sample, check_op, checkop, functional
from minigan.testing.strategies import array_samples, arrays, just

sys.path.insert(0, str(Path(__file__).parent))
import fake_device
from faulty import Cube, backward_of, normal

fake_device.install()

CUBE = OpCase("cube", Cube, array_samples(), lambda x: x**3, (Cube,))
SAMPLE = Sample((normal(2, 3),))


def doubling(fn, name="double", **changes):
    return OpCase(name, fn, array_samples((2, 3)), lambda x: 2 * x, **changes)


def found_by(check, fn, sample=SAMPLE, **changes):
    report = GradReport("double", 0)
    check(doubling(fn, **changes), sample, report)
    return report


# --- the whole ---------------------------------------------------------------------------------------------


def test_a_right_operation_passes_and_is_counted():
    report = check_op(CUBE, examples=7, seed=3)
    assert report and report.examples == 7 and report.seed == 3 and report.undecided == 0
    assert max(report.error1, report.error2) < 1e-8 and report.evaluations > 70 and report.seconds > 0


def test_order_1_leaves_the_second_alone():
    raw = doubling(backward_of(lambda op, g: Tensor(g.array * 2)), name="raw")
    assert check_op(raw, order=1)
    assert check_op(raw).properties == ["differentiable again"]
    assert check_op(replace(raw, order=1))
    with pytest.raises(ArgumentError, match="raw promises order 1..1, got 2"):
        check_op(replace(raw, order=1), order=2)


def test_the_first_failing_sample_is_shown_with_a_seed_that_repeats_it():
    fails_on_wide = replace(CUBE, fn=lambda x: Cube(lambda s: s * (2.0 if x.size > 3 else 1.0))(x))
    report = check_op(fails_on_wide, seed=5)
    assert report.properties == ["gradient"] and report.examples >= 1 and report.seed >= 5
    assert "for Sample(float64[" in str(report) and "counted twice" in str(report)
    assert str(check_op(fails_on_wide, seed=5)) == str(report)


def test_undecided_samples_are_counted(monkeypatch):
    noisy = doubling(lambda x: x * 1.0 + Tensor(1e-7 * np.sin(1e12 * x.array)))
    for name in ("check_value", "check_layouts", "check_float32"):  # they say at once that it is noise
        monkeypatch.setattr(checkop, name, lambda *given: None)
    report = check_op(noisy, examples=4)
    assert report.verdict == "INCONCLUSIVE" and report.undecided == report.examples == 4


def test_an_operation_that_raises_is_a_finding():
    report = check_op(replace(CUBE, fn=lambda x: x @ x))
    assert report.properties == ["error"] and "ShapeError" in str(report)


# --- one property after another ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fn, property, words",
    [
        (lambda x: (x * 2.0).sum(), "value", "the result has shape (), the oracle's (2, 3)"),
        (lambda x: (x * 2.0).astype(np.float32), "dtype", "float64 inputs give float32"),
        (lambda x: x * 2.001, "value", "(got, oracle)"),
        (lambda x: x * np.nan, "value", "nan against"),
    ],
)
def test_values(fn, property, words):
    report = found_by(checkop.check_value, fn)
    assert report.properties == [property] and words in str(report)


def test_integers_have_a_value_but_no_gradient():
    labels = OpCase("row", lambda i: ops.getitem(Tensor(np.eye(3)), i.array),
                    just(Sample((np.array([2, 0]),))), lambda i: np.eye(3)[i])  # fmt: skip
    assert check_op(labels, examples=1)


def test_linear_in_some_arguments_only():
    case = OpCase(
        "product", lambda x, y: x * y**2, array_samples(count=2), lambda x, y: x * y * y, linear=(0,)
    )
    assert check_op(case)
    assert check_op(replace(case, linear=True)).properties == ["linear"]
    assert replace(case, linear=(0, 5)).linear_arguments(Sample((np.ones(2),))) == (0,)


def test_layouts():
    raveled = lambda x: Tensor(x.array.ravel(order="K").reshape(x.shape)) * 2.0 + (x - x.detach())  # noqa: E731
    report = found_by(checkop.check_layouts, raveled)
    assert report.properties == ["layout"] and "value with fortran inputs" in str(report)
    shorter = lambda x: (x if x.array.flags.c_contiguous else x[:1]) * 2.0  # noqa: E731
    assert "shape (3,) against (6,)" in str(found_by(checkop.check_layouts, shorter))


@pytest.mark.parametrize(
    "fn, property, words",
    [
        (lambda x: Tensor(x.array.astype(np.float64)), "dtype", "float32 inputs give float64"),
        (backward_of(lambda op, g: Tensor(g.array.astype(np.float64))), "dtype", "gradient of float64"),
        (lambda x: (x + 1e4) - 1e4 + x, "float32", "value: "),
        (backward_of(lambda op, g: (g * 2.0 + 1e5) - 1e5), "float32", "gradient: "),
    ],
)
def test_single_precision(fn, property, words):
    report = found_by(checkop.check_float32, fn)
    assert report.properties == [property] and words in str(report)


def on(device, fn, other):
    return lambda x: (fn if x.device == device else other)(x)


@pytest.mark.parametrize(
    "fn, words",
    [
        (lambda x: x + Tensor(np.zeros(x.shape)), "inputs live on different devices"),
        (lambda x: Tensor(np.flip(x.array)), "TypeError: "),
        (
            lambda x: Tensor(np.ones(x.shape)) if x.device == "fake" else x * 2.0,
            "the value left fake for numpy",
        ),
        (backward_of(lambda op, g: Tensor(np.zeros(g.shape))), "the gradient left fake for numpy"),
        (lambda x: x * (3.0 if x.device == "fake" else 2.0), "value: "),
    ],
)
def test_devices(fn, words):
    report = found_by(lambda *given: checkop.check_device(*given, device="fake"), fn)
    assert report.properties == ["strict device"] and words in str(report)
    assert not found_by(
        lambda *given: checkop.check_device(*given, device="fake"), lambda x: x * 2.0
    ).findings


def test_inputs_without_elements():
    nothing = Sample((np.zeros((0, 3)),))
    assert check_op(doubling(lambda x: x * 2.0, empty=(nothing,)))
    assert check_op(doubling(lambda x: x * (2.0 * len(x) / len(x)), empty=(nothing,))).properties == [
        "no elements"
    ]
    report = check_op(doubling(backward_of(lambda op, g: g.sum()), empty=(nothing,)))
    assert report.properties == ["no elements"] and "float64[0, 3]" in str(report)
    assert check_op(doubling(lambda x: x[:0, :2] * 2.0, empty=(nothing,))).properties == ["value"]


@pytest.mark.parametrize(
    "error, match, words",
    [
        (ShapeError, "inner sizes", None),
        (ShapeError, "outer", "expected 'outer' in the message, got"),
        (ArgumentError, "", "expected ArgumentError, got ShapeError"),
    ],
)
def test_refusals(error, match, words):
    bad = BadInput("sizes that differ", (np.ones((2, 3)), np.ones((2, 3))), {}, error, match)
    report = GradReport("", 0)
    checkop.check_refusals(OpCase("matmul", ops.matmul, None, np.matmul, bad=(bad,)), report)
    assert (words is None) == (not report.findings)
    assert words is None or report.properties == ["bad input"] and words in str(report)


def test_what_is_not_refused_is_found():
    bad = BadInput("a negative number", (np.array([-1.0]),), {}, ArgumentError)
    report = check_op(doubling(lambda x: x * 2.0, bad=(bad,)))
    assert "a negative number: expected ArgumentError, got a result" in str(report) and report.examples == 0


# --- layers ------------------------------------------------------------------------------------------------


def test_a_layer_is_checked_with_its_parameters():
    def build(x, w, b, wrong=1.0):
        class Dense(nn.Linear):
            def forward(self, x):
                return ops.linear(x, self.weight, self.bias * wrong - (self.bias * (wrong - 1.0)).detach())

        return Dense(w.shape[1], w.shape[0])

    samples = arrays((4, 3)).map(lambda x: Sample((x, normal(2, 3), normal(2))))
    case = OpCase("dense", functional(build), samples, lambda x, w, b: x @ w.T + b)
    assert check_op(case)
    report = check_op(replace(case, fn=lambda *given: functional(build)(*given, wrong=2.0)))
    assert (
        report.properties == ["gradient"] and "argument 2" in str(report) and "counted twice" in str(report)
    )


def test_buffers_follow_the_input():
    def build(x):
        norm = nn.BatchNorm1d(3, affine=False).eval()
        norm.running_mean.array = np.array([1.0, 2.0, 3.0], np.float32)
        return norm

    for dtype in (np.float32, np.float64):
        result = functional(build)(Tensor(normal(4, 3).astype(dtype)))
        assert result.dtype == dtype


def test_a_layer_of_whole_numbers_is_left_as_it_is():
    assert functional(lambda x: nn.Flatten())(Tensor(np.ones((2, 3, 4), int))).shape == (2, 12)


# --- figures and edges -------------------------------------------------------------------------------------


def test_25_examples_with_seed_0_unless_told_otherwise(monkeypatch):
    seeds = []
    monkeypatch.setattr(
        checkop,
        "check_sample",
        lambda case, sample, seed, order: seeds.append((seed, order)) or GradReport("", 0),
    )
    assert check_op(CUBE).examples == 25 and seeds == [(i, 2) for i in range(25)]
    seeds.clear()
    assert check_op(CUBE, examples=3, order=1, seed=7).examples == 3 and seeds == [(7, 1), (8, 1), (9, 1)]
    for order in (0, 3):
        with pytest.raises(ArgumentError, match=f"promises order 1..2, got {order}"):
            check_op(CUBE, order=order)


@pytest.mark.parametrize("share, right", [(0.99, True), (1.01, False)])
def test_values_agree_to_ten_digits_and_single_precision_ones_to_four(share, right):
    sample = Sample((np.array([50.0, 1.0]),))
    for check, relative in ((checkop.check_value, 1e-10), (checkop.check_float32, 1e-4)):
        off = share * relative * 100.01
        shift = 0.0 if check is checkop.check_value else off  # only float32 values are off there

        def fn(x, off=off, shift=shift):
            return x * 2.0 + (off if shift == 0 or x.dtype == np.float32 else 0.0)

        assert (not found_by(check, fn, sample).findings) == right


@pytest.mark.parametrize("share, right", [(0.98, True), (1.02, False)])
def test_single_precision_gradients_agree_to_three_digits(share, right):
    """Of one entry: off by a thousandth of its size and a hundredth."""
    g = 2 * checkop.probe(np.random.default_rng(0), 1)[0]
    relative = share * 1e-3 * (abs(g) + 1e-2) / abs(g)
    wrong = backward_of(lambda op, g: g * (2.0 * (1 + relative) if g.dtype == np.float32 else 2.0))
    report = found_by(checkop.check_float32, wrong, Sample((np.array([3.0]),)))
    assert (not report.findings) == right


def test_gradients_are_asked_for_floats_only_and_recorded_only_when_told():
    leaves = [Tensor(np.ones(2), requires_grad=True), Tensor(np.array([0, 1]))]
    result = leaves[0] * leaves[0]
    g, none = checkop._gradients(leaves, result, 0)
    assert none is None and not g.requires_grad
    assert checkop._gradients(leaves, result, 0, create_graph=True)[0].requires_grad
