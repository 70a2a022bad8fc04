"""Stacked digits: the triples are the ones the labels say, and the counting is right at both ends."""

import numpy as np
import pytest

from minigan.data import stacked
from minigan.errors import DataError, ShapeError


def digits():
    """Ten "pictures" whose brightness is their digit."""
    labels = np.arange(10)
    return np.broadcast_to(labels[:, None, None, None], (10, 1, 4, 4)).astype(np.float32), labels


def test_each_channel_shows_its_digit_of_the_number():
    pictures, numbers = stacked.stack(*digits(), 500, seed=1)
    assert pictures.shape == (500, 3, 4, 4) and numbers.shape == (500,) and numbers.dtype == np.int64
    shown = pictures[:, :, 0, 0].astype(int)
    assert (shown[:, 0] * 100 + shown[:, 1] * 10 + shown[:, 2] == numbers).all()
    assert (stacked.channels(pictures)[:, 0, 0, 0].reshape(-1, 3) == shown).all()
    again, _ = stacked.stack(*digits(), 500, seed=1)
    assert (pictures == again).all() and (pictures != stacked.stack(*digits(), 500, seed=2)[0]).any()


def test_all_thousand_modes_come_and_the_divergence_is_that_of_chance():
    pictures, _ = stacked.stack(*digits(), stacked.SAMPLES)
    found = stacked.statistics(stacked.channels(pictures)[:, 0, 0, 0].astype(int))
    assert found.modes == 1000 and found.counts.sum() == stacked.SAMPLES
    assert found.kl == pytest.approx(1000 / (2 * stacked.SAMPLES), rel=0.2)


def test_collapse_is_counted():
    one = stacked.statistics(np.tile([1, 2, 3], 50))
    assert (one.modes, one.counts[123]) == (1, 50) and one.kl == pytest.approx(np.log(1000))
    ten = stacked.statistics(np.repeat(np.arange(10), 3))  # 000, 111, ... 999
    assert ten.modes == 10 and ten.kl == pytest.approx(np.log(100))


def test_refusals():
    images, labels = digits()
    with pytest.raises(ShapeError, match="grey images"):
        stacked.stack(images.repeat(3, axis=1), labels, 5)
    with pytest.raises(DataError, match="10 labels from 0 to 9"):
        stacked.stack(images, labels + 1, 5)
    with pytest.raises(ShapeError, match=r"\(N, 3, H, W\)"):
        stacked.channels(images)
    for read in (np.zeros(4, int), np.full(3, 10), np.zeros((3, 1), int)):
        with pytest.raises(ShapeError, match="digits"):
            stacked.statistics(read)
