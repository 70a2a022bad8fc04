"""The kernels without a GPU: compiled as C++ for the host and given to the fake device.

What runs is the whole way of a call: the checks of `cuda.launch`, the grid, the order and the types of the
arguments, and the kernels' own index arithmetic with every access checked against its array's bounds.
"""

import ctypes
import re
import shutil
import subprocess
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import fake_device
import numpy as np
import pytest

from minigan import backend

HERE = Path(__file__).parent
LETTERS = {"float32": "f", "float64": "d", "int32": "i", "int64": "l"}


class Reach(ctypes.Structure):
    """A checked pointer, as host.h lays it out: the first element, and the range of indices of the array."""

    _fields_ = [("first", ctypes.c_void_p), ("low", ctypes.c_longlong), ("high", ctypes.c_longlong)]


def reach(array):
    """Where an array's elements lie, counted from its first; strides may be negative."""
    plain = array.view(np.ndarray)
    low, high = np.lib.array_utils.byte_bounds(plain)
    start, size = plain.ctypes.data, plain.itemsize
    return Reach(start, (low - start) // size, (high - start) // size)


class HostKernel:
    """Called as CuPy's kernels are: kernel(grid, block, arguments)."""

    def __init__(self, function, name):
        self.function, self.name = function, name
        function.restype = ctypes.c_longlong

    def __call__(self, grid, block, arguments):
        assert len(grid) == 1 and len(block) <= 2 and grid[0] < 2**31
        fake_device.note("launches", self.name)
        letters, kept = "", []
        for argument in arguments:
            if isinstance(argument, np.ndarray):
                letters += "w" if argument.dtype == np.int32 else "r"
                kept.append(reach(argument))
            else:
                letters += LETTERS[argument.dtype.name]
                kept.append(np.ctypeslib.as_ctypes_type(argument.dtype)(argument.item()))
        pointers = (ctypes.c_void_p * len(kept))(*(ctypes.addressof(part) for part in kept))
        sizes = (ctypes.c_uint * 3)(grid[0], *block, *(1,) * (2 - len(block)))
        strays = self.function(sizes, letters.encode(), pointers)
        assert strays >= 0, f"{self.name}: arguments {letters} are not what its parameters are"
        assert strays == 0, f"{self.name}: {strays} accesses outside an array"


def compiler(folder):
    """A `Backend.kernels` that compiles with g++ into ``folder``."""

    def kernels(code, options):
        names = re.findall(r'extern "C" __global__ void (\w+)\(', code)
        calls = [
            f'extern "C" long long launch_{name}(unsigned* sizes, char* letters, void** arguments) '
            f"{{ return launch({name}, sizes, letters, arguments); }}"
            for name in names
        ]
        digest = sha256("".join([code, *options]).encode()).hexdigest()[:16]
        source, library = folder / f"{digest}.cpp", folder / f"{digest}.so"
        source.write_text("\n".join([f'#include "{HERE / "host.h"}"', code, *calls]), encoding="utf-8")
        warnings = ("-Wall", "-Werror", "-Wno-unused-function", "-Wno-unknown-pragmas")
        command = ["g++", "-std=c++17", "-O0", "-shared", "-fPIC", *warnings, *options, "-o", library, source]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        loaded = ctypes.CDLL(str(library))
        return lambda name: HostKernel(getattr(loaded, f"launch_{name}"), name)

    return kernels


@pytest.fixture(scope="session")
def host_kernels(tmp_path_factory):
    """`Backend.kernels` for the host; skips where there is no g++."""
    if shutil.which("g++") is None:
        pytest.skip("no g++ to compile the kernels for the host")
    return compiler(tmp_path_factory.mktemp("kernels"))


@pytest.fixture(scope="session")
def _host_device(host_kernels):
    if "fake" not in backend._loaded:
        fake_device.install()
    return replace(backend.get("fake"), kernels=host_kernels)


@pytest.fixture(params=["host", pytest.param("gpu", marks=pytest.mark.gpu)])
def device(request):
    """The name of a device that runs the kernels: the fake one, given the host's, and a GPU if there is one.

    What a test sets does not outlive it.
    """
    current, precision = backend.current(), backend._precision
    if request.param == "gpu":
        backend.set_matmul_precision("highest")
        yield "cupy"
    else:
        with_kernels = request.getfixturevalue("_host_device")
        before = backend.get("fake")
        backend.register(with_kernels)
        yield "fake"
        backend.register(before)
    backend._current, backend._precision = current, precision


@pytest.fixture
def on_device(device):
    """Puts an array on that device, laid out as it is."""
    return lambda array: backend.to_device(np.asarray(array), device)


@pytest.fixture
def on_host(device):
    """Fetches an array from that device."""
    return lambda array: np.asarray(backend.to_host(array))
