"""The stacked laboratory: its data read right, its counting ends where it should, every cure trains."""

from types import SimpleNamespace

import numpy as np
import pytest

from minigan.data.dataset import Dataset
from minigan.errors import ArgumentError, DataError
from minigan.gan import laboratory, stacked_laboratory
from minigan.gan.stacked_laboratory import CURES, StackedLaboratory


@pytest.fixture(scope="module")
def digits():
    return stacked_laboratory.grey_digits(limit=300)


def judge_of(digits):
    """A classifier that finds the nearest of the digits it knows: exact on the data themselves."""
    known = digits.images.reshape(len(digits.images), -1)

    def read(pictures):
        flat = pictures.reshape(len(pictures), -1)
        nearest = ((known**2).sum(1) - 2 * flat @ known.T).argmin(axis=1)
        return flat, np.eye(10)[digits.labels[nearest]]

    return read


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(stacked_laboratory, "PICTURES", 500)


def test_real_pictures_reach_nearly_every_mode(digits):
    found = stacked_laboratory.floor(digits, judge_of(digits))
    shares = np.bincount(digits.labels, minlength=10) / len(digits)
    uneven = 3 * float((shares * np.log(10 * shares)).sum())  # three independent draws: divergences add up
    assert found.modes > 990 and found.counts.sum() == 26_000
    assert found.kl == pytest.approx(uneven + 1000 / (2 * 26_000), rel=0.25)


def test_a_collapsed_generator_is_counted(digits):
    lab = StackedLaboratory(digits, judge_of(digits), base=4)
    one = digits.images[digits.labels == 7][:1]
    picture = np.concatenate([one] * 3, axis=1)
    lab.trainer.sample = lambda latents, batch: np.repeat(picture, len(latents), axis=0)
    found = lab.statistics(count=50)
    assert found.modes == 1 and found.counts[777] == 50


@pytest.mark.parametrize("cure", CURES)
def test_every_cure_trains_and_keeps_to_its_table(cure, digits):
    lab = StackedLaboratory(digits, judge_of(digits), cure=cure, base=4, batch=8)
    plain = StackedLaboratory(digits, judge_of(digits), cure="none", base=4, batch=8)
    assert {line.split(":")[0] for line in lab.config.differences(plain.config)} == set(CURES[cure])
    assert all(np.isfinite(record.g_loss) for record in lab.run(2))
    assert lab.pictures(3).shape == (3, 3, 16, 16)
    assert set(CURES) == set(laboratory.CURES)


def test_refusals(digits, monkeypatch):
    with pytest.raises(ArgumentError, match="cure: expected one of"):
        StackedLaboratory(digits, judge_of(digits), cure="prayer")
    unlabelled = SimpleNamespace(**{**vars(digits), "labels": None, "classes": ()})
    monkeypatch.setattr(stacked_laboratory, "open_dataset", lambda *a, **k: unlabelled)
    with pytest.raises(DataError, match="ten labels.*no classes"):
        stacked_laboratory.grey_digits("somewhere")
    assert isinstance(digits, Dataset)
