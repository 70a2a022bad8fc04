"""One matrix product a thread, instead of many threads a product.

A convolution is a loop over tiles: copy a tile's patches, multiply, copy the result out. Left to itself BLAS
runs each product on all cores and each copy leaves all cores but one idle; besides, its idle threads go on
spinning for a while after a product and slow down whoever copies. Here every thread of the pool works through
whole tiles, copies and products alike, with BLAS held to one thread meanwhile.

NumPy's OpenBLAS has a call for the number of its threads; we find it in the library NumPy has loaded. Where
another BLAS is in use the jobs run one after another and BLAS does the threading, as everywhere else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from math import prod
from typing import Any

import numpy as np

from minigan import backend
from minigan.kernels import parallel

WORTH_SPLITTING = 1 << 24  # multiplications in a product from which a second thread pays

SMALL_KERNELS = ("SkylakeX", "Cooperlake", "SapphireRapids")  # cores with kernels for small matrices
UNPACKED = 10**6  # multiplications up to which those multiply matrices where they lie
SMALL_FACE = 10**4  # elements of the small factor, or of the result of long sums, up to which that pays
NARROW = 64  # columns of a tall result up to which it pays whatever their length
LANES = 64  # elements: blocks of columns are that many or a multiple

FEW = 16  # matrices in a stack up to which a GPU is given them one by one


class _Caller(threading.local):
    alone = False


_caller = _Caller()
_lock = threading.Lock()
_users = 0
_before = 1


@cache
def _library() -> tuple[Any, str, str] | None:
    """OpenBLAS as NumPy has loaded it, with what its functions' names begin and end with; else None."""
    import ctypes  # not at the top: importing minigan stays light
    from pathlib import Path

    folder = Path(np.__file__).resolve().parent
    libraries = [*folder.parent.glob("numpy.libs/*openblas*"), *folder.glob(".dylibs/*openblas*")]
    for path in libraries:
        try:
            library = ctypes.CDLL(str(path))
        except OSError:
            continue
        for prefix, suffix in (("scipy_", "64_"), ("", "64_"), ("scipy_", ""), ("", "")):
            if hasattr(library, f"{prefix}openblas_set_num_threads{suffix}"):
                return library, prefix, suffix
    return None


@cache
def _thread_calls() -> tuple[Any, Any] | None:
    """OpenBLAS's functions (get, set) for its number of threads, or None where NumPy has another BLAS."""
    if (found := _library()) is None:
        return None
    library, prefix, suffix = found
    get, put = (getattr(library, f"{prefix}openblas_{verb}_num_threads{suffix}") for verb in ("get", "set"))
    return get, put


@cache
def core() -> str:
    """Return OpenBLAS's name for the kernels it uses here; "" for another BLAS."""
    from ctypes import c_char_p

    if (found := _library()) is None:
        return ""
    function = getattr(found[0], f"{found[1]}openblas_get_corename{found[2]}")
    function.restype, function.argtypes = c_char_p, []
    return function().decode()


@cache
def _gemm(kind: str) -> Any:
    """OpenBLAS's C = alpha A B + beta C for a dtype's letter, or None.

    NumPy's own products cannot add to what is there, nor write to a part of a wider matrix.
    """
    found = _library()
    name = {"f": "cblas_sgemm", "d": "cblas_dgemm"}.get(kind)
    if found is None or name is None or not hasattr(found[0], found[1] + name + found[2]):
        return None
    from ctypes import c_double, c_float, c_int, c_int32, c_int64, c_void_p

    library, prefix, suffix = found
    call = getattr(library, prefix + name + suffix)
    real, size = (c_float if kind == "f" else c_double), (c_int64 if suffix == "64_" else c_int32)
    matrix = [c_void_p, size]
    call.argtypes = [c_int] * 3 + [size] * 3 + [real, *matrix, *matrix, real, *matrix]
    call.restype = None
    return call


ROWS, AS_IT_IS, TRANSPOSED = 101, 111, 112  # CblasRowMajor, CblasNoTrans, CblasTrans


