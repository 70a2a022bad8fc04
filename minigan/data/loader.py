"""Batches in a shuffled order: an epoch by ``for``, as PyTorch, or an endless row that can be saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from minigan.errors import ArgumentError, DataError

Batch = tuple[np.ndarray, np.ndarray | None]


class Loader:
    """Hand out batches of (images, labels), every epoch in another order.

    ``for batch in loader`` goes once through the set, and every ``for`` starts anew, as PyTorch's DataLoader
    does.  `next_batch` hands out one after the other without end, and `rest` what is left of an epoch; with
    these a training goes on where `load_state_dict` puts it.

    Epoch e is ordered by ``default_rng([seed, e])``, so the order needs no state of its own: seed, epoch
    and position say everything, and that is what :meth:`state_dict` returns.

    Args:
        images: array (N, ...).
        labels: array (N,) or None; then each batch's labels are None too.
        batch_size: number of pictures in a batch.
        shuffle: False keeps the order of the arrays.
        drop_last: leave out an epoch's last batch where it would be smaller (a GAN's trainer does: batch norm
            has no use for a batch of one).
        seed: of the order.

    Raises:
        ArgumentError: batch_size or seed is out of range.
        DataError: an empty set, labels that differ in number, or, with ``drop_last``, a batch larger than
            the set.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray | None = None,
        *,
        batch_size: int = 64,
        shuffle: bool = True,
        drop_last: bool = False,
        seed: int = 0,
    ):
        for name, value, least in (("batch_size", batch_size, 1), ("seed", seed, 0)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise ArgumentError(f"Loader: {name} must be a whole number, at least {least}, got {value!r}")
        if len(images) == 0:
            raise DataError("Loader: the data set is empty; expected at least one picture")
        if labels is not None and len(labels) != len(images):
            raise DataError(f"Loader: {len(images)} images but {len(labels)} labels; give one per image")
        if drop_last and batch_size > len(images):
            raise DataError(
                f"Loader: a batch of {batch_size} is larger than the set of {len(images)} "
                "pictures; choose a smaller batch"
            )
        self.images, self.labels = images, labels
        self.batch_size, self.seed = int(batch_size), int(seed)
        self.shuffle, self.drop_last = shuffle, drop_last
        self.epoch = 0  # the epoch of the next batch
        self.position = 0  # batches of that epoch already handed out
        self._order: tuple[int, np.ndarray] | None = None

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        whole, rest = divmod(len(self.images), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of a whole epoch: a new one, where this one was left in the middle."""
        if self.position:
            self.epoch, self.position = self.epoch + 1, 0
        return self.rest()

    def rest(self) -> Iterator[Batch]:
        """Yield the batches that are left of this epoch."""
        epoch = self.epoch
        while self.epoch == epoch:
            yield self.next_batch()

    def next_batch(self) -> Batch:
        """Return the next (images, labels); after an epoch's last batch the next epoch begins."""
        start = self.position * self.batch_size
        rows = self._epoch_order()[start : start + self.batch_size]
        self.position += 1
        if self.position == len(self):
            self.epoch, self.position = self.epoch + 1, 0
        return self.images[rows], None if self.labels is None else self.labels[rows]

    def _epoch_order(self) -> np.ndarray:
        if self._order is None or self._order[0] != self.epoch:
            count = len(self.images)
            generator = np.random.default_rng([self.seed, self.epoch])
            self._order = self.epoch, generator.permutation(count) if self.shuffle else np.arange(count)
        return self._order[1]

    def _settings(self) -> dict[str, Any]:
        return {
            "count": len(self.images),
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
            "drop_last": self.drop_last,
            "seed": self.seed,
        }

    def state_dict(self) -> dict[str, Any]:
        """Return settings, epoch and position as plain numbers (JSON can hold them)."""
        return {**self._settings(), "epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where ``state`` was taken; ArgumentError, and no change, if its settings differ."""
        here = self.state_dict()
        if set(state) != set(here):
            raise ArgumentError(f"Loader: expected a state with {sorted(here)}, got {sorted(state)}")
        differ = [
            f"{name} {state[name]!r}, here {value!r}"
            for name, value in self._settings().items()
            if state[name] != value
        ]
        if differ:
            raise ArgumentError(
                f"Loader: the saved order is of other settings: {'; '.join(differ)}; "
                "continue with the same data and options"
            )
        epoch, position = state["epoch"], state["position"]
        if not (isinstance(epoch, int) and isinstance(position, int) and epoch >= 0 <= position < len(self)):
            raise ArgumentError(
                f"Loader: epoch {epoch!r}, position {position!r} cannot be; "
                f"expected a position below {len(self)}"
            )
        self.epoch, self.position = epoch, position
