"""Loading a network's weights: four kinds of file, three ways to spell a name, one error for all misfits."""

import sys
from pathlib import Path

import numpy as np
import pytest

from minigan.errors import ArgumentError, FileError
from minigan.style.weights import ARCHITECTURES, architecture, layer_name, load_weights

sys.path.insert(0, str(Path(__file__).parents[2] / "data" / "weights"))
import makers

TABLE = ARCHITECTURES["squeezenet1_1"]


@pytest.fixture(scope="module")
def stored():
    """Torchvision's names, with the classifier that the published file has."""
    rng = np.random.default_rng(0)
    arrays = {
        theirs: rng.standard_normal(shape).astype(np.float32) for theirs, shape in TABLE.parameters.values()
    }
    return arrays | {"classifier.1.weight": np.zeros((10, 512, 1, 1), np.float32)}


@pytest.mark.parametrize("kind", makers.WRITERS)
def test_every_kind_of_file(tmp_path, stored, kind):
    path = makers.WRITERS[kind](tmp_path / "weights", stored)  # the name says nothing: content decides
    loaded = load_weights(path, "squeezenet1_1")
    assert list(loaded) == list(TABLE.parameters)
    for ours, (theirs, _) in TABLE.parameters.items():
        np.testing.assert_array_equal(loaded[ours], stored[theirs])


@pytest.mark.parametrize(
    "rename",
    [
        lambda ours, theirs: ours,
        lambda ours, theirs: "module." + theirs,
        lambda ours, theirs: theirs.removeprefix("features."),
    ],
)
def test_spellings_of_names_and_doubles(tmp_path, stored, rename):
    arrays = {
        rename(ours, theirs): stored[theirs].astype(np.float64)
        for ours, (theirs, _) in TABLE.parameters.items()
    }
    loaded = load_weights(makers.write_safetensors(tmp_path / "w", arrays), "squeezenet1_1")
    assert loaded["fire9.squeeze.bias"].dtype == np.float32
    np.testing.assert_array_equal(loaded["fire9.squeeze.bias"], stored["features.12.squeeze.bias"])


def test_misfits_come_in_one_error(tmp_path, stored):
    arrays = dict(stored)
    arrays["features.0.weight"] = np.zeros((64, 1, 3, 3), np.float32)
    arrays["extra"] = np.zeros(1, np.float32)
    del arrays["features.12.squeeze.bias"]
    with pytest.raises(FileError) as caught:
        load_weights(makers.write_safetensors(tmp_path / "w", arrays), "squeezenet1_1")
    for part in (
        "missing 'fire9.squeeze.bias'",
        "unexpected 'extra'",
        "'conv1.weight' has shape (64, 1, 3, 3), expected (64, 3, 3, 3)",
    ):
        assert part in str(caught.value)


@pytest.mark.parametrize("kind", makers.WRITERS)
def test_nan_is_named(tmp_path, stored, kind):
    arrays = dict(stored)
    arrays["features.0.bias"] = np.full(64, np.nan, np.float32)
    with pytest.raises(FileError, match=r"(conv1|features\.0)\.bias' holds NaN"):
        load_weights(makers.WRITERS[kind](tmp_path / "w", arrays), "squeezenet1_1")


def test_two_spellings_of_one_name(tmp_path, stored):
    arrays = stored | {"conv1.bias": stored["features.0.bias"]}
    with pytest.raises(FileError, match="'conv1.bias' occurs twice, under two spellings"):
        load_weights(makers.write_safetensors(tmp_path / "w", arrays), "squeezenet1_1")


def test_integers_are_no_weights(tmp_path, stored):
    arrays = stored | {"features.0.bias": np.zeros(64, np.int64)}
    with pytest.raises(FileError, match="'conv1.bias' has dtype int64, expected floating point"):
        load_weights(makers.write_safetensors(tmp_path / "w", arrays), "squeezenet1_1")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "starts with b''"),
        (b"<!DOCTYPE html>", "starts with b'<!DOCTYPE'"),
        (b"\x80\x05\x95not ours", "expected weights"),
        (b"\x80\x02}.", "no PyTorch file"),
        (b"PK\x03\x04", "damaged"),
    ],
)
def test_other_files(tmp_path, content, match):
    (tmp_path / "w").write_bytes(content)
    with pytest.raises(FileError, match=match):
        load_weights(tmp_path / "w", "vgg19")


def test_missing_file_and_unknown_network(tmp_path):
    with pytest.raises(FileError, match="cannot read"):
        load_weights(tmp_path / "none", "vgg19")
    with pytest.raises(ArgumentError, match="'vgg11': expected one of vgg16, vgg19, squeezenet1_1"):
        load_weights(tmp_path / "none", "vgg11")


def elements(name):
    return sum(int(np.prod(shape)) for _, shape in architecture(name).parameters.values())


def test_tables_have_the_published_sizes():
    """Parameters of the papers' networks, less their classifiers (4096-4096-1000, and 512-1000)."""
    classifier = 25088 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000
    for name, less in (("vgg16", classifier), ("vgg19", classifier), ("squeezenet1_1", 512_000 + 1000)):
        assert elements(name) == architecture(name).most_elements - less
    assert architecture("vgg19").parameters["conv5_4.weight"] == ("features.34.weight", (512, 512, 3, 3))
    assert architecture("vgg16").parameters["conv4_2.bias"] == ("features.19.bias", (512,))


def test_layer_names():
    assert [layer_name(name) for name in ("relu4_2", "block4_conv2", "block3_pool", "conv1_1", "fire4")] == [
        "relu4_2",
        "relu4_2",
        "pool3",
        "conv1_1",
        "fire4",
    ]
