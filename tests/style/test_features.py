"""Extractors: layers by name, the same features as PyTorch for the same weights, sizes and messages."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from minigan import Tensor
from minigan.errors import ArgumentError, ShapeError
from minigan.style import open_features
from minigan.style.features import Extractor, vgg_like
from minigan.style.weights import ARCHITECTURES

sys.path.insert(0, str(Path(__file__).parent))
import tiny

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="compares with PyTorch")
PICTURE = np.random.default_rng(1).random((1, 3, 37, 41), np.float32)


def published_like(name):
    """Weights of a published network's shapes (random numbers), small enough for a test by their scale."""
    rng = np.random.default_rng(0)
    table = ARCHITECTURES[name]
    arrays = {}
    for ours, (_, shape) in table.parameters.items():
        fan_in = np.prod(shape[1:]) if len(shape) > 1 else 50
        arrays[ours] = (rng.standard_normal(shape, np.float32) * np.sqrt(2 / fan_in)).astype(np.float32)
    return table, arrays


def by_torch(table, arrays, pooling):
    """The network's layers computed by PyTorch, by the published description, from the same arrays."""
    import torch
    import torch.nn.functional as F

    x = torch.from_numpy(PICTURE)
    x = (x - torch.tensor(table.mean).view(1, 3, 1, 1)) / torch.tensor(table.std).view(1, 3, 1, 1)
    w = {key: torch.from_numpy(array) for key, array in arrays.items()}
    found = {}
    for kind, name, *rest in table.layers:
        if kind == "conv":
            x = F.conv2d(x, w[name + ".weight"], w[name + ".bias"], stride=rest[3], padding=rest[4])
        elif kind == "relu":
            x = F.relu(x)
        elif kind == "pool":
            pool = F.max_pool2d if pooling == "max" else F.avg_pool2d
            x = pool(x, rest[0], stride=rest[1], ceil_mode=rest[2])
        else:
            s = F.relu(F.conv2d(x, w[name + ".squeeze.weight"], w[name + ".squeeze.bias"]))
            x = torch.cat([F.relu(F.conv2d(s, w[name + ".expand1x1.weight"], w[name + ".expand1x1.bias"])),
                           F.relu(F.conv2d(s, w[name + ".expand3x3.weight"], w[name + ".expand3x3.bias"],
                                           padding=1))], 1)  # fmt: skip
        found[name] = x.numpy()
    return found


@needs_torch
@pytest.mark.parametrize(("name", "pooling"), [("vgg19", "max"), ("squeezenet1_1", "average")])
def test_published_networks_equal_pytorch(name, pooling):
    table, arrays = published_like(name)
    ours = Extractor(
        name, table.layers, arrays, mean=table.mean, std=table.std, pooling=pooling, padding="zeros"
    )
    found = ours(Tensor(PICTURE), ours.names)
    for layer, wanted in by_torch(table, arrays, pooling).items():
        assert found[layer].shape == wanted.shape
        error = np.abs(found[layer].numpy() - wanted).max()
        assert error <= 1e-4 * max(np.abs(wanted).max(), 1), f"{layer}: {error}"
    for (layer, channels, height, width), features in zip(
        ours.walk(37, 41, ours.names), found.values(), strict=True
    ):
        assert features.shape == (1, channels, height, width), layer


def test_only_what_is_asked_for_is_computed():
    net = tiny.extractor()
    del net.weights["conv2_1.weight"]
    found = net(Tensor(PICTURE), ("relu1_1", "pool1"))
    assert list(found) == ["relu1_1", "pool1"]
    with pytest.raises(KeyError):
        net(Tensor(PICTURE), ("relu2_1",))


def test_names_of_keras_and_unknown_names():
    net = tiny.extractor()
    assert list(net(Tensor(PICTURE), ("block2_conv1",))) == ["relu2_1"]
    with pytest.raises(
        ArgumentError, match="layer relu9_9: tiny has picture1, .*picture8, palette, conv1_1, relu1_1"
    ):
        net(Tensor(PICTURE), ("relu1_1", "relu9_9"))


