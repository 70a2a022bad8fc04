"""The array switch: NumPy on the processor, CuPy on the graphics card.

The array itself says where it lives, so an operation asks ``namespace(x)`` for the module to
compute with and never looks at a global setting.  The setting (``use``, ``MINIGAN_BACKEND``,
``--backend``) only decides where *new* arrays are put.  This is the one file that imports cupy.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from minigan.errors import ArgumentError, DeviceError, DTypeError

Array = Any  # a numpy.ndarray, a cupy.ndarray, or the array of a registered backend


@dataclass(frozen=True)
class Backend:
    """One device: its array namespace, the two bridges to the host, and what only a GPU has.

    ``kernels(code, options)`` compiles CUDA source and returns a function from a kernel's name to the kernel,
    which is called as kernel(grid, block, arguments); None where no CUDA runs.  ``tensor_cores(wanted)`` lets
    float32 products round their factors to TF32, or forbids it.
    """

    name: str
    xp: Any
    array_type: type
    from_host: Callable[[np.ndarray], Array]
    to_host: Callable[[Array], np.ndarray]
    synchronize: Callable[[], None]
    kernels: Callable[[str, tuple[str, ...]], Callable[[str], Any]] | None = None
    tensor_cores: Callable[[bool], None] | None = None


NUMPY = Backend("numpy", np, np.ndarray, np.asarray, np.asarray, lambda: None)

_loaded: dict[str, Backend] = {"numpy": NUMPY}
_by_type: dict[type, Backend] = {np.ndarray: NUMPY}
_current: Backend | None = None
_precision: str | None = None  # what set_matmul_precision was last told
_float: np.dtype = np.dtype(np.float32)
PRECISIONS = ("highest", "high")


def _load_cupy() -> Backend:
    try:
        import cupy  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise DeviceError(
            "backend 'cupy' asked for, but CuPy is not installed: "
            "pip install 'minigan[cuda12]' or 'minigan[cuda13]'"
        ) from error
    if not cupy.cuda.is_available():
        raise DeviceError("backend 'cupy' asked for, but no CUDA GPU answers: check the driver, or use numpy")
    return Backend(
        "cupy",
        cupy,
        cupy.ndarray,
        partial(_laid_out_alike, cupy.asarray),
        cupy.asnumpy,
        lambda: cupy.cuda.get_current_stream().synchronize(),
        lambda code, options: cupy.RawModule(code=code, options=options).get_function,
        _cupy_tensor_cores,
    )


def _cupy_tensor_cores(wanted: bool) -> None:
    """Set what CuPy's own switch CUPY_TF32 sets; it governs 2-d products only, see `blas`."""
    products = import_module("cupy._core._routines_linalg")
    products.set_compute_type(
        np.float32, products.COMPUTE_TYPE_TF32 if wanted else products.COMPUTE_TYPE_DEFAULT
    )


def _laid_out_alike(copy: Callable[[np.ndarray], Array], array: np.ndarray) -> Array:
    """Copy an array to a device in the memory order it has; `cupy.asarray` knows C and Fortran only."""
    array = np.asarray(array)
    if array.flags.c_contiguous:
        return copy(array)
    order = memory_order(array)
    return copy(np.ascontiguousarray(array.transpose(order))).transpose(inverse(order))


def owner(array: Array) -> Any:
    """Return the array that owns the memory an array looks at (itself unless it is a view)."""
    while (base := array.base) is not None and hasattr(base, "dtype"):
        array = base
    return array


def address(array: Array) -> int:
    """Return where the array's first element lies in its device's memory."""
    return int(array.ctypes.data if of(array).name == "numpy" else array.data.ptr)


def memory_order(array: Array) -> list[int]:
    """Return the axes from the slowest to the fastest in memory."""
    strides = array.strides  # CuPy makes them anew each time
    return sorted(range(len(strides)), key=lambda axis: (-abs(strides[axis]), axis))


def inverse(order: list[int]) -> list[int]:
    """Return the permutation that undoes ``order``."""
    return [order.index(axis) for axis in range(len(order))]


