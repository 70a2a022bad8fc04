"""Whole numbers where a function makes fractions of them: they are taken in the default dtype."""

import math

import numpy as np
import pytest

import minigan
from minigan import ops

FUNCTIONS = {
    "exp": math.exp, "log": math.log, "log1p": math.log1p, "log2": math.log2, "log10": math.log10,
    "sqrt": math.sqrt, "rsqrt": lambda a: a**-0.5, "reciprocal": lambda a: 1 / a, "sin": math.sin,
    "cos": math.cos, "tan": math.tan, "asin": math.asin, "acos": math.acos, "atan": math.atan,
    "sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh, "expm1": math.expm1, "exp2": lambda a: 2.0**a,
    "erf": math.erf, "sinc": lambda a: math.sin(math.pi * a) / (math.pi * a),
    "sigmoid": lambda a: 1 / (1 + math.exp(-a)),
}  # fmt: skip
SMALL = {"asin", "acos"}  # of 1 alone


@pytest.fixture(params=["float32", "float64"])
def default(request):
    before = minigan.get_default_dtype()
    minigan.set_default_dtype(request.param)
    yield request.param
    minigan.set_default_dtype(before)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "bool"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_whole_numbers_become_the_default_dtype(name, dtype, default):
    values = [1] if name in SMALL or dtype == "bool" else [1, 2, 3]
    found = getattr(ops, name)(minigan.tensor(values, dtype=dtype))
    assert found.dtype == default and not found.requires_grad
    np.testing.assert_allclose(found.numpy(), [FUNCTIONS[name](a) for a in values], rtol=2e-6, atol=1e-7)


def test_of_two_tensors_and_a_number_too(default):
    one, two = minigan.tensor([1, 2]), minigan.tensor([3, 4])
    for found, wanted in [
        (one / two, [1 / 3, 1 / 2]), (one / 2, [0.5, 1.0]), (one + 0.5, [1.5, 2.5]), (one**-1, [1.0, 0.5]),
        (ops.atan2(one, two), [math.atan2(1, 3), math.atan2(2, 4)]),
    ]:  # fmt: skip
        assert found.dtype == default
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-6)


def test_what_averages_or_multiplies_weights_still_asks_for_floats():
    with pytest.raises(minigan.errors.DTypeError, match="floating-point"):
        ops.softmax(minigan.tensor([1, 2]))
