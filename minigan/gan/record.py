"""What one training step says about itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from minigan import backend, nn
from minigan.tensor import Tensor


@dataclass
class Record:
    """The figures of one step; where D took several steps, those of its last one."""

    step: int  # counted from 1
    epoch: int  # of the batch, counted from 0
    d_loss: float = 0.0  # the discriminator's loss, penalty left out
    g_loss: float = 0.0  # the generator's
    d_real: float = 0.0  # D(x): mean probability D gives real pictures of being real
    d_fake: float = 0.0  # D(G(z)) in D's step
    g_fake: float = 0.0  # D(G(z)) in G's step
    accuracy: float = 0.0  # share of pictures D sorts rightly, 0 to 1
    g_norm: float = 0.0  # length of G's gradient
    d_norm: float = 0.0  # length of D's gradient
    penalty: float = 0.0  # weighted gradient penalty; 0 at steps without
    diversity: float = 0.0  # spread of the batch over the spread of the real batch, pixel by pixel
    skipped: bool = False  # whether D's update was skipped
    seconds: float = 0.0  # the step took

    def to_dict(self) -> dict[str, Any]:
        """Return the figures for a line of JSON, floats to six digits."""
        return {name: float(f"{v:.6g}") if isinstance(v, float) else v for name, v in asdict(self).items()}


def norm(parameters: Iterable[Tensor]) -> float:
    """Return the Euclidean length of all gradients together; parameters without one count 0."""
    return length(sum(fetched([squares(parameters)])))


def length(square: float) -> float:
    """Return the root of a sum of squares; NaN for one that is none."""
    return math.sqrt(square) if square >= 0 else math.nan


def squares(parameters: Iterable[Tensor]) -> Any:
    """Return the square of each gradient's length: an array (gradients,) where they are.

    A parameter without a gradient has no place in it.
    """
    arrays = [parameter.grad.array for parameter in parameters if parameter.grad is not None]
    if not arrays:
        return np.empty(0, np.float32)
    xp = backend.namespace(arrays[0])
    return xp.stack([xp.vdot(array, array) for array in arrays])


def by_layer(network: nn.Module, lengths: Iterable[float]) -> dict[str, float]:
    """Put the parameters' squared lengths, in their order, together: layer -> length of its gradient.

    A layer is a module with parameters of its own, named as in `nn.Module.named_modules`; parameters that
    the network holds itself go by their own names.
    """
    found: dict[str, float] = {}
    for (name, _), square in zip(network.named_parameters(), lengths, strict=True):
        layer = name.rpartition(".")[0] or name
        found[layer] = found.get(layer, 0.0) + square
    return {layer: length(square) for layer, square in found.items()}


def fetched(values: Sequence[Any]) -> list[float]:
    """Return numbers, or arrays that may be on a device, as floats in a row: one wait for all."""
    waiting = [value.reshape(-1) for value in values if not isinstance(value, (int, float)) and value.size]
    host, start = np.empty(0, np.uint32), 0
    if waiting:
        # Seen as words of 32 bits they have one type, whatever they are: no number is converted on the way.
        words = backend.namespace(waiting[0]).concatenate([array.view(np.uint32) for array in waiting])
        host = backend.to_host(words)
    numbers: list[float] = []
    for value in values:
        if isinstance(value, (int, float)):
            numbers.append(value)
            continue
        stop = start + value.nbytes // 4
        numbers.extend(host[start:stop].view(value.dtype).tolist())
        start = stop
    return numbers


def mean_sigmoid(logits: Tensor) -> Any:
    """Return the mean probability that belongs to logits, an array of shape ()."""
    x = logits.array
    return (0.5 * (1 + backend.namespace(x).tanh(0.5 * x))).mean()
