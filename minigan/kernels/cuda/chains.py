"""Element-wise chains on raw device arrays by the kernels of chains.cu; matrices are (M, C) in C order."""

from __future__ import annotations

from minigan import backend
from minigan.backend import Array
from minigan.kernels.cuda import launch, lines


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


def softplus(x: Array, threshold: float) -> Array:
    """Any shape -> log(1 + exp(x)), and x above the threshold, laid out alike."""
    order = backend.memory_order(x)
    given = backend.namespace(x).ascontiguousarray(x.transpose(order))
    y = backend.namespace(x).empty([x.shape[axis] for axis in order], x.dtype)
    launch("softplus", lines(y.size), x, y, given, float(threshold), y.size)
    return y.transpose(backend.inverse(order))


def softplus_grad(g: Array, x: Array, threshold: float) -> Array:
    """Two arrays of one shape -> g sigmoid(x), and g above the threshold, laid out as x."""
    order, xp = backend.memory_order(x), backend.namespace(x)
    at, given = (xp.ascontiguousarray(array.transpose(order)) for array in (x, g))
    gx = xp.empty([x.shape[axis] for axis in order], x.dtype)
    launch("softplus_grad", lines(gx.size), x, gx, given, at, float(threshold), gx.size)
    return gx.transpose(backend.inverse(order))


def cross_entropy(x: Array, label: Array) -> Array:
    """Logits and labels in C order, of one shape or one label for all -> binary cross-entropy."""
    y = backend.namespace(x).empty(x.shape, x.dtype)
    launch("cross_entropy", lines(y.size), x, y, x, label, label.size == 1, y.size)
    return y


def cross_entropy_grad(g: Array, x: Array, label: Array) -> Array:
    """Three arrays in C order -> g (sigmoid(x) - label)."""
    gx = backend.namespace(x).empty(x.shape, x.dtype)
    launch("cross_entropy_grad", lines(gx.size), x, gx, g, x, label, label.size == 1, gx.size)
    return gx
