"""What the checker says of right and of wrong derivatives."""

import sys
from pathlib import Path

import numpy as np
import pytest

from minigan import Op, Tensor, nn, ops
from minigan.errors import ArgumentError
from minigan.modes import set_mode
from minigan.testing import FAIL, PASS, PROPERTIES, gradcheck, gradgradcheck
from minigan.testing.compare import Comparison

sys.path.insert(0, str(Path(__file__).parent))
from faulty import Cube, backward_of, needle, normal, spoiled

# --- what it works on --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fn, inputs",
    [
        (Cube, normal(3, 4)),
        (Cube(), normal(3, 4)),
        (lambda x, y: x * y + x, (normal(3, 1), normal(4))),
        (lambda x: (x.exp(), x.sum(axis=0)), normal(3, 2)),
        (lambda x: Tensor(np.ones(3)), normal(3)),
        (lambda x, labels: ops.cross_entropy(x, labels), (normal(3, 5), np.array([0, 4, 2]))),
        (nn.Linear(4, 3, generator=np.random.default_rng(0)), normal(2, 4)),
        (nn.MSELoss(), (normal(2, 3), normal(2, 3, seed=1))),
        (lambda x: x * 1.0, np.zeros((0, 3))),
    ],
    ids=["op class", "op", "function", "two results", "constant", "labels", "module", "loss", "no elements"],
)
def test_passes_what_is_right(fn, inputs):
    report = gradcheck(fn, inputs, seed=0)
    assert report and report.verdict == PASS, report


def network():
    rng = np.random.default_rng(0)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, stride=2, padding=1, generator=rng), nn.BatchNorm2d(3), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(12, 1, generator=rng),
    )  # fmt: skip


def test_checks_the_parameters_of_a_network_and_leaves_it_as_it_was():
    net = network()
    before = {name: value.numpy() for name, value in net.state_dict().items()}
    report = gradcheck(net, normal(3, 1, 4, 4), seed=0)
    assert report, report
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    assert all(p.grad is None and p.dtype == np.float32 for p in net.parameters())


def test_names_the_parameter_that_is_wrong(monkeypatch):
    backward = ops.linalg.Linear.backward
    monkeypatch.setattr(
        ops.linalg.Linear, "backward", lambda op, g: (*backward(op, g)[:2], backward(op, g)[2] * 2.0)
    )
    with set_mode("kernels", False):
        report = gradcheck(network(), normal(3, 1, 4, 4), seed=0, order=1)
    assert "parameter 4.bias" in str(report) and "it is 2 times the true gradient" in str(report)


def test_only_tensors_that_require_a_gradient_are_differentiated_if_any_does():
    x, y = Tensor(normal(3), requires_grad=True), Tensor(normal(3))
    wrong_in_y = lambda x, y: x * y.detach()  # noqa: E731
    assert gradcheck(wrong_in_y, (x, y), seed=0)
    assert not gradcheck(wrong_in_y, (x.array, y.array), seed=0)


def test_settings_are_handed_on():
    assert gradcheck(ops.sum, normal(2, 3), kwargs={"axis": 1, "keepdims": True}, seed=0)


def test_refuses_what_cannot_be_checked():
    with pytest.raises(ArgumentError, match="order 1 or 2"):
        gradcheck(ops.exp, normal(2), order=3)
    with pytest.raises(ArgumentError, match="nothing to differentiate"):
        gradcheck(ops.exp, np.arange(3))


# --- how sharp it is ---------------------------------------------------------------------------------------


def test_one_entry_of_4096_wrong_by_a_hundredth_of_a_percent_is_found_with_12_evaluations():
    """Of 200; `benchmarks/gradcheck_faults.py needle` tries 1,000."""
    found, evaluations = zip(*(needle(seed) for seed in range(200)), strict=True)
    assert all(found) and max(evaluations) <= 12


def test_a_clean_gradient_of_4096_entries_takes_11_evaluations():
    calls = []

    class Counted(Cube):
        def forward(self, x):
            calls.append(x)
            return super().forward(x)

    report = gradcheck(Counted(), normal(4096), order=1, seed=0)
    assert report and report.evaluations == len(calls) == 11


@pytest.mark.parametrize("probes", [1, 2, 5])
def test_evaluations_are_three_a_probe_and_two_recordings_or_one(probes):
    """At first order the function is recorded again, from inputs that lie otherwise in memory."""
    first, both = (gradcheck(Cube, normal(20), seed=0, probes=probes, order=order) for order in (1, 2))
    assert first.evaluations == 2 + 3 * probes and both.evaluations == first.evaluations + 1 + 3 * probes
    second = gradgradcheck(Cube, normal(20), seed=0, probes=probes)
    assert second.evaluations == 2 + 3 * probes and np.isnan(second.error1) and second.error2 < 1e-8
    assert np.isnan(first.error2) and 0 < first.seconds < 60


