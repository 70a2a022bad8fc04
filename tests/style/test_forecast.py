"""The forecast: memory within reach of what is really used, a size that fits, an error where none does."""

import sys
import tracemalloc
from pathlib import Path

import pytest

from minigan import backend
from minigan.errors import ArgumentError
from minigan.style import Settings, forecast, transfer
from minigan.style.objective import Objective

sys.path.insert(0, str(Path(__file__).parent))
import tiny


def test_memory_is_near_what_is_used(size=64):
    content, style = tiny.picture(0, size, size), tiny.picture(1, size, size)
    net = tiny.extractor(widths=(8, 16))
    transfer(content, style, size=16, iterations=1, features=net)  # imports what it needs
    tracemalloc.start()
    result = transfer(content, style, size=size, iterations=3, features=net, small_features=net)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0.4 * used < result.forecast.memory < 2.5 * used


def test_memory_counts_what_is_padded_by_reflection():
    """A convolution's input with its frame is an array of its own, unless zeros are padded inside."""
    counted = []
    for padding in ("reflect", "zeros"):
        net = tiny.extractor(widths=(8, 16))
        net.padding = padding
        objective = Objective(net, Settings(), None, [tiny.picture(1, 32, 32)], [1.0], [None])
        counted.append(forecast.count_memory(objective, Settings(), 32, 48))
    inputs = {layer[1]: layer[2] for layer in net.layers if layer[0] == "conv"}
    walked = net.walk(32, 48, objective.wanted)
    frames = [4 * inputs[layer[1]] * (h + 2) * (w + 2) for layer, _, h, w in walked if layer[0] == "conv"]
    assert counted[0] - counted[1] == sum(frames) > 0


def test_time_grows_with_pixels_and_iterations(monkeypatch):
    """By a clock that ticks once per look, the probe always takes one second."""
    monkeypatch.setattr(forecast.time, "perf_counter", map(float, range(100)).__next__)

    def seconds(size, iterations):
        plan = Settings(size=size, iterations=iterations, coarse=0)
        probe = Objective(tiny.extractor(), plan, None, [tiny.picture(0)], [1.0], [None])
        return forecast.predict(probe, probe, plan, size, size).seconds

    assert seconds(256, 50) == pytest.approx(4 * seconds(128, 50))
    assert 1.8 < seconds(256, 50) / seconds(256, 25) < 2.0


def test_too_little_memory_names_a_size_that_fits(monkeypatch):
    monkeypatch.setattr(backend, "free_memory", lambda: 4_000_000)
    content, style = tiny.picture(0), tiny.picture(1)
    net = tiny.extractor()
    with pytest.raises(
        ArgumentError, match=r"size 512 needs about \d+ MB, 4 MB are free; use size \d+ or tile"
    ) as e:
        transfer(content, style, size=512, iterations=1, features=net)
    fits = int(str(e.value).split("use size ")[1].split()[0])
    assert 16 <= fits < 512
    assert transfer(content, style, size=fits, iterations=1, features=net).picture.shape[2] == fits


def test_probe_keeps_the_shape():
    assert forecast.probe_size(256, 512) == (48, 96)
    assert forecast.probe_size(16, 16) == (16, 16)
