"""The objective: gradient by finite differences, parts, styles, masks, and tiles that change nothing."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest

from minigan.errors import ArgumentError, NumericError
from minigan.style import Settings, open_features
from minigan.style.objective import Objective
from minigan.style.tiles import Tiled, reach

sys.path.insert(0, str(Path(__file__).parent))
import tiny

CONTENT, STYLE, OTHER = (tiny.picture(seed) for seed in range(3))
PAINTING = tiny.picture(3)[None]
LEFT = np.zeros((16, 24), np.float32)
LEFT[:, :12] = 1


def objective(content=CONTENT, styles=(STYLE,), shares=None, masks=None, net=None, **settings):
    shares = shares or [1 / len(styles)] * len(styles) if styles else []
    net = net or tiny.extractor(dtype=np.float64)
    return Objective(net, Settings(**settings), content, styles, shares, masks or [None] * len(styles))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"statistic": "gram", "variation": "1.25"},
        {"statistic": "shifted", "variation": "l1"},
        {"content_layers": {"relu2_1": 1, "relu1_2": 3}, "style_layers": ("relu2_2",), "content_weight": 1.0},
    ],
)
def test_gradient_by_finite_differences(settings):
    """Along random directions, in float64."""
    function = objective(**settings)
    at = PAINTING.astype(np.float64)
    gradient = function(at).gradient
    rng = np.random.default_rng(0)
    for _ in range(3):
        direction = rng.uniform(0.5, 1.5, at.shape) * rng.choice([-1, 1], at.shape)
        step = 1e-6
        slope = (function(at + step * direction).total - function(at - step * direction).total) / (2 * step)
        assert slope == pytest.approx(float((gradient * direction).sum()), rel=1e-4, abs=1e-8)


def test_parts_add_up_and_match_costs_nothing():
    function = objective(content_weight=0.3, style_weight=2.0, variation_weight=0.1)
    value = function(PAINTING.astype(np.float64))
    assert set(value.parts) == {"content", "style", "variation"}
    weighted = 0.3 * value.parts["content"] + 2 * value.parts["style"] + 0.1 * value.parts["variation"]
    assert value.total == pytest.approx(weighted)
    same = objective(styles=(CONTENT,))(CONTENT[None].astype(np.float64))
    assert same.parts["content"] == 0 and same.parts["style"] < 1e-20
    assert same.parts["variation"] == pytest.approx(1)  # as rough as the style is


def test_parts_that_are_not_wanted_are_not_there():
    assert set(objective(content=None)(PAINTING.astype(float)).parts) == {"style", "variation"}
    assert set(objective(styles=())(PAINTING.astype(float)).parts) == {"content", "variation"}
    only = objective(variation_weight=0.0, style_weight=0.0)
    assert set(only(PAINTING.astype(float)).parts) == {"content"}


def test_two_styles_are_a_weighted_sum():
    at = PAINTING.astype(float)
    one, other = (objective(styles=(style,))(at).parts["style"] for style in (STYLE, OTHER))
    both = objective(styles=(STYLE, OTHER), shares=[0.25, 0.75])(at).parts["style"]
    assert both == pytest.approx(0.25 * one + 0.75 * other)


def test_a_mask_confines_a_style():
    """With styles left and right, the gradient of the left one's loss stays (nearly) on the left."""
    at = PAINTING.astype(float)
    left = objective(content=None, masks=[LEFT], variation_weight=0.0, style_layers=("relu1_1",))(at)
    assert np.abs(left.gradient[..., 14:]).max() == 0 < np.abs(left.gradient[..., :12]).max()
    both = objective(content=None, styles=(STYLE, OTHER), masks=[LEFT, 1 - LEFT])(at)
    assert np.abs(both.gradient[..., 18:]).max() > 0


def test_layer_weights_are_normalised():
    at = PAINTING.astype(float)
    one = objective(style_layers={"relu1_1": 1, "relu2_1": 3})(at).parts["style"]
    ten = objective(style_layers={"relu1_1": 10, "relu2_1": 30})(at).parts["style"]
    assert one == pytest.approx(ten)
    with pytest.raises(ArgumentError, match="at least one must be above 0"):
        objective(style_layers={"relu1_1": 0})
    with pytest.raises(ArgumentError, match="relu7_1: tiny has"):
        objective(content_layers=("relu7_1",))


def test_the_loss_means_the_same_at_every_size():
    """Painting, content and style repeated to twice the size: nearly the same loss."""
    small = objective(net=tiny.extractor(widths=(4,), dtype=np.float64), variation_weight=0.0)
    double = [np.tile(picture, (1, 2, 2)) for picture in (CONTENT, STYLE)]
    large = objective(double[0], (double[1],), net=tiny.extractor(widths=(4,), dtype=np.float64),
                      variation_weight=0.0)  # fmt: skip
    one, other = small(PAINTING.astype(float)), large(np.tile(PAINTING.astype(float), (1, 1, 2, 2)))
    for name in ("content", "style"):
        assert other.parts[name] == pytest.approx(one.parts[name], rel=0.1)


def test_nan_is_named():
    bad = PAINTING.astype(float)
    bad[0, 0, 0, 0] = np.nan
    with pytest.raises(NumericError, match="content, style, variation became NaN or infinite"):
        objective()(bad)


@pytest.mark.parametrize("statistic", ["gram", "covariance"])
@pytest.mark.parametrize("tile", [4, 10, 64])
def test_tiles_change_nothing(statistic, tile):
    """Loss, parts and gradient of a picture of odd shape are those of the whole, to rounding."""
    content, style, painting = (tiny.picture(seed, 40, 56, np.float64) for seed in (0, 1, 2))
    mask = np.linspace(0, 1, 56)[None].repeat(40, 0)
    settings = {"statistic": statistic, "net": tiny.extractor(widths=(3, 4, 5), dtype=np.float64)}
    settings["style_layers"] = ("picture1", "picture4", "relu1_1", "relu2_1", "relu3_1")
    whole = objective(content, (style, content), masks=[mask, None], **settings)
    value = whole(painting[None])
    whole.settings = dataclasses.replace(whole.settings, tile=tile)
    tiled = Tiled(whole)(painting[None])
    assert tiled.total == pytest.approx(value.total, rel=1e-10)
    assert tiled.parts == pytest.approx(value.parts, rel=1e-10)
    np.testing.assert_allclose(tiled.gradient, value.gradient, rtol=1e-7, atol=1e-12)


def test_tiles_know_what_they_cannot_do():
    with pytest.raises(ArgumentError, match="tile: shifted Gram matrices reach over tile edges"):
        Settings(tile=64, statistic="shifted")
    net = open_features("filters")
    function = objective(net=net, style_layers=("bank1",), content=None, tile=8)
    assert reach(function)[1] == 3
