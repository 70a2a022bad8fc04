"""Properties of gradients that no comparison of numbers shows, those that need an unusual fault."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from minigan import Tensor, backend, is_grad_enabled
from minigan.testing import gradcheck, gradgradcheck
from minigan.testing.properties import close, difference, single_precision

sys.path.insert(0, str(Path(__file__).parent))
from faulty import backward_of, normal

_spec = importlib.util.spec_from_file_location("fake_device", Path(__file__).parents[1] / "fake_device.py")
_fake_device = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fake_device)
_fake_device.install()


def elsewhere():
    return Tensor(backend.to_device(normal(3), "fake"))


def test_on_another_device_everything_is_checked_as_here():
    assert gradcheck(lambda x: x * x, elsewhere(), seed=0)


def test_results_and_gradients_live_where_the_inputs_do():
    left = gradcheck(lambda x: Tensor(np.ones(3)), elsewhere(), seed=0, order=1)
    assert left.properties == ["device"] and "inputs on fake give a result on numpy" in str(left)
    report = gradcheck(backward_of(lambda op, g: Tensor(np.ones(3))), elsewhere(), seed=0)
    assert report.properties == ["device"] and "the gradient of argument 0 is on numpy" in str(report)


def test_a_backward_that_raises_only_when_it_is_recorded():
    def raises(op, g):
        if is_grad_enabled():
            raise TypeError("no second order")
        return g * 2.0

    report = gradcheck(backward_of(raises), normal(3), seed=0)
    assert report.properties == ["differentiable again"] and "create_graph=True raised TypeError" in str(
        report
    )


def test_a_backward_of_backward_that_raises():
    def later(op, g):
        return backward_of(lambda op, g: 1 / 0)()(g)

    report = gradgradcheck(backward_of(later), normal(3), seed=0)
    assert report.properties == ["differentiable again"]
    assert "the backward of backward raised ZeroDivisionError" in str(report)


def test_a_second_derivative_that_is_not_finite_is_placed():
    report = gradcheck(lambda x: x**1.5, np.array([1.0, 0.0]), seed=0)
    assert report.properties == ["finite"]
    assert "the second derivative is -inf at argument 0[1], the gradient is finite" in str(report)


def test_a_backward_that_raises_at_the_plain_call():
    def once(op, g):
        if not is_grad_enabled() and op.input(0).data.strides[-1] < 0:
            raise ValueError("not contiguous")
        return g * 2.0

    report = gradcheck(backward_of(once), normal(3, 4), seed=0)
    assert report.properties == [
        "error"
    ] and "a plain backward() with tangled inputs raised ValueError" in str(report)


def test_vectors_of_other_lengths_are_neither_close_nor_compared():
    assert not close(np.ones(2), np.ones(3)) and close(np.ones(2), np.ones(2) + 1e-12)
    assert difference(np.ones(2), np.ones(3), "one gives", "the other") == "one gives 2 numbers, the other 3"
    assert "worst, flat index 1" in difference(np.ones(2), np.array([1.0, 3.0]), "a", "b")


@pytest.mark.parametrize("shape", [(3,), (0,)])
def test_single_precision_is_seen_in_the_digits(shape):
    numbers = np.random.default_rng(0).uniform(0.5, 1.5, shape)
    assert not single_precision(numbers)
    assert single_precision(numbers.astype(np.float32).astype(float)) == (numbers.size > 0)
