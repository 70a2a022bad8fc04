"""The 2-D laboratory: colours and points where they belong."""

import numpy as np
import pytest

from minigan.errors import ArgumentError, NumericError, ShapeError
from minigan.viz.plane import CLOUDS, draw_plane, plane_points


def test_the_raster_runs_from_the_top_left():
    points = plane_points(2.0, 4)
    assert points.shape == (16, 2) and points.dtype == np.float32
    np.testing.assert_allclose(points[[0, 3, 12]], [[-1.5, 1.5], [1.5, 1.5], [-1.5, -1.5]])


@pytest.mark.parametrize("shape", [(-1,), (20, 20), (-1, 1)])
def test_real_is_warm_and_fake_is_cold_and_up_is_up(shape):
    points = plane_points(1.0, 20)
    scores = (points[:, 1] > 0).astype(np.float32).reshape(shape)
    pixels = draw_plane(scores, {}, extent=1.0, size=100).astype(int)
    assert pixels.shape == (100, 100, 3)
    top, bottom = pixels[10, 50], pixels[90, 50]
    assert top[0] > top[2] + 50 and bottom[2] > bottom[0] + 50
    unsure = draw_plane(np.full((3, 3), 0.5), {}, extent=1.0, size=9)
    assert unsure.min() > 240


def test_a_point_lands_where_it_lies():
    pixels = draw_plane(None, {"real": np.array([[0.5, 0.5]])}, extent=1.0, size=200, dot=4)
    rows, columns = np.nonzero((pixels[:180] == CLOUDS[0]).all(axis=2))
    assert (rows.mean(), columns.mean()) == pytest.approx((49.5, 149.5), abs=1) and len(rows) == 16


def test_points_outside_and_broken_ones_are_left_out():
    bad = np.array([[2, 0], [0, -5], [np.nan, 0], [np.inf, 0]])
    pixels = draw_plane(None, {"generated": bad}, extent=1.0, size=100)
    assert not (pixels[:80] == CLOUDS[0]).all(axis=2).any()


def test_later_clouds_lie_on_top_and_all_are_named():
    points = np.zeros((1, 2))
    pixels = draw_plane(None, {"real": points, "generated": points}, extent=1.0, size=200, title="step 3")
    assert (pixels[100, 100] == CLOUDS[1]).all()
    for colour in CLOUDS[:2]:
        assert (pixels[-18:] == colour).all(axis=2).any(), "a patch of its colour in the legend"
    assert pixels[:18].min() < 100, "a title"


def test_frames_of_a_film_have_one_shape():
    frames = [draw_plane(np.full((4, 4), s), {"a": np.zeros((0, 2))}, extent=1.0, size=64) for s in (0, 1)]
    assert frames[0].shape == frames[1].shape == (64, 64, 3) and frames[0].dtype == np.uint8


@pytest.mark.parametrize(
    "scores, clouds, options, error",
    [
        (np.zeros(5), {}, {}, ShapeError),
        (np.zeros((2, 8)), {}, {}, ShapeError),
        (np.zeros((0, 0)), {}, {}, ShapeError),
        (np.full((2, 2), np.nan), {}, {}, NumericError),
        (None, {"a": np.zeros((3, 3))}, {}, ShapeError),
        (None, {}, {"extent": 0}, ArgumentError),
        (None, {}, {"dot": 0}, ArgumentError),
        (None, {str(i): np.zeros((1, 2)) for i in range(5)}, {}, ArgumentError),
    ],
)
def test_bad_input(scores, clouds, options, error):
    with pytest.raises(error, match="plane: "):
        draw_plane(scores, clouds, **{"extent": 1.0, "size": 50, **options})
