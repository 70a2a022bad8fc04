"""What is refused before painting: pictures too small, black masks, no loss; and what is small but fine."""

import re

import numpy as np
import pytest

from minigan.data import load_image, save_image
from minigan.errors import ArgumentError, ShapeError
from minigan.style import transfer

random = np.random.default_rng(0).random
CONTENT = random((3, 40, 48)).astype(np.float32)
STYLE = random((3, 48, 32)).astype(np.float32)
QUICK = {"size": 32, "iterations": 1}


def of(height, width, value=None):
    shade = random((3, 1, 1)) if value is None else np.full((3, 1, 1), value)
    return np.broadcast_to(shade, (3, height, width)).astype(np.float32)


SMALL = [of(1, 1), of(1, 2), of(2, 1), of(1, 1, 0.0)]


@pytest.mark.parametrize("small", SMALL, ids=lambda picture: f"{picture.shape[1:]}-{picture.mean():.2f}")
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"recolour": 0.0},
        {"colours": "histogram", "recolour": 0.0},
        {"colours": "luminance"},
        {"init": "style"},
        {"init": "noise", "coarse": 0},
    ],
    ids=str,
)
@pytest.mark.parametrize("as_style", (True, False))
def test_pictures_of_a_few_pixels_and_of_one_colour_are_painted(small, more, as_style):
    content, style = (CONTENT, small) if as_style else (small, STYLE)
    if more:  # the other layers are in the case without
        more = {**more, "style_layers": ("picture1", "relu1_1", "relu4_1")}
    picture = transfer(content, style, **QUICK, **more).picture
    assert np.isfinite(picture).all() and 0 <= picture.min() and picture.max() <= 1


def mask(*white, shape=(40, 48)):
    found = np.zeros((1, *shape), np.float32)
    for place in white:
        found[(0, *place)] = 1.0
    return found


LEFT, RIGHT = (slice(None), slice(0, 24)), (slice(None), slice(24, None))


@pytest.mark.parametrize(
    "masks, black",
    [
        ([mask()], 1),
        ([mask(shape=(7, 5))], 1),
        ([mask(LEFT), mask()], 2),
        ([mask(), mask(LEFT), None], 1),
    ],
)
def test_a_black_mask_is_named_before_anything_is_computed(masks, black):
    with pytest.raises(ArgumentError, match=f"mask {black} is black: style {black} belongs nowhere"):
        transfer(CONTENT, [STYLE] * len(masks), masks=masks, on_forecast=lambda _: pytest.fail(), **QUICK)


@pytest.mark.parametrize(
    "masks, blend",
    [
        ([mask(LEFT), mask()], [1.0, 0.0]),
        ([mask(), mask(RIGHT)], [0.0, 2.0]),
        ([mask(), None, mask()], [0.0, 1.0, 0.0]),
        ([mask((20, 20)), None], [1.0, 1.0]),
        ([mask((39, 47)), mask(LEFT)], []),
    ],
)
def test_a_black_mask_of_a_style_without_weight_and_a_mask_of_one_pixel_are_fine(masks, blend):
    result = transfer(CONTENT, [STYLE] * len(masks), masks=masks, blend=blend, **QUICK)
    assert np.isfinite(result.picture).all()


def test_a_style_without_weight_has_no_part():
    alone = transfer(CONTENT, STYLE, **QUICK).picture
    beside = transfer(CONTENT, [STYLE, of(1, 900)], blend=[1.0, 0.0], **QUICK).picture
    np.testing.assert_array_equal(alone, beside)


@pytest.mark.parametrize(
    "content, style, settings, words",
    [
        (of(10, 300), STYLE, {"size": 128}, ["content 300 x 10 becomes 128 x 8", "--size 360 or more"]),
        (of(500, 9), STYLE, {"size": 64}, ["content 9 x 500 becomes 8 x 64", "--size"]),
        (CONTENT, of(9, 200), {"size": 64}, ["style 1 200 x 9 becomes", "larger --style-scale"]),
        (CONTENT, STYLE, {"size": 64, "style_scale": 0.05}, ["style 1 32 x 48 becomes", "--style-scale"]),
        (None, of(8, 128), {"size": 64}, ["style 1 128 x 8 becomes 64 x 8", "--size 192 or more"]),
        (of(24, 60), STYLE, {"size": 64, "coarse": 16}, ["content 60 x 24 becomes 16 x 8", "--coarse"]),
    ],
)
def test_what_is_too_small_is_named_with_its_cure(content, style, settings, words):
    with pytest.raises(ShapeError) as caught:
        transfer(content, style, iterations=1, **settings)
    assert all(word in str(caught.value) for word in words) and "\n" not in str(caught.value), caught.value


