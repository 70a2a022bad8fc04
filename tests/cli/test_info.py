"""`minigan info` tells the truth about the BLAS in memory."""

import json
import os
import subprocess
import sys

import pytest

from minigan import backend, cli
from minigan.cli import info


def test_prints_the_versions(capsys):
    import numpy

    assert cli.main(["info"]) == 0
    out = capsys.readouterr().out
    assert numpy.__version__ in out and "core" in out.split("\nblas\n")[1]


def test_json(capsys):
    assert cli.main(["info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"minigan", "machine", "blas", "convolution", "gpu", "warnings"} == set(found)
    assert found["machine"]["cores"] >= 1


@pytest.mark.skipif(info.loaded_openblas() is None, reason="NumPy uses another BLAS than OpenBLAS here")
def test_threads_and_core_are_those_of_the_library_in_memory():
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    run = [sys.executable, "-m", "minigan", "info", "--json"]
    found = json.loads(subprocess.run(run, env=environment, capture_output=True, check=True).stdout)
    assert found["blas"]["threads"] == 1
    assert found["blas"]["core"] == info.describe_blas()["core"]


def test_warns_of_a_pinned_core(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setattr(info, "_core_left_alone", lambda: "SkylakeX")
    (warning,) = info.core_warnings({"core": "Haswell"})
    assert "Haswell" in warning and "SkylakeX" in warning


def test_no_warning_without_a_pin_or_where_it_changes_nothing(monkeypatch):
    monkeypatch.setattr(info, "_core_left_alone", lambda: "Zen")
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    assert info.core_warnings({"core": "Haswell"}) == []
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Zen")
    assert info.core_warnings({"core": "Zen"}) == []
    assert info.core_warnings({"name": "accelerate"}) == []


def test_no_gpu_is_said(monkeypatch):
    def refuse(name):
        raise info_errors.DeviceError("CuPy is not installed")

    from minigan import errors as info_errors

    monkeypatch.setattr(backend, "get", refuse)
    assert info.describe_gpu() == {"none": "CuPy is not installed"}
