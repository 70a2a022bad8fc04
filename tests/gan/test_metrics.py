"""Metrics against closed forms, plain loops and scipy."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from minigan.errors import DataError, ShapeError
from minigan.gan import metrics


@pytest.fixture
def generator():
    return np.random.default_rng(5)


def test_frechet_distance_of_clouds_that_differ_by_a_shift_and_a_scale(generator):
    x = generator.standard_normal((500, 6))
    assert metrics.frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
    assert metrics.frechet_distance(x, x + 2.0) == pytest.approx(4 * 6)
    # Scaling a cloud by 3 about its mean: tr(C + 9 C - 2 * 3 C) = 4 tr C.
    scaled = x.mean(axis=0) + 3 * (x - x.mean(axis=0))
    assert metrics.frechet_distance(x, scaled) == pytest.approx(4 * np.trace(np.cov(x, rowvar=False)))


def test_frechet_distance_against_the_matrix_root_of_scipy(generator):
    x, y = generator.standard_normal((200, 5)), generator.standard_normal((150, 5)) @ generator.random((5, 5))
    cov, other = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    shift = x.mean(axis=0) - y.mean(axis=0)
    expected = shift @ shift + np.trace(cov + other - 2 * sqrtm(cov @ other).real)
    assert metrics.frechet_distance(x, y) == pytest.approx(expected)
    assert metrics.frechet_distance(y, x) == pytest.approx(expected)


def test_kernel_distance_against_plain_loops_and_around_zero_for_equals(generator):
    x, y = generator.standard_normal((7, 3)), generator.standard_normal((5, 3)) + 1

    def mean(a, b, skip):
        values = [
            (p @ q / 3 + 1) ** 3 for i, p in enumerate(a) for j, q in enumerate(b) if not skip or i != j
        ]
        return np.mean(values)

    assert metrics.kernel_distance(x, y) == pytest.approx(mean(x, x, 1) + mean(y, y, 1) - 2 * mean(x, y, 0))
    draws = [metrics.kernel_distance(*generator.standard_normal((2, 60, 3))) for _ in range(200)]
    assert abs(np.mean(draws)) < 4 * np.std(draws) / np.sqrt(len(draws))
    assert min(draws) < 0


def test_inception_type_score_is_one_for_one_class_and_k_for_k_sure_classes():
    assert metrics.inception_type_score(np.tile([[1.0, 0, 0, 0]], (8, 1))) == pytest.approx(1)
    assert metrics.inception_type_score(np.full((8, 4), 0.25)) == pytest.approx(1)
    assert metrics.inception_type_score(np.tile(np.eye(4), (3, 1))) == pytest.approx(4)


def test_confidence_and_classes():
    probabilities = np.array([[0.95, 0.05], [0.9, 0.1], [0.2, 0.8], [0.01, 0.99]])
    assert metrics.confident_share(probabilities) == 0.5
    assert metrics.class_shares(probabilities).tolist() == [0.5, 0.5]
    assert metrics.class_divergence([0.5, 0.5], [0.5, 0.5]) == 0
    assert metrics.class_divergence([0.5, 0.5], [1, 0]) == pytest.approx(np.log(2))
    assert metrics.class_divergence([1, 0], [0.5, 0.5]) == float("inf")


def test_neighbourhoods_against_plain_loops(generator):
    real, fake, k = generator.standard_normal((30, 2)), generator.standard_normal((20, 2)) * 0.7 + 0.3, 3

    def reach(cloud):
        return [sorted(np.linalg.norm(p - q) for q in cloud)[k] for p in cloud]

    around_real, around_fake = reach(real), reach(fake)
    inside = np.array(
        [[np.linalg.norm(p - q) <= r for q in fake] for p, r in zip(real, around_real, strict=True)]
    )
    covered = np.array(
        [[np.linalg.norm(p - q) <= r for q, r in zip(fake, around_fake, strict=True)] for p in real]
    )
    assert metrics.neighbourhoods(real, fake, k=k) == {
        "precision": pytest.approx(inside.any(axis=0).mean()),
        "recall": pytest.approx(covered.any(axis=1).mean()),
        "density": pytest.approx(inside.sum() / (k * 20)),
        "coverage": pytest.approx(inside.any(axis=1).mean()),
    }


def test_collapse_shows_in_recall_and_bad_samples_in_precision(generator):
    real = generator.standard_normal((300, 2))
    collapsed = metrics.neighbourhoods(real, 0.05 * generator.standard_normal((300, 2)))
    spread = metrics.neighbourhoods(real, 5 * generator.standard_normal((300, 2)))
    assert collapsed["precision"] > 0.95 and collapsed["recall"] < 0.1 and collapsed["coverage"] < 0.3
    assert spread["precision"] < 0.5 and spread["recall"] > 0.8


def test_nearest_training_picture(generator):
    training = generator.standard_normal((10, 3))
    index, distance = metrics.nearest_training_pictures(training[[7, 2]] + [[0, 0, 0.001]], training)
    assert index.tolist() == [7, 2]
    assert distance == pytest.approx([0.001, 0.001], rel=1e-6)


def test_bad_input_is_named(generator):
    x = generator.standard_normal((10, 3))
    with pytest.raises(ShapeError, match=r"expected features \(N, F\) twice, got \(10, 3\) and \(10, 2\)"):
        metrics.frechet_distance(x, x[:, :2])
    with pytest.raises(DataError, match="at least 2 samples"):
        metrics.kernel_distance(x, x[:1])
    with pytest.raises(DataError, match="NaN"):
        metrics.frechet_distance(x, np.full((10, 3), np.nan))
