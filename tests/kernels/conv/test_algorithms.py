"""Every algorithm against the plain loops: random settings, layouts, types, shapes chosen for its edges."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigan.errors import ArgumentError
from minigan.kernels import blas, workspace
from minigan.kernels.conv import im2col, mec, naive, planar, registry, shifted, winograd, winograd1d
from minigan.ops.conv.spec import ConvSpec, from_conv
from minigan.testing.strategies import LAYOUTS, conv_configs, in_layout

FAST = [name for name in registry.names() if name != "naive" and not registry.get(name).cuda]
# Where algorithms change their mind: tiles that do not divide, kernels made for one, one of a thing.
EDGES = [
    ConvSpec(2, 3, 6, 7, 4, 3, 3, padding=1),
    ConvSpec(1, 2, 9, 5, 3, 3, 3, padding=0),
    ConvSpec(2, 2, 4, 13, 2, 3, 3, padding=2),
    ConvSpec(1, 1, 1, 1, 1, 3, 3, padding=1),
    ConvSpec(2, 3, 8, 6, 4, 4, 4, stride=2, padding=1),
    ConvSpec(1, 3, 7, 9, 2, 4, 4, stride=2, padding=1),
    ConvSpec(2, 2, 9, 8, 3, 4, 4, stride=2, padding=0),
    ConvSpec(2, 3, 5, 4, 4, 1, 1),
    ConvSpec(5, 3, 4, 3, 7, 4, 3),
    ConvSpec(2, 9, 5, 6, 2, 3, 4, padding=(1, 2)),
    ConvSpec(1, 2, 6, 5, 3, 2, 3, stride=(3, 4), padding=(1, 2)),
    ConvSpec(1, 3, 5, 4, 4, 1, 1, stride=2),
    ConvSpec(1, 2, 12, 11, 2, 9, 7, padding=(4, 3)),
    ConvSpec(1, 2, 5, 5, 3, 2, 2, stride=3),
    ConvSpec(2, 4, 5, 6, 4, 3, 3, padding=1, groups=4),
    ConvSpec(1, 2, 5, 6, 6, 3, 2, stride=(2, 1), padding=1, dilation=(1, 2), groups=2),
    ConvSpec(0, 3, 6, 6, 4, 3, 3, padding=1),
    ConvSpec(1, 2, 7, 8, 2, 3, 3, padding=2, dilation=2),
]


def draw(spec, dtype=np.float64, seed=0):
    generator = np.random.default_rng(seed)
    return tuple(
        generator.normal(size=shape).astype(dtype)
        for shape in (spec.x_shape, spec.weight_shape, spec.y_shape)
    )


def pairs(spec, algorithm, x, weight, g):
    """(function, its result, the loops' result) for each function that the algorithm supports."""
    arguments = {"forward": (x, weight), "input_grad": (g, weight), "weight_grad": (x, g)}
    for function, given_arrays in arguments.items():
        if not algorithm.supports(spec, function):
            yield (
                function,
                getattr(algorithm, function)(*given_arrays, spec),
                by_loops(function, spec, given_arrays),
            )


@cache
def _by_loops(function, spec, dtype, first, second):
    shapes = {"forward": (spec.x_shape, spec.weight_shape), "input_grad": (spec.y_shape, spec.weight_shape)}
    pair = shapes.get(function, (spec.x_shape, spec.y_shape))
    arrays = [np.frombuffer(b, dtype).reshape(s) for b, s in zip((first, second), pair, strict=True)]
    return getattr(naive, function)(*arrays, spec)


def by_loops(function, spec, arrays):
    """The oracle's result, worked out once for every algorithm."""
    return _by_loops(function, spec, arrays[0].dtype, *(array.tobytes() for array in arrays))


def assert_close(got, wanted, bound=1e-10):
    assert got.shape == wanted.shape and got.dtype == wanted.dtype
    scale = max(np.abs(wanted).max(initial=0), 1e-30)
    assert np.abs(got - wanted).max(initial=0) <= bound * scale


@pytest.mark.parametrize("name", FAST)
@given(config=conv_configs(), seed=st.integers(0, 99))
def test_random_settings(name, config, seed):
    spec = from_conv(config.x_shape, config.weight_shape, **config.kwargs)
    for _, got, wanted in pairs(spec, registry.get(name), *draw(spec, seed=seed)):
        assert_close(got, wanted)


@pytest.mark.parametrize("spec", EDGES, ids=str)
def test_edges(spec):
    arrays = draw(spec)
    for name in FAST:
        for _, got, wanted in pairs(spec, registry.get(name), *arrays):
            assert_close(got, wanted)


@pytest.mark.parametrize("name", FAST)
def test_supports_something_of_every_function(name):
    for function in registry.FUNCTIONS:
        assert any(not registry.get(name).supports(spec, function) for spec in EDGES)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_memory_layout(layout):
    for spec in (EDGES[0], EDGES[4], EDGES[7], EDGES[9], EDGES[11]):
        arrays = [in_layout(array, layout) for array in draw(spec)]
        for name in FAST:
            for _, got, wanted in pairs(spec, registry.get(name), *arrays):
                assert_close(got, wanted)


@pytest.mark.parametrize("name", FAST)
def test_float32_stays_float32_and_accurate(name):
    for spec in EDGES:
        for _, got, wanted in pairs(spec, registry.get(name), *draw(spec, np.float32)):
            assert got.dtype == np.float32
            assert_close(got, wanted, 1e-5)


TILED = (im2col, mec, planar, shifted, winograd, winograd1d)


@pytest.mark.parametrize("unpacked", (1, 600))
@pytest.mark.parametrize("threads", ("1", "3"))
def test_many_small_tiles_and_any_number_of_threads(monkeypatch, threads, unpacked):
    monkeypatch.setenv("MINIGAN_THREADS", threads)
    monkeypatch.setattr(blas, "UNPACKED", unpacked)  # products in one, or in blocks of a few rows
    monkeypatch.setattr(blas, "SMALL_KERNELS", (blas.core(),))  # whatever the processor
    monkeypatch.setattr(blas, "LANES", 8)
    monkeypatch.setattr(winograd, "ALL", 3000)
    for module in TILED:
        monkeypatch.setattr(module, "TILE", 600)
    monkeypatch.setattr(winograd, "LEAST", 1)
    monkeypatch.setattr(winograd1d, "ROWS", 1)
    for spec in (
        *EDGES[:9],
        ConvSpec(3, 2, 9, 4, 70, 3, 3, padding=1),
        ConvSpec(3, 2, 13, 9, 3, 5, 4, stride=2),
    ):
        arrays = draw(spec)
        for name in FAST:
            for _, got, wanted in pairs(spec, registry.get(name), *arrays):
                assert_close(got, wanted)


def test_without_openblas_jobs_run_one_after_another(monkeypatch):
    monkeypatch.setattr(blas, "_thread_calls", lambda: None)
    monkeypatch.setenv("MINIGAN_THREADS", "2")
    assert blas.workers() == 1
    with blas.single():
        for name in FAST:
            for _, got, wanted in pairs(EDGES[0], registry.get(name), *draw(EDGES[0])):
                assert_close(got, wanted)


def test_blas_gets_its_threads_back(monkeypatch):
    calls = blas._thread_calls()
    if calls is None:
        pytest.skip("NumPy's BLAS is not OpenBLAS")
    monkeypatch.setenv("MINIGAN_THREADS", "2")
    before, during = calls[0](), []
    blas.run([lambda: during.append(calls[0]())] * 4)
    assert during == [1] * 4 and calls[0]() == before
    with pytest.raises(ZeroDivisionError):
        blas.run([lambda: 1 // 0] * 2)
    assert calls[0]() == before


@pytest.mark.parametrize("name", FAST)
def test_the_same_bits_every_time(monkeypatch, name):
    """Which thread does which tile is left to chance; the result must not be."""
    monkeypatch.setenv("MINIGAN_THREADS", "3")
    spec = ConvSpec(7, 3, 12, 10, 5, 3, 3, padding=1)
    arrays = draw(spec, np.float32)
    for module in TILED:
        monkeypatch.setattr(module, "TILE", 600)
    runs = [[got for _, got, _ in pairs(spec, registry.get(name), *arrays)] for _ in range(3)]
    for again in runs[1:]:
        for first, second in zip(runs[0], again, strict=True):
            np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("m", (2, 3, 4))
@pytest.mark.parametrize("r", (2, 3))
def test_winograd_matrices_are_the_identity_they_claim(m, r):
    """A^T [(G w) * (B^T d)] is the correlation of d with w, exactly, in fractions."""
    AT, G, BT = (np.array(matrix) for matrix in winograd.matrices(m, r))
    generator = np.random.default_rng(0)
    d, w = (generator.integers(-9, 9, size).astype(object) for size in (m + r - 1, r))
    wanted = [sum(d[i + k] * w[k] for k in range(r)) for i in range(m)]
    assert (AT @ ((G @ w) * (BT @ d)) == wanted).all()


@pytest.mark.parametrize("k, stride", ((3, 1), (4, 2)))
def test_winograd_float32_error(k, stride):
    """At the size of a real layer, every tile size is within 3e-6 of the largest value."""
    spec = ConvSpec(1, 64, 18, 22, 48, k, k, stride=stride, padding=1)
    x, weight, g = draw(spec, np.float32)
    wide = [array.astype(np.float64) for array in (x, weight, g)]
    for function, image, exact in (("forward", x, wide[0]), ("input_grad", g, wide[2])):
        wanted = getattr(im2col, function)(exact, wide[1], spec)
        for plan in winograd.plans(spec, function):
            prepared = winograd.prepare(weight, spec, function, plan)
            got = getattr(winograd, function)(image, weight, spec, prepared)
            assert np.abs(got - wanted).max() <= 3e-6 * np.abs(wanted).max()
        for m in winograd1d.SIZES:
            prepared = winograd1d.prepare(weight, spec, function, m)
            got = getattr(winograd1d, function)(image, weight, spec, prepared)
            assert np.abs(got - wanted).max() <= 3e-6 * np.abs(wanted).max()
    wanted = im2col.weight_grad(wide[0], wide[2], spec)
    for module in (winograd, winograd1d):
        got = module.weight_grad(x, g, spec)
        assert np.abs(got - wanted).max() <= 3e-6 * np.abs(wanted).max()


def test_workspace_is_kept_and_can_be_given_back():
    like = np.zeros(1, np.float32)
    first = workspace.take(like, "test", (3, 4))
    assert np.shares_memory(first, workspace.take(like, "test", (2, 2)))
    assert not np.shares_memory(first, workspace.take(like.astype(np.float64), "test", (2, 2)))
    workspace.clear()
    assert not np.shares_memory(first, workspace.take(like, "test", (3, 4)))


@pytest.mark.parametrize("name", FAST)
def test_results_are_fresh_and_inputs_untouched(name):
    """A second call must not overwrite the first one's result: workspaces stay inside."""
    for spec in EDGES:
        first, second = draw(spec, seed=1), draw(spec, seed=2)
        before = [array.copy() for array in first]
        kept = [(f, got, got.copy()) for f, got, _ in pairs(spec, registry.get(name), *first)]
        for _ in pairs(spec, registry.get(name), *second):
            pass
        for _, got, copy in kept:
            np.testing.assert_array_equal(got, copy)
            assert got.flags.writeable
            assert not any(np.shares_memory(got, array) for array in first)
        for array, copy in zip(first, before, strict=True):
            np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("name", FAST)
def test_prepared_weight_gives_the_same(name):
    algorithm = registry.get(name)
    for spec in EDGES if algorithm.prepare else ():
        x, weight, g = draw(spec)
        for function, image in (("forward", x), ("input_grad", g)):
            if not algorithm.supports(spec, function):
                prepared = algorithm.prepare(weight, spec, function)
                run = getattr(algorithm, function)
                assert_close(run(image, weight, spec, prepared), run(image, weight, spec))


@pytest.mark.parametrize("spec", EDGES, ids=str)
def test_auto_always_finds_one_and_says_why(spec):
    for function in registry.FUNCTIONS:
        chosen = registry.choose(spec, function)
        assert chosen.name != "naive"
        text = registry.explain(spec, function)
        assert f"-> {chosen.name}" in text and all(name in text for name in registry.names())


def test_use_forces_an_algorithm_and_falls_back_unless_strict():
    assert registry.choose(EDGES[0]).name != "naive"
    with registry.use("naive"):
        assert registry.choose(EDGES[0]).name == "naive"
        assert "forced" in registry.explain(EDGES[0])
        with registry.use("auto"):
            assert registry.choose(EDGES[0]).name != "naive"
    with registry.use("grouped"):
        assert registry.choose(EDGES[0]).name != "grouped"
    with registry.use("grouped", strict=True), pytest.raises(ArgumentError, match="more than one group"):
        registry.choose(EDGES[0])
    with pytest.raises(ArgumentError, match="known: auto, .*naive"), registry.use("fastest"):
        pass
    with pytest.raises(ArgumentError, match="already registered"):
        registry.register(registry.get("naive"))
