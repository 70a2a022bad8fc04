"""The array switch: by the data, by name, by environment; one line where a device is missing."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import fake_device
import numpy as np
import pytest

import minigan
from minigan import Tensor, backend, ops
from minigan.errors import ArgumentError, DeviceError

ROOT = Path(__file__).resolve().parents[1]


def in_python(code, **variables):
    """Run code in a fresh interpreter; returns its exit code, output and errors."""
    environment = {**os.environ, **variables}
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    return answer.returncode, answer.stdout.strip(), answer.stderr.strip()


@pytest.fixture
def restored():
    """Put the backend that was current back, and forget devices that the test registered."""
    current, loaded, types = backend._current, dict(backend._loaded), dict(backend._by_type)
    yield
    backend._current = current
    backend._loaded.clear()
    backend._loaded.update(loaded)
    backend._by_type.clear()
    backend._by_type.update(types)


class Shelf(np.ndarray):
    """Arrays of a device of our own."""


def shelf(name="shelf"):
    return backend.Backend(
        name, np, Shelf, lambda array: np.array(array).view(Shelf), lambda array: array.view(np.ndarray),
        lambda: None,
    )  # fmt: skip


def test_the_array_says_where_it_lives():
    assert backend.namespace(np.ones(2)) is np
    assert backend.of(np.float32(1)).name == "numpy"
    assert backend.of(np.ma.masked_array([1.0])).name == "numpy"
    with pytest.raises(TypeError, match="expected an array of a known backend, got list"):
        backend.of([1, 2])


def test_bridges_on_the_host_copy_nothing():
    array = np.ones(3)
    assert backend.to_host(array) is array and backend.to_device(array, "numpy") is array
    backend.synchronize()


def test_an_unknown_name_is_refused():
    with pytest.raises(ArgumentError, match="unknown backend 'tpu': expected one of numpy, cupy"):
        backend.use("tpu")


def test_random_numbers_are_drawn_on_the_host_and_repeat():
    a = backend.standard_normal(np.random.default_rng(1), (3, 2))
    b = backend.standard_normal(np.random.default_rng(1), (3, 2))
    c = backend.standard_normal(np.random.default_rng(1), (3, 2), np.float64)
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(a, c.astype(np.float32))
    assert a.dtype == np.float32 and c.dtype == np.float64
    u = backend.uniform(np.random.default_rng(1), -2.0, 3.0, (1000,))
    assert u.dtype == np.float32 and -2 <= u.min() < -1.9 and 2.9 < u.max() < 3


def test_use_decides_where_new_tensors_live_and_leaves_old_ones(restored):
    old = Tensor([1.0, 2.0])
    backend.register(shelf())
    minigan.use("shelf")
    new = Tensor([1.0, 2.0])
    assert (old.device, new.device) == ("numpy", "shelf")
    assert (new * 2).device == "shelf" and (old * 2).device == "numpy", "operations follow their inputs"
    assert backend.current().name == "shelf"
    assert type(backend.standard_normal(np.random.default_rng(0), (2,))) is Shelf
    assert type(new.numpy()) is np.ndarray


@pytest.fixture
def strict(restored):
    """The strict device of tests/fake_device.py, which mixes with nothing."""
    fake_device.install()


def test_a_tensor_moves_there_and_back(strict):
    x = Tensor([1.0, 2.0], requires_grad=True)
    moved = x.to("fake")
    assert moved.device == "fake" and moved.requires_grad and moved.is_leaf
    (moved * moved).sum().backward()
    assert moved.grad.device == "fake" and x.grad is None
    np.testing.assert_array_equal(moved.grad.to("numpy").numpy(), [2.0, 4.0])


def test_devices_do_not_mix(restored):
    backend.register(shelf())
    x = Tensor([1.0, 2.0])
    with pytest.raises(
        DeviceError, match=r"Add: inputs live on different devices \(numpy, shelf\); move one"
    ):
        x + x.to("shelf")
    with pytest.raises(DeviceError, match="Linear"):
        ops.linear(Tensor([[1.0]]), Tensor([[1.0]]).to("shelf"))


def test_a_subclass_belongs_to_the_device_registered_last(restored):
    class Sub(Shelf):
        pass

    backend.register(shelf())
    assert backend.of(np.ones(2).view(Sub)).name == "shelf"


def test_numpy_operands_follow_the_tensor(strict):
    x = Tensor(np.array([1.0, 2.0])).to("fake")
    assert (x * np.array([3.0, 4.0])).device == "fake"
    assert ops.where(x > 1.5, x, 0.0).device == "fake"
    assert ops.mse_loss(x, np.array([1.0, 1.0])).device == "fake"


def test_special_functions_load_on_demand():
    code = (
        "import sys, minigan, numpy as np\nassert 'scipy' not in sys.modules\n"
        "print(minigan.ops.gelu(minigan.Tensor(np.zeros(1))).item(), 'scipy' in sys.modules)"
    )
    assert in_python(code)[1] == "0.0 True"


def test_the_environment_names_the_backend():
    assert (
        in_python("import minigan; print(minigan.Tensor(1.0).device)", MINIGAN_BACKEND="numpy")[1] == "numpy"
    )
    code, _, errors = in_python("import minigan; minigan.Tensor(1.0)", MINIGAN_BACKEND="abacus")
    assert code == 1 and "unknown backend 'abacus'" in errors.splitlines()[-1]


HIDE_CUPY = "import sys; sys.modules['cupy'] = None\n"
FAKE_CUPY = (
    "import sys, types; cupy = types.ModuleType('cupy'); sys.modules['cupy'] = cupy\n"
    "cupy.cuda = types.SimpleNamespace(is_available=lambda: {answers})\n"
)


@pytest.mark.parametrize("ask", ["minigan.use('cupy')", "minigan.Tensor(1.0).to('cupy')"])
def test_a_missing_cupy_is_one_line(ask):
    code, _, errors = in_python(HIDE_CUPY + f"import minigan; {ask}")
    last = errors.splitlines()[-1]
    assert code == 1 and last.startswith(
        "minigan.errors.DeviceError: backend 'cupy' asked for, but CuPy is not"
    )
    assert "pip install 'minigan[cuda12]'" in last


def test_a_missing_gpu_is_one_line():
    code, _, errors = in_python(FAKE_CUPY.format(answers=False) + "import minigan; minigan.use('cupy')")
    assert code == 1 and "no CUDA GPU answers" in errors.splitlines()[-1]


def test_a_cupy_that_answers_is_used():
    fake = FAKE_CUPY.format(answers=True) + (
        "import numpy as np\n"
        "class ndarray(np.ndarray): pass\n"
        "waited = []\n"
        "cupy.ndarray, cupy.asnumpy = ndarray, lambda a: np.asarray(a).view(np.ndarray)\n"
        "cupy.asarray = lambda a: np.asarray(a).view(ndarray)\n"
        "cupy.cuda.get_current_stream = lambda: types.SimpleNamespace(synchronize=lambda: waited.append(1))\n"
        "import minigan; minigan.use('cupy'); x = minigan.Tensor([1.0]); minigan.synchronize()\n"
        "print(x.device, type(x.numpy()) is np.ndarray, waited, x.to('numpy').device)\n"
    )
    assert in_python(fake)[1] == "cupy True [1] numpy"


def test_loading_cupy_asks_for_its_gpu_first(restored, monkeypatch):
    cupy = ModuleType("cupy")
    cupy.cuda = SimpleNamespace(is_available=lambda: cupy.answers, get_current_stream=lambda: cupy.stream)
    cupy.ndarray, cupy.asarray, cupy.asnumpy = Shelf, None, None
    cupy.stream = SimpleNamespace(synchronize=lambda: setattr(cupy, "waited", True))
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.delitem(backend._loaded, "cupy", raising=False)  # the real one, on a machine that has it
    cupy.answers = False
    with pytest.raises(DeviceError, match="no CUDA GPU answers"):
        backend.get("cupy")
    cupy.answers = True
    assert backend.get("cupy").xp is cupy
    minigan.use("cupy")
    minigan.synchronize()
    assert cupy.waited


@pytest.mark.gpu
def test_the_real_thing():
    x = Tensor(np.arange(3.0), requires_grad=True).to("cupy")
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [0.0, 2.0, 4.0])


def test_arrays_are_copied_to_a_device_in_their_own_memory_order():
    """CuPy by itself makes C order of anything but C and Fortran order."""
    sent = []

    def copy(array):
        sent.append(array.flags.c_contiguous)
        return np.array(array, order="C")

    image = np.arange(120.0).reshape(2, 4, 5, 3)
    for array in (image, image.transpose(0, 3, 1, 2), image.T, image[:, ::2], np.float32(3) * np.ones(())):
        there = backend._laid_out_alike(copy, array)
        np.testing.assert_array_equal(there, array)
        assert backend.memory_order(there) == backend.memory_order(array)
    assert all(sent)


def test_matmul_precision(restored, monkeypatch):
    monkeypatch.setattr(backend, "_precision", None)
    monkeypatch.delenv("CUPY_TF32", raising=False)
    assert minigan.get_matmul_precision() == "highest"
    monkeypatch.setenv("CUPY_TF32", "1")
    assert minigan.get_matmul_precision() == "high", "CuPy's own switch counts until ours is set"
    minigan.set_matmul_precision("highest")
    assert minigan.get_matmul_precision() == "highest"
    with pytest.warns(UserWarning, match="changes nothing on NumPy"):
        minigan.set_matmul_precision("high")
    for wrong in ("medium", True):
        with pytest.raises(ArgumentError, match="expected 'highest' or 'high', got"):
            minigan.set_matmul_precision(wrong)
    asked = []
    backend.register(replace(shelf(), tensor_cores=asked.append))
    minigan.set_matmul_precision("high")
    minigan.set_matmul_precision("highest")
    assert asked == [True, False] and minigan.get_matmul_precision() == "highest"


def test_a_precision_asked_for_early_reaches_the_gpu_that_comes_later(restored, monkeypatch):
    asked = []
    monkeypatch.setattr(backend, "_precision", None)
    monkeypatch.setattr(backend, "_load_cupy", lambda: replace(shelf("cupy"), tensor_cores=asked.append))
    backend._loaded.pop("cupy", None)
    with pytest.warns(UserWarning, match="changes nothing on NumPy"):
        minigan.set_matmul_precision("high")
    minigan.use("cupy")
    assert asked == [True]


def test_free_memory_is_a_sound_number():
    free = backend.free_memory()
    assert free is None or 1 << 20 < free < 1 << 50


@pytest.mark.parametrize("word", ["cuda:1", "cupy:3", 1, "cpu:2"])
def test_a_device_number_that_is_not_there_is_refused_alike(word):
    layer = minigan.nn.Linear(1, 1)
    moves = [layer.to, minigan.ones(1).to] if isinstance(word, str) else [layer.cuda, minigan.ones(1).cuda]
    for move in (*moves, lambda device: minigan.zeros(1, device=device)):
        with pytest.raises(DeviceError, match="invalid device ordinal"):
            move(word)


def test_device_words():
    assert [backend.device_name(word) for word in ("cpu", "cpu:0", "numpy", "cuda", "cuda:0", 0, "cupy")] == [
        *["numpy"] * 3, *["cupy"] * 4,
    ]  # fmt: skip


def test_free_memory_is_that_of_the_device(restored, monkeypatch):
    host = backend.free_memory()
    assert host is None or host > 1 << 20
    runtime = SimpleNamespace(memGetInfo=lambda: (12345, 99999))
    device = replace(shelf(), name="cupy", xp=SimpleNamespace(cuda=SimpleNamespace(runtime=runtime)))
    monkeypatch.setattr(backend, "_current", device)
    assert backend.free_memory() == 12345
