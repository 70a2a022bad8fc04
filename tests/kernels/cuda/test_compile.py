"""Every kernel compiled to machine code for each generation of GPUs, by NVRTC, which needs no GPU.

The library comes from the wheel nvidia-cuda-nvrtc (in the `test` extra on Linux) or from a CUDA toolkit.
"""

import ctypes
import ctypes.util
import importlib.util
import re
from pathlib import Path

import pytest

from minigan.kernels import cuda
from minigan.kernels.cuda import plain

GENERATIONS = (75, 80, 89, 90, 100, 120)  # Turing, Ampere, Ada, Hopper, and Blackwell twice
NAMES = re.findall(r'extern "C" __global__ void (\w+)\(', cuda.code())


def candidates():
    """Where NVRTC may be: the wheels' folders, then the system's and CuPy's own."""
    found = importlib.util.find_spec("nvidia")
    for folder in found.submodule_search_locations if found else ():
        yield from sorted(map(str, Path(folder).glob("*/lib/libnvrtc.so.*")), reverse=True)
    for name in ("libnvrtc.so", "libnvrtc.so.13", "libnvrtc.so.12", ctypes.util.find_library("nvrtc")):
        if name:
            yield name


@pytest.fixture(scope="module")
def nvrtc():
    for path in candidates():
        if ".alt." in path or "builtins" in path:
            continue
        try:
            library = ctypes.CDLL(path)
        except OSError:
            continue
        library.nvrtcGetErrorString.restype = ctypes.c_char_p
        return library
    pytest.skip("no NVRTC: pip install nvidia-cuda-nvrtc-cu12")


def compiled(nvrtc, code, options, what):
    """The CUBIN or PTX and the compiler's words; AssertionError with those words if it fails."""
    program = ctypes.c_void_p()
    assert nvrtc.nvrtcCreateProgram(ctypes.byref(program), code.encode(), b"minigan.cu", 0, None, None) == 0
    given = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
    status = nvrtc.nvrtcCompileProgram(program, len(options), given)

    def fetch(what):
        size = ctypes.c_size_t()
        assert getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size)) == 0
        text = ctypes.create_string_buffer(size.value)
        assert getattr(nvrtc, f"nvrtcGet{what}")(program, text) == 0
        return text.raw

    log = fetch("ProgramLog").decode().strip("\0\n")
    assert status == 0, f"{nvrtc.nvrtcGetErrorString(status).decode()}\n{log}"
    binary = fetch(what)
    assert nvrtc.nvrtcDestroyProgram(ctypes.byref(program)) == 0
    return binary, log


VARIANTS = [("f", False, f"sm_{generation}") for generation in (75, 80, 90, 120)]
VARIANTS += [("d", True, "compute_75")]
REST = [
    (real, wide, f"{kind}_{generation}")
    for real in cuda.REALS
    for wide in (False, True)
    for kind in ("sm", "compute")
    for generation in GENERATIONS
]


@pytest.mark.parametrize(
    "real, wide, architecture",
    [
        *VARIANTS,
        *(pytest.param(*rest, marks=pytest.mark.nightly) for rest in REST if rest not in VARIANTS),
    ],
)
def test_compiles_without_a_warning(nvrtc, real, wide, architecture):
    """The options are those of the library; CuPy adds the architecture, the standard and -ftz as here.

    sm_ is machine code for one generation, compute_ the intermediate code for it and all later ones.
    """
    known = ctypes.c_int()
    assert nvrtc.nvrtcGetNumSupportedArchs(ctypes.byref(known)) == 0
    architectures = (ctypes.c_int * known.value)()
    assert nvrtc.nvrtcGetSupportedArchs(architectures) == 0
    if int(architecture.split("_")[1]) not in architectures:
        pytest.skip(f"this NVRTC is older than {architecture}")
    options = (*cuda.options(real, wide), f"--gpu-architecture={architecture}", "--std=c++17", "-ftz=true")
    what = "CUBIN" if architecture.startswith("sm") else "PTX"
    binary, log = compiled(nvrtc, cuda.code(), options, what)
    assert not log, log
    place = ".text.{}" if what == "CUBIN" else ".entry {}("
    assert all(place.format(name).encode() in binary for name in NAMES)
    if what == "PTX":
        assert b"atom." not in binary, "an atomic add: its order, and so its rounding, is left to chance"


def test_a_mistake_does_not_pass(nvrtc):
    code = cuda.code().replace("REAL sum = 0;", "REAL sum = starts;")
    with pytest.raises(AssertionError, match="COMPILATION"):
        compiled(nvrtc, code, (*cuda.options("f", False), "--gpu-architecture=compute_80"), "PTX")


def test_every_kernel_has_its_loops():
    """plain.py holds one function for every kernel, and every source of the folder is compiled."""
    assert {path.stem for path in Path(cuda.FOLDER).glob("*.cu")} == set(cuda.SOURCES)
    assert set(NAMES) <= set(vars(plain)) and len(set(NAMES)) == len(NAMES) > 0