@pytest.mark.parametrize(("pooling", "oracle"), [
    ("average", lambda windows: windows.mean(-1)), ("max", lambda windows: windows.max(-1)),
    ("l2", lambda windows: np.sqrt((windows**2).mean(-1)))])  # fmt: skip
def test_poolings(pooling, oracle):
    found = tiny.extractor(pooling=pooling)(Tensor(PICTURE), ("relu1_2", "pool1"))
    before = found["relu1_2"].numpy()[:, :, :36, :40]
    windows = before.reshape(1, 4, 18, 2, 20, 2).transpose(0, 1, 2, 4, 3, 5).reshape(1, 4, 18, 20, 4)
    np.testing.assert_allclose(found["pool1"].numpy(), oracle(windows), rtol=1e-4, atol=2e-4)


def test_reflection_leaves_no_frame():
    """A flat picture stays flat: with zeros around it, the border differs."""
    flat = Tensor(np.full((1, 3, 12, 12), 0.8, np.float32))
    inside = tiny.extractor()(flat, ("relu2_2",))["relu2_2"].numpy()
    np.testing.assert_allclose(inside, inside[:, :, 3:4, 3:4] * np.ones_like(inside), atol=1e-5)
    framed = tiny.extractor(padding="zeros")(flat, ("relu2_2",))["relu2_2"].numpy()
    assert np.abs(framed - framed[:, :, 3:4, 3:4]).max() > 1e-3


def test_smallest_picture_is_named():
    net = tiny.extractor(widths=(4, 4, 4, 4))
    assert net.smallest(("relu1_1",)) == 8  # picture8 comes before it
    least = net.smallest(("relu4_1",))
    assert net(Tensor(np.zeros((1, 3, least, least), np.float32)), ("relu4_1",))["relu4_1"].shape[2] >= 1
    with pytest.raises(ShapeError, match=f"at least {least} pixels each way for layer relu4_1"):
        net(Tensor(np.zeros((1, 3, least - 1, 40), np.float32)), ("relu4_1",))
    with pytest.raises(ShapeError, match=r"expected a picture \(1, 3, H, W\)"):
        net(Tensor(np.zeros((1, 1, 40, 40), np.float32)), ("relu1_1",))


def test_published_networks_need_their_weights():
    with pytest.raises(
        ArgumentError, match="vgg19: its weights do not ship with minigan; give --weights FILE"
    ):
        open_features("vgg19")
    with pytest.raises(ArgumentError, match="random take no weights"):
        open_features("random", weights="x.npz")
    with pytest.raises(
        ArgumentError, match="features 'vgg11': expected one of shipped, random, filters, vgg16"
    ):
        open_features("vgg11")
    with pytest.raises(ArgumentError, match="pooling 'min'"):
        open_features("random", pooling="min")
    with pytest.raises(ArgumentError, match="padding 'wrap'"):
        open_features("random", padding="wrap")


def test_the_picture_itself_is_a_layer():
    found = tiny.extractor()(Tensor(PICTURE), ("picture1", "picture4"))
    scaled = (PICTURE - 0.5) / 0.25
    np.testing.assert_allclose(found["picture1"].numpy(), scaled, rtol=1e-6)
    pooled = scaled[:, :, :36, :40].reshape(1, 3, 9, 4, 10, 4).mean((3, 5))
    np.testing.assert_allclose(found["picture4"].numpy(), pooled, rtol=1e-4, atol=1e-5)


def test_vgg_like_names():
    names = [layer[1] for layer in vgg_like((4, 8))]
    assert names == [
        "conv1_1",
        "relu1_1",
        "conv1_2",
        "relu1_2",
        "pool1",
        "conv2_1",
        "relu2_1",
        "conv2_2",
        "relu2_2",
    ]


def test_float16_is_refused():
    with pytest.raises(ArgumentError, match="float16.*use float32"):
        tiny.extractor(dtype=np.float16)
