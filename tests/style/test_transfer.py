"""Whole transfers, small: every start and optimiser gets closer, events, stops, colours, bad pictures."""

import sys
from pathlib import Path

import numpy as np
import pytest

from minigan.data import resize, save_image
from minigan.errors import ArgumentError, DataError, FileError, NumericError, ShapeError
from minigan.style import Settings, transfer
from minigan.style.checks import beginning, fitted
from minigan.style.colour import colour_statistics
from minigan.style.transfer import FIRST_THINGS, stalled, starting_picture
from minigan.style.waves import short_power

sys.path.insert(0, str(Path(__file__).parent))
import tiny

CONTENT, STYLE = tiny.picture(0, 30, 40), tiny.picture(1, 26, 26)
NET = tiny.extractor()


def paint(content=CONTENT, style=STYLE, **settings):
    return transfer(content, style, **{"features": NET, "size": 32, "iterations": 8, **settings})


@pytest.mark.parametrize("init", ["content", "noise", "style", CONTENT[:, ::-1]])
@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "gd"])
def test_gets_closer_from_every_start(init, optimizer):
    events = []
    result = paint(init=init, optimizer=optimizer, iterations=25, on_event=lambda event: events.append(event))
    assert result.picture.shape == (3, 24, 32) and result.picture.dtype == np.float32
    assert 0 <= result.picture.min() and result.picture.max() <= 1
    assert events[-1].total < 0.9 * events[0].total or events[-1].total < 0.02
    assert [event.iteration for event in events] == list(range(1, 26))
    assert result.history[-1]["total"] == events[-1].total and result.history[-1]["size"] == 32
    assert set(events[-1].parts) == {"content", "style", "variation"}
    assert events[-1].picture.shape == (3, 24, 32)
    assert all(0 <= event.picture.min() and event.picture.max() <= 1 for event in events)
    assert sum(result.shares().values()) == pytest.approx(1)


def test_the_same_seed_paints_the_same_picture():
    one, other, third = (paint(init="noise", seed=seed).picture for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, other)
    assert not np.array_equal(one, third)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_coarse_to_fine_goes_through_the_sizes(optimizer):
    result = paint(size=64, coarse=16, init="noise", optimizer=optimizer, iterations=4)
    assert list(result.reasons) == [16, 32, 64] and result.picture.shape == (3, 48, 64)
    assert [entry["size"] for entry in result.history] == [16] * 4 + [32] * 4 + [64] * 4
    first = [entry["total"] for entry in result.history if entry["iteration"] == 1]
    direct = paint(size=64, init="noise", optimizer=optimizer, iterations=1).history[0]["total"]
    assert first[2] < direct  # the last size begins where the one before ended, not at noise


def test_one_side_alone():
    content_only = paint(style=None, variation_weight=0.0, init="noise", iterations=40)
    assert content_only.history[-1]["content"] < 0.1 * content_only.history[0]["content"]
    style_only = paint(content=None, variation_weight=0.0, init="noise", iterations=40)
    assert style_only.history[-1]["style"] < 0.5 * style_only.history[0]["style"]
    assert style_only.picture.shape == (3, 32, 32)  # the style's shape
    with pytest.raises(ArgumentError, match="got neither"):
        paint(content=None, style=None)


def test_several_styles_with_masks_and_blend():
    mask = np.zeros((1, 30, 40), np.float32)
    mask[:, :, :20] = 1
    result = paint(style=[STYLE, CONTENT], masks=[mask, 1 - mask], blend=[2, 1])
    assert result.history[-1]["style"] < result.history[0]["style"]


def test_stops_when_asked_and_when_nothing_is_gained():
    asked = paint(iterations=50, on_event=lambda event: event.iteration == 3)
    assert asked.reasons == {32: "asked to stop"} and len(asked.history) == 3
    early = paint(iterations=50, size=64, coarse=16, on_event=lambda event: event.size == 32)
    assert (
        list(early.reasons) == [16, 32] and early.picture.shape == paint(size=64, iterations=1).picture.shape
    )
    bored = paint(iterations=200, optimizer="adam", lr=1e-6, stop=0.05)
    assert bored.reasons[32] == "after 21 iterations: the last 20 lowered the loss by less than 5.00%"
    assert stalled([1.0] * 21, 0.01) and not stalled([1.0] * 20, 0.01) and not stalled([1.0] * 21, 0.0)
    assert not stalled(list(np.geomspace(1, 0.5, 21)), 0.01)


def test_no_iterations_give_the_start():
    start = starting_picture(Settings(size=32), CONTENT, [STYLE], (30, 40))
    np.testing.assert_array_equal(paint(iterations=0, recolour=0.0).picture, start)
    recoloured = paint(iterations=0).picture
    np.testing.assert_allclose(recoloured.mean((1, 2)), STYLE.mean((1, 2)), atol=0.03)


def test_coarse_sizes_look_for_the_content_first():
    """At each coarser size the content's loss weighs more."""
    settings = {"content_weight": 0.4, "variation_weight": 0.0, "iterations": 1, "optimizer": "gd"}
    history = paint(size=64, coarse=16, **settings).history
    for entry, weight in zip(history, (0.4 * FIRST_THINGS**2, 0.4 * FIRST_THINGS, 0.4), strict=True):
        assert entry["total"] == pytest.approx(weight * entry["content"] + entry["style"], rel=1e-4)


def test_the_painting_has_the_colours_of_the_style():
    """Mean and covariance, but for what lies outside [0, 1] and is cut off."""
    style = 0.3 + 0.4 * STYLE
    found, wanted = (colour_statistics(one) for one in (paint(style=style).picture, resize(style, 32, 32)))
    np.testing.assert_allclose(found[0], wanted[0], atol=1e-3)
    np.testing.assert_allclose(found[1], wanted[1], atol=0.02 * wanted[1].max())


