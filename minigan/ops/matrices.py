"""Matrices beside their product: diagonals, inverses, grids, distances; stacking and turning."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from minigan.backend import Array, namespace
from minigan.errors import ArgumentError, ShapeError
from minigan.ops.arithmetic import add, mul
from minigan.ops.broadcast import broadcast_to, sum
from minigan.ops.linalg import matmul
from minigan.ops.operands import broadcast_shapes, normalize_axes, one_axis, takes_dim, whole_numbers
from minigan.ops.reduce import norm
from minigan.ops.shape import Scatter, concatenate, flip, getitem, permute, reshape, transpose
from minigan.tensor import Op, Tensor


class Inverse(Op):
    """(..., n, n) -> same: y = x^-1;  gx = -y^T g y^T.

    Giles, "An extended collection of matrix derivative results", 2008, section 2.2.3.
    """

    keeps_output = True

    def forward(self, x: Array) -> Array:
        return namespace(x).linalg.inv(x)

    def backward(self, g: Tensor) -> Tensor:
        across = transpose(self.output)
        return -matmul(matmul(across, g), across)


class LogAbsDet(Op):
    """(..., n, n) -> (...): y = log |det x|;  gx = g x^-T.  Giles, section 2.2.4."""

    keeps = (0,)

    def forward(self, x: Array) -> Array:
        return namespace(x).asarray(namespace(x).linalg.slogdet(x)[1])

    def backward(self, g: Tensor) -> Tensor:
        return mul(reshape(g, *g.shape, 1, 1), transpose(Inverse()(self.input(0))))


def _square(x: Tensor, where: str) -> None:
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"{where}: expected square matrices (..., n, n), got shape {x.shape}")


def inverse(x: Tensor) -> Tensor:
    """Return the inverses of the matrices (..., n, n).  gx = -y^T g y^T.

    Raises ArgumentError for one without an inverse.
    """
    _square(x, "inverse")
    try:
        return Inverse()(x)
    except np.linalg.LinAlgError:
        raise ArgumentError("inverse: a matrix is singular, so it has no inverse") from None


def slogdet(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sign of the determinants of (..., n, n) and the logarithm of their size."""
    _square(x, "slogdet")
    signs = namespace(x.array).linalg.slogdet(x.array)[0]
    return Tensor._wrap(np.asarray(signs) if isinstance(signs, np.generic) else signs), LogAbsDet()(x)


def logdet(x: Tensor) -> Tensor:
    """Return the logarithm of the determinants of (..., n, n): NaN where one is negative."""
    sign, size = slogdet(x)
    return size + Tensor._wrap(namespace(sign.array).where(sign.array < 0, np.nan, 0).astype(size.dtype))


def _places(x: Tensor, rows: int, columns: int, offset: int) -> tuple[Any, Any]:
    xp = namespace(x.array)
    n = max(min(rows - max(-offset, 0), columns - max(offset, 0)), 0)
    return xp.arange(n) + max(-offset, 0), xp.arange(n) + max(offset, 0)