def register(backend: Backend) -> None:
    """Add a device (the tests add a strict fake one); its array type may subclass ndarray."""
    _loaded[backend.name] = backend
    _by_type[backend.array_type] = backend


def get(name: str) -> Backend:
    """Return the backend called ``name`` ("numpy" or "cupy"); DeviceError if its device is missing."""
    if name not in _loaded:
        if name != "cupy":
            raise ArgumentError(f"unknown backend {name!r}: expected one of numpy, cupy")
        register(_load_cupy())
        if _precision is not None:
            set_matmul_precision(_precision)
    return _loaded[name]


def current() -> Backend:
    """Return the backend on which new tensors are made; at first the one MINIGAN_BACKEND names, or numpy."""
    global _current
    if _current is None:
        _current = get(os.environ.get("MINIGAN_BACKEND") or "numpy")
    return _current


def use(name: str) -> None:
    """Put new tensors on ``name`` ("numpy" or "cupy") from now on.

    Existing tensors stay where they are.  Raises DeviceError when the device is missing: there is
    no silent fall-back.
    """
    global _current
    _current = get(name)


def of(array: Array) -> Backend:
    """Return the backend an array lives on; DTypeError's cousin TypeError for anything else."""
    found = _by_type.get(type(array))
    if found is None:
        if isinstance(array, np.generic):
            return NUMPY
        for kind, backend in reversed(_by_type.items()):
            if isinstance(array, kind):
                return backend
        raise TypeError(f"expected an array of a known backend, got {type(array).__name__}")
    return found


def namespace(array: Array) -> Any:
    """Return the module (numpy or cupy) that computes with this array."""
    return of(array).xp


def special(array: Array) -> Any:
    """Return the module of special functions (ndtr, ...) for this array; loaded when first asked for."""
    return import_module("cupyx.scipy.special" if of(array).name == "cupy" else "scipy.special")


def same_device(arrays: Iterable[Array], where: str) -> None:
    """Raise DeviceError naming ``where`` unless all arrays live on one device."""
    names = {of(array).name for array in arrays}
    if len(names) > 1:
        raise DeviceError(
            f"{where}: inputs live on different devices ({', '.join(sorted(names))}); "
            "move one with tensor.to(name)"
        )


def whole_numbers_to_promote(arrays: list[Array], where: Any) -> bool:
    """Return whether an operation takes its inputs as floats; raise unless they have one device and dtype."""
    first = arrays[0]
    kind, dtype = type(first), first.dtype
    if dtype.kind != "f" and not where.any_dtype:
        if where.promotes:
            return True
        raise DTypeError(
            f"{where.__name__}: expected floating-point input, got {dtype}; convert with .astype('float32')"
        )
    for other in arrays:
        if type(other) is not kind:
            same_device(arrays, where.__name__)
        if other.dtype is not dtype and other.dtype != dtype:
            raise DTypeError(
                f"{where.__name__}: inputs differ in dtype ({dtype} and {other.dtype}); convert with .astype"
            )
    return False


def to_host(array: Array) -> np.ndarray:
    """Return the array as a NumPy array (a copy from a GPU, itself on the host)."""
    return of(array).to_host(array)


def to_device(array: Array, name: str) -> Array:
    """Return the array on the named backend; itself when it is already there."""
    here, there = of(array), get(name)
    return array if here is there else there.from_host(here.to_host(array))


def device_name(device: Any) -> str:
    """Return the backend that a device means: "cpu" is "numpy"; "cuda", "cuda:0" and 0 are "cupy".

    Raises DeviceError for another number than 0: one device of a kind is used.
    """
    word = f"cuda:{device}" if isinstance(device, (int, np.integer)) else str(device)
    kind, _, number = word.partition(":")
    if number not in ("", "0"):
        raise DeviceError(f"invalid device ordinal: {word!r}; minigan uses the first {kind} device, 0")
    return {"cpu": "numpy", "cuda": "cupy"}.get(kind, kind)


