"""Data sets, samplers and the DataLoader: what is in a batch, in which order, and what starts anew."""

from collections import namedtuple

import numpy as np
import pytest

import minigan
from minigan import Tensor, nn
from minigan.errors import ArgumentError, DTypeError, ShapeError
from minigan.utils import data
from minigan.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    random_split,
)


class Squares(Dataset):
    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if not 0 <= index < self.count:
            raise IndexError(index)
        return np.full(2, index, np.float32), index * index


class Stream(IterableDataset):
    def __iter__(self):
        return iter(range(7))


def numbers(loader):
    return [batch.numpy().tolist() for batch in loader]


# ---- data sets ----------------------------------------------------------------------------------------


def test_tensors_by_number():
    x, y = np.arange(12, dtype=np.float32).reshape(6, 2), Tensor(np.arange(6))
    found = TensorDataset(x, y)
    a, b = found[4]
    assert len(found) == 6 and a.numpy().tolist() == [8.0, 9.0] and b.item() == 4 and b.dtype == np.int64
    assert found[1:3][0].shape == (2, 2)
    for wrong in ((), (x, Tensor(np.zeros(5))), (Tensor(1.0),)):
        with pytest.raises(ShapeError, match="one first size"):
            TensorDataset(*wrong)


def test_parts_and_sums_of_sets():
    both = Squares(3) + Squares(2)
    assert isinstance(both, ConcatDataset) and len(both) == 5
    assert [both[i][1] for i in range(5)] == [0, 1, 4, 0, 1] and both[-1][1] == 1 and both[-5][1] == 0
    for wrong in (5, -6):
        with pytest.raises(IndexError, match="of 5"):
            both[wrong]
    part = Subset(both, [4, 2])
    assert len(part) == 2 and part[1][1] == 4
    assert Subset(TensorDataset(np.arange(5)), [4, 2, 0])[[0, 2]][0].numpy().tolist() == [4, 0]
    for wrong in ([], [Stream()]):
        with pytest.raises(ArgumentError):
            ConcatDataset(wrong)


def test_bases_have_nothing():
    for what in (lambda: Dataset()[0], lambda: iter(IterableDataset()), lambda: iter(data.Sampler())):
        with pytest.raises(NotImplementedError):
            what()
    assert data.get_worker_info() is None


def test_a_split_shares_nothing():
    a, b = random_split(Squares(10), [7, 3], generator=0)
    assert (len(a), len(b)) == (7, 3) and sorted(a.indices + b.indices) == list(range(10))
    assert a.indices != sorted(a.indices)
    again = random_split(Squares(10), [7, 3], generator=np.random.default_rng(0))
    assert [part.indices for part in again] == [a.indices, b.indices]


@pytest.mark.parametrize("count, lengths, sizes", [
    (10, [0.5, 0.5], [5, 5]), (11, [0.8, 0.1, 0.1], [9, 1, 1]), (7, [0.3, 0.3, 0.4], [3, 2, 2]),
    (3, [1.0], [3]), (1, [1], [1]), (5, [0, 5], [0, 5]),
])  # fmt: skip
def test_fractions(count, lengths, sizes):
    assert [len(part) for part in random_split(Squares(count), lengths)] == sizes


@pytest.mark.parametrize("lengths", [[4, 5], [0.5, 0.4], [-1, 11], [10.5, -0.5], []])
def test_lengths_that_do_not_sum(lengths):
    with pytest.raises(ArgumentError, match="do not sum to 10 samples, nor to 1"):
        random_split(Squares(10), lengths)


# ---- samplers -----------------------------------------------------------------------------------------


def test_orders():
    assert list(SequentialSampler(range(4))) == [0, 1, 2, 3]
    shuffled = RandomSampler(range(20), generator=3)
    first, second = list(shuffled), list(shuffled)
    assert sorted(first) == sorted(second) == list(range(20)) and first != second and len(shuffled) == 20
    assert list(RandomSampler(range(20), generator=np.random.default_rng(3))) == first
    long = list(RandomSampler(range(3), num_samples=8, generator=0))
    assert len(long) == 8 and sorted(long[:3]) == sorted(long[3:6]) == [0, 1, 2]
    drawn = list(RandomSampler(range(3), replacement=True, num_samples=300, generator=0))
    assert {0, 1, 2} == set(drawn) and len(drawn) == 300 and all(drawn.count(i) > 70 for i in range(3))
    some = SubsetRandomSampler([5, 6, 9], generator=0)
    assert sorted(some) == [5, 6, 9] and len(some) == 3
    for wrong in (lambda: RandomSampler([]), lambda: RandomSampler([1], num_samples=0)):
        with pytest.raises(ArgumentError, match="num_samples"):
            wrong()


