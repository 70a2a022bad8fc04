"""Evaluation: the floor, collapse said in words, and data without labels."""

import json

import numpy as np
import pytest

from minigan.data.glyphs import render_glyphs
from minigan.errors import DataError
from minigan.gan import classifier
from minigan.gan.evaluate import LABELLED_ONLY, evaluate


@pytest.fixture(scope="module")
def data():
    images, labels = render_glyphs(600, size=12, characters="017", seed=0)
    return images, labels, classifier.train(images, labels, epochs=12)


def test_real_pictures_reach_the_floor_and_collapse_is_named(data):
    images, labels, judge = data
    unseen = render_glyphs(400, size=12, characters="017", seed=1)[0]
    real = evaluate(lambda n: unseen[:n], images, judge, samples=250)
    assert real.samples == 250
    assert real.figures["frechet_distance"] < 4 * real.floor["frechet_distance"]
    assert real.figures["recall"] > 0.7 and real.verdict.kind == "healthy"
    one = images[labels == 1]
    collapsed = evaluate(lambda n: one[np.arange(n) % 20], images, judge, samples=250)
    assert collapsed.verdict.words.startswith("1 of 3 classes: collapse")
    assert collapsed.figures["classes"] == 1 and collapsed.figures["recall"] < 0.5
    assert collapsed.figures["frechet_distance"] > 10 * real.figures["frechet_distance"]
    table = collapsed.table()
    assert "not comparable with Inception" in table and "frechet_distance" in table and "collapse" in table
    assert json.loads(json.dumps(collapsed.to_dict()))["class_shares"] == collapsed.class_shares


def test_memorising_shows_in_the_nearest_pictures(data):
    images, _, judge = data
    found = evaluate(lambda n: images[:n], images, judge, samples=300)
    copied = found.nearest == np.arange(300)
    assert 0.4 < copied.mean() < 0.6  # half of the real pictures are the reference
    assert found.memory.kind == "memorised" and found.memory.words.startswith("memorised: ")
    unseen = render_glyphs(400, size=12, characters="017", seed=1)[0]
    fresh = evaluate(lambda n: unseen[:n], images, judge, samples=300)
    assert fresh.memory.kind == "healthy" and fresh.memory.words in fresh.table()
    assert fresh.to_dict()["memory"] == fresh.memory.words


def test_without_labels_there_are_no_figures_of_classes(data):
    images = data[0]
    judge = classifier.train(images, None, epochs=2)
    found = evaluate(lambda n: images[:n], images, judge, samples=100)
    assert found.verdict is None and not set(LABELLED_ONLY) & found.figures.keys()
    assert found.figures.keys() == found.floor.keys()
    with pytest.raises(DataError, match="at least 20 real"):
        evaluate(lambda n: images[:n], images[:10], judge)
