"""CUDA kernels for arrays on a GPU: copies, pooling, resampling and element-wise chains, each a file of C++.

Read the header of a ``.cu`` file for the formula, and `plain` for the same index arithmetic in Python loops.
The rooms above ask `available` and then call `windows`, `bands` or `chains` (or, for convolutions,
ops/conv/cuda_im2col.py); everything else on a GPU is CuPy's own functions and cuBLAS.

All sources together are compiled when a kernel is first called, once for each number type and index type, by
NVRTC through CuPy: about a second, and then never again, because CuPy keeps the binary in a cache on disk.
`launch` is the one place where a kernel is called: a kernel sees bare memory, so everything about shapes,
strides and types is checked there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Sequence
from functools import cache, lru_cache
from math import gcd
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from minigan import backend
from minigan.backend import Array
from minigan.errors import DTypeError, ShapeError

FOLDER = os.path.dirname(__file__)
SOURCES = ("head", "patches", "windows", "bands", "chains", "norms", "many")
REALS = {"f": "float", "d": "double"}
THREADS = 256  # in a block: full occupancy on every GPU since compute capability 7.5
WHOLE = np.dtype(np.int32)
KEPT = 4096  # whole numbers kept as arguments: sizes and steps of the shapes in use
NARROW = 2**31 - 2**12  # elements up to which an int, and a thread past the last element, can count

Grid = tuple[tuple[int, ...], tuple[int, ...]]


class Strided(NamedTuple):
    """An argument that a kernel reads by its strides: a pointer and one stride, in elements, an axis."""

    array: Array


class Flat(NamedTuple):
    """An argument that a kernel reads in the order of memory, whatever that is: dense, see `dense`."""

    array: Array


class _Whole(dict):
    """Whole numbers as what a kernel of a device is called with, made once each."""

    def __init__(self, pack: Any, dtype: type):
        self.pack, self.dtype = pack, dtype

    def __missing__(self, number: int) -> Any:
        if len(self) >= KEPT:
            self.clear()
        self[number] = packed = self.pack(self.dtype(number))
        return packed


def argument(xp: Any) -> Callable[[np.generic], Any]:
    """Return what makes of a number an argument of a kernel, to be given many times.

    CuPy wraps every number that a kernel is given anew; its own wrapper of a
    number in memory, where it has one, is taken as it is.
    """
    wrapper = getattr(getattr(getattr(xp, "cuda", None), "function", None), "CNumpyArray", None)
    return (lambda number: number) if wrapper is None else (lambda number: wrapper(np.asarray(number)))


class _Way:
    """How kernels are called with arrays of one class and number type."""

    def __init__(self, kind: Any, real: np.dtype):
        here = backend._by_type[kind]
        self.device, self.real, pack = here.name, real.char, argument(here.xp)
        self.narrow, self.wide = (_Whole(pack, whole) for whole in (np.int32, np.int64))
        # CuPy makes an object of flags each time that it is asked for them.
        self.in_c_order = attrgetter(
            "_c_contiguous" if hasattr(kind, "_c_contiguous") else "flags.c_contiguous"
        )


@cache
def _way(kind: Hashable, real: np.dtype) -> _Way:
    return _Way(kind, real)


def available(array: Array) -> bool:
    """Return whether kernels can work on this array: on a GPU, float32 or float64."""
    here = backend._by_type.get(type(array))
    return here is not None and here.kernels is not None and array.dtype.char in REALS


def code() -> str:
    """Return what is compiled: all sources, one after the other."""
    texts = []
    for name in SOURCES:
        with open(os.path.join(FOLDER, f"{name}.cu"), encoding="utf-8") as file:
            texts.append(file.read())
    return "\n".join(texts)


def options(real: str, wide: bool) -> tuple[str, ...]:
    """Return the compiler's options for a number type ("f", "d") and an index type (64 bits if ``wide``)."""
    return (f"-DREAL={REALS[real]}", *["-DWIDE"] * wide)


@cache
def _module(device: str, real: str, wide: bool) -> Any:
    compiled = backend.get(device).kernels
    assert compiled is not None, f"backend {device!r} runs no kernels"
    return compiled(code(), options(real, wide))


@cache
def _kernel(device: str, name: str, real: str, wide: bool) -> Any:
    return _module(device, real, wide)(name)