def test_weights():
    sampler = WeightedRandomSampler([0.0, 1.0, 3.0], 4000, generator=0)
    found = list(sampler)
    assert len(sampler) == len(found) == 4000 and 0 not in found
    assert found.count(2) / found.count(1) == pytest.approx(3.0, rel=0.2)
    assert sorted(WeightedRandomSampler(Tensor([1.0, 0.0, 2.0]), 2, replacement=False)) == [0, 2]
    for weights, count, replacement in (([0.0], 1, True), ([-1.0, 2.0], 1, True), ([1.0, 0.0], 2, False)):
        with pytest.raises(ArgumentError, match="WeightedRandomSampler"):
            WeightedRandomSampler(weights, count, replacement)


@pytest.mark.parametrize(
    "drop_last, expected", [(False, [[0, 1, 2], [3, 4, 5], [6]]), (True, [[0, 1, 2], [3, 4, 5]])]
)
def test_batches_of_numbers(drop_last, expected):
    sampler = BatchSampler(SequentialSampler(range(7)), 3, drop_last)
    assert list(sampler) == expected and len(sampler) == len(expected)


# ---- collating ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch, dtype, values", [
    ([1, 2], "i8", [1, 2]), ([0.5, 2.0], "f8", [0.5, 2.0]), ([True, False], "?", [True, False]),
    ([np.float32(1), np.float32(2)], "f4", [1, 2]), ([np.int8(1)], "i1", [1]),
    ([np.zeros(2, "f8"), np.ones(2, "f8")], "f8", [[0, 0], [1, 1]]),
    ([np.array(3), np.array(4)], "i8", [3, 4]),
    ([Tensor([1.0]), Tensor([2.0])], "f4", [[1], [2]]),
])  # fmt: skip
def test_numbers_and_arrays(batch, dtype, values):
    found = default_collate(batch)
    assert type(found) is Tensor and found.dtype == np.dtype(dtype) and found.numpy().tolist() == values


def test_what_holds_others():
    point = namedtuple("point", "x y")
    found = default_collate([{"a": (1, "x"), "p": point(1, [2.0])}, {"a": (3, "y"), "p": point(4, [5.0])}])
    assert found["a"][0].numpy().tolist() == [1, 3] and found["a"][1] == ("x", "y")
    assert type(found["a"]) is list and type(found["p"]) is point
    assert found["p"].x.numpy().tolist() == [1, 4] and found["p"].y[0].numpy().tolist() == [2.0, 5.0]
    assert default_collate([b"a", b"b"]) == [b"a", b"b"]


@pytest.mark.parametrize("batch, error, message", [
    ([np.zeros(2), np.zeros(3)], ShapeError, r"several shapes, \[\(2,\), \(3,\)\]"),
    ([Tensor([1.0]), Tensor(1.0)], ShapeError, "several shapes"),
    ([(1, 2), (1,)], ShapeError, "more and with fewer parts"),
    ([None], DTypeError, "got NoneType; pass a collate_fn"),
    ([np.array(["a"])], DTypeError, "expected numbers"),
])  # fmt: skip
def test_what_makes_no_batch(batch, error, message):
    with pytest.raises(error, match=message):
        default_collate(batch)


# ---- the loader ---------------------------------------------------------------------------------------


def test_a_plain_loader():
    loader = DataLoader(Squares(5), 2)
    x, y = next(iter(loader))
    assert x.shape == (2, 2) and x.dtype == np.float32 and y.numpy().tolist() == [0, 1]
    assert [len(y) for _, y in loader] == [2, 2, 1] and len(loader) == 3
    assert [len(y) for _, y in DataLoader(Squares(5), 2, drop_last=True)] == [2, 2]
    assert len(DataLoader(Squares(5), 2, drop_last=True)) == 2 and len(DataLoader(Squares(5))) == 5
    assert nn.Linear(2, 3)(x).shape == (2, 3)


def test_every_epoch_has_an_order_of_its_own_and_break_starts_anew():
    loader = DataLoader(range(50), 10, True, generator=0)
    epochs = [sum(numbers(loader), []) for _ in range(3)]
    assert all(sorted(epoch) == list(range(50)) for epoch in epochs) and epochs[0] != epochs[1] != epochs[2]
    broken = DataLoader(range(50), 10, True, generator=0)
    for batch in broken:
        assert batch.numpy().tolist() == epochs[0][:10]
        break
    assert sum(numbers(broken), []) == epochs[1]
    both = list(zip(loader, loader, strict=True))  # two epochs at a time
    assert len(both) == 5 and any((a.numpy() != b.numpy()).any() for a, b in both)


def test_manual_seed_sets_the_order():
    loader = DataLoader(range(30), 30, shuffle=True)
    minigan.manual_seed(5)
    first = numbers(loader)
    assert first != numbers(loader)
    minigan.manual_seed(5)
    assert numbers(loader) == first
    minigan.manual_seed(0)


def test_orders_from_samplers():
    assert numbers(DataLoader(range(9), 2, sampler=[8, 1, 4])) == [[8, 1], [4]]
    loader = DataLoader(range(9), batch_sampler=[[1, 2, 3], [0]])
    assert numbers(loader) == [[1, 2, 3], [0]] and len(loader) == 2 and loader.batch_size is None


