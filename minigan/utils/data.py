"""Data sets, the order in which they are gone through, and the DataLoader that makes batches of Tensors.

A data set has samples by number, a sampler gives numbers, a batch sampler lists of them, and a collate
function makes one batch of a list of samples:

    DataLoader = collate_fn([dataset[i] for i in numbers]) for numbers in batch_sampler

``generator`` is a NumPy Generator, a whole number to seed one with, or None for the one that
`minigan.manual_seed` sets.  `minigan.data.Loader`, the trainers' own, hands out NumPy arrays instead and can
be stopped and taken up again in mid-epoch.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from itertools import accumulate, islice
from math import floor, isclose
from typing import Any, Generic, TypeVar

import numpy as np

from minigan import backend, ops
from minigan.errors import ArgumentError, DTypeError, ShapeError
from minigan.nn.init import default_generator
from minigan.tensor import Tensor

T = TypeVar("T")


def _own(generator: Any) -> Any:
    """A generator from a seed; None stays None, so that `manual_seed` counts when numbers are drawn."""
    if isinstance(generator, (int, np.integer)) and not isinstance(generator, bool):
        return np.random.default_rng(generator)
    if generator is None or hasattr(generator, "permutation"):
        return generator
    raise ArgumentError(
        f"generator: expected a NumPy Generator, a seed or None, got {type(generator).__name__}; "
        "np.random.default_rng(0) is one"
    )


def _count(name: str, value: Any, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ArgumentError(f"{name}: expected a whole number of at least {least}, got {value!r}")
    return int(value)


# ---- data sets ----------------------------------------------------------------------------------------


class Dataset(Generic[T]):
    """Base: subclasses give sample ``i`` by `__getitem__` and the number of samples by ``__len__``."""

    def __getitem__(self, index: Any) -> T:
        """Return one sample: a Tensor, an array, a number, text, or a tuple or dict of them."""
        raise NotImplementedError(f"{type(self).__name__} has no __getitem__")

    def __add__(self, other: Dataset) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T]):
    """Base: subclasses give sample after sample by `__iter__`; nothing is numbered or shuffled."""

    def __iter__(self) -> Iterator[T]:
        """Yield the samples of one epoch."""
        raise NotImplementedError(f"{type(self).__name__} has no __iter__")


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Sample i is (t[i] for each tensor).  ShapeError unless all are as long; arrays become Tensors."""

    def __init__(self, *tensors: Any):
        self.tensors = tuple(t if isinstance(t, Tensor) else Tensor(t) for t in tensors)
        if not tensors or len({t.shape[:1] for t in self.tensors}) != 1 or not self.tensors[0].ndim:
            shapes = ", ".join(str(t.shape) for t in self.tensors) or "none"
            raise ShapeError(f"TensorDataset: expected tensors with one first size, got {shapes}")

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class Subset(Dataset[T]):
    """The samples of a data set at some ``indices``, in their order."""

    def __init__(self, dataset: Any, indices: Sequence[int]):
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset[T]):
    """Data sets one after another."""

    def __init__(self, datasets: Iterable[Any]):
        self.datasets = list(datasets)
        if not self.datasets or any(isinstance(one, IterableDataset) for one in self.datasets):
            raise ArgumentError("ConcatDataset: expected at least one data set, each with numbered samples")
        self.cumulative_sizes = list(accumulate(len(one) for one in self.datasets))

    def __getitem__(self, index: Any) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        index += len(self) if index < 0 else 0
        which = bisect_right(self.cumulative_sizes, index)
        return self.datasets[which][index - (self.cumulative_sizes[which - 1] if which else 0)]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


def random_split(dataset: Any, lengths: Sequence[float], generator: Any = None) -> list[Subset]:
    """Return `Subset`s at random that share no sample.

    ``lengths`` are whole numbers that sum to len(dataset), or fractions that sum to 1; of fractions each part
    is rounded down, and what is left over goes one each to the first parts.  ArgumentError for other sums.
    """
    count, parts = len(dataset), list(lengths)
    if isclose(sum(parts), 1) and sum(parts) <= 1 and all(0 <= part <= 1 for part in parts):
        parts = [floor(count * part) for part in parts]
        for i in range(count - int(sum(parts))):
            parts[i % len(parts)] += 1
    if sum(parts) != count or any(part != int(part) or part < 0 for part in parts):
        raise ArgumentError(f"random_split: {list(lengths)} do not sum to {count} samples, nor to 1")
    order = (_own(generator) or default_generator()).permutation(count).tolist()
    ends = list(accumulate(map(int, parts)))
    return [Subset(dataset, order[end - int(part) : end]) for end, part in zip(ends, parts, strict=True)]


