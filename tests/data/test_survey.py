"""Pictures that are nearly the same: found, and nothing else."""

import numpy as np
import pytest

from minigan.data.survey import MOST, near_duplicates
from minigan.errors import ShapeError


def pictures(n, channels=3, height=20, width=28, seed=0):
    draw = np.random.default_rng(seed)
    coarse = draw.uniform(-1, 1, (n, channels, 5, 7))
    return np.kron(coarse, np.ones((1, 1, height // 5, width // 7))).astype(np.float32)


def test_copies_and_noisy_copies_are_paired_with_the_first_of_their_kind():
    images = pictures(700)  # more than one block of rows
    noise = np.random.default_rng(1).normal(0, 0.01, images.shape[1:])
    images[650] = images[3]
    images[40] = images[3] + noise
    images[699] = images[10]
    assert sorted(near_duplicates(images)) == [(3, 40), (3, 650), (10, 699)]
    assert near_duplicates(images, alike=1e-6) in ([(3, 650), (10, 699)], [(10, 699), (3, 650)])


def test_different_pictures_are_not_paired_however_small():
    assert near_duplicates(pictures(50)) == []
    draw = np.random.default_rng(0)
    assert near_duplicates(draw.uniform(-1, 1, (30, 1, 3, 5))) == []
    assert near_duplicates(pictures(1)) == []
    assert near_duplicates(np.zeros((3, 1, 8, 8), np.float32)) == [(0, 1), (0, 2)]
    assert MOST >= 10_000


def test_brighter_is_another_picture():
    images = pictures(2)
    images[1] = images[0] * 0.9 + 0.1
    assert near_duplicates(images) == []


def test_only_batches_of_images_are_compared():
    with pytest.raises(ShapeError, match=r"expected images \(N, C, H, W\), got \(3, 8, 8\)"):
        near_duplicates(np.zeros((3, 8, 8)))