def test_the_painting_has_the_grain_of_the_style():
    """As far as it is asked for, and within limits: the flat content leaves little to begin with."""
    rough = (
        (STYLE + 0.1 * np.random.default_rng(0).standard_normal(STYLE.shape)).clip(0, 1).astype(np.float32)
    )
    wanted = short_power(resize(rough, 32, 32))
    own, half, full = (
        short_power(paint(style=rough, variation_weight=0.01, grain=share).picture)
        for share in (0.0, 0.5, 1.0)
    )
    assert abs(full - wanted) < abs(half - wanted) < abs(own - wanted)


def test_where_a_painting_begins():
    """At 64 pixels, or where the picture is large enough; a picture given as the start keeps its size."""
    shape = (100, 200)
    assert beginning(Settings(size=256), shape, 16) == 64
    assert beginning(Settings(size=256), shape, 40) == 128
    assert beginning(Settings(size=256), shape, 999) == 256
    assert beginning(Settings(size=256, coarse=32), shape, 999) == 32
    assert beginning(Settings(size=256, init=CONTENT), shape, 16) == 0


def test_colours_are_kept_when_asked():
    content = CONTENT * np.array([1.0, 0.4, 0.2])[:, None, None].astype(np.float32)  # reddish
    style = STYLE * np.array([0.2, 0.4, 1.0])[:, None, None].astype(np.float32)  # bluish
    red = {name: (lambda p: p[0].mean() - p[2].mean())(paint(content, style, colours=name, iterations=40,
                                                            content_weight=0.0).picture)
           for name in ("style", "luminance", "histogram")}  # fmt: skip
    assert red["luminance"] > red["style"] + 0.1 and red["histogram"] > red["style"] + 0.1


def test_noise_lies_around_grey():
    """Noise that is not centred darkens or brightens the start."""
    start = starting_picture(Settings(size=64, init="noise"), CONTENT, [STYLE], (64, 64))
    assert abs(start.mean() - 0.5) < 0.01 and 0.05 < start.std() < 0.2
    like = starting_picture(Settings(size=64, init="style"), CONTENT, [STYLE], (64, 64))
    np.testing.assert_allclose(like.mean((1, 2)), STYLE.mean((1, 2)), atol=0.02)


def test_sizes_are_multiples_of_eight():
    assert fitted((734, 979), 256) == (192, 256) and fitted((100, 10), 64) == (64, 8)


def test_tiles_paint_the_same():
    net = tiny.extractor(dtype=np.float64)
    whole, tiled = (transfer(CONTENT, STYLE, features=net, size=64, iterations=3, tile=tile,
                             optimizer="gd").picture for tile in (0, 24))  # fmt: skip
    np.testing.assert_allclose(whole, tiled, atol=1e-4)


def test_files_of_any_kind(tmp_path):
    from PIL import Image

    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (30, 20, 4), np.uint8), "RGBA").save(tmp_path / "alpha.png")
    Image.fromarray(rng.integers(0, 65535, (24, 24), np.uint16)).save(tmp_path / "grey16.png")
    assert paint(tmp_path / "alpha.png", str(tmp_path / "grey16.png")).picture.shape == (3, 32, 24)
    with pytest.raises(FileError):
        paint(tmp_path / "none.png")
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(DataError, match="not an image"):
        paint(CONTENT, [STYLE, tmp_path / "text.png"])
    save_image(tmp_path / "mask.png", np.ones((1, 8, 8)))
    assert paint(masks=[tmp_path / "mask.png"]).picture.shape == (3, 24, 32)


@pytest.mark.parametrize("init", ["content", "noise"])
def test_pictures_of_one_flat_colour_are_no_trouble(init):
    net = tiny.extractor()
    net.content = {"relu2_1": 1.0, "picture4": 1.0}
    net.style = {"relu1_1": 1.0, "picture1": 1.0}
    grey, blue = np.full((3, 24, 32), 0.5, np.float32), np.zeros((3, 24, 32), np.float32)
    blue[2] = 1
    found = paint(CONTENT, blue, features=net, init=init)
    if init == "content":  # recoloured, it is blue already: there is nothing to do
        np.testing.assert_allclose(found.picture, blue, atol=0.02)
    else:
        assert found.history[-1]["style"] < found.history[0]["style"]
    found = paint(grey, STYLE, features=net, init=init)
    assert found.history[-1]["style"] < found.history[0]["style"]


def test_bad_pictures_and_settings():
    with pytest.raises(ShapeError, match=r"style 1: expected a picture \(3, H, W\), got \(16, 16\)"):
        paint(style=STYLE[0, :16, :16])
    with pytest.raises(ArgumentError, match="expected values in .0, 1., got .* divide by 255"):
        paint(CONTENT * 255)
    with pytest.raises(ArgumentError, match="unknown setting sice; there are size, style_scale"):
        paint(sice=3)
    deep = tiny.extractor(widths=(2, 2, 2, 2, 2, 2))
    with pytest.raises(ShapeError, match="at least 64 pixels each way"):
        paint(features=deep)


def test_nan_is_an_error_with_its_step():
    seen = []
    net = tiny.extractor()
    original = net.weights["conv1_1.weight"]

    def break_it(event):
        seen.append(event.iteration)
        if event.iteration == 2:
            net.weights["conv1_1.weight"] = original * float("nan")

    with pytest.raises(NumericError, match="step 3 at size 32: style: content, style became NaN"):
        paint(features=net, optimizer="adam", on_event=break_it)
    assert seen == [1, 2]
