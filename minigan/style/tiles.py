"""Pictures larger than memory: the same loss and gradient, computed tile by tile.

Style statistics and the content loss are sums over places, and sums add up over tiles. So the loss of the
whole picture is computed exactly, with the network never seeing more than one tile and its surroundings:

1. forward over every tile, keeping only the sums;
2. the loss from the sums, and its derivative with respect to each sum (small matrices);
3. forward again over every tile, and backward from those derivatives to the tile's pixels.

Each tile is cut with a *halo* as wide as the network can see, so that the features inside are those of the
whole picture. That holds for nets of padded convolutions and 2x2 pooling (the shipped one, VGG).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minigan.autograd import grad
from minigan.errors import ArgumentError
from minigan.modes import no_grad
from minigan.style.features import BESIDE
from minigan.style.objective import Key, Objective, Value, finished
from minigan.tensor import Tensor

Box = tuple[int, int, int, int]  # top, bottom, left, right


class Tiled:
    """An :class:`Objective` evaluated in tiles of about ``settings.tile`` pixels each way."""

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.strides, self.halo = reach(objective)
        coarsest = max(self.strides.values(), default=1)
        self.halo = -(-self.halo // coarsest) * coarsest
        self.side = max(-(-objective.settings.tile // coarsest), 1) * coarsest

    def __call__(self, picture: np.ndarray) -> Value:
        """The same as ``objective(picture)``, up to rounding."""
        objective = self.objective
        picture = np.asarray(picture, objective.extractor.dtype)
        totals: dict[Key, list[np.ndarray]] = {}
        with no_grad():
            for inside, around in self.tiles(*picture.shape[2:]):
                for key, sums in self._collect(picture, inside, around)[1].items():
                    arrays = [part.numpy() for part in sums]
                    old = totals.get(key)
                    totals[key] = arrays if old is None else [a + b for a, b in zip(old, arrays, strict=True)]
        leaves = {
            key: tuple(Tensor(array, requires_grad=True) for array in arrays)
            for key, arrays in totals.items()
        }
        x = Tensor(picture, requires_grad=True)
        total, parts = objective.assemble(leaves, x)
        flat = [leaf for group in leaves.values() for leaf in group]
        found = (
            grad(total, [x, *flat], allow_unused=True) if total.requires_grad else [None] * (1 + len(flat))
        )
        gradient = np.zeros_like(picture) if found[0] is None else found[0].numpy().copy()
        slopes = dict(zip(map(id, flat), found[1:], strict=True))
        for inside, around in self.tiles(*picture.shape[2:]) if flat else ():
            part, sums = self._collect(picture, inside, around)
            pairs = [
                (value, slopes[id(leaf)])
                for key, group in sums.items()
                for value, leaf in zip(group, leaves[key], strict=True)
            ]
            wanted = [(value, slope) for value, slope in pairs if slope is not None and value.requires_grad]
            outputs, seeds = zip(*wanted, strict=True)
            (g,) = grad(list(outputs), part, list(seeds))
            top, bottom, left, right = around
            gradient[:, :, top:bottom, left:right] += g.numpy()  # type: ignore[union-attr]
        return finished(total, parts, gradient)

    def tiles(self, height: int, width: int) -> Iterator[tuple[Box, Box]]:
        """(the tile, the tile with its halo) for every tile; tiles share the picture out without gaps."""
        for top in range(0, height, self.side):
            for left in range(0, width, self.side):
                bottom, right = min(top + self.side, height), min(left + self.side, width)
                yield (
                    (top, bottom, left, right),
                    (
                        max(top - self.halo, 0),
                        min(bottom + self.halo, height),
                        max(left - self.halo, 0),
                        min(right + self.halo, width),
                    ),
                )

    def _collect(self, picture: np.ndarray, inside: Box, around: Box) -> tuple[Tensor, dict[Key, Any]]:
        top, bottom, left, right = around
        part = Tensor(np.ascontiguousarray(picture[:, :, top:bottom, left:right]), requires_grad=True)

        def window(layer: str, features: Tensor) -> tuple[Tensor, tuple[slice, slice]]:
            """The tile's own features without the halo, and their places in the whole picture's map."""
            stride, (height, width) = self.strides[layer], features.shape[2:]
            rows = _span(inside[0], inside[1], top, bottom, stride, height)
            columns = _span(inside[2], inside[3], left, right, stride, width)
            return features[:, :, rows, columns], (
                _moved(rows, top // stride),
                _moved(columns, left // stride),
            )

        return part, self.objective.collect(part, window)


def _moved(span: slice, places: int) -> slice:
    return slice(span.start + places, span.stop + places)


def _span(first: int, last: int, start: int, end: int, stride: int, count: int) -> slice:
    """Places of pixels first..last in a map of ``count`` places that begins at pixel ``start``."""
    return slice((first - start) // stride, count if last == end else (last - start) // stride)


def reach(objective: Objective) -> tuple[dict[str, int], int]:
    """Pixels per place of each layer, and how far (in pixels) a place sees. Raises ArgumentError."""
    stride, halo, strides = 1, 0, {}
    last = (
        [layer[0] for layer in objective.extractor.walk(4096, 4096, objective.wanted)]
        if objective.wanted
        else []
    )
    for layer in last:
        kind, name = layer[:2]
        if layer in BESIDE:
            strides[name] = layer[2]
            continue
        if kind == "conv":
            same = layer[5] == 1 and layer[4] == 2 * layer[6] + 1
            halo += layer[6] * stride
        elif kind == "pool":
            same = layer[2:4] == (2, 2) and not layer[4]
            halo += stride
            stride *= 2
        else:
            same = kind == "relu"
        if not same:
            raise ArgumentError(
                f"tile: {objective.extractor.name} shifts its places at layer {name}; tiles need "
                "padded convolutions and 2x2 pooling (shipped, vgg16, vgg19); leave --tile out"
            )
        strides[name] = stride
    return strides, halo
