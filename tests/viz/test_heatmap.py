"""Heat maps: a number, a colour and a frame in the right place."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from minigan.errors import ShapeError
from minigan.viz.heatmap import heatmap_png

YELLOW, PURPLE, GREY, FRAME = (253, 231, 37), (68, 1, 84), (200, 200, 200), (213, 94, 0)


def picture(values, **options):
    names = {"rows": ["a", "b"], "columns": ["x", "y", "z"], **options}
    with Image.open(BytesIO(heatmap_png(values, **names))) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def centre(pixels, colour):
    """(share down, share across) of the pixels of that colour left of the colour bar; None where few are."""
    pixels = pixels[:, : int(0.82 * pixels.shape[1])]
    there = np.argwhere(np.abs(pixels - colour).max(axis=2) < 3)
    return there.mean(axis=0) / pixels.shape[:2] if len(there) > 300 else None


def test_best_worst_and_missing_cells():
    pixels = picture([[0.0, 5.0, 3.0], [4.0, np.nan, 8.0]])
    best, worst, none = (centre(pixels, colour) for colour in (YELLOW, PURPLE, GREY))
    assert best[0] > 0.5 and best[1] > 0.7
    assert worst[0] < 0.5 and worst[1] < 0.4
    assert none[0] > 0.5 and 0.4 < none[1] < 0.7
    assert centre(pixels, FRAME) == pytest.approx(best, abs=0.05)


def test_low_may_be_good():
    pixels = picture([[0.0, 5.0, 3.0], [4.0, np.nan, 8.0]], low_is_good=True)
    best = centre(pixels, YELLOW)
    assert best[0] < 0.5 and best[1] < 0.4 and centre(pixels, FRAME) == pytest.approx(best, abs=0.05)


@pytest.mark.parametrize("values", [[[2.0] * 3] * 2, [[np.nan] * 3] * 2, [[1e-3, 1.0, 1e4], [1, 2, 3]]])
def test_alike_nothing_and_decades(values):
    assert picture(values, title="t", row_label="r", column_label="c", value_label="v").size


def test_words_that_do_not_fit():
    with pytest.raises(ShapeError, match="2 rows and 3 columns for values of shape"):
        picture([[1.0, 2.0]])
    with pytest.raises(ShapeError):
        picture(np.zeros((0, 3)), rows=[])
