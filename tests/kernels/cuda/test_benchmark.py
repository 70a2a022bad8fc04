"""benchmarks/gpu.py where there is no GPU."""

import importlib.util
from pathlib import Path

import pytest

from minigan import backend
from minigan.errors import DeviceError

FILE = Path(__file__).resolve().parents[3] / "benchmarks" / "gpu.py"


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.syspath_prepend(str(FILE.parent))
    spec = importlib.util.spec_from_file_location("gpu_benchmark", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_without_a_gpu_it_says_so_in_one_line_and_ends_with_2(gpu, monkeypatch, capsys):
    def get(name):
        raise DeviceError(
            f"backend {name!r} asked for, but no CUDA GPU answers: check the driver, or use numpy"
        )

    monkeypatch.setattr(backend, "get", get)
    assert gpu.main([]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert err.startswith("gpu: nothing was measured: backend 'cupy' asked for, but no CUDA GPU answers")


def test_what_is_asked_for(gpu, capsys):
    names = [name for name, _ in gpu.questions(gpu.PARTS)]
    assert {"dense", "dcgan64", "style 256", "dcgan64 d2 weight_grad"} <= set(names)
    assert len(set(names)) == len(names) and [name for name, _ in gpu.questions(["gan"])] == names[:3]
    with pytest.raises(SystemExit):
        gpu.main(["tensor"])
    assert "unknown tensor" in capsys.readouterr().err
