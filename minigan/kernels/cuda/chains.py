"""Element-wise chains on raw device arrays by the kernels of chains.cu; matrices are (M, C) in C order."""

from __future__ import annotations

from minigan import backend
from minigan.backend import Array
from minigan.kernels.cuda import launch, lines

STRIPS = 1 << 17  # partial sums of a reduction: enough threads for the largest GPU, little to add up after


def affine_leaky(x: Array, scale: Array, shift: Array, slope: float = 1.0) -> Array:
    """(M, C), (C,), (C,) -> leaky(scale x + shift), (M, C); slope 1 is no activation."""
    y = backend.namespace(x).empty(x.shape, x.dtype)
    launch("affine_leaky", lines(y.size), x, y, x, scale, shift, slope, x.shape[1], y.size)
    return y


def leaky_grad(g: Array, y: Array, slope: float) -> Array:
    """Two arrays of one shape -> g where y > 0, else slope g; laid out as y."""
    order = backend.memory_order(y)
    xp = backend.namespace(y)
    result, given = (xp.ascontiguousarray(array.transpose(order)) for array in (y, g))
    gx = xp.empty([y.shape[axis] for axis in order], y.dtype)
    launch("leaky_grad", lines(gx.size), y, gx, given, result, slope, gx.size)
    return gx.transpose(backend.inverse(order))


def column_sums(x: Array, center: Array, g: Array | None = None) -> tuple[Array, Array]:
    """(M, C), (C,) -> sums over the rows of g and g * (x - center), (C,) both; g None: g = x - center."""
    rows, C = x.shape
    height = max(16, -(-rows * C // STRIPS))
    strips = -(-rows // height)
    xp = backend.namespace(x)
    first, second = (xp.empty((strips, C), x.dtype) for _ in range(2))
    launch(
        "column_sums", lines(strips * C), x,
        first, second, x, x if g is None else g, center, g is None, rows, C, height, strips * C,
    )  # fmt: skip
    return first.sum(axis=0), second.sum(axis=0)


def norm_grad(x: Array, g: Array, factor: Array, slope: Array, shift: Array) -> Array:
    """(M, C) twice, (C,) three times -> factor g - (slope x + shift), (M, C)."""
    gx = backend.namespace(x).empty(x.shape, x.dtype)
    launch("norm_grad", lines(gx.size), x, gx, x, g, factor, slope, shift, x.shape[1], gx.size)
    return gx


def batch_norm(
    x: Array, weight: Array, bias: Array, eps: float, leak: float = 1.0
) -> tuple[Array, Array, Array, Array]:
    """(M, C), (C,), (C,) -> weight (x - mean) / sqrt(var + eps) + bias, mean, var and 1 / sqrt(var + eps).

    The first after a leaky ReLU of slope ``leak``.

    Two walks for the statistics, as deviations must be taken from the mean to keep their digits.
    """
    xp, (rows, C) = backend.namespace(x), x.shape
    center = column_sums(x, xp.zeros(C, x.dtype))[0] / rows
    first, second = column_sums(x, center)
    mean, var, rstd, scale, shift = (xp.empty(C, x.dtype) for _ in range(5))
    given = (first, second, center, *map(xp.ascontiguousarray, (weight, bias)))
    launch("norm_vectors", lines(C), x, mean, var, rstd, scale, shift, *given, 1.0 / rows, eps, C)
    return affine_leaky(x, scale, shift, leak), mean, var, rstd


def batch_norm_grad(
    x: Array, g: Array, weight: Array, mean: Array, rstd: Array, *, wanted: bool
) -> tuple[Array | None, Array, Array]:
    """(M, C) twice, (C,) three times -> gx, (M, C) or None unless ``wanted``, gweight and gbias, (C,)."""
    xp, (rows, C) = backend.namespace(x), x.shape
    gbias, drift = column_sums(x, mean, g)
    gweight, factor, slope, shift = (xp.empty(C, x.dtype) for _ in range(4))
    given = (gbias, drift, mean, rstd, xp.ascontiguousarray(weight))
    launch("norm_slopes", lines(C), x, gweight, factor, slope, shift, *given, 1.0 / rows, C)
    return norm_grad(x, g, factor, slope, shift) if wanted else None, gweight, gbias


def adam(
    p: Array, m: Array, v: Array, g: Array, *, shrink: float, decay: float, betas: tuple[float, float],
    eps: float, rate: float,
) -> None:  # fmt: skip
    """Update p, m and v, flat arrays, in place; see chains.cu for what the numbers are."""
    beta1, beta2 = betas
    numbers = (shrink, decay, beta1, 1.0 - beta1, beta2, 1.0 - beta2, eps, rate)
    launch("adam", lines(p.size), p, p, m, v, g, *(float(n) for n in numbers), p.size)
