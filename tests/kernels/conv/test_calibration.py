"""The numbers behind the cost model: measured once, kept, shared, and never in the way."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from minigan import cli
from minigan.kernels.conv import calibration, rates, registry
from minigan.ops.conv import ConvSpec

ROOT = Path(__file__).resolve().parents[3]
SOME = {"MACS": 1.2e11, "THIN": 8.5e10, "FLOATS": 1.1e10, "RUN": 5e-9, "CALL": 3e-5}


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    """A machine that has not been measured, with an empty cache folder; built-in numbers again afterwards."""
    monkeypatch.setenv("MINIGAN_CACHE", str(tmp_path))
    monkeypatch.setenv(calibration.VARIABLE, "on")
    monkeypatch.setattr(calibration, "_state", None)
    registry._cheapest.cache_clear()
    yield
    for name, value in rates.BUILT_IN.items():
        setattr(rates, name, value)
    registry._cheapest.cache_clear()


@pytest.fixture
def measurements(monkeypatch):
    """Every measurement gives SOME; the list of them."""
    made = []
    monkeypatch.setattr(calibration, "measured", lambda: made.append(1) or dict(SOME))
    return made


def again(monkeypatch):
    monkeypatch.setattr(calibration, "_state", None)
    return calibration.ensure()


def test_it_is_measured_once_and_kept(measurements, monkeypatch, tmp_path):
    (path,) = [calibration.cache_file()]
    assert calibration.ensure() == f"calibrated on this machine: {path}" and path.parent == tmp_path
    assert rates.MACS == rates.BUILT_IN["MACS"] / 2 and rates.RUN == 2 * rates.BUILT_IN["RUN"]
    assert "calibrated" in again(monkeypatch) and len(measurements) == 2
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"rates": {"MACS": 1}}', '{"rates": 3}', "\0\1",
                                     json.dumps({"rates": {**SOME, "CALL": -1}}),
                                     json.dumps({"rates": {**SOME, "CALL": float("nan")}})])  # fmt: skip
def test_a_damaged_file_is_replaced(measurements, content):
    path = calibration.cache_file()
    path.write_text(content)
    assert "calibrated" in calibration.ensure()
    assert len(measurements) == 2 and json.loads(path.read_text())["rates"] == SOME


def test_where_nothing_can_be_kept_the_built_in_numbers_stay(measurements, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MINIGAN_CACHE", str(tmp_path / "file" / "folder"))
    assert calibration.ensure() == f"built-in numbers: {tmp_path / 'file' / 'folder'} cannot be written"
    assert rates.MACS == rates.BUILT_IN["MACS"]


def test_a_busy_machine_is_measured_another_time(monkeypatch, tmp_path):
    rounds = iter([SOME, dict(SOME, THIN=SOME["THIN"] * 2)])
    monkeypatch.setattr(calibration, "measured", lambda: dict(next(rounds)))
    assert "the machine is busy" in calibration.ensure()
    assert rates.THIN == rates.BUILT_IN["THIN"] and not list(tmp_path.iterdir())


def test_it_can_be_left_out(measurements, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv(calibration.VARIABLE, "off")
    assert calibration.ensure() == "built-in numbers: MINIGAN_CALIBRATE=off"
    assert not measurements and not list(tmp_path.iterdir())
    assert cli.main(["info"]) == 0
    assert "cost model   built-in numbers: MINIGAN_CALIBRATE=off" in capsys.readouterr().out


def test_of_two_the_first_to_write_is_believed(monkeypatch):
    """Both threads measure, to different numbers, before either has written."""
    barrier, found = threading.Barrier(2), {}

    def process(factor):
        monkeypatch_free = dict(SOME, MACS=SOME["MACS"] * factor)
        path = calibration.cache_file()
        barrier.wait()
        calibration._keep(path, monkeypatch_free)
        found[factor] = calibration._read(path)

    threads = [threading.Thread(target=process, args=(factor,)) for factor in (1, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[1] == found[3] and found[1]["MACS"] in (SOME["MACS"], 3 * SOME["MACS"])


def test_two_processes_at_once_have_the_same_numbers(tmp_path):
    code = (
        "from minigan.kernels.conv import calibration, rates; print(calibration.ensure());"
        "print([getattr(rates, name) for name in calibration.NAMES])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [process.communicate()[0] for process in both]
    kept = list(tmp_path.glob("rates-*.json"))
    assert len(kept) <= 1 and not list(tmp_path.glob("*.part"))
    if all("calibrated" in answer for answer in answers):  # the machine was not too busy for either
        assert answers[0] == answers[1] and kept


def test_measurements_are_numbers_of_this_world():
    found = calibration.measured()
    assert set(found) == set(calibration.NAMES) == set(calibration.FITTED) == set(rates.BUILT_IN)
    assert 1e8 < found["MACS"] < 1e14 and 1e7 < found["FLOATS"] < 1e13 and 0 < found["CALL"] < 1


def test_a_mishap_changes_nothing(monkeypatch):
    monkeypatch.setattr(calibration, "measured", lambda: {**SOME, "CALL": 1.0})
    calibration.ensure()
    assert rates.CALL == rates.BUILT_IN["CALL"] and rates.MACS == rates.BUILT_IN["MACS"] / 2


def test_the_first_choice_calibrates(measurements, monkeypatch):
    monkeypatch.setattr(registry, "calibrate", registry._first_choice)
    for _ in range(2):
        registry.choose(ConvSpec(2, 3, 8, 8, 4, 3, 3, (1, 1), (1, 1)))
    assert len(measurements) == 2 and registry.calibrate is None


def test_the_folder_is_minigans(monkeypatch, tmp_path):
    from minigan.data.download import cache_folder

    for variables in ({}, {"XDG_CACHE_HOME": str(tmp_path)}, {"MINIGAN_CACHE": str(tmp_path / "m")}):
        for name in ("XDG_CACHE_HOME", "MINIGAN_CACHE"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert calibration.cache_folder() == cache_folder()


def test_a_run_goes_on_with_the_numbers_it_began_with(measurements, monkeypatch):
    calibration.ensure()
    kept = calibration.in_use()
    assert kept["MACS"] == rates.BUILT_IN["MACS"] / 2
    for name, value in rates.BUILT_IN.items():
        setattr(rates, name, value)
    calibration.adopt(kept)
    assert calibration.in_use() == kept and "those of the run" in calibration.ensure()
