"""Several processes that train one pair of networks: who has which rows, and how they agree.

A step of k ranks with B pictures each is the step of one process with k B pictures, because a loss is a mean:

    mean over k B pictures = mean over ranks of (mean over the rank's B pictures)

and so is its gradient, which is linear in the loss: every rank goes back from its own B pictures, the k
gradients are summed, once a phase, and divided by k.  Equal weights plus equal gradients give equal weights,
so nothing else has to travel.  What this needs is defined here:

* **Rows.**  A batch of k B pictures is drawn by every rank; rank r keeps rows r B to (r + 1) B.
* **Random numbers.**  Every rank draws the numbers of the whole batch from the same stream and keeps its
  rows (`Share`): the streams, and with them a checkpoint, are those of one process.
* **Batch norm** sees its rank's B pictures only, as in PyTorch's data parallel training: here k ranks are
  *not* one process.  Its running statistics are averaged over the ranks after each phase, so that the
  ranks' buffers stay equal.  Whatever else looks at a whole batch (minibatch features, DRAGAN's spread) sees
  the rank's rows as well.
* **Decisions** (whether D rests, whether a number is finite) are taken from averages that all ranks have.

Only sums are rounded otherwise: in another order.  Goyal et al., arXiv 1706.02677, section 2.3 and remark 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minigan import backend
from minigan.errors import ArgumentError
from minigan.tensor import Tensor


class Team:
    """The ranks that train together; this one is a process on its own, with nobody to agree with."""

    rank, size = 0, 1

    def rows(self, count: int) -> slice:
        """Return which rows of a batch of ``count`` are this rank's."""
        return slice(0, count)

    def check(self, batch: int, pack: int) -> None:
        """Raise ArgumentError when a batch cannot be shared evenly, in whole packs."""
        if batch % (self.size * pack):
            packs = f" in packs of {pack}" if pack > 1 else ""
            raise ArgumentError(
                f"batch: {batch} pictures{packs} cannot be shared evenly by {self.size} processes; choose "
                "another --batch, or another count for mpiexec -n"
            )

    def generator(self, whole: np.random.Generator) -> np.random.Generator:
        """Return a generator of this rank's rows of what ``whole`` draws."""
        return whole

    def average(self, parameters: Iterable[Tensor], buffers: Iterable[Tensor] = ()) -> None:
        """Replace the gradients of parameters, and float buffers, by their means over the ranks."""

    def means(self, numbers: Sequence[float]) -> list[float]:
        """Return the mean over the ranks of each number."""
        return list(numbers)

    def from_first(self, value: Any) -> Any:
        """Return what rank 0 has for ``value``, which may be any object that can be pickled."""
        return value

    def everyones(self, value: Any) -> list[Any]:
        """Return every rank's value, in order of rank."""
        return [value]


class Ranks(Team):
    """The ranks of an MPI communicator, such as ``mpi4py.MPI.COMM_WORLD``."""

    def __init__(self, communicator: Any):
        self.communicator = communicator
        self.rank, self.size = communicator.Get_rank(), communicator.Get_size()
        self._buffer = np.empty(0)

    def rows(self, count: int) -> slice:
        each, rest = divmod(count, self.size)
        if rest:
            raise ArgumentError(f"a batch of {count} cannot be shared evenly by {self.size} processes")
        return slice(self.rank * each, (self.rank + 1) * each)

    def generator(self, whole: np.random.Generator) -> np.random.Generator:
        return Share(whole, self.rank, self.size)

    def average(self, parameters: Iterable[Tensor], buffers: Iterable[Tensor] = ()) -> None:
        grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
        tensors = [*grads, *(buffer for buffer in buffers if buffer.dtype.kind == "f")]
        if not tensors:
            return
        flat = self._flat(sum(tensor.size for tensor in tensors), tensors[0].dtype)
        for place, tensor in _places(tensors):
            flat[place] = backend.to_host(tensor.array).reshape(-1)
        self._sum(flat)
        flat /= self.size
        for place, tensor in _places(tensors):
            tensor.array = backend.to_device(flat[place].reshape(tensor.shape).copy(), tensor.device)

    def means(self, numbers: Sequence[float]) -> list[float]:
        flat = np.array(numbers, np.float64)
        self._sum(flat)
        return (flat / self.size).tolist()

    def from_first(self, value: Any) -> Any:
        return self.communicator.bcast(value, root=0)

    def everyones(self, value: Any) -> list[Any]:
        return self.communicator.allgather(value)

    def _sum(self, flat: np.ndarray) -> None:
        """Add up over the ranks, in place; MPI gives every rank the same bits."""
        self.communicator.Allreduce(flat.copy(), flat)

    def _flat(self, count: int, dtype: Any) -> np.ndarray:
        if self._buffer.dtype != dtype or self._buffer.size < count:
            self._buffer = np.empty(count, dtype)
        return self._buffer[:count]


def _places(tensors: Sequence[Tensor]) -> Iterable[tuple[slice, Tensor]]:
    """Yield where each tensor's numbers lie in the flat buffer."""
    start = 0
    for tensor in tensors:
        yield slice(start, start + tensor.size), tensor
        start += tensor.size


class Share(np.random.Generator):
    """Draw for the rows of all ranks and keep one rank's: (N, ...) of (size N, ...), from ``whole``'s stream.

    Numbers that belong to no row (a shape of () or none) are the same on all ranks.
    """

    def __init__(self, whole: np.random.Generator, rank: int, size: int):
        super().__init__(whole.bit_generator)
        self._rank, self._size = rank, size

    def _mine(self, draw: Any, size: Any, *arguments: Any, **options: Any) -> Any:
        shape = () if size is None else (size,) if isinstance(size, (int, np.integer)) else tuple(size)
        if not shape:
            return draw(*arguments, size=size, **options)
        every = draw(*arguments, size=(shape[0] * self._size, *shape[1:]), **options)
        return every[self._rank * shape[0] : (self._rank + 1) * shape[0]]

    def standard_normal(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        """Draw N(0, 1); ``out`` is refused."""
        return self._mine(super().standard_normal, size, **_no_out(out), dtype=dtype)

    def random(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        """Draw U[0, 1); ``out`` is refused."""
        return self._mine(super().random, size, **_no_out(out), dtype=dtype)

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        """Draw U[low, high)."""
        return self._mine(super().uniform, size, low, high)

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        """Draw N(loc, scale^2)."""
        return self._mine(super().normal, size, loc, scale)

    def integers(
        self, low: Any, high: Any = None, size: Any = None, dtype: Any = np.int64, endpoint: bool = False
    ) -> Any:
        """Draw whole numbers from low to below high."""
        return self._mine(super().integers, size, low, high, dtype=dtype, endpoint=endpoint)


def _no_out(out: Any) -> dict[str, Any]:
    if out is not None:
        raise ArgumentError("out: a rank keeps only its rows of what is drawn; leave it out")
    return {}
