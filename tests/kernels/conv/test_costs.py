"""The cost model against measurements: the choice among algorithms must not drift unnoticed.

measured.json holds the milliseconds of one quiet machine; nothing is timed here. It is written by
``python benchmarks/conv_costs.py --json tests/kernels/conv/measured.json``.
"""

import json
import math
import statistics
from pathlib import Path

import pytest

from minigan.kernels.conv import registry
from minigan.ops.conv import ConvSpec

SHAPES = json.loads((Path(__file__).parent / "measured.json").read_text(encoding="utf-8"))
USUAL = ("im2col", "mec", "planar", "shifted", "winograd", "winograd1d")


def measurements():
    """Yield (spec, function, frozen, {algorithm: milliseconds})."""
    for about in SHAPES.values():
        *head, stride, padding = about["sizes"]
        spec = ConvSpec(*head, (stride, stride), (padding, padding))
        for function, times in about["ms"].items():
            yield spec, function, about["frozen"] and function != "weight_grad", times


@pytest.mark.parametrize("function", registry.FUNCTIONS)
@pytest.mark.parametrize("name", USUAL)
def test_estimates_are_of_the_measured_size(name, function):
    """Over all shapes without bias, and typically within a factor of 1.6."""
    algorithm = registry.get(name)
    off = [
        math.log(1e3 * algorithm.cost(spec, where, frozen) / times[name])
        for spec, where, frozen, times in measurements()
        if where == function and name in times
    ]
    assert len(off) >= 7
    bias, typical = math.exp(statistics.mean(off)), math.exp(statistics.mean(map(abs, off)))
    assert 0.8 < bias < 1.5 and typical < 1.6, (bias, typical)


def test_the_choice_is_nearly_the_fastest():
    """Over all shapes and functions it loses less than a tenth against the fastest that was measured."""
    losses = []
    for spec, function, frozen, times in measurements():
        costs = {name: registry.get(name).cost(spec, function, frozen) for name in times}
        losses.append(math.log(times[min(costs, key=costs.get)] / min(times.values())))
    assert len(losses) > 100
    assert math.exp(statistics.mean(losses)) < 1.1


def test_auto_takes_what_the_estimates_say():
    for spec, function, frozen, times in measurements():
        chosen = registry.choose(spec, function, frozen).name
        assert chosen in times
        costs = {name: registry.get(name).cost(spec, function, frozen) for name in times}
        assert min(costs, key=costs.get) == chosen
