"""Choice by measurement: what is tried, what is kept, and that a bad file does no harm."""

import json

import pytest

from minigan.ops.conv import autotune as autotune_function
from minigan.ops.conv import registry, use
from minigan.ops.conv.spec import ConvSpec

SPEC = ConvSpec(1, 3, 6, 5, 4, 3, 3, padding=1)


@pytest.fixture
def tuning(monkeypatch, tmp_path):
    """The module, with a cache folder of its own and stated times instead of a clock."""
    from sys import modules

    import minigan.ops.conv  # noqa: F401

    module = modules["minigan.ops.conv.autotune"]
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
