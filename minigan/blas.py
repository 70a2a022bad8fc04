"""One matrix product a thread, instead of many threads a product.

A convolution is a loop over tiles: copy a tile's patches, multiply, copy the result out. Left to itself
BLAS runs each product on all cores and each copy leaves all cores but one idle; besides, its idle threads
go on spinning for some 30 ms after a product and slow down whoever copies. Here every thread of the pool
works through whole tiles, copies and products alike, with BLAS held to one thread meanwhile. Measured on
two cores, that takes a 64-channel 3x3 convolution from 26 ms to 13.

NumPy's OpenBLAS has a call for the number of its threads; we find it in the library NumPy has loaded. Where
another BLAS is in use the jobs run one after another and BLAS does the threading, as everywhere else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from minigan import backend, parallel

WORTH_SPLITTING = 1 << 24  # multiplications in a product from which a second thread pays

_lock = threading.Lock()
_users = 0
_before = 1


@cache
def _thread_calls() -> tuple[Any, Any] | None:
    """OpenBLAS's functions (get, set) for its number of threads, or None where NumPy has another BLAS."""
    import ctypes  # not at the top: importing minigan stays light

    folder = Path(np.__file__).resolve().parent
    libraries = [*folder.parent.glob("numpy.libs/*openblas*"), *folder.glob(".dylibs/*openblas*")]
    for path in libraries:
        try:
            library = ctypes.CDLL(str(path))
        except OSError:
            continue
        for prefix, suffix in (("scipy_", "64_"), ("", "64_"), ("scipy_", ""), ("", "")):
            names = [f"{prefix}openblas_{verb}_num_threads{suffix}" for verb in ("get", "set")]
            if all(hasattr(library, name) for name in names):
                return getattr(library, names[0]), getattr(library, names[1])
    return None


@contextmanager
def single() -> Iterator[None]:
    """Hold BLAS to one thread inside the block, for calls from this and any other thread."""
    global _users, _before
    calls = _thread_calls()
    if calls is None:
        yield
        return
    with _lock:
        if _users == 0:
            _before = calls[0]()
            calls[1](1)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                calls[1](_before)


def workers() -> int:
    """How many jobs `run` does at a time."""
    return 1 if _thread_calls() is None else parallel.threads()


def run(jobs: Sequence[Callable[[], Any]]) -> None:
    """Call every job; return when all are done.

    Jobs may multiply matrices, and must write to places of their own.  One job alone is held to one BLAS
    thread too: a single product on all of them would leave threads spinning that slow down all that follows.
    """
    if workers() == 1:
        for job in jobs:
            job()
        return
    with single():
        parallel.run(jobs)


def product(left: Any, right: Any, out: Any) -> Any:
    """Write left @ right to ``out`` and return it: matrices, or stacks of them (K, rows, columns).

    For NumPy by `dot`, which lets go of the interpreter lock: `matmul` was seen to hold on to it in products
    of few columns, so that the threads of a pool multiplied one after another.
    """
    if type(out) is not np.ndarray or not out.flags.c_contiguous:
        backend.namespace(out).matmul(left, right, out=out)
    elif out.ndim == 2:
        np.dot(left, right, out=out)
    else:
        for one, other, into in zip(left, right, out, strict=True):
            np.dot(one, other, out=into)
    return out


def matmul(left: Any, right: Any) -> Any:
    """left @ right, for a product of two large matrices with the result's longer side shared out."""
    if type(left) is not np.ndarray or workers() == 1:
        return left @ right
    if left.ndim != 2 or right.ndim != 2 or left.size * right.shape[1] < WORTH_SPLITTING:
        with single():
            return left @ right
    M, N = left.shape[0], right.shape[1]
    out = np.empty((M, N), np.result_type(left, right))
    count = workers()
    edges = [max(M, N) * k // count for k in range(count + 1)]
    shares = [slice(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]
    if M >= N:
        run([partial(product, left[s], right, out[s]) for s in shares])
    else:
        run([partial(product, left, right[:, s], out[:, s]) for s in shares])
    return out