@pytest.mark.parametrize(
    "content, settings, name",
    [
        (of(10, 300), {"size": 128}, "size"),
        (of(333, 14), {"size": 200}, "size"),
        (CONTENT, {"size": 64, "style_scale": 0.05}, "style_scale"),
        (of(24, 60), {"size": 64, "coarse": 16}, "coarse"),
    ],
)
def test_the_cure_cures_and_no_less_does(content, settings, name):
    with pytest.raises(ShapeError) as caught:
        transfer(content, STYLE, iterations=0, **settings)
    number = float(re.search(r"([0-9.]+) or more", str(caught.value))[1])
    enough = number if name == "style_scale" else int(number)
    transfer(content, STYLE, iterations=0, **{**settings, name: enough})
    with pytest.raises(ShapeError):
        transfer(content, STYLE, iterations=0, **{**settings, name: type(enough)(enough * 0.94)})


@pytest.mark.parametrize(
    "content, style, weights, named",
    [
        (CONTENT, STYLE, (0.0, 0.0, 0.0), "content_weight, style_weight, variation_weight"),
        (None, STYLE, (1.0, 0.0, 0.0), "style_weight, variation_weight"),
        (CONTENT, None, (0.0, 1.0, 0.0), "content_weight, variation_weight"),
    ],
)
def test_no_weight_at_all_is_refused_by_the_names_of_the_weights(content, style, weights, named):
    names = ("content_weight", "style_weight", "variation_weight")
    with pytest.raises(ArgumentError, match=f"nothing to paint by: {named} are 0"):
        transfer(content, style, **QUICK, **dict(zip(names, weights, strict=True)))


@pytest.mark.parametrize("only", ("content_weight", "style_weight", "variation_weight"))
def test_one_weight_is_enough(only):
    weights = dict.fromkeys(("content_weight", "style_weight", "variation_weight"), 0.0) | {only: 1.0}
    assert np.isfinite(transfer(CONTENT, STYLE, **QUICK, **weights).picture).all()


@pytest.mark.parametrize(
    "style, settings",
    [
        (of(12, 400), {"size": 512}),  # thin, but large enough at this size
        (of(300, 9), {"size": 600}),
        (STYLE, {"size": 256, "style_scale": 0.1}),
        (STYLE, {"size": 320, "style_scale": 0.08, "statistic": "gram"}),
    ],
)
def test_a_style_large_enough_at_the_size_asked_for_is_painted(style, settings):
    """Also beside the small picture whose time is taken for the forecast."""
    assert transfer(CONTENT, style, iterations=0, **settings).picture.shape[0] == 3


@pytest.mark.parametrize("statistic", ("shifted", "covariance+shifted"))
def test_shifts_need_room_and_say_so(statistic):
    with pytest.raises(ShapeError, match=r"content 48 x 40 becomes 32 x 24 .*use --size \d+ or more"):
        transfer(CONTENT, STYLE, size=32, statistic=statistic, iterations=1)


@pytest.mark.parametrize("white", [(slice(None), slice(46, None)), (slice(38, None), slice(None)), (39, 47)])
@pytest.mark.parametrize("statistic", ("shifted", "covariance+shifted"))
def test_a_mask_that_leaves_no_pair_of_places_is_no_fault(white, statistic):
    result = transfer(CONTENT, STYLE, size=96, statistic=statistic, iterations=2, masks=[mask(white)])
    assert np.isfinite(result.picture).all() and np.isfinite(result.history[-1]["total"])


@pytest.mark.parametrize("scale", (300, 1e4, 1e6))
def test_a_style_too_large_for_memory_is_refused_by_its_size(scale):
    with pytest.raises(ArgumentError, match=r"style 1 of \d+ x \d+ pixels at --style-scale .* MB are free"):
        transfer(CONTENT, STYLE, size=64, style_scale=scale, iterations=1)


@pytest.mark.parametrize(
    "wrong", [3, 2.5, iter(()), {"a": 1}, np.array(["a"]), CONTENT.astype(complex), np.array([[[None]]])]
)
@pytest.mark.parametrize("what", ("content", "style 1", "mask 1"))
def test_what_is_no_picture_is_named(wrong, what):
    content, style, masks = CONTENT, STYLE, [mask(LEFT)]
    if what == "content":
        content = wrong
    elif what == "style 1":
        style = [wrong]
    else:
        masks = [wrong]
    with pytest.raises(ArgumentError, match=f"{what}: expected a picture") as caught:
        transfer(content, style, masks=masks, **QUICK)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bad", (np.nan, np.inf, -np.inf))
def test_pixels_that_are_no_numbers_are_called_so(bad):
    spoilt = CONTENT.copy()
    spoilt[1, 2, 3] = bad
    with pytest.raises(ArgumentError, match="content: expected values in .0, 1., got NaN or infinity"):
        transfer(spoilt, STYLE, **QUICK)


def test_numbers_of_numpy_and_a_path_to_begin_with(tmp_path):
    save_image(tmp_path / "first.png", STYLE)
    by_path = transfer(CONTENT, STYLE, init=tmp_path / "first.png", style_weight=np.float32(1), **QUICK)
    by_array = transfer(CONTENT, STYLE, init=load_image(tmp_path / "first.png"), style_weight=1.0, **QUICK)
    np.testing.assert_allclose(by_path.picture, by_array.picture, atol=1e-6)
