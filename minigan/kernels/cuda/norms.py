"""Column sums and batch normalisation on raw device arrays by norms.cu; matrices are (M, C) in C order."""

from __future__ import annotations

from typing import NamedTuple

from minigan import backend
from minigan.backend import Array
from minigan.kernels.cuda import launch, lines
from minigan.kernels.cuda.chains import affine_leaky

WIDE = 1 << 17  # threads of a first stage: enough for the largest GPU
SHORT = 16  # rows that a thread adds up at least: fewer would make more work for the next stage
FEW = 32  # strips that one thread a column adds up in no time


class Strips(NamedTuple):
    """Sums or moments of strips of rows: (number, C) or (number, 2 C); each strip has ``height`` rows."""

    array: Array
    height: int
    number: int


def _cut(rows: int, C: int) -> tuple[int, int]:
    """Return (height, number) of the strips of a first stage."""
    height = max(SHORT, -(-rows * C // WIDE))
    return height, -(-rows // height)


def _groups(number: int) -> int:
    """Return how many strips make a group: as many as there are groups, about."""
    return max(SHORT, int(number**0.5))


def column_sums(x: Array) -> Array:
    """(M, C) -> the sum of each column, (C,), in as many stages as it needs."""
    rows, C = x.shape
    empty = backend.namespace(x).empty
    height, number = _cut(rows, C)
    if not rows:
        return backend.namespace(x).zeros(C, x.dtype)
    while True:
        sums = empty((number, C), x.dtype)
        launch("strip_sums", lines(sums.size), x, sums, x, rows, C, height, sums.size)
        if number == 1:
            return sums.reshape(C)
        x, rows = sums, number
        height = rows if rows <= FEW else _groups(rows)
        number = -(-rows // height)


def moments(x: Array) -> Strips:
    """(M, C) -> mean and squared deviations of each column, of some strips of rows."""
    rows, C = x.shape
    empty = backend.namespace(x).empty
    height, number = _cut(rows, C)
    found = empty((number, 2 * C), x.dtype)
    launch("strip_moments", lines(number * C), x, found, x, rows, C, height, number * C)
    if number > FEW:
        group = _groups(number)
        fewer = -(-number // group)
        strips, found = found, empty((fewer, 2 * C), x.dtype)
        launch("merge_moments", lines(fewer * C), x, found, strips, rows, C, height, number, group, fewer * C)
        height, number = height * group, fewer
    return Strips(found, height, number)


def grad_sums(x: Array, g: Array, y: Array, center: Array, leak: float) -> Strips:
    """(M, C) three times, (C,) -> sums of g and of g (x - center) over some strips of rows.

    g as it is before a leaky ReLU of slope ``leak`` whose result is y.
    """
    rows, C = x.shape
    empty = backend.namespace(x).empty
    height, number = _cut(rows, C)
    found = empty((number, 2 * C), x.dtype)
    launch("grad_sums", lines(number * C), x, found, x, g, y, center, leak, rows, C, height, number * C)
    if number > FEW:
        group = _groups(number)
        fewer = -(-number // group)
        strips, found = found, empty((fewer, 2 * C), x.dtype)
        launch("strip_sums", lines(found.size), x, found, strips, number, 2 * C, group, found.size)
        height, number = height * group, fewer
    return Strips(found, height, number)


def batch_norm(
    x: Array, weight: Array, bias: Array, eps: float, leak: float = 1.0
) -> tuple[Array, Array, Array, Array]:
    """(M, C), (C,), (C,) -> weight (x - mean) / sqrt(var + eps) + bias, mean, var and 1 / sqrt(var + eps).

    The first after a leaky ReLU of slope ``leak``.
    """
    xp, (rows, C) = backend.namespace(x), x.shape
    found = moments(x)
    mean, var, rstd, scale, shift = xp.empty((5, C), x.dtype)
    given = (found.array, *map(xp.ascontiguousarray, (weight, bias)))
    vectors = (mean, var, rstd, scale, shift)
    launch("norm_vectors", lines(C), x, *vectors, *given, float(eps), rows, found.height, found.number, C)
    return affine_leaky(x, scale, shift, leak), mean, var, rstd


def norm_grad(x: Array, g: Array, y: Array, vectors: tuple[Array, ...], leak: float) -> Array:
    """(M, C) three times; factor, slope, shift, (C,) -> factor g - (slope x + shift), (M, C); g as above."""
    gx = backend.namespace(x).empty(x.shape, x.dtype)
    launch("norm_grad", lines(gx.size), x, gx, x, g, y, *vectors, leak, x.shape[1], gx.size)
    return gx


def batch_norm_grad(
    x: Array, g: Array, weight: Array, mean: Array, rstd: Array, *, wanted: bool,
    y: Array | None = None, leak: float = 1.0,
) -> tuple[Array | None, Array, Array]:  # fmt: skip
    """(M, C) twice, (C,) three times -> gx, (M, C) or None unless ``wanted``, gweight and gbias, (C,).

    Where a leaky ReLU of slope ``leak`` follows, y is its result, (M, C).
    """
    y = g if y is None else y
    xp, (rows, C) = backend.namespace(x), x.shape
    sums = grad_sums(x, g, y, mean, leak)
    gbias, gweight = (xp.empty(C, x.dtype) for _ in range(2))  # gradients share no memory
    factor, slope, shift = xp.empty((3, C), x.dtype)
    given = (sums.array, mean, rstd, xp.ascontiguousarray(weight))
    vectors = (gbias, gweight, factor, slope, shift)
    launch("norm_slopes", lines(C), x, *vectors, *given, 1.0 / rows, sums.number, C)
    return norm_grad(x, g, y, (factor, slope, shift), leak) if wanted else None, gweight, gbias


def running_moments(mean: Array, var: Array, batch: tuple[Array, Array], momentum: float, rows: int) -> None:
    """Move running mean and variance, (C,) both, in place towards a batch's of ``rows`` rows."""
    unbiased = rows / (rows - 1)
    launch("running_moments", lines(mean.size), mean, mean, var, *batch, float(momentum), unbiased, mean.size)
