"""The metrics' classifier: it learns, its cache gives the same network back, labels are not needed."""

from functools import partial

import numpy as np
import pytest

from minigan.data.glyphs import render_glyphs
from minigan.errors import DataError
from minigan.gan import classifier, metrics


@pytest.fixture(scope="module")
def data():
    return render_glyphs(700, size=14, characters="0134", seed=0)


def test_it_learns_and_comes_back_from_the_cache_unchanged(data, tmp_path, monkeypatch):
    images, labels = data
    monkeypatch.setattr(classifier, "train", partial(classifier.train, epochs=12))
    losses = []
    first = classifier.for_data(
        images, labels, cache=tmp_path, on_epoch=lambda epoch, loss: losses.append(loss)
    )
    assert len(losses) == 12 and losses[-1] < losses[0] / 2
    assert first.accuracy > 0.85 and first.labelled
    again = classifier.for_data(images, labels, cache=tmp_path, on_epoch=lambda *_: losses.append(0.0))
    assert len(losses) == 12 and again.accuracy == first.accuracy
    for a, b in zip(first(images[:50]), again(images[:50]), strict=True):
        assert (a == b).all()
    features, probabilities = again(images[:50], batch=7)
    assert features.shape == (50, classifier.FEATURES) and probabilities.shape == (50, 4)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert classifier.fingerprint(images[:-1], labels[:-1]) != classifier.fingerprint(images, labels)

    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-100])  # damaged: made anew
    assert classifier.for_data(images, labels, cache=tmp_path).accuracy == first.accuracy


def test_its_features_tell_real_pictures_from_bad_ones(data):
    images, labels = data
    judge = classifier.train(images, labels, epochs=15)
    noise = np.random.default_rng(0).uniform(-1, 1, images.shape).astype(np.float32)
    blurred = (images + np.roll(images, 2, axis=3) + np.roll(images, 2, axis=2)) / 3
    real, other = judge(images[:300]), judge(images[300:600])
    figures = [metrics.compare(real, judge(x[300:600])) for x in (images, blurred, noise)]
    assert metrics.compare(real, other)["frechet_distance"] == pytest.approx(figures[0]["frechet_distance"])
    distances = [f["frechet_distance"] for f in figures]
    assert distances == sorted(distances) and distances[1] > 2 * distances[0]
    assert figures[0]["classes"] == 4 and figures[0]["class_divergence"] < 0.1


def test_pictures_without_labels_are_told_apart_by_their_turn(data):
    judge = classifier.train(data[0], None, epochs=15)
    assert not judge.labelled and judge.network.head.out_features == 4
    assert judge.accuracy > 0.5
    oblong = classifier.train(data[0][:200, :, :, :12], None, epochs=1)
    assert oblong.network.head.out_features == 2


def test_too_little_to_learn_from(data):
    images, labels = data
    with pytest.raises(DataError, match="at least 100 pictures"):
        classifier.train(images[:50], labels[:50])
    one_class = classifier.train(images[:100], np.zeros(100, np.int64), epochs=1)
    assert not one_class.labelled, "judged by quarter turns"


@pytest.mark.parametrize(
    "counts, tell",
    [((120,), False), ((111, 9), False), ((0, 120), False), ((110, 10), True), ((60, 0, 60), True)],
)
def test_labels_that_tell_nothing_apart_count_as_none(data, tmp_path, monkeypatch, counts, tell):
    monkeypatch.setattr(classifier, "train", partial(classifier.train, epochs=1))
    images, labels = data[0][:120], np.repeat(np.arange(len(counts)), counts)
    assert classifier.telling(labels) == tell
    judge = classifier.for_data(images, labels, cache=tmp_path)
    assert judge.labelled == tell and judge.network.head.out_features == (len(counts) if tell else 4)
    again = classifier.for_data(images, labels if tell else None, cache=tmp_path)
    assert again.accuracy == judge.accuracy and len(list(tmp_path.iterdir())) == 1
