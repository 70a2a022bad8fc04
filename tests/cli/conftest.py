"""What the tests of the commands share: a tiny data set and a run trained on it."""

import numpy as np
import pytest

from minigan import backend, cli
from minigan.data.arrays import write_npz

TINY = ["dense", "--set", "latent=4", "--batch", "8", "--log-every", "1", "--set", "penalty_every=2"]


@pytest.fixture(autouse=True)
def the_backend_is_put_back(monkeypatch):
    monkeypatch.setattr(backend, "_current", None)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A file with 40 pictures of 6 x 6 in two classes: a bright left or a bright right half."""
    draw = np.random.default_rng(0)
    labels = np.arange(40) % 2
    images = draw.integers(0, 60, (40, 1, 6, 6))
    images[labels == 0, :, :, :3] += 190
    images[labels == 1, :, :, 3:] += 190
    path = tmp_path_factory.mktemp("pictures") / "halves.npz"
    write_npz(path, {"images": images.astype(np.uint8), "labels": labels})
    return path


@pytest.fixture
def train(pictures):
    """Return a function that runs a tiny `minigan train` into a folder and returns the exit code."""

    def run(out, *words, recipe=True):
        return cli.main(
            ["train", *(TINY if recipe else ()), "--data", str(pictures), "--out", str(out), *words]
        )

    return run


@pytest.fixture(scope="session")
def trained(tmp_path_factory, pictures):
    """The folder of a run of 6 steps. Tests leave it as it is."""
    run = tmp_path_factory.mktemp("runs") / "trained"
    assert cli.main(["train", *TINY, "--data", str(pictures), "--steps", "6", "--out", str(run)]) == 0
    return run