def get_default_dtype() -> np.dtype:
    """Return the type of new tensors of Python floats: float32 until `set_default_dtype`."""
    return _float


def set_default_dtype(dtype: Any) -> None:
    """Make new tensors of Python floats float32 or float64; ArgumentError for another type."""
    global _float
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise ArgumentError(f"set_default_dtype: expected float32 or float64, got {dtype}")
    _float = np.dtype(dtype)


def host_array(value: Any) -> np.ndarray:
    """Return an array of any device, or numbers, as a NumPy array."""
    return of(value).to_host(value) if type(value) in _by_type else np.asarray(value)


def new_array(data: Any, sizes: tuple[int, ...]) -> np.ndarray:
    """Return the numbers of a list, or zeros of the given sizes, on the host in the default dtype."""
    if type(data) is int:
        data = np.zeros((data, *sizes))
    elif sizes:
        raise ArgumentError(f"Tensor: expected sizes alone or one list of values, got {(data, *sizes)}")
    elif data and isinstance(data, tuple) and all(type(n) is int for n in data):
        raise ArgumentError(f"Tensor({data}): write Tensor({list(data)}) for values, zeros({data}) for sizes")
    found = np.asarray(data)
    return found.astype(get_default_dtype()) if found.dtype.kind in "fbiu" else found


def synchronize() -> None:
    """Wait until the current device has finished its queue (nothing to wait for on NumPy)."""
    current().synchronize()


def set_matmul_precision(precision: str) -> None:
    """Say how float32 products, those of convolutions too, are computed on a GPU: "highest" or "high".

    "highest" keeps all 24 bits of the factors.  "high" rounds them to the 11 bits of TF32 (the sums stay
    float32), which is several times as fast on compute capability 8.0 or later: relative errors of about 1e-3
    instead of 1e-6.  Never called: CuPy's environment variable CUPY_TF32 decides, by default "highest".
    PyTorch's name; its "medium" is refused, as no product here is made in bfloat16.  Where no GPU is in use
    "high" changes nothing, says so in a warning, and is kept for the GPU that is asked for later.
    Raises ArgumentError for another name.
    """
    global _precision
    if precision not in PRECISIONS:
        raise ArgumentError(f"set_matmul_precision: expected 'highest' or 'high', got {precision!r}")
    _precision = precision
    switches = [backend.tensor_cores for backend in _loaded.values() if backend.tensor_cores]
    for switch in switches:
        switch(precision == "high")
    if precision == "high" and not switches:
        warnings.warn(
            "set_matmul_precision('high') changes nothing on NumPy, whose products keep full precision",
            stacklevel=2,
        )


def get_matmul_precision() -> str:
    """Return "highest" or "high": what was set, else what CUPY_TF32 in the environment says."""
    if _precision is not None:
        return _precision
    return "high" if os.environ.get("CUPY_TF32", "0") not in ("", "0") else "highest"


def standard_normal(generator: np.random.Generator, shape: tuple[int, ...], dtype: Any = np.float32) -> Array:
    """Draw N(0, 1) on the host and put it on the current backend, so that all devices start alike."""
    return current().from_host(generator.standard_normal(shape, dtype=np.float32).astype(dtype, copy=False))


def uniform(
    generator: np.random.Generator, low: float, high: float, shape: tuple[int, ...], dtype: Any = np.float32
) -> Array:
    """Draw U[low, high) on the host and put it on the current backend."""
    return current().from_host(generator.uniform(low, high, shape).astype(dtype))


def free_memory() -> int | None:
    """Return the bytes that can be had now where new tensors live, or None where the system does not say."""
    if current().name == "cupy":
        return int(current().xp.cuda.runtime.memGetInfo()[0])
    return free_host_memory()


def free_host_memory() -> int | None:
    """Return the bytes of main memory that can be had now, or None where the system does not say."""
    with contextlib.suppress(OSError, ValueError, StopIteration):
        with open("/proc/meminfo", encoding="ascii") as file:
            return 1024 * next(int(line.split()[1]) for line in file if line.startswith("MemAvailable:"))
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None
