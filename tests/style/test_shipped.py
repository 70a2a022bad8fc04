"""The features that ship: small, accounted for, and better at telling textures apart than random ones."""

from importlib import resources

import numpy as np

from minigan import Tensor, no_grad
from minigan.data.arrays import read_manifest
from minigan.data.textures import paint_texture
from minigan.style import open_features
from minigan.style.features import KIND
from minigan.style.gram import Covariance

FILE = resources.files("minigan.style") / "shipped.npz"


def test_small_and_accounted_for():
    with resources.as_file(FILE) as path:
        assert path.stat().st_size <= 3_000_000
        record = read_manifest(path, kind=KIND)
    facts = record["facts"]
    assert facts["made_by"].startswith("examples/") and facts["seed"] == 0 and facts["steps"] > 0
    assert facts["accuracy"]["family"] > 0.6 and facts["accuracy"]["scale"] > 0.7  # chance: 1/31, 1/3
    assert all(entry["dtype"] == "<f2" for entry in record["arrays"].values())


def told_apart(net):
    """How often a texture's nearest neighbour, by one layer's statistics, is of its own family."""
    families = ("stripes", "voronoi", "clouds", "weave", "flowing strokes")
    generator = np.random.default_rng(0)
    rows, names = [], []
    with no_grad():
        for family in families:
            for _ in range(6):
                picture = paint_texture(generator, 48, family=family, scale=1).picture
                grey = picture.mean(0, keepdims=True).repeat(3, 0)  # colours must not give it away
                grey = (grey - grey.mean()) / grey.std() * 0.15 + 0.5
                features = net(Tensor(grey[None].astype(np.float32)), ("relu3_2",))["relu3_2"]
                mean, covariance = Covariance().finish(Covariance().sums(features))
                spread = np.log(np.diag(covariance.numpy()).clip(1e-6))
                rows.append(np.concatenate([mean.numpy() / np.abs(mean.numpy()).mean(), spread]))
                names.append(family)
    distances = np.linalg.norm(np.array(rows)[:, None] - np.array(rows)[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argmin(1)
    return np.mean([names[i] == names[int(j)] for i, j in enumerate(nearest)])


def test_tells_textures_apart_better_than_random_weights():
    trained, random = told_apart(open_features("shipped")), told_apart(open_features("random"))
    assert trained > 0.6 and trained >= random


def test_colours_can_be_read_off():
    """A linear map fitted on some pictures gives back the (pooled) colours of others, at the third block."""
    generator = np.random.default_rng(1)
    net = open_features()
    inputs, wanted = [], []
    with no_grad():
        for _ in range(24):
            picture = paint_texture(generator, 48).picture[None]
            found = net(Tensor(picture), ("relu3_2", "picture4"))
            inputs.append(found["relu3_2"].numpy()[0].reshape(128, -1).T)
            wanted.append(found["picture4"].numpy()[0].reshape(3, -1).T)
    known, asked = np.concatenate(inputs[:18]), np.concatenate(inputs[18:])
    target, truth = np.concatenate(wanted[:18]), np.concatenate(wanted[18:])
    known = np.c_[known, np.ones(len(known))]
    weights = np.linalg.solve(known.T @ known + 1e-3 * len(known) * np.eye(known.shape[1]), known.T @ target)
    error = np.mean((np.c_[asked, np.ones(len(asked))] @ weights - truth) ** 2) / truth.var()
    assert error < 0.35
