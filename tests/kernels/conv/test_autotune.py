"""Choice by measurement: what is tried, what is kept, and that a bad file does no harm."""

import json
from pathlib import Path

import pytest

from minigan.kernels.conv import autotune as autotune_function
from minigan.kernels.conv import registry, use
from minigan.ops.conv.spec import ConvSpec

SPEC = ConvSpec(1, 3, 6, 5, 4, 3, 3, padding=1)


@pytest.fixture
def tuning(monkeypatch, tmp_path):
    """The module, with a cache folder of its own and stated times instead of a clock."""
    from sys import modules

    import minigan.ops.conv  # noqa: F401

    module = modules["minigan.kernels.conv.autotune"]
    monkeypatch.setenv("MINIGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "_choices", None)
    monkeypatch.setattr(module, "PROMISING", 1e9)
    asked = []

    def seconds(algorithm, spec, function, frozen, repeat=3):
        asked.append(algorithm.name)
        return 1.0 if algorithm.name == "shifted" else 2.0

    module.asked, module.real_seconds = asked, module.seconds
    monkeypatch.setattr(module, "seconds", seconds)
    return module


def test_the_fastest_is_taken_and_asked_for_once(tuning):
    assert registry.choose(SPEC).name != "shifted"
    with use("measured"):
        assert registry.choose(SPEC).name == "shifted"
        tried = list(tuning.asked)
        assert {"im2col", "shifted", "winograd"} <= set(tried)
        assert registry.choose(SPEC).name == "shifted"
        assert tuning.asked == tried


def test_the_choice_is_kept_in_a_file_for_the_next_process(tuning, monkeypatch):
    assert autotune_function(SPEC) == dict.fromkeys(registry.FUNCTIONS, "shifted")
    kept = json.loads(tuning.cache_file().read_text())
    assert set(kept["choices"].values()) == {"shifted"} and kept["machine"] == tuning.machine()
    monkeypatch.setattr(tuning, "_choices", None)
    tuning.asked.clear()
    assert tuning.measured(SPEC).name == "shifted" and not tuning.asked
    assert len(list(tuning.cache_file().parent.iterdir())) == 1


@pytest.mark.parametrize("text", ("", "[]", "{", '{"choices": 3}', '{"choices": {"x": "no such"}}'))
def test_a_file_of_nonsense_is_measured_over(tuning, text):
    tuning.cache_file().parent.mkdir()
    tuning.cache_file().write_text(text)
    assert tuning.measured(SPEC).name == "shifted"


def test_a_stale_choice_that_cannot_do_it_is_replaced(tuning):
    tuning.load()[tuning.key_of(SPEC, "forward", False)] = "grouped"
    assert tuning.measured(SPEC).name == "shifted"


def test_a_folder_that_cannot_be_written_is_no_error(tuning, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MINIGAN_CACHE", str(tmp_path / "file"))
    assert tuning.measured(SPEC).name == "shifted"


@pytest.mark.parametrize("function", registry.FUNCTIONS)
def test_a_measurement_is_a_time(tuning, function):
    for name in ("im2col", "winograd"):
        assert 0 < tuning.real_seconds(registry.get(name), SPEC, function, True, repeat=1) < 5


def fake(name, estimate, calls=None):
    """An algorithm of that estimate which notes its calls' arguments."""
    note = [].append if calls is None else calls.append
    functions = [lambda *given, f=f: note((f, *given)) for f in registry.FUNCTIONS]
    prepare = lambda weight, spec, function: ("prepared", function)  # noqa: E731
    return registry.Algorithm(name, *functions, lambda *_: "", lambda *_: estimate, prepare)


def test_only_the_promising_are_tried(tuning, monkeypatch):
    monkeypatch.setattr(tuning, "PROMISING", 3.0)
    able = [fake("im2col", 1.0), fake("mec", 3.0), fake("shifted", 3.1), fake("planar", 2.0)]
    monkeypatch.setattr(registry, "candidates", lambda *_: able)
    tuning.measured(SPEC)
    assert tuning.asked == ["im2col", "mec", "planar"]


@pytest.mark.parametrize("frozen", (False, True))
@pytest.mark.parametrize("function", registry.FUNCTIONS)
def test_a_measurement_is_the_median_without_the_first_call(tuning, monkeypatch, function, frozen):
    ticks, calls = iter((0, 90, 100, 107, 200, 202, 300, 303)), []
    monkeypatch.setattr(tuning.time, "perf_counter", lambda: next(ticks))
    assert tuning.real_seconds(fake("fake", 1.0, calls), SPEC, function, frozen) == 3
    assert len(calls) == 4 and {call[0] for call in calls} == {function}
    first, second = calls[0][1:3]
    if function == "weight_grad":
        assert (first.shape, second.shape, len(calls[0])) == (SPEC.x_shape, SPEC.y_shape, 4)
    else:
        assert first.shape == (SPEC.x_shape if function == "forward" else SPEC.y_shape)
        assert calls[0][4] == (("prepared", function) if frozen else None)


def test_a_key_for_every_setting_and_a_file_for_every_machine(tuning, monkeypatch):
    specs = [SPEC, ConvSpec(1, 3, 6, 5, 4, 3, 3), ConvSpec(1, 3, 6, 5, 4, 3, 3, padding=1, stride=2),
             ConvSpec(2, 3, 6, 5, 4, 3, 3, padding=1), ConvSpec(1, 3, 6, 5, 4, 3, 2, padding=1)]  # fmt: skip
    keys = {tuning.key_of(s, f, z) for s in specs for f in registry.FUNCTIONS for z in (False, True)}
    assert len(keys) == len(specs) * 3 * 2
    before = tuning.cache_file()
    monkeypatch.setattr(tuning.blas, "workers", lambda: 77)
    after = tuning.cache_file()
    assert after != before and after.parent == before.parent and len(after.stem) == len("conv-") + 12
    monkeypatch.delenv("MINIGAN_CACHE")
    monkeypatch.setattr(Path, "home", lambda: before.parent)
    assert tuning.cache_file().parent == before.parent / ".cache" / "minigan"
