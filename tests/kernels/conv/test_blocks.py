"""How planar, mec, shifted, depthwise and both Winograds cut their work: into jobs and within memory."""

import numpy as np
import pytest

from minigan.kernels.conv import depthwise, mec, naive, planar, registry, shifted, winograd, winograd1d
from minigan.ops.conv.spec import ConvSpec

LIKE = np.zeros(1, np.float32)


def arrays(spec):
    rng = np.random.default_rng(0)
    x, weight, g = (rng.normal(size=s) for s in (spec.x_shape, spec.weight_shape, spec.y_shape))
    return {"forward": (x, weight), "input_grad": (g, weight), "weight_grad": (x, g)}


CUTTERS = {  # blocks of output rows, the bytes that one row takes
    "planar": (planar, lambda s: planar.blocks_of(s, s.OH, LIKE), lambda s: s.OW * s.C * s.KH * s.KW * 4),
    "mec": (
        mec,
        lambda s: mec.blocks_of(s, LIKE),
        lambda s: np.prod(mec.classes(s)) * s.stride[1] * s.KH * s.C * 4,
    ),
    "shifted": (shifted, lambda s: shifted.blocks_of(s, LIKE), lambda s: s.W * s.C * s.stride[0] * 4),
}


@pytest.mark.parametrize("name", CUTTERS)
@pytest.mark.parametrize("threads", (1, 2, 3))
def test_blocks_fit_a_tile_and_the_threads_share_them(name, threads, workers, monkeypatch, times_covered):
    module, cut, row_bytes = CUTTERS[name]
    workers(threads)
    for spec in (
        ConvSpec(12, 3, 9, 10, 4, 3, 5, stride=(1, 2), padding=1),
        ConvSpec(1, 3, 61, 10, 4, 2, 3, stride=(1, 2)),
    ):
        rows, each = spec.N * spec.OH, int(row_bytes(spec))
        for tile in (each * rows, each * rows - 1, each * 7, each, 1):
            monkeypatch.setattr(module, "TILE", tile)
            blocks = cut(spec)
            assert (times_covered(blocks, spec.N, spec.OH) == 1).all()
            widest = max((n1 - n0) * (i1 - i0) for n0, n1, i0, i1 in blocks)
            assert widest * each <= max(tile, each) + each  # up to a row
            asked = threads * -(-rows * each // (threads * tile))  # a multiple of the threads
            assert widest == max(1, -(-rows // asked)) or spec.N > 1 and widest <= max(1, -(-rows // asked))


def test_mec_needs_one_line_at_least(workers):
    workers(2)
    assert mec.blocks_of(ConvSpec(0, 3, 9, 10, 4, 3, 3), LIKE) == []
    assert shifted.blocks_of(ConvSpec(0, 3, 9, 10, 4, 3, 3), LIKE) == []


def test_classes_of_patches_do_not_overlap():
    for spec in (
        ConvSpec(1, 1, 5, 20, 1, 1, 3), ConvSpec(1, 1, 5, 20, 1, 1, 4, stride=2),
        ConvSpec(1, 1, 5, 23, 1, 1, 5, stride=3)
    ):  # fmt: skip
        R, Q = mec.classes(spec)
        assert R * spec.stride[1] >= spec.KW > (R - 1) * spec.stride[1]
        width = R * Q * spec.stride[1]
        needed = (spec.OW - 1) * spec.stride[1] + spec.KW
        assert needed <= width < needed + R * spec.stride[1]


@pytest.mark.parametrize("name, taker", (("planar", "columns"), ("mec", "lines")))
def test_scratch_memory_stays_within_a_tile(name, taker, taken, workers, monkeypatch):
    workers(2)
    module, _, row_bytes = CUTTERS[name]
    spec = ConvSpec(3, 2, 16, 9, 3, 3, 3, padding=1)
    budget = 6 * 2 * int(row_bytes(spec))  # six rows of float64
    monkeypatch.setattr(module, "TILE", budget)
    extra = 0 if name == "planar" else 3 * 3 * 2 * 8  # where the last line's patches run on
    for function, given in arrays(spec).items():
        taken.clear()
        found = getattr(module, function)(*given, spec)
        np.testing.assert_allclose(found, getattr(naive, function)(*given, spec), rtol=1e-9, atol=1e-9)
        sizes = [size for what, _, size in taken if what == taker]
        whole = function == "input_grad" and name == "planar"  # its tiles are 4 KH lines at least
        assert (
            len(sizes) > 1
            and max(sizes) <= (3 if whole else 1) * budget * (1.5 if name == "mec" else 1) + extra
        )


@pytest.mark.parametrize("name", ("planar", "shifted", "mec", "depthwise"))
def test_jobs_for_two_threads(name, jobs, workers, monkeypatch):
    """Weight gradients keep a sum a job: two a thread (mec one), however many blocks there are."""
    workers(2)
    monkeypatch.setattr(planar, "TILE", 200)
    monkeypatch.setattr(shifted, "TILE", 200)
    monkeypatch.setattr(mec, "TILE", 200)
    spec = ConvSpec(4, 4, 6, 5, 4, 3, 3, padding=1, groups=4 if name == "depthwise" else 1)
    expected = {"planar": 4, "shifted": 4, "mec": 2, "depthwise": len(shifted.blocks_of(spec, np.zeros(1)))}
    algorithm = registry.get(name)
    algorithm.weight_grad(*arrays(spec)["weight_grad"], spec)
    assert jobs == [expected[name]] and expected["depthwise"] > 4
    if name in ("shifted", "depthwise"):
        jobs.clear()
        algorithm.input_grad(*arrays(spec)["input_grad"], spec)
        assert jobs == [4]


def test_one_tap_takes_no_copies(taken, jobs, workers):
    workers(2)
    spec = ConvSpec(4, 4, 5, 6, 7, 1, 1)
    for function, given in arrays(spec).items():
        last = [np.ascontiguousarray(a.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2) for a in given]
        found = getattr(shifted, function)(*last, spec)
        np.testing.assert_allclose(found, getattr(naive, function)(*given, spec), rtol=1e-12, atol=1e-12)
    assert not taken and jobs == [2, 4, 2]  # input gradients: lines of all images, two jobs a thread
    for other in (
        ConvSpec(3, 4, 5, 6, 7, 1, 2), ConvSpec(3, 4, 5, 6, 7, 2, 1),
        ConvSpec(3, 4, 5, 6, 7, 1, 1, stride=(2, 1)), ConvSpec(3, 4, 5, 6, 7, 1, 1, stride=(1, 2)),
        ConvSpec(3, 4, 5, 6, 7, 1, 1, padding=(0, 1)),
    ):  # fmt: skip
        given = arrays(other)["input_grad"]
        np.testing.assert_allclose(
            shifted.input_grad(*given, other), naive.input_grad(*given, other), atol=1e-9
        )


@pytest.mark.parametrize("name", ("planar", "mec", "shifted", "depthwise", "winograd", "winograd1d", "fft"))
def test_images_come_out_channels_last(name):
    spec = ConvSpec(2, 3, 9, 8, 3, 3, 3, padding=1, groups=3 if name == "depthwise" else 1)
    for function in ("forward", "input_grad"):
        found = getattr(registry.get(name), function)(*arrays(spec)[function], spec)
        last = found.transpose(0, 2, 3, 1).flags.c_contiguous
        assert last != (name == "planar" and function == "input_grad")  # which leaves planes of few channels


def test_planes_of_a_depthwise_job(taken, workers, monkeypatch):
    workers(1)
    spec = ConvSpec(3, 4, 6, 5, 4, 3, 3, padding=1, groups=4)
    depthwise.input_grad(*arrays(spec)["input_grad"], spec)
    assert {shape for name, shape, _ in taken if name == "whole"} == {(1, 8, 7, 4)}  # one image, padded
    assert {shape for name, shape, _ in taken if name == "product"} == {(1, 6, 5, 4)}


@pytest.mark.parametrize("threads", (1, 2, 3))
@pytest.mark.parametrize("N, H, W", ((1, 64, 64), (7, 20, 36), (60, 4, 8)))
@pytest.mark.parametrize("stride", (1, 2))
def test_winograd_s_blocks_of_tiles(threads, N, H, W, stride, workers, monkeypatch, times_covered):
    workers(threads)
    spec = ConvSpec(N, 5, H, W, 7, 2 * stride, 2 * stride, stride=stride, padding=stride // 2)
    for plan in winograd.plans(spec, "forward") + winograd.plans(spec, "input_grad"):
        each, total = plan.n**2 * max(plan.Cin, plan.Cout) * 4, plan.N * plan.TH * plan.TW
        for least, fits in ((1, 1), (1, 50), (10, 3), (1, 10**6)):
            monkeypatch.setattr(winograd, "LEAST", least)
            blocks = winograd.tile_blocks(plan, fits * each)
            assert (times_covered(blocks, N, plan.TH) == 1).all()
            widest = max((n1 - n0) * (t1 - t0) for n0, n1, t0, t1 in blocks) * plan.TW
            few = total < threads * least and plan.spread == 1
            count = (
                -(-total // max(least, fits)) if few else threads * -(-total // (threads * max(least, fits)))
            )
            assert widest <= max(plan.TW, max(least, fits))
            assert widest <= max(plan.TW, -(-total // count))
            rows = max(1, -(-total // count) // plan.TW)  # of tiles, as many as that makes
            several = -(-N // max(1, rows // plan.TH))
            assert len(blocks) == (several if rows >= plan.TH else N * -(-plan.TH // rows))


def test_winograd_with_few_tiles_shares_out_the_channels(jobs, workers):
    workers(2)
    for O, spread, count in ((64, 1, 2), (63, 1, 1)):  # noqa: E741
        spec = ConvSpec(1, 3, 8, 8, O, 3, 3, padding=1)
        plan = winograd.best_plan(spec, "forward")
        assert plan.spread == spread and len(winograd.tile_blocks(plan, winograd.TILE)) == 1
        x, weight = arrays(spec)["forward"]
        prepared = winograd.prepare(weight, spec, "forward", plan)
        jobs.clear()
        found = winograd.forward(x, weight, spec, prepared)
        assert jobs == [count]
        np.testing.assert_allclose(found, naive.forward(x, weight, spec), rtol=1e-9, atol=1e-9)


def test_a_plan_s_tiles_cover_the_image_and_no_tile_is_idle():
    for k, stride, padding in ((3, 1, 1), (2, 1, 0), (4, 2, 1), (5, 2, 2)):
        spec = ConvSpec(2, 3, 17, 22, 4, k, k, stride=stride, padding=padding)
        for function, (height, width) in (("forward", (spec.OH, spec.OW)), ("input_grad", (spec.H, spec.W))):
            plans = winograd.plans(spec, function)
            assert [plan.m for plan in plans] == [2, 3, 4]
            for plan in plans:
                side = plan.m * plan.spread
                assert (plan.TH - 1) * side < height + plan.crop[0] <= plan.TH * side
                assert (plan.TW - 1) * side < width + plan.crop[1] <= plan.TW * side
                assert plan.n == plan.m + -(-k // stride) - 1 and max(plan.crop) < stride


@pytest.mark.parametrize(
    "N, lines, tiles, megabytes, threads, images, parts",
    (
        (8, 16, 8, 1, 2, 4, 1),  # 8 MB in tiles of 3: three jobs, four for two threads
        (1, 64, 64, 10, 2, 1, 4),  # one image: its lines in four parts
        (3, 64, 64, 4, 2, 3, 2),  # four jobs of three images are six
        (1, 16, 16, 30, 1, 1, 2),  # no more jobs than products of 128 rows
        (2, 4, 4, 30, 2, 2, 1),
        (1, 4, 4, 30, 1, 1, 1),
    ),
)
def test_winograd1d_s_jobs(N, lines, tiles, megabytes, threads, images, parts, workers):
    workers(threads)
    spec = ConvSpec(N, 4, 8, 8, 4, 3, 3, padding=1)
    blocks = winograd1d.blocks_of(spec, lines, tiles, megabytes << 20)
    assert len(blocks) == images * parts == len(set(blocks))
    seen = np.zeros((N, lines), int)
    for (n0, n1), (i0, i1) in blocks:
        seen[n0:n1, i0:i1] += 1
    assert (seen == 1).all()


@pytest.mark.parametrize("function", ("forward", "input_grad"))
def test_winograd1d_with_few_rows_shares_out_the_channels(function, jobs, workers, monkeypatch):
    workers(2)
    monkeypatch.setattr(winograd1d, "best_size", lambda *_, **__: 4)
    channels = "O" if function == "forward" else "C"
    for wide, W, count in ((128, 12, 2), (127, 12, 2), (128, 64, 4)):
        sizes = {"N": 1, "C": 2, "O": 2, "H": 16, "W": W, "KH": 3, "KW": 3, "padding": (1, 1)}
        spec = ConvSpec(**{**sizes, channels: wide})
        monkeypatch.setattr(winograd1d, "TILE", 1 if count == 4 else 3 << 20)
        image, weight = arrays(spec)[function]
        prepared = winograd1d.prepare(weight, spec, function, 4)
        jobs.clear()
        found = []
        real = winograd1d.gathered

        def gathered(image, block, top, left, steps, counts, m, r, real=real, found=found):
            found.append(counts[0])
            return real(image, block, top, left, steps, counts, m, r)

        monkeypatch.setattr(winograd1d, "gathered", gathered)
        getattr(winograd1d, function)(image, weight, spec, prepared)
        monkeypatch.setattr(winograd1d, "gathered", real)
        assert jobs == [2]
        all_lines = min(found) >= 18
        assert all_lines == (count == 2 and wide == 128), (wide, found)


def test_winograd1d_s_weight_gradient_transforms_tile_by_tile(jobs, workers, monkeypatch):
    workers(2)
    spec = ConvSpec(6, 3, 8, 8, 4, 3, 3, padding=1)
    x, g = arrays(spec)["weight_grad"]
    n = winograd1d.best_size(spec, "weight_grad") + 2
    memory = 6 * n * 10 * -(-8 // (n - 2)) * 3 * 8  # ten lines of transformed cells an image
    for tile, count in ((memory, 2), (memory // 4, 4), (memory // 4 + 1, 4), (memory // 5, 6), (1, 6)):
        monkeypatch.setattr(winograd1d, "TILE", tile)
        jobs.clear()
        winograd1d.weight_grad(x, g, spec)
        assert jobs[0] == count and jobs[1] == 3 * n
