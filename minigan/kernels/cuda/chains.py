"""Element-wise chains on raw device arrays by the kernels of chains.cu; matrices are (M, C) in C order."""

from __future__ import annotations

from minigan import backend
from minigan.backend import Array
from minigan.kernels.cuda import Flat, dense, launch, lines


def affine_leaky(x: Array, scale: Array, shift: Array, slope: float = 1.0) -> Array:
    """(M, C), (C,), (C,) -> leaky(scale x + shift), (M, C); slope 1 is no activation."""
    y = backend.namespace(x).empty(x.shape, x.dtype)
    launch("affine_leaky", lines(y.size), x, y, x, scale, shift, slope, x.shape[1], y.size)
    return y


def _each(name: str, model: Array, others: tuple[Array, ...], *numbers: float) -> Array:
    """Call a kernel (result, others, model, numbers, count), element by element; result as the model.

    Arrays that lie in memory alike, without gaps, are read as they are: turning them costs more than it takes
    to launch a kernel.
    """
    xp, strides = backend.namespace(model), model.strides
    order = backend.memory_order(model)
    turned = order != sorted(order)
    arrays = (*others, model)
    if dense(model) and all(array.strides == strides for array in others):
        given = [Flat(array) for array in arrays] if turned else list(arrays)
    else:
        given = [xp.ascontiguousarray(array.transpose(order)) for array in arrays]
    shape = model.shape
    result = xp.empty([shape[axis] for axis in order] if turned else shape, model.dtype)
    launch(name, lines(result.size), model, result, *given, *numbers, result.size)
    return result.transpose(backend.inverse(order)) if turned else result


def leaky_grad(g: Array, y: Array, slope: float) -> Array:
    """Two arrays of one shape -> g where y > 0, else slope g; laid out as y."""
    return _each("leaky_grad", y, (g,), slope)


def softplus(x: Array, threshold: float) -> Array:
    """Any shape -> log(1 + exp(x)), and x above the threshold, laid out alike."""
    return _each("softplus", x, (), float(threshold))


def softplus_grad(g: Array, x: Array, threshold: float) -> Array:
    """Two arrays of one shape -> g sigmoid(x), and g above the threshold, laid out as x."""
    return _each("softplus_grad", x, (g,), float(threshold))


def sigmoid(x: Array) -> Array:
    """Any shape -> 1 / (1 + exp(-x)), laid out alike."""
    return _each("sigmoid", x, ())


def sigmoid_grad(g: Array, y: Array) -> Array:
    """Two arrays of one shape -> g y (1 - y), laid out as y."""
    return _each("sigmoid_grad", y, (g,))


def tanh_grad(g: Array, y: Array) -> Array:
    """Two arrays of one shape -> g (1 - y**2), laid out as y."""
    return _each("tanh_grad", y, (g,))


def cross_entropy(x: Array, label: Array, name: str = "cross_entropy") -> Array:
    """Logits and labels in C order, of one shape or one label for all -> binary cross-entropy.

    The kernel "probability_loss" takes probabilities.
    """
    y = backend.namespace(x).empty(x.shape, x.dtype)
    launch(name, lines(y.size), x, y, x, label, label.size == 1, y.size)
    return y


def cross_entropy_grad(g: Array, x: Array, label: Array, name: str = "cross_entropy_grad") -> Array:
    """Three arrays in C order -> g times the derivative by x; "probability_loss_grad" for probabilities."""
    gx = backend.namespace(x).empty(x.shape, x.dtype)
    launch(name, lines(gx.size), x, gx, g, x, label, label.size == 1, gx.size)
    return gx
