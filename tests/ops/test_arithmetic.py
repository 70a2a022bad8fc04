"""Division by 0: infinite or not a number, as IEEE 754 says, and no warning of NumPy's."""

import numpy as np
import pytest

import minigan
from minigan import grad, tensor

X = [1.0, 0.0, -1.0]


@pytest.mark.parametrize("zero, wanted", [(0, np.inf), (-0.0, -np.inf), (np.float32(0), np.inf)])
def test_division_by_the_number_0(zero, wanted):
    x = tensor(X, requires_grad=True)
    y = x / zero
    np.testing.assert_array_equal(y.numpy(), [wanted, np.nan, -wanted])
    (g,) = grad(y, x, minigan.ones(3), create_graph=True)
    np.testing.assert_array_equal(g.numpy(), [wanted] * 3)
    assert (tensor([3]) / zero).dtype == np.float32 and (x.double() / zero).dtype == np.float64


def test_division_by_tensors_and_powers_of_0():
    np.testing.assert_array_equal((tensor(X) / tensor([0.0, 0.0, 0.0])).numpy(), [np.inf, np.nan, -np.inf])
    np.testing.assert_array_equal((1 / tensor([0.0, 2.0])).numpy(), [np.inf, 0.5])
    np.testing.assert_array_equal((tensor([0.0]) ** -2).numpy(), [np.inf])
    x = tensor(X)
    x /= 0
    np.testing.assert_array_equal(x.numpy(), [np.inf, np.nan, -np.inf])


def test_whole_numbers_by_0_are_refused_where_the_result_is_whole():
    for share in (lambda x: x // 0, lambda x: x % 0, lambda x: x // tensor([1, 0])):
        with pytest.raises(ZeroDivisionError, match="by 0"):
            share(tensor([4, 5]))
    np.testing.assert_array_equal((tensor([4.0, -1.0]) // 0).numpy(), [np.inf, -np.inf])
    assert np.isnan((tensor([4.0]) % 0).numpy()).all()
