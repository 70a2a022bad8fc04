"""Weight files as PyTorch's tools save them: words before the names, and more than is needed."""

import sys
from pathlib import Path

import numpy as np
import pytest

from minigan.errors import FileError
from minigan.style import weights
from minigan.style.weights import ARCHITECTURES, load_weights

sys.path.insert(0, str(Path(__file__).parents[2] / "data" / "weights"))
import makers

TABLE = ARCHITECTURES["squeezenet1_1"]


@pytest.fixture(scope="module")
def plain():
    rng = np.random.default_rng(0)
    return {
        theirs: rng.standard_normal(shape).astype(np.float32) for theirs, shape in TABLE.parameters.values()
    }


def same(path, plain):
    loaded = load_weights(path, "squeezenet1_1")
    assert list(loaded) == list(TABLE.parameters)
    for ours, (theirs, _) in TABLE.parameters.items():
        np.testing.assert_array_equal(loaded[ours], plain[theirs])


BEFORE = [
    "module.",
    "_orig_mod.",
    "_orig_mod.module.",
    "module._orig_mod.",
    "net.",
    "backbone.",
    "vgg.",
    "model.",
    "module.model.encoder.",
    "state_dict.module.",
]


@pytest.mark.parametrize("before", [*BEFORE, "features.module."])
@pytest.mark.parametrize("kind", makers.WRITERS)
def test_words_before_the_names(tmp_path, plain, kind, before):
    strip = "features." if before.startswith("features") else ""
    arrays = {before + name.removeprefix(strip): array for name, array in plain.items()}
    same(makers.WRITERS[kind](tmp_path / "w", arrays), plain)


@pytest.mark.parametrize("kind", makers.WRITERS)
def test_more_than_is_needed(tmp_path, plain, kind):
    more = {
        "classifier.1.weight": np.zeros((10, 512, 1, 1), np.float32),
        "ema.features.0.bias": np.ones(64, "f4"),
    }
    more |= {"features.1.num_batches_tracked": np.zeros((), np.int64), "head.bias": np.zeros(3, np.float32)}
    same(makers.WRITERS[kind](tmp_path / "w", plain | more), plain)


def nested(arrays, *keys):
    """Entries of a pickle, the network's under the given keys, beside what a training script saves."""
    found = makers.entries(arrays)
    for key in reversed(keys):
        found = {key: found, "epoch": 3, "name": "a run", "best": None, "history": [1, 2], "done": True}
    return found


@pytest.mark.parametrize(
    "keys", [("state_dict",), ("model",), ("model_state_dict",), ("model", "state_dict"), ("net",)], ids=str
)
def test_networks_inside_a_dictionary(tmp_path, plain, keys):
    same(makers.write_torch_zip(tmp_path / "w", plain, nested(plain, *keys)), plain)


def test_beside_an_optimiser_and_an_average(tmp_path, plain):
    average = {f"{name} again": array + 1 for name, array in plain.items()}
    found = makers.entries(plain | average)
    ema = {name: found.pop(f"{name} again") for name in plain}
    moments = {
        "state": {0: {"step": 5, "exp_avg": ema["features.0.weight"]}},
        "param_groups": [{"lr": 1e-3 > 0}],
    }
    value = {"model": found, "ema": ema, "optimizer": moments, "epoch": 7}
    same(makers.write_torch_zip(tmp_path / "w", plain | average, value), plain)


def test_two_networks_are_not_chosen_from_in_silence(tmp_path, plain):
    both = {"net." + name: array for name, array in plain.items()} | plain
    with pytest.raises(FileError, match=r"twice.*'net.features.0.weight' and 'features.0.weight'"):
        load_weights(makers.write_safetensors(tmp_path / "w", both), "squeezenet1_1")


def test_what_is_missing_is_listed_with_what_is_unknown(tmp_path, plain):
    arrays = {f"wrapped.{name}": array for name, array in plain.items()}
    with pytest.raises(FileError, match=r"missing 'conv1.weight'.*unexpected 'wrapped.features.0.weight'"):
        load_weights(makers.write_safetensors(tmp_path / "w", arrays), "squeezenet1_1")


def test_files_that_pytorch_saved(tmp_path, plain):
    torch = pytest.importorskip("torch")
    state = {"_orig_mod.module." + name: torch.tensor(array) for name, array in plain.items()}
    for kind, old in (("new", False), ("old", True)):
        path = tmp_path / kind
        saved = {"epoch": 3, "lr": 0.1, "model": state, "args": ("a", 1)}
        torch.save(saved, path, _use_new_zipfile_serialization=not old)
        same(path, plain)


@pytest.mark.parametrize("before", ("", "module.", "model."))
def test_a_larger_network_is_not_taken_for_a_smaller_one(tmp_path, monkeypatch, before):
    small, large = (weights.tables._vgg(name, (1, n), 99, "-") for name, n in (("small", 1), ("large", 2)))
    monkeypatch.setattr(weights, "ARCHITECTURES", {"small": small, "large": large})
    arrays = {before + ours: np.zeros(shape, "f4") for ours, (_, shape) in large.parameters.items()}
    path = makers.write_safetensors(tmp_path / "w", arrays)
    assert list(load_weights(path, "large")) == list(large.parameters)
    with pytest.raises(FileError, match="unexpected '.*conv2_2.weight'"):
        load_weights(path, "small")
