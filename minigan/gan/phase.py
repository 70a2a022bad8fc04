"""A phase of training that has been computed and waits to be settled: what it found, and how to undo it.

Nothing that a phase finds is fetched from a device before all phases that may run are done: so a step waits
for a GPU once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan import backend, nn, optim
from minigan.gan.balance import Balance
from minigan.tensor import Tensor

# Forward and backward of a phase: what it found (numbers, arrays of shape ()), and what the next one needs.
Compute = Callable[[], tuple[dict[str, Any], Any]]


class Snapshot:
    """What a phase's forward changes, as it is now: buffers, random numbers, the balance's average."""

    def __init__(self, buffers: Iterable[Tensor], random: np.random.Generator, balance: Balance):
        self.random, self.balance = random, balance
        self.state, self.accuracy = random.bit_generator.state, balance.accuracy
        self.kept: list[tuple[list[Tensor], Any]] = []  # buffers of one kind, and their numbers in one array
        kinds: dict[Any, list[Tensor]] = {}
        for buffer in buffers:
            kinds.setdefault((type(buffer.array), buffer.dtype), []).append(buffer)
        for alike in kinds.values():
            xp = backend.namespace(alike[0].array)
            self.kept.append((alike, xp.concatenate([buffer.array.reshape(-1) for buffer in alike])))

    def restore(self) -> None:
        """Put everything back."""
        for buffers, flat in self.kept:
            start = 0
            for buffer in buffers:
                buffer.copy_(Tensor._wrap(flat[start : start + buffer.size].reshape(buffer.shape)))
                start += buffer.size
        self.random.bit_generator.state, self.balance.accuracy = self.state, self.accuracy


@dataclass
class Pending:
    """A phase whose gradients lie at the parameters.

    ``found``: name in the record -> number, perhaps still on a device; ``optimizers``: name of the squared
    lengths of gradients in ``found``, one a parameter that has one -> who follows those gradients.
    """

    name: str
    compute: Compute
    optimizers: dict[str, optim.Adam]
    found: dict[str, Any]
    before: Snapshot
    asleep: nn.Module | None  # what was frozen meanwhile


def filled(pending: Iterable[Pending], numbers: Iterable[float]) -> dict[str, list[float]]:
    """Put fetched numbers, in their order, in the place of all that the phases found; of squares their sum.

    Returns name -> the squared length of every parameter's gradient, 0 for one that has none.
    """
    fetched, squares = iter(numbers), {}
    for phase in pending:
        for name in phase.found:
            if name in phase.optimizers:
                parameters = phase.optimizers[name].param_groups[0]["params"]
                squares[name] = [0.0 if p.grad is None else next(fetched) for p in parameters]
                phase.found[name] = sum(squares[name])
            else:
                phase.found[name] = next(fetched)
    return squares


@contextmanager
def frozen(network: nn.Module | None) -> Iterator[None]:
    """Compute no gradient for the network's parameters inside the block (`eval()` would not do that).

    Gradients still flow *through* it to its input.  None freezes nothing.
    """
    if network is None:
        yield
        return
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)


def spread(pictures: Tensor) -> Any:
    """Return the standard deviation of a batch, pixel by pixel, on average: an array of shape ()."""
    return pictures.array.std(axis=0).mean()
