"""Curves: a PNG that holds ink, and a running mean that is one."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from minigan.errors import ArgumentError, DataError
from minigan.viz import draw_curves
from minigan.viz.curves import running_mean


def test_a_png_with_ink(tmp_path):
    steps = list(range(0, 500, 10))
    wave = [float(np.sin(step / 50)) for step in steps]
    draw_curves(
        tmp_path / "a.png", steps, [("loss", {"D": wave, "G": [None] * 49 + [float("nan")]})], title="t"
    )
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.format == "PNG" and len(np.unique(np.asarray(picture.convert("L")))) > 10


def test_one_point_is_enough():
    file = BytesIO()
    draw_curves(file, [1], [("loss", {"D": [1.0]}), ("belief", {"D(x)": [0.5]})])
    assert file.getvalue().startswith(b"\x89PNG")


def test_bad_input_is_refused():
    with pytest.raises(DataError, match="nothing was logged"):
        draw_curves(BytesIO(), [], [("loss", {})])
    with pytest.raises(DataError, match="2 values for 1 steps"):
        draw_curves(BytesIO(), [1], [("loss", {"D": [1, 2]})])
    for bad in ({"smooth": 0}, {"smooth": 2}):
        with pytest.raises(ArgumentError, match="smooth"):
            draw_curves(BytesIO(), [1], [("loss", {"D": [1]})], **bad)


@given(
    st.lists(st.one_of(st.just(float("nan")), st.floats(-5, 5)), min_size=1, max_size=12), st.integers(1, 15)
)
def test_running_mean_by_plain_loops(values, window):
    found = running_mean(np.array(values), window)
    for i in range(len(values)):
        known = [value for value in values[max(0, i - window + 1) : i + 1] if value == value]
        assert (not known and np.isnan(found[i])) or np.isclose(found[i], np.mean(known), atol=1e-9)