def test_streams():
    loader = DataLoader(Stream(), 3)
    assert numbers(loader) == numbers(loader) == [[0, 1, 2], [3, 4, 5], [6]]
    assert numbers(DataLoader(Stream(), 3, drop_last=True)) == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(TypeError, match="len"):
        len(loader)

    class Counted(Stream):
        def __len__(self):
            return 7

    assert len(DataLoader(Counted(), 3)) == 3 and len(DataLoader(Counted(), 3, drop_last=True)) == 2


def test_sample_after_sample():
    found = list(DataLoader(Squares(3), batch_size=None))
    assert len(found) == len(DataLoader(Squares(3), batch_size=None)) == 3
    assert type(found[2][0]) is Tensor and found[2][1] == 4
    assert list(DataLoader(Stream(), None)) == list(range(7))
    assert list(DataLoader([{"a": np.float32(2)}, "x"], None))[0]["a"].dtype == np.float32


def test_a_collate_function_of_ones_own():
    assert list(DataLoader(range(5), 2, collate_fn=sum)) == [1, 5, 4]


def test_what_changes_nothing_is_accepted():
    loader = DataLoader(
        range(3), num_workers=2, pin_memory=True, timeout=5, worker_init_fn=print, persistent_workers=True,
        prefetch_factor=4, pin_memory_device="cuda", in_order=False, multiprocessing_context="spawn",
    )  # fmt: skip
    assert numbers(loader) == [[0], [1], [2]]


@pytest.mark.parametrize("settings, message", [
    ({"batch_size": 0}, "batch_size: expected a whole number of at least 1, got 0"),
    ({"batch_size": 2.5}, "batch_size"),
    ({"num_workers": -1}, "num_workers"),
    ({"sampler": [1], "shuffle": True}, "leave shuffle out"),
    ({"batch_sampler": [[1]], "batch_size": 2}, "says it all"),
    ({"batch_sampler": [[1]], "drop_last": True}, "says it all"),
    ({"batch_size": None, "drop_last": True}, "drop_last needs a batch_size"),
    ({"generator": "seed"}, "expected a NumPy Generator, a seed or None, got str"),
])  # fmt: skip
def test_settings_that_exclude_one_another(settings, message):
    with pytest.raises(ArgumentError, match=message):
        DataLoader(Squares(3), **settings)
    with pytest.raises(ArgumentError, match="order of its own"):
        DataLoader(Stream(), shuffle=True)


def test_a_net_learns_from_a_loader():
    x = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
    loader = DataLoader(
        TensorDataset(x, x @ np.array([[1.0], [-2.0], [0.5]], np.float32)), 16, True, generator=0
    )
    net = nn.Linear(3, 1, generator=np.random.default_rng(0))
    optimizer, loss = minigan.optim.SGD(net.parameters(), 0.1), nn.MSELoss()
    for _ in range(20):
        for a, b in loader:
            optimizer.zero_grad()
            loss(net(a), b).backward()
            optimizer.step()
    np.testing.assert_allclose(net.weight.numpy(), [[1.0, -2.0, 0.5]], atol=0.02)


def test_pytorchs_loader_gives_the_same_batches():
    torch = pytest.importorskip("torch")
    theirs = torch.utils.data
    samples = [
        {"x": np.full(2, i, np.float32), "y": (i, 0.5 * i, "t"), "z": [True, np.int16(i)]} for i in range(7)
    ]

    def plain(batch):
        if isinstance(batch, dict):
            return {key: plain(entry) for key, entry in batch.items()}
        if isinstance(batch, list):
            return [plain(entry) for entry in batch]
        return (batch.numpy().tolist(), str(batch.numpy().dtype)) if hasattr(batch, "numpy") else batch

    for settings in ({}, {"batch_size": 3}, {"batch_size": 3, "drop_last": True}, {"sampler": [3, 1, 1]}):
        mine, other = DataLoader(samples, **settings), theirs.DataLoader(samples, **settings)
        assert len(mine) == len(other)
        assert list(map(plain, mine)) == list(map(plain, other))
    for lengths in ([0.5, 0.5], [0.3, 0.3, 0.4], [2, 5]):
        a, b = random_split(samples, lengths), theirs.random_split(samples, lengths)
        assert [*map(len, a)] == [*map(len, b)]


def test_arguments_are_pytorchs():
    torch = pytest.importorskip("torch")
    from inspect import signature

    names = (
        "DataLoader RandomSampler SequentialSampler WeightedRandomSampler BatchSampler Subset ConcatDataset"
    )
    for name in [*names.split(), "SubsetRandomSampler"]:
        mine, other = (signature(getattr(module, name)).parameters for module in (data, torch.utils.data))
        assert list(mine) == list(other), name
        for one, two in zip(mine.values(), other.values(), strict=True):
            assert (one.default, one.kind) == (two.default, two.kind), (name, one)
