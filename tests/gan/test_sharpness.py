"""Sharpness: closed forms for ramps and boards, and that blur lowers both figures."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from minigan.data.glyphs import render_glyphs
from minigan.errors import ShapeError
from minigan.gan.sharpness import gradient_energy, laplacian_variance


def test_a_ramp_has_a_slope_and_no_laplacian():
    ramp = np.broadcast_to(0.1 * np.arange(9), (2, 3, 7, 9))
    assert gradient_energy(ramp) == pytest.approx([0.1**2 / 2] * 2)  # across only
    assert laplacian_variance(ramp) == pytest.approx([0, 0], abs=1e-20)


def test_a_chess_board():
    board = (np.indices((8, 8)).sum(axis=0) % 2 * 2.0 - 1)[None, None]
    assert gradient_energy(board) == pytest.approx([4])  # every neighbour differs by 2
    assert laplacian_variance(board) == pytest.approx([64])  # +-8, as often
    assert gradient_energy(0.5 * board) == pytest.approx([1])  # quadratic in contrast


def test_blur_lowers_both_of_every_picture():
    images, _ = render_glyphs(20, size=28, channels=3)
    blurred = gaussian_filter(images, (0, 0, 1, 1))
    for measure in (gradient_energy, laplacian_variance):
        assert (measure(blurred) < 0.7 * measure(images)).all()
    with pytest.raises(ShapeError, match="at least 3 x 3"):
        gradient_energy(images[0])