# ---- samplers -----------------------------------------------------------------------------------------


class Sampler(Generic[T]):
    """Base: subclasses yield the numbers of one epoch's samples by `__iter__`."""

    def __init__(self, data_source: Any = None):
        self.data_source = data_source

    def __iter__(self) -> Iterator[T]:
        """Yield numbers, or lists of them."""
        raise NotImplementedError(f"{type(self).__name__} has no __iter__")


class SequentialSampler(Sampler[int]):
    """0, 1, 2, ..."""

    def __init__(self, data_source: Sized):
        super().__init__(data_source)

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """Every number once, in another order at every epoch; or ``num_samples`` numbers drawn independently.

    Without ``replacement`` and with more ``num_samples`` than there are, order follows order.
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Any = None,
    ):
        super().__init__(data_source)
        self.replacement, self.generator = replacement, _own(generator)
        self.num_samples = _count("num_samples", len(data_source) if num_samples is None else num_samples)

    def __iter__(self) -> Iterator[int]:
        count, draw = len(self.data_source), self.generator or default_generator()
        if self.replacement:
            return iter(draw.integers(count, size=self.num_samples).tolist())
        orders = [draw.permutation(count) for _ in range(-(-self.num_samples // count))]
        return iter(np.concatenate(orders)[: self.num_samples].tolist())

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The numbers in ``indices``, each once, in another order at every epoch."""

    def __init__(self, indices: Sequence[int], generator: Any = None):
        super().__init__()
        self.indices, self.generator = indices, _own(generator)

    def __iter__(self) -> Iterator[int]:
        draw = self.generator or default_generator()
        return iter([self.indices[i] for i in draw.permutation(len(self.indices))])

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """``num_samples`` numbers, i with a probability in proportion to ``weights[i]`` (>= 0, not all 0)."""

    def __init__(
        self, weights: Sequence[float], num_samples: int, replacement: bool = True, generator: Any = None
    ):
        super().__init__()
        values = weights.numpy() if isinstance(weights, Tensor) else np.asarray(weights)
        self.weights = values.astype(np.float64)
        self.num_samples, self.replacement = _count("num_samples", num_samples), replacement
        self.generator = _own(generator)
        if self.weights.ndim != 1 or not (self.weights >= 0).all() or not 0 < self.weights.sum() < np.inf:
            raise ArgumentError("WeightedRandomSampler: expected a list of weights >= 0 with a sum > 0")
        if not replacement and self.num_samples > np.count_nonzero(self.weights):
            raise ArgumentError(
                f"WeightedRandomSampler: {num_samples} numbers without replacement from "
                f"{np.count_nonzero(self.weights)} that have a weight"
            )

    def __iter__(self) -> Iterator[int]:
        draw = self.generator or default_generator()
        share = self.weights / self.weights.sum()
        return iter(draw.choice(len(share), self.num_samples, self.replacement, share).tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of ``batch_size`` numbers of a sampler; a shorter last one is left out where ``drop_last``."""

    def __init__(self, sampler: Any, batch_size: int, drop_last: bool):
        super().__init__()
        self.sampler, self.drop_last = sampler, drop_last
        self.batch_size = _count("batch_size", batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        numbers = iter(self.sampler)
        while batch := list(islice(numbers, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        whole, rest = divmod(len(self.sampler), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)


# ---- batches ------------------------------------------------------------------------------------------


def default_collate(batch: Sequence[Any]) -> Any:
    """Return one batch of a list of samples: Tensors of shape (N, ...) where samples are Tensors or arrays.

    Whole numbers become an int64 Tensor (N,), other Python numbers float64, as in PyTorch; arrays keep their
    type.  Text stays as it is.  Samples that are tuples or lists give a list of batches, dicts a dict.
    ShapeError for samples of several shapes, DTypeError for what is none of these.
    """
    first = batch[0]
    if isinstance(first, (Tensor, np.ndarray, *backend._by_type)):
        shapes = {one.shape for one in batch}
        if len(shapes) > 1:
            raise ShapeError(
                f"default_collate: samples of several shapes, {sorted(shapes)[:3]}; make them alike"
            )
        if isinstance(first, Tensor):
            return ops.stack(list(batch))
        return Tensor(backend.namespace(first).stack(list(batch)))
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, (bool, int, float, np.generic)):
        return Tensor(np.array(batch))
    if isinstance(first, Mapping):
        return {key: default_collate([one[key] for one in batch]) for key in first}
    if isinstance(first, (tuple, list)):
        if len({len(one) for one in batch}) > 1:
            raise ShapeError("default_collate: samples with more and with fewer parts; make them alike")
        parts = [default_collate(part) for part in zip(*batch, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else parts
    raise DTypeError(
        "default_collate: expected Tensors, arrays, numbers, text, tuples or dicts, got "
        f"{type(first).__name__}; pass a collate_fn"
    )


def default_convert(sample: Any) -> Any:
    """Return a sample with its arrays made Tensors: what a DataLoader with ``batch_size=None`` yields."""
    if isinstance(sample, (np.ndarray, np.generic)) and sample.dtype.kind in "biuf":
        return Tensor(np.asarray(sample))
    if isinstance(sample, Mapping):
        return {key: default_convert(entry) for key, entry in sample.items()}
    if isinstance(sample, (tuple, list)):
        parts = [default_convert(entry) for entry in sample]
        return type(sample)(*parts) if hasattr(sample, "_fields") else parts
    return sample


def get_worker_info() -> None:
    """Return None: samples are made in this process, by no worker."""
    return None


class DataLoader(Generic[T]):
    """``for batch in loader`` goes once through a data set; every ``for`` starts anew, in a new order.

    Samples are made in this process, one after another: ``num_workers``, ``pin_memory``, ``timeout``,
    ``worker_init_fn``, ``multiprocessing_context`` and the arguments after ``generator`` are accepted and
    change nothing.  The order is that of ``batch_sampler`` (lists of numbers), or of ``sampler`` (numbers),
    or random where ``shuffle``.  ``batch_size=None`` yields sample after sample.  ``drop_last`` leaves out a
    last batch that is smaller.  New Tensors are on the current backend.

    Raises ArgumentError for settings that exclude one another.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Any = None,
        batch_sampler: Any = None,
        num_workers: int = 0,
        collate_fn: Callable[[list], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ):
        self.dataset, self.drop_last, self.generator = dataset, drop_last, _own(generator)
        self.num_workers, self.pin_memory = _count("num_workers", num_workers, 0), pin_memory
        self.timeout, self.worker_init_fn = timeout, worker_init_fn
        self._iterable = isinstance(dataset, IterableDataset)
        if self._iterable and (shuffle or sampler is not None or batch_sampler is not None):
            raise ArgumentError("DataLoader: an IterableDataset has an order of its own; shuffle inside it")
        if sampler is not None and shuffle:
            raise ArgumentError("DataLoader: a sampler says the order; leave shuffle out")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ArgumentError(
                "DataLoader: a batch_sampler says it all; leave out batch_size, shuffle, sampler, drop_last"
            )
        if batch_size is None and drop_last:
            raise ArgumentError("DataLoader: drop_last needs a batch_size")
        if sampler is None and not self._iterable:
            sampler = (
                RandomSampler(dataset, generator=self.generator) if shuffle else SequentialSampler(dataset)
            )
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None and not self._iterable:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = None if batch_size is None else _count("DataLoader: batch_size", batch_size)
        self.sampler, self.batch_sampler = sampler, batch_sampler
        whole = batch_size is None and batch_sampler is None
        self.collate_fn = collate_fn or (default_convert if whole else default_collate)

    def __iter__(self) -> Iterator[Any]:
        """Yield the batches of a new epoch."""
        if self.batch_sampler is not None:
            for numbers in self.batch_sampler:
                yield self.collate_fn([self.dataset[i] for i in numbers])
            return
        samples = iter(self.dataset) if self._iterable else (self.dataset[i] for i in self.sampler)
        if self.batch_size is None:
            yield from map(self.collate_fn, samples)
            return
        while batch := list(islice(samples, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield self.collate_fn(batch)

    def __len__(self) -> int:
        """Return the number of batches in an epoch; TypeError where the data set does not know its length."""
        if self.batch_sampler is not None:
            return len(self.batch_sampler)
        count = len(self.dataset if self._iterable else self.sampler)
        if self.batch_size is None:
            return count
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
