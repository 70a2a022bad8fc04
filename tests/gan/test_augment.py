"""DiffAugment against plain NumPy, and differentiable."""

import numpy as np
import pytest

from minigan import Tensor
from minigan.errors import ArgumentError
from minigan.gan import augment
from minigan.testing import gradcheck

X = np.random.default_rng(1).uniform(-1, 1, (4, 2, 8, 6))


def rng():
    return np.random.default_rng(7)


@pytest.mark.parametrize("name", augment.POLICIES)
def test_gradients_to_second_order(name):
    assert gradcheck(lambda x: augment.apply(x, name, rng()), (X,))


def test_each_picture_is_shifted_whole_and_filled_with_zeros():
    shifted = augment.translation(Tensor(X), rng(), share=0.25).numpy()
    seen = set()
    for before, after in zip(X, shifted, strict=True):
        wide = np.pad(before, ((0, 0), (2, 2), (2, 2)))
        fits = [(i, j) for i in range(5) for j in range(5) if (wide[:, i : i + 8, j : j + 6] == after).all()]
        assert len(fits) == 1
        seen.update(fits)
    assert len(seen) > 1


def test_cutout_blanks_a_square():
    ones = np.ones((200, 1, 8, 8))
    cut = augment.cutout(Tensor(ones), rng()).numpy()[:, 0]
    areas = (cut == 0).sum(axis=(1, 2))
    assert areas.max() == 16 and areas.min() >= 4
    for picture in cut:
        rows, columns = np.nonzero(picture == 0)
        assert (picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] == 0).all()


def test_brightness_contrast_and_flip():
    added = augment.brightness(Tensor(X), rng()).numpy() - X
    assert np.ptp(added, axis=(1, 2, 3)) == pytest.approx(0) and len(np.unique(added.round(9))) == 4
    scaled = augment.contrast(Tensor(X), rng()).numpy()
    assert scaled.mean(axis=(1, 2, 3)) == pytest.approx(X.mean(axis=(1, 2, 3)))
    factor = scaled.std(axis=(1, 2, 3)) / X.std(axis=(1, 2, 3))
    assert (0.5 <= factor).all() and (factor <= 1.5).all()
    many = np.tile(X[:1], (40, 1, 1, 1))
    mirrored = [(p == X[0, :, :, ::-1]).all() for p in augment.flip(Tensor(many), rng()).numpy()]
    assert 5 < sum(mirrored) < 35


def test_same_generator_same_pictures_and_dtype_is_kept():
    policy = "brightness,contrast,translation,cutout,flip"
    x = X.astype(np.float32)
    first, second = (augment.apply(Tensor(x), policy, rng()).numpy() for _ in range(2))
    assert (first == second).all() and first.dtype == np.float32 and first.shape == x.shape
    assert augment.check(" translation , cutout ") == ["translation", "cutout"]
    with pytest.raises(ArgumentError, match="unknown zoom"):
        augment.apply(Tensor(x), "zoom", rng())


@pytest.mark.parametrize("name", ["cutout", "flip"])
def test_infinities_are_cut_out_or_moved_but_never_spoil_a_pixel(name):
    found = augment.apply(Tensor(np.full(X.shape, np.inf)), name, rng()).numpy()
    assert set(np.unique(found)) == ({0.0, np.inf} if name == "cutout" else {np.inf})
