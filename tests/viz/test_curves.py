"""Curves: smoothed as said, drawn within sight."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from minigan.errors import ShapeError
from minigan.viz import curves
from minigan.viz.curves import curves_png, save_curves, series, smooth

BLUE, ORANGE = (0, 0x72, 0xB2), (0xD5, 0x5E, 0)


def drawn(panels, **options):
    content = curves_png(panels, **options)
    assert len(content) < 300_000
    return np.asarray(Image.open(BytesIO(content)).convert("RGB")).astype(int)


def rows_of(picture, colour):
    """Rows that hold a colour, left of the legend."""
    return np.unique(np.nonzero(np.abs(picture[:, :400] - colour).max(axis=2) < 40)[0])


def test_series_are_read_from_records():
    records = [{"step": 1, "d": 0.5}, {"step": 2, "g": 1}, {"step": 3, "d": None}, {"step": 4, "d": np.nan}]
    steps, values = series(records, "d")
    assert steps == [1, 4] and values[0] == 0.5 and np.isnan(values[1])


@given(values=st.lists(st.floats(-9, 9) | st.just(float("nan")), max_size=30), window=st.integers(0, 12))
def test_smoothing_is_the_mean_of_the_finite_neighbours(values, window):
    got = smooth(values, window)
    for i in range(len(values)):
        near = np.array(values[max(0, i - window // 2) : i + window // 2 + 1])
        near = near[np.isfinite(near)]
        np.testing.assert_allclose(got[i], near.mean() if len(near) else np.nan, atol=1e-9)


def test_each_curve_is_drawn_in_its_colour():
    steps = np.arange(500)
    picture = drawn({"loss": {"D": (steps, steps * 0 + 1.0), "G": (steps, steps * 0 + 2.0)}})
    low, high = rows_of(picture, BLUE), rows_of(picture, ORANGE)
    assert len(low) and len(high) and high.max() < low.min(), "the larger values stand above"


def test_smoothed_and_raw_are_both_there():
    noise = np.random.default_rng(0).normal(size=1000)
    picture = drawn({"loss": {"D": (np.arange(1000), noise)}})
    faint = (np.abs(picture - (0.75 * 255 + 0.25 * np.array(BLUE))).max(axis=2) < 30).sum()
    assert faint > 2000 and 3 < len(rows_of(picture, BLUE)) < 100


def test_a_wild_value_does_not_flatten_the_rest():
    values = np.sin(np.arange(1000) / 50)
    wild = np.where(np.arange(1000) == 3, 1e6, values)
    calm, beside = (len(rows_of(drawn({"loss": {"D": (range(1000), v)}}), BLUE)) for v in (values, wild))
    assert beside > 0.7 * calm > 50


@pytest.mark.parametrize(
    "values", [[], [1.0], [float("nan")] * 3, [float("nan")] * 50, [2.0] * 50, [1.0, float("inf"), 2.0]]
)
def test_odd_values_are_no_trouble(values):
    assert drawn({"loss": {"D": (range(len(values)), values)}, "empty": {}}).shape[2] == 3


@pytest.mark.parametrize(
    "offset, scale", [(0, 1e6), (0, -1e5), (99_999, 1), (-0.0123, 1e-7), (-1234.5, 0.01)]
)
def test_long_numbers_leave_the_label_in_sight(offset, scale):
    picture = drawn({"probability": {"D": (range(9), offset + scale * np.linspace(-1, 1, 9))}})
    assert (picture[:, :3] == 255).all() and (picture[:, 5:60] < 100).any()


def test_panels_make_it_taller_and_titles_are_drawn():
    one, two = drawn({"a": {}}), drawn({"a": {}, "b": {}})
    assert two.shape[0] > 1.4 * one.shape[0]
    tops = [
        np.argmax((drawn({"a": {}}, title=title) < 100).all(axis=2).mean(axis=1) > 0.5)
        for title in ("", "run")
    ]
    assert tops[0] + 10 < tops[1], "the frame makes room for the title"


@pytest.mark.parametrize("title", ["dcgan on caf\udce9", "\udcff\udcfe", "$\\frac$ and $5", "a\udc80$_$"])
def test_a_title_may_be_any_file_name(title):
    panels = {"loss": {"a": ([1, 2], [1, 2])}}
    picture = curves_png(panels, title=title)
    assert picture != curves_png(panels)
    assert picture == curves_png(panels, title=title.encode("utf-8", "backslashreplace").decode())


def test_equal_data_give_equal_files(tmp_path):
    panels = {"loss": {"D": (range(30), range(30))}}
    save_curves(tmp_path / "a.png", panels, title="x", x_label="epoch")
    assert (tmp_path / "a.png").read_bytes() == curves_png(panels, title="x", x_label="epoch")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_bad_input():
    with pytest.raises(ShapeError, match="at least one"):
        curves_png({})
    with pytest.raises(ShapeError, match="'D' has steps of shape"):
        curves_png({"loss": {"D": ([1, 2], [1])}})


def test_colours_differ():
    assert len(set(curves.COLOURS)) == len(curves.COLOURS)
