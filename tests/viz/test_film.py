"""Films: as many frames as came in, in order, each shown as long as asked."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from minigan.errors import ArgumentError, DataError, ShapeError
from minigan.viz import write_film


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("form", ["GIF", "WEBP"])
def test_frames_come_back_in_order(channels, form):
    levels = (0.0, 0.5, 1.0)
    file = BytesIO()
    write_film(
        file, [np.full((channels, 8, 6), level, np.float32) for level in levels], last_seconds=1, form=form
    )
    with Image.open(file) as film:
        assert (film.format, film.n_frames, film.size) == (form, 3, (6, 8))
        for i, level in enumerate(levels):
            film.seek(i)
            film.load()
            assert abs(np.asarray(film.convert("L")).mean() - 255 * level) < 3
            assert film.info["duration"] == (1000 if i == 2 else 150)


def test_one_frame_is_a_film_too(tmp_path):
    write_film(tmp_path / "one.gif", [np.zeros((1, 4, 4))])
    with Image.open(tmp_path / "one.gif") as film:
        assert film.size == (4, 4)


def test_bad_input_is_refused():
    with pytest.raises(DataError, match="no frame"):
        write_film(BytesIO(), [])
    with pytest.raises(ShapeError, match="expected frames of shape"):
        write_film(BytesIO(), [np.zeros((1, 4, 4)), np.zeros((1, 4, 5))])
    with pytest.raises(ShapeError):
        write_film(BytesIO(), [np.zeros((4, 4))])
    with pytest.raises(ArgumentError, match="form"):
        write_film(BytesIO(), [np.zeros((1, 4, 4))], form="PNG")
    with pytest.raises(ArgumentError, match="positive"):
        write_film(BytesIO(), [np.zeros((1, 4, 4))], seconds_a_frame=0)