def _operand(matrix: np.ndarray) -> tuple[int, int, int] | None:
    """(order, address, elements from one row to the next) for BLAS, or None for what it cannot walk."""
    rows, columns = matrix.shape
    item = matrix.itemsize
    down, along = matrix.strides
    if (along == item or columns == 1) and (down >= columns * item or rows == 1) and down % item == 0:
        order, step = AS_IT_IS, max(down // item, columns) if rows > 1 else columns
    elif (down == item or rows == 1) and (along >= rows * item or columns == 1) and along % item == 0:
        order, step = TRANSPOSED, max(along // item, rows) if columns > 1 else rows
    else:
        return None
    return order, matrix.__array_interface__["data"][0], step


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
    """How many jobs `run` does at a time: one inside `by_one_thread` and where BLAS cannot be held to one."""
    return 1 if _caller.alone or _thread_calls() is None else parallel.threads()


class by_one_thread:
    """Context manager: do all jobs in this thread inside the block, for arrays on a GPU.

    A GPU runs passes side by side by itself, and other threads may have another device or stream as theirs.
    """

    def __enter__(self) -> None:
        self.before, _caller.alone = _caller.alone, True

    def __exit__(self, *_: Any) -> None:
        _caller.alone = self.before


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


def product(left: Any, right: Any, out: Any, *, add: bool = False) -> Any:
    """Write left @ right to ``out``, or add it, and return ``out``: matrices, or stacks (K, rows, columns).

    Either factor of a stack may be one matrix.  What NumPy cannot do, adding and writing a large product to
    a part of a wider matrix, BLAS does itself.
    """
    if type(out) is not np.ndarray:
        found = _device_product(left, right, None if add else out)
        if add:
            out += found
    elif _by_blocks(left, right, out, add):
        pass
    elif out.ndim > 2 and not add:
        np.matmul(left, right, out=out)
    elif out.ndim > 2:
        for one, other, into in zip(left, right, out, strict=True):
            product(one, other, into, add=True)
    elif not add and out.flags.c_contiguous:
        np.dot(left, right, out=out)
    elif not _call_blas(left, right, out, add):
        found = np.dot(left, right)
        out[...] = found + out if add else found
    return out


def _by_blocks(left: np.ndarray, right: np.ndarray, out: np.ndarray, add: bool) -> bool:
    """Write or add long products as stacks of small ones, in one call; False where that does not pay.

    A large product copies both factors into the order of its kernel, and where two of its three sizes are
    small that is most of the work.  Up to a million multiplications OpenBLAS's kernels for AVX-512 read
    factors where they lie, in a tall product, in a transform of Winograd's and in a weight gradient alike.
    Other cores have none, and blocks only cost calls there.  ``benchmarks/blocks.py`` prints it for yours.
    """
    (M, K), N = left.shape[-2:], right.shape[-1]
    if M * K * N <= UNPACKED or core() not in SMALL_KERNELS:
        return False
    longest = max(M, K, N)
    face = M * K * N // longest  # elements of the small factor, or of a small result
    step = LANES if M < longest == N else 8  # vectors lie along the columns
    block = UNPACKED // face // step * step
    narrow = longest == M > N <= NARROW
    if not block or min(M, K, N) < 2 or face > SMALL_FACE and not narrow:
        return False
    block = longest // -(-longest // block) // step * step or block  # as even as may be, with a short rest
    if longest > max(M, N):
        return out.ndim == 2 and _sum_of_blocks(left, right, out, block, add)
    large = left if longest == M else right
    if add or any(matrix.strides[-1] != matrix.itemsize for matrix in (large, out)):
        return False
    done = longest // block * block
    if longest == M:
        right = np.ascontiguousarray(right)
        rows = [m[..., :done, :].reshape(*m.shape[:-2], -1, block, m.shape[-1]) for m in (left, out)]
        np.matmul(rows[0], right[..., None, :, :], out=rows[1])
        left, out = left[..., done:, :], out[..., done:, :]
    else:
        columns = [m[..., :done].reshape(*m.shape[:-1], -1, block).swapaxes(-3, -2) for m in (right, out)]
        np.matmul(left[..., None, :, :], columns[0], out=columns[1])
        right, out = right[..., done:], out[..., done:]
    if done < longest:
        np.matmul(left, right, out=out)
    return True


def _sum_of_blocks(left: np.ndarray, right: np.ndarray, out: np.ndarray, block: int, add: bool) -> bool:
    """The same for a product whose sums are long: each block's own, and then their sum."""
    done = left.shape[1] // block * block
    rows = right[:done].reshape(-1, block, right.shape[1])
    found = np.matmul(left[:, :done].reshape(len(left), -1, block).swapaxes(0, 1), rows).sum(axis=0)
    if done < left.shape[1]:
        found += left[:, done:] @ right[done:]
    np.add(found, out, out=out) if add else np.copyto(out, found)
    return True


def _call_blas(left: np.ndarray, right: np.ndarray, out: np.ndarray, add: bool) -> bool:
    """Have BLAS write or add left @ right; False, and nothing done, where it cannot."""
    call = _gemm(out.dtype.char)
    if call is None or left.dtype != out.dtype or right.dtype != out.dtype or 0 in (out.size, left.size):
        return False
    a, b, c = _operand(left), _operand(right), _operand(out)
    if a is None or b is None or c is None or c[0] != AS_IT_IS or left.shape[1] != right.shape[0]:
        return False
    if out.shape != (left.shape[0], right.shape[1]):
        return False
    beta = 1.0 if add else 0.0
    call(ROWS, a[0], b[0], *out.shape, left.shape[1], 1.0, *a[1:], *b[1:], beta, *c[1:])
    return True


def _device_product(left: Any, right: Any, out: Any = None) -> Any:
    """left @ right on a GPU, where a product of matrices should be one, and not a stack of one.

    CuPy's product of stacks copies transposed factors and is made in full precision whatever
    `set_matmul_precision` says; its dot of two matrices does neither.  So a stack of a `FEW` goes one
    by one, and a stack times one matrix as one tall matrix; a stack of many is better off in one call.
    """
    xp = backend.namespace(left)
    if left.ndim <= 2 and right.ndim <= 2:
        return _dot(xp, left, right, out)
    if left.ndim > 2 and right.ndim == 2 and out is None:
        rows = prod(left.shape[:-1])
        return xp.dot(left.reshape(rows, left.shape[-1]), right).reshape(*left.shape[:-1], right.shape[1])
    stack = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    if min(left.ndim, right.ndim) < 2 or prod(stack) > FEW:
        return xp.matmul(left, right, out=out)
    if out is None:
        out = xp.empty((*stack, left.shape[-2], right.shape[-1]), xp.result_type(left, right))
    left, right = (xp.broadcast_to(each, (*stack, *each.shape[-2:])) for each in (left, right))
    for place in np.ndindex(*stack):
        _dot(xp, left[place], right[place], out[place])
    return out


def _dot(xp: Any, left: Any, right: Any, out: Any) -> Any:
    if out is None or out.flags.c_contiguous:
        return xp.dot(left, right, out=out)
    out[...] = xp.dot(left, right)
    return out


def matmul(left: Any, right: Any, row: Any = None) -> Any:
    """left @ right; ``row``, where given, is added to every row of a product of two matrices."""
    if type(left) is np.ndarray and left.ndim == right.ndim == 2:
        return products((left, right), row=row)[0]
    if type(left) is not np.ndarray:
        found = _device_product(left, right)
    else:
        with single():
            found = left @ right
    if row is not None:
        found += row
    return found


def products(*pairs: tuple[np.ndarray, np.ndarray], row: np.ndarray | None = None) -> list[np.ndarray]:
    """The product of each pair of matrices, all shared out among the threads at once.

    Several products of one size are a thread's work each; one alone is cut up along its longer side.
    """
    outs = [np.empty((a.shape[0], b.shape[1]), np.result_type(a, b)) for a, b in pairs]
    large = sum(a.size * b.shape[1] for a, b in pairs) >= WORTH_SPLITTING
    count = -(-workers() // len(pairs)) if large else 1
    jobs = [job for pair, out in zip(pairs, outs, strict=True) for job in _shares(*pair, out, row, count)]
    if large:
        run(jobs)
    else:
        with single():
            for job in jobs:
                job()
    return outs


def _shares(
    left: np.ndarray, right: np.ndarray, out: np.ndarray, row: np.ndarray | None, count: int
) -> list[Callable[[], None]]:
    """Jobs that write the product's ``count`` parts: of its columns, unless it has many more rows."""
    M, N = out.shape

    def part(rows: slice, columns: slice) -> None:
        product(left[rows], right[:, columns], out[rows, columns])
        if row is not None:
            out[rows, columns] += row[columns]

    everything = slice(None)
    tall = M > 2 * N
    edges = [(M if tall else N) * k // count for k in range(count + 1)]
    pieces = [slice(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]
    return [partial(part, *((piece, everything) if tall else (everything, piece))) for piece in pieces]


def gram(rows: Any) -> Any:
    """rows^T @ rows, (M, C) -> (C, C): each thread sums over its share of the rows.

    `dot` knows a product of a matrix with its own transpose and computes one triangle of it.
    """
    if type(rows) is not np.ndarray:
        return _device_product(rows.T, rows)
    if rows.size * rows.shape[1] < WORTH_SPLITTING:
        with single():
            return rows.T @ rows
    count = workers()
    edges = [len(rows) * k // count for k in range(count + 1)]
    sums = np.empty((count, rows.shape[1], rows.shape[1]), rows.dtype)
    parts = [rows[a:b] for a, b in zip(edges[:-1], edges[1:], strict=True)]
    run([partial(np.dot, part.T, part, out=into) for part, into in zip(parts, sums, strict=True)])
    return sums.sum(axis=0)