def test_the_whole_second_jacobian_is_compared_only_on_request(monkeypatch):
    orders = []
    monkeypatch.setattr(Comparison, "_full", lambda self, weights: orders.append(self.order))
    for full, expected in ((None, [1]), (True, [1, 2]), (False, [])):
        assert gradcheck(Cube, normal(2), seed=0, full=full) and orders == expected
        orders.clear()


def test_a_value_that_is_not_finite_is_placed_and_no_gradient_is_asked_for():
    report = gradcheck(ops.log, np.array([1.0, 2.0, 0.0, -1.0]), seed=0)
    assert report.doubts == ["the value is -inf at flat index 2 of the result"] and report.evaluations == 1
    assert np.isnan(report.error1)


@pytest.mark.parametrize("seed", range(20))
def test_two_entries_swapped_are_found(seed):
    def swap(slope):
        slope[[0, 1]] = slope[[1, 0]]
        return slope

    assert not gradcheck(spoiled(swap), normal(4096, seed=seed), order=1, seed=seed)


def test_six_percent_of_16384_entries_zeroed_are_found_and_placed():
    report = gradcheck(
        spoiled(lambda s: np.where(np.arange(s.size) % 17 == 3, 0, s)), normal(16384), order=1, seed=0
    )
    assert report.properties == ["gradient"] and "wrong at [" in str(report)


def test_tolerance_does_not_grow_with_size():
    for size in (4, 64, 1024, 16384):
        assert not gradcheck(spoiled(lambda s: s * (1 + 1e-5)), normal(size), order=1, seed=0)


def test_the_whole_jacobian_is_compared_on_request():
    assert gradcheck(ops.exp, normal(3, 4), full=True, seed=0)
    assert gradcheck(ops.matmul, (normal(2, 2), normal(2, 2)), full=True, seed=0)


# --- what it says ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda s: -s, "negative of the true gradient: a sign is wrong"),
        (lambda s: s * 0, "the gradient is zero here: is the operand detached"),
        (lambda s: s * 2, "it is 2 times the true gradient everywhere: counted twice"),
        (lambda s: s / 2, "it is 1/2 times the true gradient everywhere"),
        (lambda s: s * 4, "it is 4 times the true gradient everywhere: 4 is axis 1 of the argument"),
        (lambda s: s / 12, "it is 1/12 times the true gradient everywhere: 12 is the number of elements"),
        (lambda s: s * 1.23, "it is 1.23 times the true gradient everywhere: a constant factor"),
        (lambda s: s * (np.arange(4) != 2), "3 of 12 entries are zero and should not be"),
        (lambda s: s * np.where(np.arange(4) == 2, 3, 1), "3 of 12 entries are 3 times what they should be"),
    ],
)  # fmt: skip
def test_hints_at_the_mistake_behind_a_factor(change, words):
    report = gradcheck(spoiled(change), normal(3, 4), order=1, seed=0)
    assert report.properties == ["gradient"] and words in str(report), report


@pytest.mark.parametrize(
    "move, words",
    [
        (lambda g: g.swapaxes(0, 1), "axes transposed to (1, 0)"),
        (lambda g: g[:, ::-1], "flipped along axes (1,)"),
        (lambda g: np.roll(g, 1, 0), "shifted by 1 along axis 0"),
        (lambda g: np.concatenate([g[1:], g[:1] * 0]), "shifted by -1 along axis 0"),
    ],
)
def test_hints_at_a_moved_gradient(move, words):
    class Moved(Op):
        keeps = (0,)

        def forward(self, x):
            return (x**3).sum()

        def backward(self, g):
            return g * Tensor(move(self.input(0).array ** 2 * 3.0).copy())

    report = gradcheck(Moved, normal(4, 4), order=1, seed=0)
    assert words in str(report), report


def test_a_failure_says_where_and_how_much_in_few_lines_and_can_be_repeated():
    def bump(slope):
        slope[1, 2] += 0.5
        return slope

    report = gradcheck(spoiled(bump), np.ones((3, 4)), order=1, seed=77)
    text = str(report)
    assert "FAIL: Cube (seed 77" in text and "argument 0 of shape (3, 4), worst at [1, 2]" in text
    assert "ratio 1.16667; 1 of 12 entries differ" in text and len(text.splitlines()) <= 15
    assert str(gradcheck(spoiled(bump), np.ones((3, 4)), order=1, seed=77)) == text
    assert repr(report) == text


