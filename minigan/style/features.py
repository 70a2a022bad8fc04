"""Feature extractors: a picture in, the named layers of a frozen network out.

An extractor is a list of layers, each a tuple (see :mod:`minigan.style.weights.tables`), and frozen weights
by name; :meth:`Extractor.__call__` walks the list and stops after the last layer that is asked for. It is
built once and used for every step (building it anew at each step is one of the notebooks' traps).

:func:`open_features` gives one by name: "shipped" (trained by minigan, in the package), "random" and
"filters" (for seeing what trained weights are good for), "vgg16", "vgg19", "squeezenet1_1" (weights from a
file).
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any

import numpy as np

from minigan import ops
from minigan.data.arrays import read_npz
from minigan.errors import ArgumentError, ShapeError
from minigan.style import filters
from minigan.style.weights import ARCHITECTURES, layer_name, load_weights
from minigan.tensor import Tensor

POOLINGS = ("average", "max", "l2")
NAMES = ("shipped", "random", "filters", *ARCHITECTURES)
KIND = "minigan-style-features"
Layer = tuple[Any, ...]
# Beside the network: the picture itself, pooled, and the colours that it is mixed of. Their statistics hold
# what a net may have forgotten. Tuples (kind, name, pooled, channels).
PICTURES: tuple[Layer, ...] = tuple(("picture", f"picture{pooled}", pooled, 3) for pooled in (1, 2, 4, 8))
PALETTE: Layer = ("palette", "palette", 1, 24)
BESIDE = (*PICTURES, PALETTE)
_SMALL = {
    # Eyes and lines, forms, and a little of where it is light and dark.
    "content": {"relu2_2": 1.0, "relu3_2": 1.0, "picture4": 0.25},
    "style": dict.fromkeys(("relu1_1", "relu2_1", "relu3_1", "relu4_1", "palette", "picture1"), 1.0),
}
_STROKES = {"relu3_1": 2.0, "relu4_1": 2.0}  # which a trained network has learnt to see
_VGG = {"content": ("relu4_2",), "style": ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")}
# The layers each network is best asked for: content, and style with weights.
DEFAULTS: dict[str, dict[str, Any]] = {
    "shipped": {**_SMALL, "style": _SMALL["style"] | _STROKES},
    "random": _SMALL,
    "filters": {"content": ("bank2",), "style": ("bank1", "bank2", "bank3", "bank4")},
    "vgg16": _VGG,
    "vgg19": _VGG,
    "squeezenet1_1": {"content": ("fire4",), "style": ("relu1", "fire3", "fire5", "fire7")},
}


class Extractor:
    """A frozen network whose layers are asked for by name.

    layers: tuples ("conv", name, in, out, kernel, stride, padding), ("relu", name), ("pool", name, kernel,
    stride, ceil_mode), ("fire", ...), ("picture" or "palette", name, pooled, channels); weights: name ->
    array; mean, std: per RGB channel, pictures being in [0, 1]; pooling: "average" (smoother pictures, arXiv
    1508.06576), "max" (as such networks were trained) or "l2"; padding: "reflect" (no frame) or "zeros" (as
    PyTorch); content, style: the layers used unless others are asked for. Raises ArgumentError.
    """

    def __init__(
        self,
        name: str,
        layers: Iterable[Layer],
        weights: Mapping[str, np.ndarray],
        *,
        mean: Iterable[float],
        std: Iterable[float],
        pooling: str = "average",
        padding: str = "reflect",
        content: Sequence[str] | Mapping[str, float] = (),
        style: Sequence[str] | Mapping[str, float] = (),
        dtype: type = np.float32,
    ) -> None:
        if pooling not in POOLINGS:
            raise ArgumentError(f"pooling {pooling!r}: expected one of {', '.join(POOLINGS)}")
        if padding not in ("reflect", "zeros"):
            raise ArgumentError(f"padding {padding!r}: expected reflect or zeros")
        if np.dtype(dtype) == np.float16:
            raise ArgumentError("dtype float16: a sum over the places of a map leaves it; use float32")
        self.name, self.layers, self.pooling, self.padding = name, tuple(layers), pooling, padding
        self.content, self.style, self.dtype = content, style, dtype
        self.weights = {key: Tensor(np.asarray(value, dtype)) for key, value in weights.items()}
        self.shift = Tensor(-np.asarray(list(mean), dtype).reshape(1, 3, 1, 1))
        self.scale = Tensor(1 / np.asarray(list(std), dtype).reshape(1, 3, 1, 1))

    @property
    def names(self) -> tuple[str, ...]:
        """The layers that can be asked for, in order."""
        return tuple(layer[1] for layer in self.layers)

    def resolve(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """Check layer names; Keras' spelling is understood. Raises ArgumentError that lists what there is."""
        found = tuple(layer_name(name) for name in wanted)
        unknown = [name for name in found if name not in self.names]
        if unknown or not found:
            raise ArgumentError(
                f"layer {', '.join(unknown) or 'list'}: {self.name} has {', '.join(self.names)}"
            )
        return found

    def __call__(self, image: Tensor, wanted: Iterable[str]) -> dict[str, Tensor]:
        """(1, 3, H, W) in [0, 1] -> layer name -> (1, C, H', W'). Raises ShapeError, ArgumentError."""
        names = self.resolve(wanted)
        least = self.smallest(names)
        if image.ndim != 4 or image.shape[:2] != (1, 3) or min(image.shape[2:]) < least:
            raise ShapeError(
                f"{self.name}: expected a picture (1, 3, H, W) of at least {least} pixels each way "
                f"for layer {names[-1]}, got {image.shape}"
            )
        found: dict[str, Tensor] = {}
        x = (image + self.shift) * self.scale
        picture = x
        for layer in self.layers:
            if layer[0] == "picture":
                result = ops.avg_pool2d(picture, layer[2]) if layer[2] > 1 else picture
            elif layer[0] == "palette":
                result = ops.relu(self._convolve(layer[1], picture))
            else:
                result = x = self._apply(layer, x)
            if layer[1] in names:
                found[layer[1]] = result
                if len(found) == len(set(names)):
                    break
        return found

    def _apply(self, layer: Layer, x: Tensor) -> Tensor:
        kind, name = layer[:2]
        if kind == "conv":
            return self._convolve(name, x, stride=layer[5], padding=layer[6])
        if kind == "relu":
            return ops.relu(x)
        if kind == "pool":
            return self._pool(x, *layer[2:])
        squeezed = ops.relu(self._convolve(name + ".squeeze", x))
        pair = [
            ops.relu(self._convolve(name + ".expand1x1", squeezed)),
            ops.relu(self._convolve(name + ".expand3x3", squeezed, padding=1)),
        ]
        return ops.concatenate(pair, axis=1)

    def _convolve(self, name: str, x: Tensor, *, stride: int = 1, padding: int = 0) -> Tensor:
        if padding and self.padding == "reflect":
            x, padding = ops.pad(x, (padding,) * 4, mode="reflect"), 0
        return ops.conv2d(
            x,
            self.weights[name + ".weight"],
            self.weights.get(name + ".bias"),
            stride=stride,
            padding=padding,
        )

    def _pool(self, x: Tensor, kernel: int, stride: int, ceil_mode: bool) -> Tensor:
        if self.pooling == "max":
            return ops.max_pool2d(x, kernel, stride=stride, ceil_mode=ceil_mode)
        if self.pooling == "average":
            return ops.avg_pool2d(x, kernel, stride=stride, ceil_mode=ceil_mode)
        # L2: the root of the mean of squares; the small constant keeps its slope finite at 0.
        return ops.sqrt(ops.avg_pool2d(x * x, kernel, stride=stride, ceil_mode=ceil_mode) + 1e-8)

    def walk(self, height: int, width: int, wanted: Iterable[str]) -> list[tuple[Layer, int, int, int]]:
        """(layer, C, H, W) after each layer up to the last wanted one, for a picture of that size."""
        names, sizes, channels = self.resolve(wanted), [], 3
        last = max(self.names.index(name) for name in names)
        for layer in self.layers[: last + 1]:
            if layer in BESIDE:
                sizes.append((layer, layer[3], height // layer[2], width // layer[2]))
                continue
            if layer[0] == "conv":
                channels = layer[3]
                height, width = ((n + 2 * layer[6] - layer[4]) // layer[5] + 1 for n in (height, width))
            elif layer[0] == "fire":
                channels = 2 * layer[4]
            elif layer[0] == "pool":
                round_ = math.ceil if layer[4] else math.floor
                height, width = (round_((n - layer[2]) / layer[3]) + 1 for n in (height, width))
            sizes.append((layer, channels, height, width))
        return sizes

    def smallest(self, wanted: Iterable[str]) -> int:
        """The least height and width a picture must have for these layers.

        No map may vanish, and what is reflected by p pixels must have p + 1.
        """
        names = list(wanted)
        reflected = int(self.padding == "reflect")
        for size in range(1, 1024):
            sizes = self.walk(size, size, names)
            if all(h >= (1 + reflected * layer[6] if layer[0] == "conv" else 1) for layer, _, h, _ in sizes):
                return size
        raise ArgumentError(f"{self.name}: no picture is large enough for {', '.join(names)}")

    def to(self, device: str) -> Extractor:
        """Move the weights to "numpy" or "cupy"; returns self."""
        self.weights = {key: value.to(device) for key, value in self.weights.items()}
        self.shift, self.scale = self.shift.to(device), self.scale.to(device)
        return self


def vgg_like(widths: Iterable[int], convolutions: int = 2) -> list[Layer]:
    """The layers of a small VGG: per width, ``convolutions`` 3x3 convolutions with ReLU, then 2x2 pooling."""
    layers: list[Layer] = []
    inputs = 3
    for block, outputs in enumerate(widths, 1):
        for i in range(1, convolutions + 1):
            layers += [("conv", f"conv{block}_{i}", inputs, outputs, 3, 1, 1), ("relu", f"relu{block}_{i}")]
            inputs = outputs
        layers.append(("pool", f"pool{block}", 2, 2, False))
    return layers[:-1]


def open_features(
    name: str = "shipped",
    *,
    weights: str | os.PathLike | None = None,
    pooling: str = "average",
    padding: str | None = None,
    seed: int = 0,
) -> Extractor:
    """An extractor by name, one of NAMES. ``weights`` is the file of a network that does not ship.

    ``padding`` is "reflect" unless given; ``seed`` draws the weights of "random". Raises ArgumentError for an
    unknown name or missing weights, FileError for a file that cannot be used.
    """
    if name not in NAMES:
        raise ArgumentError(f"features {name!r}: expected one of {', '.join(NAMES)}")
    options: dict[str, Any] = {"pooling": pooling, "padding": padding or "reflect"}
    if name in ARCHITECTURES:
        if weights is None:
            raise ArgumentError(
                f"features {name}: its weights do not ship with minigan; give --weights FILE "
                "(.npz, .safetensors or .pth), or leave --features out"
            )
        table = ARCHITECTURES[name]
        return Extractor(
            name,
            [*BESIDE, *table.layers],
            {**filters.palette(PALETTE), **load_weights(weights, name)},
            mean=table.mean,
            std=table.std,
            **DEFAULTS[name],
            **options,
        )
    if weights is not None:
        raise ArgumentError(f"features {name} take no weights; name the network: --features vgg19")
    layers, arrays = _own(name, seed)
    own = {"mean": (0.5,) * 3, "std": (0.25,) * 3, **DEFAULTS[name], **options}
    return Extractor(name, [*BESIDE, *layers], {**filters.palette(PALETTE), **arrays}, **own)


def _own(name: str, seed: int) -> tuple[list[Layer], dict[str, np.ndarray]]:
    """Layers and weights of "filters", "random" or "shipped"."""
    if name == "filters":
        return filters.pyramid()
    if name == "random":
        layers = vgg_like((32, 64, 128, 256))
        return layers, filters.random_weights(layers, np.random.default_rng(seed))
    with resources.as_file(resources.files("minigan.style") / "shipped.npz") as path:
        arrays, facts = read_npz(path, limit_bytes=16 << 20, kind=KIND)
    return vgg_like(facts["widths"], facts["convolutions"]), arrays
