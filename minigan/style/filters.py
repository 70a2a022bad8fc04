"""Features nobody trained: random convolutions, and a bank of edge filters at several scales.

They are for teaching: a style transfer works with either, and what is missing from its pictures is what
training adds. Random filters: Ustyuzhaninov and others, arXiv 1606.00021. Oriented filters over a pyramid are
the texture model before neural networks: Portilla and Simoncelli, IJCV 40 (2000).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

Layer = tuple[Any, ...]


def random_weights(layers: Iterable[Layer], generator: np.random.Generator) -> dict[str, np.ndarray]:
    """Orthogonal weights for every convolution, of the gain that keeps a ReLU net's variance; zero biases."""
    arrays = {}
    for layer in layers:
        if layer[0] == "conv":
            _, name, inputs, outputs, kernel, _, _ = layer
            rows, columns = outputs, inputs * kernel * kernel
            matrix = generator.standard_normal((max(rows, columns), min(rows, columns)))
            basis = np.linalg.qr(matrix)[0]
            basis = basis if rows >= columns else basis.T
            # Rows of norm sqrt(2), as He's variance 2 / fan-in gives them; now they have min(1, sqrt(c / r)).
            gain = np.sqrt(2 * max(1, rows / columns))
            arrays[f"{name}.weight"] = (
                (gain * basis).reshape(outputs, inputs, kernel, kernel).astype(np.float32)
            )
            arrays[f"{name}.bias"] = np.zeros(outputs, np.float32)
    return arrays


def palette(layer: Layer) -> dict[str, np.ndarray]:
    """Weights of a layer ("palette", name, pooled, count): rectified sides of planes in the space of colours.

    Mean and covariance of colours do not tell blue and yellow from the greens between them; how often a
    colour lies beyond each of ``count`` planes, and beyond two at once, does: a histogram with soft edges.
    Planes lie in random directions, in light and two opponent colours that count double (they vary less), and
    pass near grey. Pictures are centred on 0, of spread about 1.
    """
    _, name, _, count = layer
    generator = np.random.default_rng(3)
    directions = generator.standard_normal((count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    opponents: np.ndarray = np.array([[1, 1, 1], [4, -4, 0], [2, 2, -4]]) / 3
    weight = np.asarray(directions @ opponents, np.float32).reshape(count, 3, 1, 1)
    bias = np.asarray(generator.uniform(-0.6, 0.6, count), np.float32)
    return {f"{name}.weight": weight, f"{name}.bias": bias}


def pyramid(levels: int = 4, directions: int = 6) -> tuple[list[Layer], dict[str, np.ndarray]]:
    """Layers and weights of an oriented filter bank on every level of an image pyramid.

    "bank1" ... "bank4" see the picture at full, half, quarter and eighth size through the colours themselves
    and derivatives of Gaussians (first and second, in ``directions`` directions, of light and of two opponent
    colours), both signs rectified. Three channels that hold the signed picture travel along to the next
    level.
    """
    size = 7
    grid: np.ndarray = np.mgrid[-3:4, -3:4].astype(float)
    opponents: np.ndarray = np.array([[1, 1, 1], [1, -1, 0], [0.5, 0.5, -1]]) / np.sqrt(
        np.array([[3.0], [2.0], [1.5]])
    )
    kernels: list[np.ndarray] = []
    for k in range(directions):
        angle = np.pi * k / directions
        along = grid[1] * np.cos(angle) + grid[0] * np.sin(angle)
        bell = np.exp(-(grid**2).sum(0) / (2 * 1.5**2))
        for shape in (along * bell, (along**2 / 1.5**2 - 1) * bell):
            shape = shape - shape.mean()
            kernels += [shape[None] * light[:, None, None] / np.abs(shape).sum() for light in opponents]
    impulse = np.zeros((size, size))
    impulse[3, 3] = 1
    colours: list[np.ndarray] = [impulse[None] * row[:, None, None] for row in np.eye(3)]
    signed = [*colours, *(-one for one in colours), *kernels, *(-one for one in kernels)]
    bank = np.stack(signed).astype(np.float32)  # (outputs, 3, size, size)
    layers: list[Layer] = []
    arrays: dict[str, np.ndarray] = {}
    for level in range(1, levels + 1):
        name = f"filters{level}"
        layers += [("conv", name, 3, len(bank), size, 1, 3), ("relu", f"bank{level}")]
        arrays[name + ".weight"] = bank
        if level < levels:  # rectified +c and -c give the signed picture back, for the next level
            back = np.zeros((3, len(bank), 1, 1), np.float32)
            back[range(3), range(3)], back[range(3), range(3, 6)] = 1, -1
            layers += [
                ("conv", f"picture{level}", len(bank), 3, 1, 1, 0),
                ("pool", f"pool{level}", 2, 2, False),
            ]
            arrays[f"picture{level}.weight"] = back
    return layers, arrays
