"""The loader: every picture once an epoch, in an order that can be taken up again."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigan.data.loader import Loader
from minigan.errors import ArgumentError, DataError


def numbered(count):
    return np.arange(count, dtype=np.float32)[:, None], np.arange(count)


sizes = st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n)))


@given(sizes=sizes, drop_last=st.booleans(), seed=st.integers(0, 9))
def test_an_epoch_is_every_picture_once(sizes, drop_last, seed):
    count, batch = sizes
    loader = Loader(*numbered(count), batch_size=batch, drop_last=drop_last, seed=seed)
    for _ in range(3):
        batches = list(loader)
        assert len(batches) == len(loader)
        for images, labels in batches:
            np.testing.assert_array_equal(images[:, 0], labels)
        lengths = [len(labels) for _, labels in batches]
        seen = np.concatenate([labels for _, labels in batches])
        assert len(set(seen)) == len(seen)
        if drop_last:
            assert set(lengths) == {batch} and len(seen) == count // batch * batch
        else:
            assert sorted(seen) == list(range(count))


def test_epochs_differ_and_seeds_differ():
    loader = Loader(*numbered(50), batch_size=50)
    first, second = list(loader)[0][1], list(loader)[0][1]
    other = next(iter(Loader(*numbered(50), batch_size=50, seed=1)))[1]
    assert not np.array_equal(first, second) and not np.array_equal(first, other)


def test_unshuffled_keeps_the_order():
    loader = Loader(*numbered(7), batch_size=3, shuffle=False, drop_last=False)
    assert [labels.tolist() for _, labels in loader] == [[0, 1, 2], [3, 4, 5], [6]]


@given(sizes=sizes, steps=st.integers(0, 60))
def test_a_saved_position_continues_exactly(sizes, steps):
    count, batch = sizes
    one = Loader(*numbered(count), batch_size=batch, drop_last=False, seed=3)
    for _ in range(steps):
        one.next_batch()
    state = json.loads(json.dumps(one.state_dict()))
    two = Loader(*numbered(count), batch_size=batch, drop_last=False, seed=3)
    two.load_state_dict(state)
    for _ in range(2 * len(one) + 1):
        np.testing.assert_array_equal(one.next_batch()[1], two.next_batch()[1])
    assert one.state_dict() == two.state_dict()


def test_rest_takes_up_what_is_left_of_the_epoch():
    one, two = (Loader(*numbered(10), batch_size=3) for _ in range(2))
    whole = [labels for _, labels in one]
    two.next_batch()
    for got, want in zip(two.rest(), whole[1:], strict=True):
        np.testing.assert_array_equal(got[1], want)
    assert (two.epoch, two.position) == (1, 0)


def test_every_for_starts_anew_and_the_last_batch_may_be_smaller():
    loader = Loader(*numbered(10), batch_size=3)
    for _ in loader:
        break
    whole = [labels for _, labels in loader]
    assert [len(labels) for labels in whole] == [3, 3, 3, 1] and len(loader) == 4
    assert sorted(np.concatenate(whole)) == list(range(10)) and loader.state_dict()["epoch"] == 2
    assert [len(labels) for _, labels in Loader(*numbered(10), batch_size=3, drop_last=True)] == [3, 3, 3]
    assert [len(labels) for _, labels in Loader(*numbered(3), batch_size=8)] == [3]


def test_without_labels():
    assert Loader(np.zeros((4, 1)), batch_size=2).next_batch()[1] is None


def test_a_batch_is_a_copy():
    images, _ = numbered(4)
    loader = Loader(images, batch_size=4, shuffle=False)
    loader.next_batch()[0][:] = 9
    assert images.max() == 3


@pytest.mark.parametrize(
    "count, options, error, words",
    [
        (0, {"batch_size": 1}, DataError, "empty"),
        (3, {"batch_size": 4, "drop_last": True}, DataError, "batch of 4 is larger than the set of 3"),
        (3, {"batch_size": 0}, ArgumentError, "batch_size"),
        (3, {"batch_size": True}, ArgumentError, "batch_size"),
        (3, {"batch_size": 2.0}, ArgumentError, "batch_size"),
        (3, {"batch_size": 1, "seed": -1}, ArgumentError, "seed"),
        (3, {"batch_size": 1, "labels": np.zeros(2)}, DataError, "3 images but 2 labels"),
    ],
)
def test_bad_options(count, options, error, words):
    with pytest.raises(error, match=words):
        Loader(np.zeros((count, 1)), **options)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"count": 11, "batch_size": 5}, "count 11, here 10; batch_size 5, here 3"),
        ({"seed": 1}, "seed 1, here 0"),
        ({"position": 4}, "position below 4"),
        ({"position": -1}, "position below 4"),
        ({"epoch": 0.5}, "epoch 0.5"),
        ({"extra": 1}, "expected a state with"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, words):
    loader = Loader(*numbered(10), batch_size=3)
    loader.next_batch()
    before = loader.state_dict()
    with pytest.raises(ArgumentError, match=words):
        loader.load_state_dict({**before, **change})
    assert loader.state_dict() == before
