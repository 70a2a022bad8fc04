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
    wanted = {"dense, batch 256", "dcgan64, batch 32", "dcgan64, batch 128", "style 256"}
    assert wanted | {"dcgan64 d2 weight_grad"} <= set(names) and len(set(names)) == len(names)
    short = [name for name, _ in gpu.questions(gpu.PARTS, everything=False)]
    assert len(short) == len(gpu.GANS) + 2 + 3 * len(gpu.FEW) and set(short) <= set(names)
    with pytest.raises(SystemExit):
        gpu.main(["tensor"])
    assert "unknown tensor" in capsys.readouterr().err


def test_results_are_compared(gpu):
    """The same operands on both sides, numbers from all over a result, and a difference that shows."""
    x, weight, g = gpu.operands("dcgan64 d5")
    assert x.shape == (32, 512, 4, 4) and weight.shape == (1, 512, 4, 4) and g.shape == (32, 1, 1, 1)
    ours = {"probe": gpu.probe(x)}
    assert gpu.apart(ours, {"probe": gpu.probe(x)}) == 0 and gpu.apart({}, ours) == ""
    assert gpu.apart(ours, {"probe": gpu.probe(x * 1.01)}) == pytest.approx(0.01, rel=0.1)
    assert gpu.apart({"loss": 1.0}, {"loss": 2.0}) == 0.5


def test_a_row_of_three_workers(gpu):
    class Worker:
        def __init__(self, seconds):
            self.seconds = seconds

        def ask(self, **request):
            return {"seconds": self.seconds, "product": 0.5, "probe": [1.0, 2.0]}

    row = gpu.measured([Worker(1.0), Worker(2.0), Worker(4.0)], {}, 3)
    assert (row["ratio_eager"], row["ratio_tuned"], row["share"], row["apart"]) == (0.5, 0.25, 0.5, 0)
