"""The pyramid: halving beside SciPy, gradients by finite differences, levels that count, levels left out."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import correlate1d

from minigan import Tensor, kernels
from minigan.style import Settings
from minigan.style.objective import Objective
from minigan.style.pyramid import Pyramid, build, halved
from minigan.testing import adjoint_check, gradcheck

sys.path.insert(0, str(Path(__file__).parent))
import tiny

CONTENT, STYLE = tiny.picture(0, 32, 48), tiny.picture(1, 40, 32)
PAINTING = tiny.picture(2, 32, 48)[None].astype(np.float64)


def pyramid(styles=(STYLE,), content=CONTENT, size=(32, 48), masks=(None,), **settings):
    nets = tiny.extractor(dtype=np.float64), tiny.extractor(seed=1, dtype=np.float64)
    settings = {"size": max(size), "scales": (1.0, 2.0, 1.0), **settings}
    return build(nets, Settings(**settings), content, list(styles), [1.0] * len(styles), list(masks), *size)


@pytest.mark.parametrize("switched_off", [False, True])
def test_halving_is_a_blur_and_every_second_pixel(switched_off):
    """Beside SciPy: 1 2 1 / 4 each way over mirrored edges, then means over squares."""
    x = np.random.default_rng(0).random((1, 3, 12, 10))
    wanted = x
    for axis in (2, 3):
        wanted = correlate1d(wanted, [0.25, 0.5, 0.25], axis=axis, mode="mirror")
    wanted = wanted.reshape(1, 3, 6, 2, 5, 2).mean((3, 5))
    if switched_off:
        with kernels.off():
            found = halved(Tensor(x))
    else:
        found = halved(Tensor(x))
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-12)
    adjoint_check(halved, [x])
    gradcheck(halved, [x])


def test_squares_do_not_show():
    """The derivative of a halved pixel is a hill: no neighbour has more than three times another's."""
    x = Tensor(np.zeros((1, 1, 16, 16)), requires_grad=True)
    halved(x)[0, 0, 4, 4].backward()
    row = x.grad.numpy()[0, 0, 8, 6:12]
    np.testing.assert_allclose(row / row.max(), [0, 1 / 3, 1, 1, 1 / 3, 0])


@pytest.mark.parametrize(
    "settings", [{}, {"scales": (0.0, 1.0)}, {"statistic": "gram", "scales": (1.0, 0.0, 3.0)}, {"tile": 8}]
)
def test_gradient_by_finite_differences(settings):
    function = pyramid(**settings)
    assert len(function.levels) > 1
    gradient = function(PAINTING).gradient
    rng = np.random.default_rng(0)
    for _ in range(3):
        direction = rng.uniform(0.5, 1.5, PAINTING.shape) * rng.choice([-1, 1], PAINTING.shape)
        slope = (
            function(PAINTING + 1e-6 * direction).total - function(PAINTING - 1e-6 * direction).total
        ) / 2e-6
        assert slope == pytest.approx(float((gradient * direction).sum()), rel=1e-4, abs=1e-8)


def test_levels_count_as_they_are_weighted():
    """Style is the weighted mean of objectives of halved pictures; content and variation are the whole's."""
    function = pyramid(content_weight=0.3, variation_weight=0.2, style_weight=2.0)
    value = function(PAINTING)
    parts, picture, style = [], PAINTING, STYLE.astype(np.float64)
    style = np.asarray(tiny_resized(style), np.float64)
    for number in range(3):
        plan = Settings(size=48, content_weight=0.0, variation_weight=0.0)
        net = tiny.extractor(seed=min(number, 1), dtype=np.float64)
        parts.append(Objective(net, plan, None, [style], [1.0], [None])(picture).parts["style"])
        picture, style = (halved(Tensor(one)).numpy() for one in (picture, style[None]))
        style = style[0]
    assert value.parts["style"] == pytest.approx((parts[0] + 2 * parts[1] + parts[2]) / 4, rel=1e-5)
    weighted = 0.3 * value.parts["content"] + 2 * value.parts["style"] + 0.2 * value.parts["variation"]
    assert value.total == pytest.approx(weighted)
    whole = Pyramid([function.whole])(PAINTING)
    assert whole.parts["content"] == value.parts["content"]
    assert whole.parts["variation"] == value.parts["variation"]


def tiny_resized(style):
    """The style as `build` resizes it: its longer side the painting's, sides multiples of 8."""
    from minigan.data import resize

    return resize(style, 48, 40)


def test_a_picture_of_the_style_costs_nothing():
    same = pyramid(styles=(CONTENT,))(CONTENT[None].astype(np.float64))
    assert same.parts["style"] < 1e-12 and same.parts["content"] == 0


def test_one_scale_is_the_objective_alone():
    function = pyramid(scales=(1.0,))
    value, alone = function(PAINTING), function.whole(PAINTING)
    assert value.total == alone.total and value.parts == alone.parts
    np.testing.assert_array_equal(value.gradient, alone.gradient)


def test_levels_too_small_are_left_out_and_the_others_count_more():
    """Four scales of a picture of 16 x 24 with features that need 8 pixels: it can be halved once."""
    function = pyramid(size=(16, 24), scales=(1.0, 1.0, 1.0, 1.0))
    assert [level.settings.style_weight for level in function.levels] == [0.5, 0.5]
    assert len(pyramid(size=(30, 45), scales=(1.0, 1.0)).levels) == 1  # an odd side cannot be halved
    assert len(pyramid(styles=(), masks=()).levels) == 1  # no style, nothing to look for


def test_masks_are_halved_with_the_picture():
    """A style that belongs to the left has no hold on the far right, at any level."""
    left = np.zeros((32, 48), np.float32)
    left[:, :8] = 1
    function = pyramid(content=None, masks=(left,), variation_weight=0.0)
    gradient = function(PAINTING).gradient
    assert np.abs(gradient[..., 40:]).max() == 0 < np.abs(gradient[..., :8]).max()


def test_tiles_change_nothing():
    whole, tiled = pyramid()(PAINTING), pyramid(tile=8)(PAINTING)
    assert tiled.total == pytest.approx(whole.total, rel=1e-10)
    np.testing.assert_allclose(tiled.gradient, whole.gradient, rtol=1e-7, atol=1e-12)
    assert dataclasses.asdict(tiled).keys() == dataclasses.asdict(whole).keys()
