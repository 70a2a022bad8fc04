"""Curves as SVG: well-formed, in proportion, and short whatever the run's length."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from minigan.errors import ShapeError
from minigan.viz import curves_svg
from minigan.viz.drawn_curves import ticks

NAME = "{http://www.w3.org/2000/svg}"


def lines(svg):
    """The drawn curves, each a list of (x, y)."""
    fields = [e for e in ElementTree.fromstring(svg).iter(f"{NAME}svg") if e.get("y")]
    paths = [p.get("d") for field in fields for p in field.iter(f"{NAME}path")]
    return [[tuple(map(float, pair)) for pair in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", d)] for d in paths]


def test_a_straight_line_is_straight_and_fills_the_width():
    (line,) = lines(curves_svg({"loss": {"D": ([0, 5, 10], [1.0, 2.0, 3.0])}}))
    assert [x for x, _ in line] == [0, 430, 860]
    ys = [y for _, y in line]
    assert ys[0] - ys[1] == pytest.approx(ys[1] - ys[2], abs=0.11) and 0 < ys[2] < ys[0] < 190


def test_long_curves_are_faint_and_bold_thinned_and_keep_their_gaps():
    steps = np.arange(5000)
    values = np.sin(steps / 100)
    values[1000:2000] = np.nan
    svg = curves_svg({"loss": {"D": (steps, values)}})
    faint, bold = lines(svg)
    assert 400 < len(faint) <= 600 and 400 < len(bold) <= 600
    assert 'stroke-opacity=".3"' in svg and len(svg) < 40_000
    assert svg.count("M0.0 ") == 2  # each begins at the left ...
    assert all(len(re.findall("M", d)) >= 2 for d in re.findall(r'd="(M0\.0 [^"]*)"', svg))  # ... and again


def test_names_are_escaped_and_wild_values_cut_off():
    values = [*np.ones(500), 1e9]
    svg = curves_svg({"a < b": {"<D>": (range(501), values)}}, x_label="x & y")
    words = [e.text for e in ElementTree.fromstring(svg).iter(f"{NAME}text")]
    assert {"a < b", "<D>", "x & y"} <= set(words) and "1e+09" not in words


@pytest.mark.parametrize("curve", [([], []), ([3], [1.0]), ([1, 2], [np.nan, np.nan]), ([1, 2], [4.0, 4.0])])
def test_little_to_draw(curve):
    ElementTree.fromstring(curves_svg({"loss": {"D": curve}}))


def test_ticks_are_round_and_inside():
    assert ticks(0, 1, 5) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert ticks(-0.3, 7, 4) == [0, 2, 4, 6]
    assert ticks(1e11, 2.6e11, 4) == pytest.approx([1e11, 1.5e11, 2e11, 2.5e11])


def test_bad_input():
    with pytest.raises(ShapeError, match="at least one panel"):
        curves_svg({})
    with pytest.raises(ShapeError, match="'D' has 2 steps and 1 values"):
        curves_svg({"loss": {"D": ([1, 2], [1.0])}})