def test_many_findings_still_fit_fifteen_lines():
    report = gradcheck(ops.exp, normal(2), seed=0)
    for property in PROPERTIES:
        report.add(property, "first line\nsecond line", "third line")
    assert report.verdict == FAIL and len(str(report).splitlines()) <= 15 and "and also: " in str(report)


def test_fresh_seeds_unless_one_is_given():
    assert gradcheck(ops.exp, normal(2)).seed != gradcheck(ops.exp, normal(2)).seed


def test_a_second_derivative_that_is_cut_is_called_so_and_not_a_mismatch():
    class Raw(Cube):
        def backward(self, g):
            return Tensor(g.array * 3 * self.input(0).array ** 2)

    report = gradcheck(Raw, normal(3), seed=0)
    assert report.properties == ["differentiable again"] and "raw arrays" in str(report)
    assert gradgradcheck(Raw, normal(3), seed=0).properties == ["differentiable again"]

    class Half(Cube):
        def backward(self, g):
            return g * Tensor(3 * self.input(0).array ** 2)

    assert "raw arrays (x.array)" in str(gradcheck(Half, normal(3), seed=0))


def test_gradgradcheck_looks_at_the_second_order_only():
    wrong_but_consistent = Cube(lambda slope: slope * 2.0)
    assert gradgradcheck(wrong_but_consistent, normal(3), seed=0)
    report = gradcheck(wrong_but_consistent, normal(3), seed=0)
    assert report.properties == ["gradient"] and np.isnan(report.error2)


# --- properties other than the number ----------------------------------------------------------------------


def writes_into_g(op, g):
    g.array *= 2.0
    return g


def writes_into_x(op, g):
    op.input(0).array[...] = 0.0
    return g * 2.0


def remembers(op, g):
    op.count = getattr(op, "count", 0) + 1
    return g * (2.0 if op.count < 2 else 3.0)


@pytest.mark.parametrize(
    "backward, property",
    [
        (writes_into_g, "cotangent unchanged"),
        (writes_into_x, "inputs unchanged"),
        (remembers, "second backward"),
        (lambda op, g: g * g, "linear in cotangent"),
        (lambda op, g: g.sum(), "shape"),
        (lambda op, g: g * np.nan, "finite"),
        (lambda op, g: ops.astype(g * 2.0, np.float32), "dtype"),
        (lambda op, g: Tensor((g.array * 2).astype(np.float32).astype(np.float64)), "dtype"),
        (lambda op, g: 1 / 0, "error"),
    ],
)
def test_each_property_has_its_name(backward, property):
    assert gradcheck(backward_of(backward), normal(3, 4), seed=0).properties[0] == property


def test_a_forward_that_changes_or_loses_its_input_is_found():
    assert (
        gradcheck(lambda x: Tensor(np.float32(1)) * x.astype(np.float32), normal(3), seed=0).properties[0]
        == "dtype"
    )
    assert gradcheck(lambda x: x @ x, normal(2, 3), seed=0).properties == ["error"]

    def scribbles(x):
        x.array[0] = 1.0
        return x * 1.0

    assert "inputs unchanged" in gradcheck(scribbles, normal(3), seed=0).properties


def test_a_mask_that_is_redrawn_is_not_deterministic():
    rng = np.random.default_rng(0)
    report = gradcheck(lambda x: x * Tensor((rng.random(x.shape) > 0.5) * 2.0), normal(20), seed=0)
    assert report.properties == ["deterministic"]
    backward = backward_of(lambda op, g: g * Tensor((rng.random(g.shape) > 0.5) * 2.0))
    assert gradcheck(backward, normal(20), seed=0).properties[0] in ("second backward", "linear in cotangent")


def test_reading_memory_as_if_it_were_row_by_row_is_found():
    raveled = lambda x: Tensor(x.array.ravel(order="K").reshape(x.shape)) + (x - x.detach())  # noqa: E731
    assert gradcheck(raveled, normal(3, 4), seed=1).properties == ["layout"]


def test_a_recorded_gradient_that_differs_is_found():
    from minigan import is_grad_enabled

    report = gradcheck(backward_of(lambda op, g: g * (3.0 if is_grad_enabled() else 2.0)), normal(3), seed=0)
    assert report.properties == ["same gradient recorded"]
