"""Optimisers over flat chunks give what their rules give, whatever the chunks, the layouts and who moves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigan import Tensor, kernels, nn, optim
from minigan.kernels import parallel
from minigan.kernels.host import optim as walk

MAKERS = {
    "sgd": lambda ps: optim.SGD(ps, lr=0.1),
    "momentum": lambda ps: optim.SGD(ps, lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.1),
    "nesterov": lambda ps: optim.SGD(ps, lr=0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda ps: optim.RMSprop(ps, weight_decay=0.1),
    "centered": lambda ps: optim.RMSprop(ps, centered=True, momentum=0.5),
    "adam": lambda ps: optim.Adam(ps, weight_decay=0.1),
    "amsgrad": lambda ps: optim.Adam(ps, amsgrad=True),
    "adamw": lambda ps: optim.AdamW(ps, weight_decay=0.3),
}
SHAPES = [(3, 4), (2,), (), (5, 7), (2, 3, 4, 5), (1, 6)]


def leaf(*shape, seed=0, dtype=np.float32):
    return Tensor(np.random.default_rng(seed).normal(size=shape).astype(dtype), requires_grad=True)


def give(parameters, seed):
    generator = np.random.default_rng(seed)
    for p in parameters:
        p.grad = Tensor(generator.normal(size=p.shape).astype(p.dtype))


def laid_out(k, array):
    """In C order, channels last, as a strided view, or in Fortran order."""
    if array.ndim < 2:
        return array.copy()
    if k == 1:
        return np.ascontiguousarray(np.moveaxis(array, 1, -1)).transpose(
            0, array.ndim - 1, *range(1, array.ndim - 1)
        )
    if k == 2:
        wide = np.zeros((array.shape[0], 2 * array.shape[1], *array.shape[2:]), array.dtype)
        wide[:, ::2] = array
        return wide[:, ::2]
    return np.asfortranarray(array) if k == 3 else array.copy()


@pytest.mark.parametrize("name", MAKERS)
@given(data=st.data())
def test_the_walk_is_the_rule(name, data):
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    starts = [generator.normal(size=shape) for shape in SHAPES]
    layouts = data.draw(st.lists(st.integers(0, 3), min_size=len(SHAPES), max_size=len(SHAPES)))
    dtypes = data.draw(
        st.lists(st.sampled_from([np.float64, np.float32]), min_size=len(SHAPES), max_size=len(SHAPES))
    )
    twins = [
        [
            Tensor(laid_out(k, a.astype(d)), requires_grad=True)
            for k, a, d in zip(layouts, starts, dtypes, strict=True)
        ]
        for _ in range(2)
    ]
    optimizers = [MAKERS[name](twin) for twin in twins]
    usual, walk.CHUNK = walk.CHUNK, data.draw(st.sampled_from([7, 64, walk.CHUNK]))
    try:
        for step in range(5):
            moving = data.draw(st.lists(st.booleans(), min_size=len(SHAPES), max_size=len(SHAPES)))
            for twin in twins:
                give(twin, step)
                for p, moves in zip(twin, moving, strict=True):
                    p.grad = p.grad if moves else None
            if step == 3 and data.draw(st.booleans()):
                for optimizer in optimizers:
                    optimizer.load_state_dict(optimizer.state_dict())
            optimizers[0].step()
            with kernels.off():
                optimizers[1].step()
    finally:
        walk.CHUNK = usual
    for p, q in zip(*twins, strict=True):
        np.testing.assert_allclose(
            p.array,
            q.array,
            rtol=1e-4 if p.dtype == np.float32 else 1e-9,
            atol=1e-5 if p.dtype == np.float32 else 1e-12,
        )
    found, wanted = (optimizer.state_dict() for optimizer in optimizers)
    assert found["state"].keys() == wanted["state"].keys()
    for number, entry in found["state"].items():
        assert entry.keys() == wanted["state"][number].keys()
        for slot, value in entry.items():
            np.testing.assert_allclose(value, wanted["state"][number][slot], rtol=1e-3, atol=1e-5)


def test_the_result_does_not_depend_on_chunks_or_threads(monkeypatch):
    found = []
    before = parallel.threads()
    for chunk, threads in ((13, 1), (13, 3), (1 << 15, 1)):
        monkeypatch.setattr(walk, "CHUNK", chunk)
        parallel.set_threads(threads)
        parameters = [leaf(40, 5), leaf(7), leaf(3, 30)]
        optimizer = optim.Adam(parameters, lr=0.1)
        for step in range(3):
            give(parameters, step)
            optimizer.step()
        found.append(np.concatenate([p.array.ravel() for p in parameters]))
    parallel.set_threads(before)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_kernels_may_go_on_and_off_between_steps():
    p, q = leaf(30, 7, dtype=np.float64), leaf(30, 7, dtype=np.float64)
    mixed, plain = optim.Adam([p]), optim.Adam([q])
    for step in range(6):
        give([p], step), give([q], step)
        with kernels.off() if step % 2 else kernels.on():
            mixed.step()
        with kernels.off():
            plain.step()
    np.testing.assert_allclose(p.array, q.array, rtol=1e-10)


def test_parameters_with_other_counts_of_steps_share_no_chunk():
    """The bias correction of each is that of its own count."""
    late, early = leaf(3, dtype=np.float64), leaf(3, seed=1, dtype=np.float64)
    optimizer, alone = optim.Adam([early, late], lr=0.1), leaf(3, dtype=np.float64)
    other = optim.Adam([alone], lr=0.1)
    give([early], 0)
    optimizer.step()
    early.grad = None
    for step in range(3):
        give([early, late], step)
        alone.grad = late.grad
        optimizer.step()
        other.step()
    np.testing.assert_allclose(late.array, alone.array, rtol=1e-12)


@pytest.mark.parametrize("chunk", [5, 1 << 17])
def test_the_average_walks_as_it_is_defined(monkeypatch, chunk):
    monkeypatch.setattr(walk, "CHUNK", chunk)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 5))
    averages = [optim.EMA(net, decay=0.5), optim.EMA(net, decay=0.5)]
    for p in net.parameters():
        p.array = p.array + 1.0
    averages[0].update(net)
    with kernels.off():
        averages[1].update(net)
    found, wanted = (average.module.state_dict() for average in averages)
    for name, value in found.items():
        np.testing.assert_allclose(value, wanted[name], rtol=1e-6)