def lines(count: int) -> Grid:
    """Return (grid, block) for one thread an element."""
    return (-(-count // THREADS),), (THREADS,)


def table(rows: int, columns: int) -> Grid:
    """Return (grid, block) for a matrix: each row is walked by a power of two of threads, 16 at least."""
    along = 16
    while along < min(columns, THREADS):
        along *= 2
    down = THREADS // along
    return (-(-rows // down),), (along, down)


def extent(array: Array) -> int:
    """Return how far apart, in elements, first and last element of an array lie: what an index must hold."""
    return _extent(array.shape, array.strides) // array.itemsize + 1


@lru_cache(4096)
def _extent(shape: tuple[int, ...], strides: tuple[int, ...]) -> int:
    return sum((n - 1) * abs(stride) for n, stride in zip(shape, strides, strict=True) if n)


def dense(array: Array) -> bool:
    """Return whether the elements fill the memory from the first to the last, in whatever order."""
    return _dense(array.shape, array.strides, array.itemsize)


@lru_cache(4096)
def _dense(shape: tuple[int, ...], strides: tuple[int, ...], step: int) -> bool:
    for stride, n in sorted(zip(strides, shape, strict=True)):
        if n > 1 and stride != step:
            return 0 in shape
        step *= n
    return True


def launch(name: str, grid: Grid, like: Array, *arguments: Any) -> None:
    """Call a kernel with arrays (in C order, `Flat`, `Strided`), whole numbers and numbers, in its own order.

    Whole numbers go over as the index type, others as the type of ``like``, which also names the device.
    Raises ShapeError for an array that is not in C order, DTypeError for one of another type, and TypeError
    for one of another device.
    """
    if not grid[0][0]:
        return
    here, real, reach = type(like), like.dtype, 0
    way = _way(here, real)  # type: ignore[arg-type]
    in_c_order = way.in_c_order
    passed: list[Any] = []
    for argument in arguments:  # written for speed: a GPU's kernel may take less time than this loop
        kind = type(argument)
        if kind is int:
            passed.append(argument)
        elif kind is float:
            passed.append(real.type(argument))
        elif kind is bool:
            passed.append(way.narrow[argument])
        else:
            array = argument if kind is here else _array_in(argument, name, like)
            dtype = array.dtype
            if dtype is not real and dtype != real and dtype != WHOLE:
                raise DTypeError(f"{name}: expected {real} or int32 arrays, got {dtype}")
            passed.append(array)
            if kind is Strided:
                reach = max(reach, extent(array))
                passed += [step // array.itemsize for step in array.strides]
                continue
            if not (dense(array) if kind is Flat else in_c_order(array)):
                raise ShapeError(
                    f"{name}: a kernel ignores strides, so arrays must be in C order; copy it first"
                )
            if array.size > reach:
                reach = array.size
    wide = reach > NARROW
    whole = way.wide if wide else way.narrow
    passed = [whole[a] if type(a) is int else a for a in passed]
    _kernel(way.device, name, way.real, wide)(*grid, tuple(passed))


def _array_in(argument: Any, name: str, like: Array) -> Array:
    """The array of a `Flat` or `Strided` argument; TypeError for an array of another device."""
    array = argument.array if type(argument) in (Flat, Strided) else argument
    if type(array) is not type(like):
        here, there = backend.of(like).name, backend.of(array).name
        raise TypeError(f"{name}: expected arrays on {here}, got one on {there}")
    return array


class Planes(NamedTuple):
    """An (N, C, H, W) image as the (A, H, W, B) array in C order that its memory is, or a copy of it.

    A = N C, B = 1 for (N, C, H, W) memory; A = N, B = C for channels-last memory and every other.
    """

    array: Array
    N: int
    C: int
    last: bool

    def image(self, array: Array) -> Array:
        """Return an (A, h, w, B) array as an (N, C, h, w) view."""
        if self.last:
            return array.transpose(0, 3, 1, 2)
        return array.reshape(self.N, self.C, *array.shape[1:3])

    def empty(self, h: int, w: int, dtype: Any = None) -> Array:
        """Return a fresh (A, h, w, B) array."""
        a = self.array
        return backend.namespace(a).empty((a.shape[0], h, w, a.shape[3]), dtype or a.dtype)


def planes(image: Array, last: bool | None = None) -> Planes:
    """Return an image as `Planes`, channels last if so asked; by default as it lies, if it is in C order."""
    N, C, H, W = image.shape
    if last is None:
        last = not image.flags.c_contiguous
    turned = image.transpose(0, 2, 3, 1) if last else image
    array = backend.namespace(image).ascontiguousarray(turned)
    return Planes(array.reshape((N, H, W, C) if last else (N * C, H, W, 1)), N, C, last)


def sizes(axes: Sequence[Any]) -> list[int]:
    """Return what the kernels of windows.cu want to know of two axes of `ops.pool.Windows`."""
    pairs = [(axis.size, axis.out, axis.kernel, axis.stride, axis.padding, axis.dilation) for axis in axes]
    steps = [taps_between(axis.stride, axis.dilation) for axis in axes]
    return [n for pair in zip(*pairs, strict=True) for n in pair] + steps


def taps_between(stride: int, dilation: int) -> int:
    """Return the taps from one window that sees a cell to the next: S / gcd(S, D)."""
    return stride // gcd(stride, dilation)
