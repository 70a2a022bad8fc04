"""Untrained features: orthogonal random weights, and filters that answer to their direction."""

import numpy as np

from minigan import Tensor
from minigan.style import filters, open_features
from minigan.style.features import vgg_like


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
