"""Tiles of im2col: within their memory, enough for every thread, and cut by channels where rows are few."""

import numpy as np
import pytest

from minigan.kernels.conv import im2col, naive, rates
from minigan.ops.conv.spec import ConvSpec

LARGE = ConvSpec(8, 16, 64, 64, 16, 1, 1)  # 2^23 multiplications


def arrays(spec, dtype=np.float64):
    rng = np.random.default_rng(0)
    return tuple(rng.normal(size=s).astype(dtype) for s in (spec.x_shape, spec.weight_shape, spec.y_shape))


def test_one_thread_is_done_before_another_is_awake():
    assert rates.CALL / 2 < im2col.SMALL / rates.MACS < rates.CALL


def test_threads_are_used_from_small_on(workers, monkeypatch):
    workers(4)
    monkeypatch.setattr(im2col, "SMALL", LARGE.macs)
    assert len(im2col.tiles(LARGE, 4096)[0]) == 4
    monkeypatch.setattr(im2col, "SMALL", LARGE.macs + 1)
    assert im2col.tiles(LARGE, 4096) == ([(0, 8, 0, 64)], [(0, 16)])


@pytest.mark.parametrize("threads", (1, 2, 3))
@pytest.mark.parametrize("N, OH", ((1, 100), (3, 50), (40, 3), (1, 1)))
def test_tiles_fit_and_every_thread_has_as_many(threads, N, OH, workers, monkeypatch, times_covered):
    workers(threads)
    monkeypatch.setattr(im2col, "SMALL", 0)
    spec = ConvSpec(N, 4, OH, 300, 5, 1, 1)
    for fitting in (1, 7, 30, 1000):
        monkeypatch.setattr(im2col, "TILE", 1000 * fitting + 999)
        blocks, channels = im2col.tiles(spec, 1000)
        assert (times_covered(blocks, N, OH) == 1).all() and channels == [(0, 5)]
        assert max((n1 - n0) * (i1 - i0) for n0, n1, i0, i1 in blocks) <= fitting
        if N == 1 and fitting < OH:
            jobs = -(-OH // fitting)  # what the memory asks for, rounded up to a multiple of the threads
            assert jobs <= len(blocks) < jobs + threads
            assert len(blocks) % threads == 0 or fitting < 30


def test_a_tile_has_256_pixels_even_where_rows_are_long(workers, monkeypatch):
    workers(1)
    monkeypatch.setattr(im2col, "TILE", 1000)
    assert len(im2col.tiles(ConvSpec(1, 4, 128, 4, 5, 1, 1), 10**6)[0]) == 2  # of 64 rows of 4 pixels
    assert len(im2col.tiles(ConvSpec(1, 4, 6, 300, 5, 1, 1), 10**6)[0]) == 6
    assert len(im2col.tiles(ConvSpec(1, 4, 6, 4, 5, 1, 1), 10**6)[0]) == 1


@pytest.mark.parametrize(
    "pixels, O, shares", ((1023, 128, 2), (1024, 128, 1), (1023, 127, 1), (64, 1000, 2)), ids=str
)
def test_few_pixels_share_out_the_output_channels(pixels, O, shares, workers, monkeypatch):  # noqa: E741
    workers(2)
    monkeypatch.setattr(im2col, "SMALL", 0)
    blocks, channels = im2col.tiles(ConvSpec(1, 1, pixels, 1, O, 1, 1), 4)
    assert len(channels) == shares and channels[0][0] == 0 and channels[-1][1] == O
    assert len(blocks) == 3 - shares  # one thread's work each, either way


@pytest.mark.parametrize("stride", (1, 2))
def test_no_more_scratch_memory_than_a_tile(stride, taken, workers, monkeypatch):
    workers(2)
    spec = ConvSpec(2, 2, 24, 24, 3, 3, 3, stride=stride, padding=1)
    monkeypatch.setattr(im2col, "TILE", 9000)
    monkeypatch.setattr(im2col, "SMALL", 0)
    x, weight, g = arrays(spec)
    calls = {"forward": (x, weight), "input_grad": (g, weight), "weight_grad": (x, g)}
    for function, given in calls.items():
        taken.clear()
        found = getattr(im2col, function)(*given, spec)
        np.testing.assert_allclose(found, getattr(naive, function)(*given, spec), rtol=1e-9, atol=1e-9)
        sizes = [size for name, _, size in taken if name == "columns"]
        widest = max(256 * 9 * 3 * 8 if function == "input_grad" else 256 * 9 * 2 * 8, 9000)
        assert max(sizes) <= widest and len(sizes) > 1, function
        assert function == "weight_grad" or found.transpose(0, 2, 3, 1).flags.c_contiguous


def test_col2im_tiles_hold_some_images_or_some_rows_of_one(taken, jobs, workers, monkeypatch):
    workers(2)
    spec = ConvSpec(6, 3, 8, 8, 5, 4, 4, stride=2, padding=1)
    _, weight, g = arrays(spec)
    image = 16 * 48 * 8  # bytes of one image's columns
    wanted = naive.input_grad(g, weight, spec)
    for tile, count, largest in ((4 * image, 2, 3), (image, 6, 1), (image // 2, 6, 0.5), (1, 6, 0.25)):
        monkeypatch.setattr(im2col, "TILE", tile)
        taken.clear(), jobs.clear()
        np.testing.assert_allclose(im2col.input_grad(g, weight, spec), wanted, rtol=1e-12, atol=1e-12)
        assert jobs == [count]
        assert max(size for name, _, size in taken if name == "columns") == largest * image


def test_col2im_of_one_image_shares_out_its_channels(jobs, workers, taken):
    workers(2)
    spec = ConvSpec(1, 4, 8, 8, 5, 4, 4, stride=2, padding=1)
    _, weight, g = arrays(spec)
    found = im2col.input_grad(g, weight, spec)
    np.testing.assert_allclose(found, naive.input_grad(g, weight, spec), rtol=1e-12, atol=1e-12)
    assert jobs == [2] and {shape[-1] for _, shape, _ in taken} == {2}


@pytest.mark.parametrize(
    "spec, count",
    (
        (ConvSpec(2, 3, 20, 20, 4, 4, 3), 2),  # two rows of the kernel each
        (ConvSpec(2, 3, 20, 20, 4, 3, 3), 4),  # rows do not divide by two: twice as many shares of pixels
        (ConvSpec(1, 512, 40, 40, 512, 1, 1), 2),  # of a large weight no more sums than threads
        (ConvSpec(1, 512, 40, 40, 511, 1, 1), 4),
    ),
    ids=str,
)
def test_how_threads_share_a_weight_gradient(spec, count, jobs, workers, monkeypatch):
    workers(2)
    monkeypatch.setattr(im2col, "TILE", 1)
    x, _, g = arrays(spec, np.float32)
    monkeypatch.setattr(im2col, "SMALL", spec.macs)
    threaded = im2col.weight_grad(x, g, spec)
    assert jobs == [count]
    monkeypatch.setattr(im2col, "SMALL", spec.macs + 1)
    np.testing.assert_allclose(im2col.weight_grad(x, g, spec), threaded, rtol=1e-3, atol=1e-3)
    assert jobs[1] == 1


def test_the_mirror_of_a_convolution():
    assert im2col.mirrored(ConvSpec(1, 2, 5, 5, 3, 3, 3, stride=(1, 2))) is None
    assert im2col.mirrored(ConvSpec(1, 2, 5, 5, 3, 1, 3, padding=(1, 0))) is None
    spec = ConvSpec(2, 4, 9, 8, 6, 3, 5, padding=(2, 1), dilation=(1, 2))
    turned = im2col.mirrored(spec)
    assert turned.x_shape == spec.y_shape and turned.y_shape == spec.x_shape
    assert turned.padding == (0, 7) and im2col.mirrored(turned) == spec
