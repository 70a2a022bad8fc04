"""How a kernel is called: what `launch` checks, what it passes, and the grids."""

import numpy as np
import pytest

from minigan import backend
from minigan.errors import DTypeError, ShapeError
from minigan.kernels import cuda
from minigan.kernels.cuda import chains


def test_dense_is_what_fills_memory_in_some_order():
    memory = np.zeros(36)
    view = np.lib.stride_tricks.as_strided
    dense = [
        memory,
        memory[:0],
        memory.reshape(6, 6).T,
        memory.reshape(2, 3, 6).transpose(1, 2, 0),
        memory[5:],
    ]
    assert (
        all(map(cuda.dense, dense)) and cuda.dense(np.zeros(())) and cuda.dense(np.zeros((3, 1, 2))[:, ::-1])
    )
    gaps = [memory[::2], memory[::-1], memory.reshape(6, 6)[:, :3], memory.reshape(6, 6)[:3].T[:2]]
    overlaps = [view(memory, (3, 3), (16, 16)), np.broadcast_to(memory[:1], (3,))]
    assert not any(map(cuda.dense, [*gaps, *overlaps]))


def test_numbers_are_made_for_a_device_once(monkeypatch):
    made = []
    numbers = cuda._Whole(lambda number: made.append(number) or len(made), np.int32)
    monkeypatch.setattr(cuda, "KEPT", 2)
    assert [numbers[n] for n in (7, 7, 8, 7, 9, 7)] == [1, 1, 2, 1, 3, 4]
    assert made == [7, 8, 9, 7] and all(type(n) is np.int32 for n in made)
    with pytest.raises(OverflowError):
        numbers[2**31]


def test_what_a_kernel_cannot_know_is_refused(device, on_device):
    x = on_device(np.ones((4, 6)))
    vector = on_device(np.ones(3))
    with pytest.raises(ShapeError, match="affine_leaky: a kernel ignores strides"):
        cuda.launch("affine_leaky", cuda.lines(12), x, x, x[:, ::2], vector, vector, 1.0, 3, 12)
    with pytest.raises(ShapeError, match="leaky_grad: a kernel ignores strides"):
        cuda.launch("leaky_grad", cuda.lines(12), x, x, cuda.Flat(x[:, ::2]), x, 1.0, 12)
    with pytest.raises(TypeError, match=f"expected arrays on {device}, got one on numpy"):
        cuda.launch("leaky_grad", cuda.lines(24), x, x, cuda.Flat(np.ones((4, 6))), x, 1.0, 24)
    with pytest.raises(DTypeError, match="expected float64 or int32 arrays, got float32"):
        chains.affine_leaky(x, vector.astype(np.float32), vector)
    with pytest.raises(TypeError, match=f"expected arrays on {device}, got one on numpy"):
        cuda.launch("leaky_grad", cuda.lines(24), x, x, np.ones((4, 6)), x, 1.0, 24)


def test_the_host_refuses_what_a_gpu_would_do_wrong(device, on_device):
    """The checks that the stand-in for a GPU makes are there."""
    if device != "fake":
        return
    x = on_device(np.ones((4, 6)))
    with pytest.raises(AssertionError, match="1 accesses outside an array|3 accesses outside an array"):
        cuda.launch("leaky_grad", cuda.lines(25), x, x, x.copy(), x.copy(), 1.0, 25)
    with pytest.raises(AssertionError, match="are not what its parameters are"):
        cuda.launch("leaky_grad", cuda.lines(24), x, x, x.copy(), x.copy(), 24)


def test_grids_cover_all_and_keep_within_the_limits():
    for count in (1, 255, 256, 257, 2**31):
        (blocks,), (threads,) = cuda.lines(count)
        assert (blocks - 1) * threads < count <= blocks * threads and blocks < 2**31
    for rows, columns in ((1, 1), (5, 16), (7, 17), (1000, 48), (3, 4096)):
        (blocks,), (along, down) = cuda.table(rows, columns)
        assert (blocks - 1) * down < rows <= blocks * down and along * down == cuda.THREADS
        assert along >= min(columns, cuda.THREADS) and along & (along - 1) == 0


def test_kernels_are_for_floats_on_a_gpu_only(device, on_device):
    assert cuda.available(on_device(np.ones(1))) and not cuda.available(np.ones(1))
    assert not cuda.available(on_device(np.ones(1, np.float16))) and backend.of(np.ones(1)).kernels is None
