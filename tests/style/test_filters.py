"""Untrained features: orthogonal random weights, and filters that answer to their direction."""

import sys
from pathlib import Path

import numpy as np

from minigan import Tensor
from minigan.style import filters, open_features
from minigan.style.features import PALETTE, vgg_like
from minigan.style.gram import mean_covariance

sys.path.insert(0, str(Path(__file__).parent))
import tiny


def test_random_weights_are_orthogonal_and_keep_the_scale():
    arrays = filters.random_weights(vgg_like((32, 32)), np.random.default_rng(0))
    matrix = arrays["conv2_1.weight"].reshape(32, -1)
    product = matrix @ matrix.T
    np.testing.assert_allclose(product, product[0, 0] * np.eye(32), atol=1e-5)
    net = open_features("random", seed=3)
    found = net(Tensor(np.random.default_rng(0).random((1, 3, 32, 32), np.float32)), net.style)
    scales = [float(features.numpy().std()) for features in found.values()]
    assert max(scales) < 10 * min(scales)


def test_the_same_seed_gives_the_same_net():
    one, other, third = (
        open_features("random", seed=seed).weights["conv1_1.weight"].numpy() for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, other)
    assert not np.array_equal(one, third)


def test_filters_answer_to_their_direction():
    """Stripes across the width wake the filters of direction 0 more than those at right angles."""
    stripes = np.broadcast_to(0.5 + 0.4 * np.sin(np.arange(32)), (1, 3, 32, 32)).astype(np.float32)
    net = open_features("filters")
    answers = net(Tensor(stripes), ("bank1",))["bank1"].numpy().mean((0, 2, 3))
    directions = answers[6:42].reshape(6, 6).sum(1)  # per direction: two shapes, three colours
    assert directions.argmax() == 0 and directions[0] > 5 * directions[3]


def test_every_level_sees_the_picture_pooled():
    picture = np.random.default_rng(0).random((1, 3, 32, 32), np.float32)
    found = open_features("filters")(Tensor(picture), ("bank1", "bank2", "bank3"))
    signed = found["bank2"].numpy()[:, :3] - found["bank2"].numpy()[:, 3:6]
    pooled = ((picture - 0.5) / 0.25).reshape(1, 3, 16, 2, 16, 2).mean((3, 5))
    np.testing.assert_allclose(signed, pooled, atol=1e-5)


def test_the_palette_is_rectified_sides_of_planes():
    picture = np.random.default_rng(0).random((1, 3, 8, 9))
    net = tiny.extractor(dtype=np.float64)
    found = net(Tensor(picture), ("palette",))["palette"].numpy()
    weights = filters.palette(PALETTE)
    planes = np.tensordot(weights["palette.weight"][:, :, 0, 0], (picture[0] - 0.5) / 0.25, 1)
    np.testing.assert_allclose(
        found[0], np.maximum(planes + weights["palette.bias"][:, None, None], 0), atol=1e-6
    )
    assert found.shape == (1, 24, 8, 9) and (found > 0).any((0, 2, 3)).all()  # none of the planes is dead


def test_the_palette_knows_two_colours_from_all_between():
    """Blue and yellow, and colours between them of the same mean and covariance: only the palette sees it."""
    ends = np.array([[0.2, 0.3, 0.8], [0.9, 0.8, 0.1]])
    middle, half = ends.mean(0), (ends[1] - ends[0]) / 2
    sides = np.tile([-1.0, 1.0], 512)
    even = np.sqrt(3) * (2 * (np.arange(1024) + 0.5) / 1024 - 1)  # the same mean and variance, to 1e-6
    two, many = ((middle + 0.5 * half * t[:, None]).T.reshape(1, 3, 32, 32) for t in (sides, even))
    net = tiny.extractor(dtype=np.float64)
    plain, seen = (
        [np.concatenate([part.numpy().ravel() for part in mean_covariance(net(Tensor(one), (layer,))[layer])])
         for one in (two, many)]
        for layer in ("picture1", "palette")
    )  # fmt: skip
    assert np.abs(plain[0] - plain[1]).max() < 1e-5 * np.abs(plain[0]).max()
    assert np.linalg.norm(seen[0] - seen[1]) > 0.05 * np.linalg.norm(seen[0])
