"""The gradients of a run's layers over its training, as the page gets them."""

from types import SimpleNamespace

import pytest

from minigan import gan
from minigan.cli.inspect_history import DECADES, gradient_history
from minigan.cli.run_folder import RunFolder
from minigan.errors import DataError


def run_in(path, recipe="dense"):
    generator, discriminator = gan.models.build(gan.resolve(recipe, shape=(1, 8, 8), latent=4))
    sampler = SimpleNamespace(generator=generator, config=SimpleNamespace(model=recipe))
    return SimpleNamespace(folder=RunFolder(path), sampler=sampler, discriminator=discriminator)


def test_layers_have_their_kinds_and_one_scale(tmp_path):
    run = run_in(tmp_path)
    layer = next(n for n, m in run.sampler.generator.named_modules() if type(m).__name__ == "Linear")
    run.folder.gradients.append(1, {"G": {layer: 0.02}, "D": {"own": 5.0}})
    run.folder.gradients.append(5, {"G": {layer: 1e-30, "late": 0.5}, "D": {"own": 0.0}})
    found = gradient_history(run)
    assert found["steps"] == [1, 5] and (found["low"], found["high"]) == (1 - DECADES, 1)
    generator, discriminator = found["nets"]
    assert generator["net"] == "G" and discriminator["net"] == "D"
    assert generator["layers"] == [
        {"name": layer, "kind": "Linear", "lengths": [0.02, 1e-30]},
        {"name": "late", "kind": "parameter", "lengths": [0.0, 0.5]},
    ]
    assert discriminator["layers"][0]["lengths"] == [5.0, 0.0]


def test_a_run_without_says_why(tmp_path):
    run = run_in(tmp_path)
    with pytest.raises(DataError, match=r"gradients\.jsonl is missing"):
        gradient_history(run)
    run.folder.gradients.append(1, {"G": {"0": 0.0}, "D": {}})
    with pytest.raises(DataError, match="no layer had a gradient"):
        gradient_history(run)


def test_equal_lengths_have_a_scale_too(tmp_path):
    run = run_in(tmp_path)
    run.folder.gradients.append(1, {"G": {"0": 1.0}, "D": {"0": 1.0}})
    found = gradient_history(run)
    assert found["low"] < found["high"]
