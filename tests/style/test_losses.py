"""The losses: closed forms, no units, gradients."""

import numpy as np
import pytest

from minigan import Tensor
from minigan.errors import ArgumentError, ShapeError
from minigan.style.losses import VARIATIONS, content_loss, relative_error, style_loss, variation
from minigan.testing import gradcheck

RNG = np.random.default_rng(0)
ONE, OTHER = RNG.standard_normal((1, 3, 4, 5)), RNG.standard_normal((1, 3, 4, 5))


def test_a_match_costs_nothing_and_zeros_cost_one():
    assert content_loss(Tensor(ONE), Tensor(ONE)).item() == 0
    assert content_loss(Tensor(0 * ONE), Tensor(ONE)).item() == pytest.approx(1)
    matrices = [Tensor(ONE[0, 0]), Tensor(ONE[0, 1])]
    assert style_loss([matrices[0] * 0, matrices[1]], matrices).item() == pytest.approx(0.5)


def test_relative_error_by_numpy_and_without_units():
    wanted = ((ONE - OTHER) ** 2).sum() / (OTHER**2).sum()
    assert relative_error(Tensor(ONE), Tensor(OTHER)).item() == pytest.approx(wanted)
    assert relative_error(Tensor(7 * ONE), Tensor(7 * OTHER)).item() == pytest.approx(wanted)
    tiled = [np.tile(array, (1, 1, 3, 2)) for array in (ONE, OTHER)]
    assert relative_error(*map(Tensor, tiled)).item() == pytest.approx(wanted)


def test_with_their_spread_all_channels_count_alike():
    """Channels made louder, and their spread with them, change nothing; means come in standard deviations."""
    value, target, spread = RNG.random((3, 3)), RNG.random((3, 3)), np.array([1.0, 2.0, 5.0])
    louder = np.array([3.0, 0.1, 20.0])
    pair = louder[:, None] * louder
    plain = style_loss([Tensor(value)], [Tensor(target)], Tensor(spread)).item()
    again = style_loss([Tensor(value * pair)], [Tensor(target * pair)], Tensor(spread * louder)).item()
    unit = spread[:, None] * spread
    energy = ((target / unit) ** 2).sum() + 0.01 * 3
    assert plain == pytest.approx((((value - target) / unit) ** 2).sum() / energy)
    assert again == pytest.approx(plain)
    mean = style_loss([Tensor(value[0])], [Tensor(target[0])], Tensor(spread)).item()
    assert mean == pytest.approx((((value[0] - target[0]) / spread) ** 2).mean())


def by_loops(image, kind):
    _, channels, height, width = image.shape
    terms = {"across": [], "down": [], "both": []}
    for c in range(channels):
        for y in range(height):
            for x in range(width):
                dx = image[0, c, y, x + 1] - image[0, c, y, x] if x + 1 < width else None
                dy = image[0, c, y + 1, x] - image[0, c, y, x] if y + 1 < height else None
                if dx is not None:
                    terms["across"].append(abs(dx) if kind == "l1" else dx**2)
                if dy is not None:
                    terms["down"].append(abs(dy) if kind == "l1" else dy**2)
                if dx is not None and dy is not None:
                    terms["both"].append((dx**2 + dy**2) ** 1.25)
    return np.mean(terms["both"]) if kind == "1.25" else np.mean(terms["across"]) + np.mean(terms["down"])


@pytest.mark.parametrize("kind", VARIATIONS)
def test_variation_by_loops_and_gradient(kind):
    assert variation(Tensor(ONE), kind).item() == pytest.approx(by_loops(ONE, kind))
    assert variation(Tensor(np.ones((1, 3, 4, 4))), kind).item() == 0
    report = gradcheck(lambda image: variation(image, kind), ONE, seed=0)
    assert report, report


def test_gradients():
    report = gradcheck(content_loss, (ONE, OTHER), seed=0)
    assert report, report
    report = gradcheck(lambda a, b: style_loss([a, a * a], [b, b * 2.0]), (ONE, OTHER), seed=0)
    assert report, report


def test_bad_input_is_named():
    with pytest.raises(ArgumentError, match="variation 'l3': expected one of l1, l2, 1.25"):
        variation(Tensor(ONE), "l3")
    with pytest.raises(ShapeError, match="shapes differ"):
        relative_error(Tensor(ONE), Tensor(OTHER[:, :2]))
