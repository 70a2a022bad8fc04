"""Estimates count what is really done: the multiplications made, in proportion the cells copied.

How long each takes is measured (test_costs.py); here the seconds of `rates` are replaced by counters.
"""

import numpy as np
import pytest

from minigan.kernels.conv import im2col, mec, planar, rates, registry, shifted, winograd, winograd1d
from minigan.ops.conv.spec import ConvSpec

SPECS = {
    "3x3": ConvSpec(3, 4, 12, 20, 6, 3, 3, padding=1),
    "5x4": ConvSpec(2, 6, 14, 11, 3, 5, 4, padding=(2, 1)),
    "stride": ConvSpec(2, 3, 18, 22, 7, 4, 4, stride=2, padding=1),
    "oblong stride": ConvSpec(2, 5, 12, 17, 4, 3, 5, stride=(1, 2), padding=(1, 2)),
    "one tap": ConvSpec(2, 5, 12, 9, 4, 1, 1),
}
MODULES = {"im2col": im2col, "mec": mec, "planar": planar, "shifted": shifted}


@pytest.fixture
def counted(monkeypatch):
    """The (cells, run) of every product, copy and add of an estimate, whose seconds are zero."""
    counts = {"product": [], "copy": [], "add": []}
    for name, into in counts.items():
        monkeypatch.setattr(rates, name, lambda cells, run, into=into: into.append((cells, run)) or 0.0)
    return counts


def run(module, function, spec):
    """One of the three functions on random numbers."""
    rng = np.random.default_rng(0)
    x, weight, g = (rng.normal(size=shape) for shape in (spec.x_shape, spec.weight_shape, spec.y_shape))
    given = {"forward": (x, weight), "input_grad": (g, weight), "weight_grad": (x, g)}[function]
    return getattr(module, function)(*given, spec)


def multiplications(pairs):
    return sum(rows * inner * columns for (rows, inner), (_, columns) in pairs)


@pytest.mark.parametrize("function", registry.FUNCTIONS)
@pytest.mark.parametrize("name", MODULES)
def test_multiplications_are_those_that_are_made(name, function, counted, multiplied, workers):
    workers(1)
    tried = 0
    for spec in SPECS.values():
        if MODULES[name].supports(spec, function) or (name, function) == ("shifted", "input_grad"):
            continue
        multiplied.clear(), counted["product"].clear()
        run(MODULES[name], function, spec)
        MODULES[name].cost(spec, function)
        ((macs, columns),) = counted["product"]
        assert macs == multiplications(multiplied)
        assert columns in (spec.O, spec.C, spec.KH * spec.KW * spec.C)
        tried += 1
    assert tried >= 2 or (name, function) == ("shifted", "input_grad")


