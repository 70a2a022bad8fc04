"""The brush: strokes lie along the flow, and cover what they should."""

import numpy as np
import pytest

from minigan.data import brush
from minigan.errors import DataError


def slope_angle(plane):
    """Direction of strongest change, degrees in [0, 180)."""
    slope = np.stack(np.gradient(plane))[::-1].reshape(2, -1)
    direction = np.linalg.eigh(slope @ slope.T)[1][:, -1]
    return np.degrees(np.arctan2(direction[1], direction[0])) % 180


@pytest.mark.parametrize("degrees", [0, 30, 90, 140])
def test_strokes_and_smears_lie_along_the_flow(degrees):
    generator = np.random.default_rng(1)
    flow = np.full((64, 64), np.radians(degrees))
    strokes = brush.cover(generator, flow, generator.random((5, 3)), length=16, width=4).sum(-1)
    smeared = brush.smear(generator.random((64, 64)), flow, 8)
    for plane in (strokes, smeared):
        off = abs(slope_angle(plane) - (degrees + 90) % 180)  # change is strongest across the stroke
        assert min(off, 180 - off) < 16


def test_a_plan_is_followed_and_the_picture_below_is_kept():
    generator = np.random.default_rng(0)
    plan = np.zeros((64, 64, 3))
    plan[:, 32:] = 1
    below = np.full((64, 64, 3), 0.5)
    before = below.copy()
    done = brush.cover(
        generator, np.full((64, 64), np.pi / 2), plan, length=8, width=3, picture=below, density=4, spread=0
    )
    np.testing.assert_array_equal(below, before)
    assert done[:, :28].mean() < 0.1 and done[:, 36:].mean() > 0.9


def test_whirls_turn_round_their_centre():
    flow = brush.whirls(np.random.default_rng(0), 65, 1)
    x, y = np.cos(flow), np.sin(flow)
    row, column = np.random.default_rng(0).uniform(0, 65, 2)
    rows, columns = np.mgrid[0:65, 0:65]
    away = np.stack([columns - column, rows - row]) / (np.hypot(columns - column, rows - row) + 1e-9)
    assert np.abs(x * away[0] + y * away[1]).mean() < 0.1  # at right angles to the way to the centre


def test_strokes_need_a_size():
    with pytest.raises(DataError, match="expected positive pixels"):
        brush.cover(np.random.default_rng(0), np.zeros((8, 8)), np.zeros((2, 3)), length=0, width=1)
