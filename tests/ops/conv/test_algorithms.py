"""Every algorithm against the plain loops: random settings, layouts, types, shapes chosen for its edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigan.errors import ArgumentError
from minigan.ops.conv import naive, registry
from minigan.ops.conv.spec import ConvSpec, from_conv
from minigan.testing.strategies import LAYOUTS, conv_configs, in_layout

FAST = [name for name in registry.names() if name != "naive"]
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
            wanted = getattr(naive, function)(*given_arrays, spec)
            yield function, getattr(algorithm, function)(*given_arrays, spec), wanted


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
