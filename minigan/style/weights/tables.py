"""The networks whose weights people have: their layers, their names in files, and their preprocessing.

VGG: Simonyan and Zisserman, arXiv 1409.1556, table 1 (columns D and E). SqueezeNet 1.1: Iandola and others,
arXiv 1602.07360, in its version 1.1. The names and the preprocessing are torchvision's: RGB in [0, 1], then
(x - mean) / std per channel.

A layer is a tuple: ("conv", name, in, out, kernel, stride, padding), ("relu", name), ("pool", name, kernel,
stride, ceil_mode) or ("fire", name, in, squeeze, expand): a 1x1 convolution with ReLU, then a 1x1 and a 3x3
beside each other with ReLU, their channels joined.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Architecture:
    """A network by name: ``layers`` as above, ``parameters`` our name -> (torchvision's name, shape)."""

    name: str
    layers: tuple[tuple, ...]
    parameters: dict[str, tuple[str, tuple[int, ...]]]
    most_elements: int  # of the whole published file, classifier included
    file: str  # torchvision's file name; its last part begins the file's SHA-256
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD


def _vgg(name: str, convolutions: tuple[int, ...], most_elements: int, file: str) -> Architecture:
    layers: list[tuple] = []
    parameters: dict[str, tuple[str, tuple[int, ...]]] = {}
    inputs, index = 3, 0
    for block, count in enumerate(convolutions, 1):
        outputs = min(64 << (block - 1), 512)
        for i in range(1, count + 1):
            layers += [("conv", f"conv{block}_{i}", inputs, outputs, 3, 1, 1), ("relu", f"relu{block}_{i}")]
            parameters[f"conv{block}_{i}.weight"] = (f"features.{index}.weight", (outputs, inputs, 3, 3))
            parameters[f"conv{block}_{i}.bias"] = (f"features.{index}.bias", (outputs,))
            inputs, index = outputs, index + 2
        layers.append(("pool", f"pool{block}", 2, 2, False))
        index += 1
    return Architecture(name, tuple(layers), parameters, most_elements, file)


def _squeezenet() -> Architecture:
    layers: list[tuple] = [
        ("conv", "conv1", 3, 64, 3, 2, 0),
        ("relu", "relu1"),
        ("pool", "pool1", 3, 2, True),
    ]
    parameters: dict[str, Any] = {
        "conv1.weight": ("features.0.weight", (64, 3, 3, 3)),
        "conv1.bias": ("features.0.bias", (64,)),
    }
    inputs, number = 64, 2
    plan = {
        3: (16, 64),
        4: (16, 64),
        5: None,
        6: (32, 128),
        7: (32, 128),
        8: None,
        9: (48, 192),
        10: (48, 192),
        11: (64, 256),
        12: (64, 256),
    }
    for index, fire in plan.items():
        if fire is None:
            layers.append(("pool", f"pool{number - 1}", 3, 2, True))
            continue
        squeeze, expand = fire
        layers.append(("fire", f"fire{number}", inputs, squeeze, expand))
        for part, shape in (
            ("squeeze", (squeeze, inputs, 1, 1)),
            ("expand1x1", (expand, squeeze, 1, 1)),
            ("expand3x3", (expand, squeeze, 3, 3)),
        ):
            parameters[f"fire{number}.{part}.weight"] = (f"features.{index}.{part}.weight", shape)
            parameters[f"fire{number}.{part}.bias"] = (f"features.{index}.{part}.bias", shape[:1])
        inputs, number = 2 * expand, number + 1
    return Architecture("squeezenet1_1", tuple(layers), parameters, 1_235_496, "squeezenet1_1-b8a52dc0.pth")


ARCHITECTURES = {
    architecture.name: architecture
    for architecture in (
        _vgg("vgg16", (2, 2, 3, 3, 3), 138_357_544, "vgg16-397923af.pth"),
        _vgg("vgg19", (2, 2, 4, 4, 4), 143_667_240, "vgg19-dcbb9e9d.pth"),
        _squeezenet(),
    )
}


# What stands before a parameter's name: DataParallel's and torch.compile's words, the attribute that holds
# the network, the key of a saved dictionary. An average of the weights ("ema") is another network, not here.
WRAPPERS = (
    *("module", "_orig_mod", "state_dict", "model_state_dict", "model_state", "model", "net", "network"),
    *("backbone", "encoder", "vgg", "vgg16", "vgg19", "squeezenet", "features"),
)


def layer_name(name: str) -> str:
    """One spelling for a layer: Keras' ``block4_conv2`` (which includes its ReLU) is ``relu4_2``;
    ``block4_pool`` is ``pool4``; other names stay."""
    found = re.fullmatch(r"block(\d+)_(conv(\d+)|pool)", name)
    if not found:
        return name
    return f"pool{found[1]}" if found[2] == "pool" else f"relu{found[1]}_{found[3]}"


def own_name(architecture: Architecture, stored: str) -> str | None:
    """Our name for a parameter as a file calls it, or None.

    Understood: torchvision's (``features.0.weight``, or ``features.`` left out), ours (``conv1_1.weight``)
    and ``block1_conv1.weight``; before them any of the words that PyTorch's tools put there (`WRAPPERS`).
    """
    plain = re.sub(rf"^(?:(?:{'|'.join(WRAPPERS)})\.)+", "", stored)
    plain = re.sub(r"^block(\d+)_conv(\d+)\.", r"conv\1_\2.", plain)
    for ours, (theirs, _) in architecture.parameters.items():
        if plain in (ours, theirs.removeprefix("features.")):
            return ours
    return None
