"""`minigan evaluate`: figures beside their floor, kept as JSON, and a picture of the nearest neighbours."""

import json
from functools import partial

import numpy as np
import pytest
from PIL import Image

from minigan import cli
from minigan.data.arrays import write_npz
from minigan.gan import classifier


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run of 2 steps on 120 pictures of 6 x 6: a bright left or a bright right half."""
    monkeypatch.setenv("MINIGAN_CACHE", str(tmp_path / "cache"))
    draw = np.random.default_rng(0)
    labels = np.arange(120) % 2
    images = draw.integers(0, 60, (120, 1, 6, 6))
    images[labels == 0, :, :, :3] += 190
    images[labels == 1, :, :, 3:] += 190
    write_npz(tmp_path / "halves.npz", {"images": images.astype(np.uint8), "labels": labels})
    words = [
        "dense",
        "--set",
        "latent=4",
        "--batch",
        "8",
        "--steps",
        "2",
        "--data",
        str(tmp_path / "halves.npz"),
    ]
    assert cli.main(["train", *words, "--out", str(tmp_path / "run")]) == 0
    return tmp_path / "run"


def test_figures_floor_and_neighbours(run, capsys):
    assert cli.main(["evaluate", str(run), "-n", "40"]) == 0
    heard = capsys.readouterr()
    assert "not comparable with Inception" in heard.out and "training the classifier" in heard.err
    found = json.loads((run / "evaluation.json").read_text())
    assert found["samples"] == 40 and sum(found["real_shares"]) == pytest.approx(1)
    assert found["figures"]["frechet_distance"] > found["floor"]["frechet_distance"]
    assert found["classifier_accuracy"] > 0.9
    with Image.open(run / "nearest.png") as picture:
        assert picture.width > 3 * picture.height
    assert cli.main(["evaluate", str(run), "-n", "40"]) == 0  # now from the cache, and again the same
    assert "training" not in capsys.readouterr().err
    assert json.loads((run / "evaluation.json").read_text()) == found


def test_no_run_is_one_line(tmp_path, capsys):
    assert cli.main(["evaluate", str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err.startswith("minigan: error: no run in")


@pytest.fixture
def hasty(tmp_path, monkeypatch):
    """A classifier that is soon done, for tests that ask what it is asked, not how well it learns."""
    monkeypatch.setenv("MINIGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(classifier, "train", partial(classifier.train, epochs=2))


def table_of(data, tmp_path, capsys):
    """Train for two steps on pictures of 6 x 6, evaluate, and return evaluation.json."""
    run = str(tmp_path / "run")
    words = ["--size", "6", "--channels", "1", "--set", "latent=4", "--batch", "8", "--steps", "2"]
    assert cli.main(["train", "dense", *words, "--data", str(data), "--out", run]) == 0
    assert cli.main(["evaluate", run, "-n", "40"]) == 0
    assert "frechet_distance" in capsys.readouterr().out
    return json.loads((tmp_path / "run" / "evaluation.json").read_text())


@pytest.mark.parametrize("counts", [{"images": 120}, {"a": 118, "b": 2}, {"a": 112, "b": 5, "c": 3}], ids=str)
def test_folders_that_tell_nothing_apart_count_as_none(counts, hasty, tmp_path, capsys):
    draw = np.random.default_rng(0)
    for name, count in counts.items():
        (tmp_path / "set" / name).mkdir(parents=True)
        for i in range(count):
            picture = Image.fromarray(draw.integers(0, 256, (6, 6), np.uint8))
            picture.save(tmp_path / "set" / name / f"{i}.png")
    found = table_of(tmp_path / "set", tmp_path, capsys)
    assert found["real_shares"] == [] and "classes" not in found["figures"]


@pytest.mark.parametrize("label", (0, 3, 7))
def test_labels_that_are_all_equal_count_as_none(label, hasty, tmp_path, capsys):
    images = np.random.default_rng(1).integers(0, 256, (120, 6, 6)).astype(np.uint8)
    write_npz(tmp_path / "set.npz", {"images": images, "labels": np.full(120, label)})
    found = table_of(tmp_path / "set.npz", tmp_path, capsys)
    assert found["real_shares"] == [] and "classes" not in found["figures"]