def diagonal(x: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Return the diagonals over two axes as a last axis: above the main one for ``offset`` > 0."""
    a, b = one_axis(dim1, x.ndim, "diagonal"), one_axis(dim2, x.ndim, "diagonal")
    rest = [axis for axis in range(x.ndim) if axis not in (a, b)]
    rows, columns = _places(x, x.shape[a], x.shape[b], offset)
    return getitem(permute(x, *rest, a, b), (..., rows, columns))


def diag(x: Tensor, diagonal: int = 0) -> Tensor:
    """Return a vector as the matrix with that diagonal, or a matrix's diagonal as a vector."""
    if x.ndim not in (1, 2):
        raise ShapeError(f"diag: expected a vector or a matrix, got shape {x.shape}; use diagonal")
    if x.ndim == 2:
        return getitem(x, _places(x, x.shape[0], x.shape[1], diagonal))
    n = x.shape[0] + abs(diagonal)
    return Scatter(_places(x, n, n, diagonal), (n, n))(x)


def trace(x: Tensor) -> Tensor:
    """Return the sum of a matrix's diagonal."""
    if x.ndim != 2:
        raise ShapeError(f"trace: expected a matrix, got shape {x.shape}")
    return sum(diag(x))


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Return each vector (n_i,) repeated over the grid (n_0, n_1, ...); "xy" swaps the first two axes."""
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    if indexing not in ("ij", "xy"):
        raise ArgumentError(f"meshgrid: expected indexing 'ij' or 'xy', got {indexing!r}")
    if any(x.ndim > 1 for x in given):
        raise ShapeError(f"meshgrid: expected vectors, got shapes {[x.shape for x in given]}")
    sizes = [prod(x.shape) for x in given]
    place = list(range(len(sizes)))
    if indexing == "xy" and len(place) > 1:
        place[:2] = [1, 0]
    grid = tuple(sizes[i] for i in place)
    lanes = [tuple(n if i == k else 1 for i in place) for k, n in enumerate(sizes)]
    return tuple(broadcast_to(reshape(x, lane), grid) for x, lane in zip(given, lanes, strict=True))


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Return beta input + alpha mat1 @ mat2, of matrices."""
    return add(mul(input, beta), mul(matmul(mat1, mat2), alpha))


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Return beta input + alpha batch1 @ batch2, of stacks of matrices."""
    return add(mul(input, beta), mul(matmul(batch1, batch2), alpha))


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Return sums of products over ``dims``: so many last axes of a and first of b, or a list for each."""
    if isinstance(dims, int):
        dims = (range(a.ndim - dims, a.ndim), range(dims))
    mine, theirs = (
        [whole_numbers(k)[0] % x.ndim for k in axes] for x, axes in zip((a, b), dims, strict=True)
    )
    if [a.shape[k] for k in mine] != [b.shape[k] for k in theirs]:
        raise ShapeError(f"tensordot: sizes differ over {dims} of shapes {a.shape} and {b.shape}")
    kept = [[k for k in range(x.ndim) if k not in axes] for x, axes in ((a, mine), (b, theirs))]
    inner = prod(a.shape[k] for k in mine)
    left = reshape(permute(a, *kept[0], *mine), -1 if inner else prod(a.shape[k] for k in kept[0]), inner)
    right = reshape(permute(b, *theirs, *kept[1]), inner, prod(b.shape[k] for k in kept[1]))
    return reshape(matmul(left, right), [a.shape[k] for k in kept[0]] + [b.shape[k] for k in kept[1]])


def inner(x: Tensor, y: Tensor) -> Tensor:
    """Return sums of products over the last axes."""
    return mul(x, y) if 0 in (x.ndim, y.ndim) else tensordot(x, y, ([x.ndim - 1], [y.ndim - 1]))


def cross(x: Tensor, y: Tensor, dim: int = -1) -> Tensor:
    """Return the cross products of vectors of 3 along ``dim``."""
    place = one_axis(dim, x.ndim, "cross")
    if x.shape[place] != 3 or y.shape[place] != 3:
        raise ShapeError(f"cross: expected 3 along axis {dim}, got shapes {x.shape} and {y.shape}")
    first, second = ((slice(None),) * place + (order,) for order in ([1, 2, 0], [2, 0, 1]))
    return getitem(x, first) * getitem(y, second) - getitem(x, second) * getitem(y, first)


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0) -> Tensor:
    """Return (..., P, M), (..., R, M) -> (..., P, R); p-norm distances of rows, gradient 0 at 0."""
    if x1.ndim < 2 or x2.ndim < 2 or x1.shape[-1] != x2.shape[-1]:
        raise ShapeError(f"cdist: expected (..., P, M) and (..., R, M), got shapes {x1.shape} and {x2.shape}")
    one, other = (
        getitem(x1, (..., slice(None), None, slice(None))),
        getitem(x2, (..., None, slice(None), slice(None))),
    )
    return norm(one - other, p, -1)


def dist(x: Tensor, y: Tensor, p: float = 2) -> Tensor:
    """Return the p-norm of x - y."""
    return norm(x - y, p)


@takes_dim
def cumprod(x: Tensor, axis: int) -> Tensor:
    """Return the running products along ``axis``."""
    place = one_axis(axis, x.ndim, "cumprod")
    lead: tuple[Any, ...] = (slice(None),) * place
    running: list[Tensor] = []
    for i in range(x.shape[place]):
        part = getitem(x, (*lead, slice(i, i + 1)))
        running.append(running[-1] * part if running else part)
    return concatenate(running, place) if running else x


def rot90(x: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """Return x turned by k quarters from the first of ``dims`` towards the second."""
    a, b = (one_axis(axis, x.ndim, "rot90") for axis in dims)
    normalize_axes((a, b), x.ndim, "rot90")
    for _ in range(k % 4):
        x = transpose(x, a, b)
        x = getitem(x, (slice(None),) * a + (slice(None, None, -1),))
    return x


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Return the tensors expanded to their common shape."""
    shape: tuple[int, ...] = ()
    for x in tensors:
        shape = broadcast_shapes(shape, x.shape, "broadcast_tensors")
    return tuple(broadcast_to(x, shape) for x in tensors)


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Join tensors along the second axis, vectors along the first."""
    given = [reshape(x, 1) if x.ndim == 0 else x for x in tensors]
    return concatenate(given, 0 if given[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Join tensors along the first axis, vectors as rows."""
    return concatenate([reshape(x, 1, -1) if x.ndim < 2 else x for x in tensors], 0)


def fliplr(x: Tensor) -> Tensor:
    """Return x with its second axis reversed."""
    return flip(x, 1)


def flipud(x: Tensor) -> Tensor:
    """Return x with its first axis reversed."""
    return flip(x, 0)
