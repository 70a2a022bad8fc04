"""Style statistics: values by plain loops, gradients, sums that add up over tiles, masks."""

import numpy as np
import pytest

from minigan import Tensor, ops
from minigan.errors import ArgumentError, ShapeError
from minigan.style import gram as room
from minigan.testing import gradcheck

RNG = np.random.default_rng(0)
FEATURES = RNG.standard_normal((1, 3, 5, 7))


def by_loops(features, shift=(0, 0), mask=None):
    """Weighted mean of F_i(place) F_j(place + shift) over the places for which both are inside."""
    _, channels, height, width = features.shape
    total, count = np.zeros((channels, channels)), 0.0
    for y in range(height - shift[0]):
        for x in range(width - shift[1]):
            weight = 1.0 if mask is None else mask[y, x]
            total += weight * np.outer(features[0, :, y, x], features[0, :, y + shift[0], x + shift[1]])
            count += weight
    return total / count


def test_gram_by_loops():
    np.testing.assert_allclose(room.gram(Tensor(FEATURES)).numpy(), by_loops(FEATURES), rtol=1e-12)


def test_mean_and_covariance_by_numpy():
    mean, covariance = room.mean_covariance(Tensor(FEATURES))
    flat = FEATURES[0].reshape(3, -1)
    np.testing.assert_allclose(mean.numpy(), flat.mean(1), rtol=1e-12)
    np.testing.assert_allclose(covariance.numpy(), np.cov(flat, bias=True), rtol=1e-12)


@pytest.mark.parametrize("shift", [1, 3])
def test_shifted_gram_by_loops(shift):
    across, down = room.shifted_gram(Tensor(FEATURES), shift)
    np.testing.assert_allclose(across.numpy(), by_loops(FEATURES, (0, shift)), rtol=1e-12)
    np.testing.assert_allclose(down.numpy(), by_loops(FEATURES, (shift, 0)), rtol=1e-12)


@pytest.mark.parametrize("name", room.STATISTICS)
@pytest.mark.parametrize("masked", [False, True])
def test_gradients(name, masked):
    mask = RNG.random((5, 7)) if masked else None

    def total(features):
        parts = [part for one in room.statistics(name) for part in one.finish(one.sums(features, mask))]
        return ops.concatenate([ops.reshape(part, (-1,)) for part in parts], axis=0)

    report = gradcheck(total, FEATURES, seed=1)
    assert report, report


def test_a_mask_chooses_places():
    mask = np.zeros((5, 7))
    mask[1:4, 2:5] = 1
    inside = Tensor(FEATURES[:, :, 1:4, 2:5])
    for statistic in (room.Gram(), room.Covariance()):
        chosen = statistic.finish(statistic.sums(Tensor(FEATURES), mask))
        cut = statistic.finish(statistic.sums(inside))
        for one, other in zip(chosen, cut, strict=True):
            np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-12)
    soft = RNG.random((5, 7))
    weighted = room.Gram().finish(room.Gram().sums(Tensor(FEATURES), soft))[0].numpy()
    np.testing.assert_allclose(weighted, by_loops(FEATURES, mask=soft), rtol=1e-12)


@pytest.mark.parametrize("statistic", [room.Gram(), room.Covariance()])
def test_sums_add_up_over_tiles(statistic):
    parts = [statistic.sums(Tensor(FEATURES[:, :, :, cut])) for cut in (slice(0, 3), slice(3, 7))]
    added = tuple(a + b for a, b in zip(*parts, strict=True))
    whole = statistic.finish(statistic.sums(Tensor(FEATURES)))
    for one, other in zip(statistic.finish(added), whole, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-12)


def test_size_does_not_matter():
    """The same texture on four times the area has the same statistics."""
    wide = np.tile(FEATURES, (1, 1, 2, 2))
    np.testing.assert_allclose(
        room.gram(Tensor(wide)).numpy(), room.gram(Tensor(FEATURES)).numpy(), rtol=1e-12
    )


def test_bad_input_is_named():
    with pytest.raises(ShapeError, match=r"expected features \(1, C, H, W\), got \(2, 3, 4, 5\)"):
        room.gram(Tensor(np.zeros((2, 3, 4, 5))))
    with pytest.raises(ArgumentError, match="shifted Gram by 4: the features are only 4 x 9"):
        room.Shifted(4).sums(Tensor(np.zeros((1, 3, 4, 9))))
    with pytest.raises(ShapeError, match="mask"):
        room.Gram().sums(Tensor(FEATURES), np.ones((2, 2)))
    with pytest.raises(ArgumentError, match="'gramm': expected one of gram"):
        room.statistics("gramm")


def test_spread_is_the_standard_deviation_kept_off_zero():
    loudness = np.array([1.0, 2.0, 0.0])[:, None, None]
    features = np.random.default_rng(0).standard_normal((1, 3, 40, 40)) * loudness
    found = room.spread(Tensor(features)).numpy() ** 2
    variance = features.var((0, 2, 3))
    np.testing.assert_allclose(found, variance + 0.1 * variance.mean() + 1e-4)
    assert room.spread(Tensor(np.ones((1, 2, 3, 3)))).numpy().min() > 0


def test_gram_of_float16_is_summed_in_float32():
    features = 40.0 * RNG.standard_normal((1, 3, 30, 30))
    found = room.gram(Tensor(features.astype(np.float16))).numpy()
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, by_loops(features), rtol=1e-2, atol=2)
