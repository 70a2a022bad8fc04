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
from collections.abc import Sequence
from functools import cache
from math import gcd
from typing import Any, NamedTuple

import numpy as np

from minigan import backend
from minigan.backend import Array
from minigan.errors import DTypeError, ShapeError

FOLDER = os.path.dirname(__file__)
SOURCES = ("head", "patches", "windows", "bands", "chains", "norms", "many")
REALS = {"f": "float", "d": "double"}
THREADS = 256  # in a block: full occupancy on every GPU since compute capability 7.5
NARROW = 2**31 - 2**12  # elements up to which an int, and a thread past the last element, can count

Grid = tuple[tuple[int, ...], tuple[int, ...]]


class Strided(NamedTuple):
    """An argument that a kernel reads by its strides: a pointer and one stride, in elements, an axis."""

    array: Array


def available(array: Array) -> bool:
    """Return whether kernels can work on this array: on a GPU, float32 or float64."""
    return backend.of(array).kernels is not None and array.dtype.char in REALS


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
    steps = zip(array.shape, array.strides, strict=True)
    return sum((n - 1) * abs(stride) for n, stride in steps if n) // array.itemsize + 1


def launch(name: str, grid: Grid, like: Array, *arguments: Any) -> None:
    """Call a kernel with arrays (in C order, or `Strided`), whole numbers and numbers, in its own order.

    Whole numbers go over as the index type, others as the type of ``like``, which also names the device.
    Raises ShapeError for an array that is not in C order, DTypeError for one of another type, and TypeError
    for one of another device.
    """
    if not grid[0][0]:
        return
    real, reach = like.dtype, 0
    passed: list[Any] = []
    for argument in arguments:  # written for speed: a GPU's kernel may take less time than this loop
        kind = type(argument)
        if kind is int:
            passed.append(argument)
        elif kind is float:
            passed.append(real.type(argument))
        elif kind is bool:
            passed.append(np.int32(argument))
        else:
            array = argument.array if kind is Strided else argument
            if type(array) is not type(like):
                here, there = backend.of(like).name, backend.of(array).name
                raise TypeError(f"{name}: expected arrays on {here}, got one on {there}")
            if array.dtype != real and array.dtype != np.int32:
                raise DTypeError(f"{name}: expected {real} or int32 arrays, got {array.dtype}")
            passed.append(array)
            if kind is Strided:
                reach = max(reach, extent(array))
                passed += [step // array.itemsize for step in array.strides]
            elif array.flags.c_contiguous:
                reach = max(reach, array.size)
            else:
                raise ShapeError(
                    f"{name}: a kernel ignores strides, so arrays must be in C order; copy it first"
                )
    wide = reach > NARROW
    index = np.int64 if wide else np.int32
    kernel = _kernel(backend.of(like).name, name, real.char, wide)
    kernel(*grid, tuple([index(a) if type(a) is int else a for a in passed]))


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