@pytest.mark.parametrize("function", registry.FUNCTIONS)
@pytest.mark.parametrize("name", ("im2col", "mec", "planar"))
def test_copied_cells_are_those_that_are_laid_out(name, function, counted, taken, workers):
    """In proportion: a factor says how fast."""
    workers(1)
    ratios = []
    for spec in SPECS.values():
        if MODULES[name].supports(spec, function):
            continue
        for kind in counted.values():
            kind.clear()
        taken.clear()
        run(MODULES[name], function, spec)
        MODULES[name].cost(spec, function)
        laid_out = sum(size // 8 for what, _, size in taken if what in ("columns", "lines"))
        if name == "mec":  # and where the last line's last patches run on
            turned = im2col.mirrored(spec) if function == "input_grad" else spec
            laid_out -= mec.classes(turned)[0] * turned.stride[1] * turned.KH * turned.C
        ((cells, _),) = counted["copy"] + counted["add"]
        ratios.append(cells / laid_out)
    assert len(ratios) >= 2 and max(ratios) == min(ratios)


@pytest.mark.parametrize("function", registry.FUNCTIONS)
@pytest.mark.parametrize("m", (2, 3, 4))
def test_winograd_counts_its_products(function, m, counted, multiplied, workers, monkeypatch):
    workers(1)
    for key in ("3x3", "stride"):
        spec = SPECS[key]
        (plan,) = (p for p in winograd.plans(spec, function) if p.m == m)
        monkeypatch.setattr(winograd, "best_plan", lambda *_, plan=plan, **__: plan)
        multiplied.clear(), counted["product"].clear()
        run(winograd, function, spec)
        n, r = plan.n, plan.r
        transforms = {(n, n), (m, n), (n, m), (1, r), (n, r), (r, n)}
        made = multiplications(pair for pair in multiplied if pair[0] not in transforms)
        winograd.plan_cost(plan, function, False)
        ((macs, columns),) = counted["product"]
        assert macs * plan.N * plan.TH * plan.TW == made and columns == plan.Cout


@pytest.mark.parametrize("function", registry.FUNCTIONS)
@pytest.mark.parametrize("m", winograd1d.SIZES)
def test_winograd1d_counts_its_products(function, m, counted, multiplied, workers, monkeypatch):
    workers(1)
    monkeypatch.setattr(winograd1d, "best_size", lambda *_, **__: m)
    for key in ("3x3", "stride", "oblong stride"):
        spec = SPECS[key]
        r = winograd1d.taps_of(spec)[1]
        n = m + r - 1
        for seen in (multiplied, *counted.values()):
            seen.clear()
        run(winograd1d, function, spec)
        transforms = {(n, n), (m, n), (n, m), (n, r), (r, n)}
        made = multiplications(pair for pair in multiplied if pair[0] not in transforms)
        winograd1d.size_cost(spec, function, False, m)
        ((macs, narrow),) = counted["product"]
        assert narrow == (spec.C if function == "input_grad" else spec.O)
        assert macs == made


@pytest.mark.parametrize("frozen", (False, True))
@pytest.mark.parametrize("function", registry.FUNCTIONS)
@pytest.mark.parametrize("name", sorted(set(registry.names()) - {"grouped", "depthwise", "whole"}))
def test_more_of_anything_costs_more(name, function, frozen):
    algorithm = registry.get(name)
    few = 32 if name == "winograd1d" else 4  # twice as many of few channels are a far faster product
    base = {"N": 8, "C": few, "H": 24, "W": 24, "O": few, "KH": 3, "KW": 3, "padding": (1, 1)}
    cost = algorithm.cost(ConvSpec(**base), function, frozen)
    for size in ("N", "C", "H", "W", "O"):
        more = algorithm.cost(ConvSpec(**{**base, size: 2 * base[size]}), function, frozen)
        assert cost < more < 4 * cost, size
    if name not in ("fft", "winograd", "winograd1d"):  # these: whatever the kernel, and few kernels only
        for longer in ({"KH": 5, "padding": (2, 1)}, {"KW": 5, "padding": (1, 2)}):
            assert algorithm.cost(ConvSpec(**{**base, **longer}), function, frozen) > cost, longer


@pytest.mark.parametrize("name", ("winograd", "winograd1d", "fft"))
def test_a_frozen_weight_costs_less_where_it_is_transformed(name):
    spec, cost = ConvSpec(2, 64, 16, 16, 64, 3, 3, padding=1), registry.get(name).cost
    for function in ("forward", "input_grad"):
        assert cost(spec, function, True) < cost(spec, function, False)
    if name != "fft":
        assert cost(spec, "weight_grad", True) == cost(spec, "weight_grad", False)


def test_a_transform_costs_the_same_for_every_kernel():
    cost = registry.get("fft").cost
    assert cost(ConvSpec(2, 4, 20, 20, 4, 3, 3, padding=3), "forward") == cost(
        ConvSpec(2, 4, 20, 20, 4, 7, 7, padding=3), "forward"
    )


def test_groups_and_whole_images_and_depthwise():
    grouped = ConvSpec(4, 8, 16, 16, 12, 3, 3, padding=1, groups=4)
    one = registry.choose(grouped.group())
    assert registry.get("grouped").cost(grouped, "forward") > 4 * one.cost(grouped.group(), "forward")
    twice = ConvSpec(8, 8, 16, 16, 8, 3, 3, padding=1, groups=8)
    half = ConvSpec(4, 8, 16, 16, 8, 3, 3, padding=1, groups=8)
    costs = [registry.get("depthwise").cost(spec, "forward") - rates.CALL for spec in (twice, half)]
    assert costs[0] == pytest.approx(2 * costs[1])
    assert registry.get("depthwise").cost(twice, "forward") < registry.get("grouped").cost(twice, "forward")


def test_rates():
    wide = rates.product(1e9, 1e9)
    assert wide == pytest.approx(1e9 / rates.MACS)
    assert rates.product(1e9, rates.NARROW) == pytest.approx(2 * wide)
    assert rates.copy(1e6, 1e6) == pytest.approx(1e6 / rates.FLOATS, rel=1e-3)
    assert rates.copy(1e6, 1) == rates.copy(1e6, rates.SHORT) > rates.copy(1e6, rates.SHORT + 1)
    assert rates.copy(1e6, 10) - rates.copy(1e6, 20) == pytest.approx(rates.RUN * 1e6 / 20)
    assert 2 * rates.copy(1e6, 9) < rates.add(1e6, 9) < 3 * rates.copy(1e6, 9)  # read twice and written
