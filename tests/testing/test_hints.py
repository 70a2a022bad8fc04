"""What is read off a wrong gradient, and what is not claimed."""

import sys
from pathlib import Path

import numpy as np
import pytest

from minigan.testing.hints import hint

sys.path.insert(0, str(Path(__file__).parent))
from faulty import normal

TRUE = normal(3, 4)
SIZES = {"axis 0 of the argument": 3, "axis 1 of the argument": 4}


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda g: -g, "the negative of the true gradient: a sign is wrong"),
        (lambda g: -2 * g, "the negative of 2 times the true gradient everywhere: counted twice?"),
        (lambda g: 3 * g, "3 is axis 0 of the argument: summed where it should be averaged?"),
        (lambda g: g / 4, "1/4 times the true gradient everywhere: 4 is axis 1 of the argument: averaged"),
        (lambda g: 1.7 * g, "1.7 times the true gradient everywhere: a constant factor is wrong"),
        (lambda g: g[::-1], "flipped along axes (0,)"),
        (lambda g: g[::-1, ::-1], "flipped along axes (0, 1)"),
        (lambda g: np.roll(g, -1, 1), "shifted by -1 along axis 1"),
        (lambda g: np.concatenate([g[:1] * 5, g[:-1]]), "shifted by 1 along axis 0 (an offset forgotten?)"),
        (lambda g: g * (TRUE < 1), "entries are zero and should not be: overwritten, or never written?"),
        (lambda g: np.where(np.arange(4) == 2, -g, g), "3 of 12 entries are -1 times what they should be"),
        (lambda g: g + (np.arange(12).reshape(3, 4) == 5), "1 of 12 entries are"),
        (lambda g: np.where(np.arange(4) > 1, g + 1, g), "6 of 12 entries are wrong, the others are right"),
    ],
)
def test_names_the_pattern(change, words):
    assert words in hint(change(TRUE), TRUE, SIZES)


def test_axes_exchanged():
    square = normal(2, 3, 3)
    assert "axes transposed to (0, 2, 1)" in hint(square.swapaxes(1, 2), square, {})


def test_zeros_on_either_side():
    assert "is the operand detached" in hint(0 * TRUE, TRUE, {})
    assert "raw arrays (x.array)" in hint(0 * TRUE, TRUE, {}, order=2)
    assert "the value does not depend on these entries" in hint(TRUE, 0 * TRUE, {})


def test_says_nothing_of_noise():
    assert hint(normal(3, 4, seed=1), TRUE, SIZES) == ""


def test_a_number_alone_has_any_factor_so_only_known_ones_are_named():
    one = np.array(0.7)
    assert hint(1.234 * one, one, {}) == ""
    assert "a sign is wrong" in hint(-one, one, {}) and "counted twice" in hint(2 * one, one, {})
