"""Activations with PyTorch's arguments, the softmax family, and dropout.

Shape line of all: (any shape) -> same, except where it says otherwise.  With ``inplace=True`` the input
becomes the result (`ops.inplace`).  What is no operation of its own in `minigan.ops` is composed of those
here, so its derivatives of every order come from theirs.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from minigan import ops
from minigan.backend import namespace
from minigan.errors import ArgumentError, ShapeError
from minigan.nn import init
from minigan.ops.half import in_single
from minigan.ops.inplace import on_request
from minigan.tensor import Tensor

SELU_ALPHA = 1.6732632423543772848170429916717  # the fixed point (mean 0, variance 1) of arXiv 1706.02515
SELU_SCALE = 1.0507009873554804934193349852946


@on_request
def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0)."""
    return ops.relu(input)


@on_request
def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, else negative_slope x."""
    return ops.leaky_relu(input, negative_slope)


@on_request
def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha (exp(x) - 1).  Clevert et al., arXiv 1511.07289."""
    return ops.elu(input, alpha)


@on_request
@in_single
def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """Scale times elu(x, alpha), with the two constants of Klambauer et al., arXiv 1706.02515, section 2."""
    return ops.elu(input, SELU_ALPHA) * SELU_SCALE


@on_request
@in_single
def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha (exp(x / alpha) - 1), alpha > 0.  Barron, arXiv 1704.07483."""
    if not alpha > 0:
        raise ArgumentError(f"celu: alpha must be > 0, got {alpha}")
    return ops.elu(input * (1 / alpha)) * alpha


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-x))."""
    return ops.sigmoid(input)


@in_single
def logsigmoid(input: Tensor) -> Tensor:
    """log(sigmoid(x)) = -softplus(-x), which cannot overflow."""
    return -ops.softplus(-input, threshold=float("inf"))


@on_request
@in_single
def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x held to [min_val, max_val]; g passes strictly inside, as in PyTorch.

    Raises ArgumentError unless min_val <= max_val.
    """
    x = input.array
    inside = (x > min_val) & (x < max_val)
    return ops.where(inside, input, ops.clip(input.detach(), min_val, max_val))


@on_request
def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """x held to [0, 6]."""
    return hardtanh(input, 0.0, 6.0)


@on_request
@in_single
def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """x / 6 + 1/2 held to [0, 1].  Howard et al., arXiv 1905.02244, section 5.2."""
    return hardtanh(input, -3.0, 3.0) * (1 / 6) + 0.5


@on_request
@in_single
def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x relu6(x + 3) / 6.  Howard et al., arXiv 1905.02244, section 5.2."""
    return input * hardsigmoid(input)


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return ops.tanh(input)


@in_single
def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return input - ops.tanh(input)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta x)) / beta, and x where beta x > threshold."""
    return ops.softplus(input, beta, threshold)


@in_single
def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return input / (1.0 + ops.abs(input))


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x times the normal distribution function of x, or its "tanh" approximation (arXiv 1606.08415)."""
    return ops.gelu(input, approximate)


@on_request
def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x sigmoid(x)."""
    return ops.silu(input)


@on_request
@in_single
def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x tanh(softplus(x)).  Misra, arXiv 1908.08681, equation 1."""
    return input * ops.tanh(ops.softplus(input, threshold=float("inf")))


@in_single
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else weight x: one weight, or one for each channel (axis 1).

    gweight = the sum of g x where x <= 0.  He et al., arXiv 1502.01852, equation 1.
    Raises ShapeError for another number of weights.
    """
    channels = input.shape[1] if input.ndim > 1 else 1
    if weight.ndim > 1 or weight.size not in (1, channels):
        raise ShapeError(f"prelu: expected 1 or {channels} weights for {input.shape}, got {weight.shape}")
    lane = (1, weight.size) + (1,) * (input.ndim - 2) if input.ndim > 1 else (1,) * input.ndim
    return ops.where(input.array > 0, input, ops.reshape(weight, lane) * input)


@on_request
def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, else ``value``."""
    return ops.where(~(input.array <= threshold), input, value)


# ---- along an axis ----------------------------------------------------------------------------------------


def _axis(where: str, dim: int | None, axis: int | None, ndim: int) -> int:
    """The axis asked for under either name; for none PyTorch's guess, with its warning."""
    if axis is not None or dim is not None:
        return dim if axis is None else axis  # type: ignore[return-value]
    guess = 0 if ndim in (0, 1, 3) else 1
    warnings.warn(
        f"{where}: no dim was given, so {guess} is taken; write dim={guess}", UserWarning, stacklevel=4
    )
    return guess


def _along(function: Any, where: str, input: Tensor, dim: Any, axis: Any, dtype: Any) -> Tensor:
    x = input if dtype is None else ops.astype(input, dtype)
    if x.ndim == 0:
        return ops.reshape(_along(function, where, ops.reshape(x, 1), dim, axis, None), ())
    return function(x, _axis(where, dim, axis, x.ndim))


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None, *, axis: int | None = None
) -> Tensor:
    """exp(x) / sum of exp(x) over ``dim``; without one PyTorch's guess, and a warning.

    ``dtype`` converts x first; ``axis`` is another name of dim.
    """
    return _along(ops.softmax, "softmax", input, dim, axis, dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None, *, axis: int | None = None
) -> Tensor:
    """The logarithm of `softmax`, without overflow or log(0)."""
    return _along(ops.log_softmax, "log_softmax", input, dim, axis, dtype)


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None, *, axis: int | None = None
) -> Tensor:
    """The `softmax` of -x."""
    return _along(ops.softmax, "softmin", -input, dim, axis, dtype)


@in_single
def glu(input: Tensor, dim: int = -1, *, axis: int | None = None) -> Tensor:
    """(.., 2 n, ..) -> (.., n, ..): the first half times the sigmoid of the second.

    Dauphin et al., arXiv 1612.08083, equation 1.  Raises ShapeError for an odd size.
    """
    where = (dim if axis is None else axis) % max(input.ndim, 1)
    if input.ndim == 0 or input.shape[where] % 2:
        raise ShapeError(f"glu: expected an even size along axis {where}, got shape {input.shape}")
    half = input.shape[where] // 2
    before = (slice(None),) * where
    return input[(*before, slice(half))] * ops.sigmoid(input[(*before, slice(half, None))])


def gumbel_softmax(
    logits: Tensor,
    tau: float = 1.0,
    hard: bool = False,
    eps: float = 1e-10,
    dim: int = -1,
    *,
    axis: int | None = None,
    generator: np.random.Generator | None = None,
) -> Tensor:
    """Draw from a softened choice: softmax((logits + G) / tau) over ``dim``, G = -log(Exponential) each.

    ``hard`` gives one-hot rows, whose gradient is that of the soft ones (straight through).  ``eps`` is
    not used, as in PyTorch.  Jang et al., arXiv 1611.01144, equation 2.
    """
    where = dim if axis is None else axis
    noise = -np.log((generator or init.default_generator()).standard_exponential(logits.shape))
    soft = ops.softmax((logits + Tensor(noise.astype(logits.dtype)).to(logits.device)) * (1 / tau), where)
    if not hard:
        return soft
    y = soft.array
    xp = namespace(y)
    places = xp.arange(y.shape[where]).reshape((-1,) + (1,) * (y.ndim - 1 - where % y.ndim))
    chosen = (places == xp.expand_dims(y.argmax(axis=where), where)).astype(y.dtype)
    return Tensor._wrap(chosen) - soft.detach() + soft


# ---- dropout ----------------------------------------------------------------------------------------------


@on_request
def dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: np.random.Generator | None = None,
) -> Tensor:
    """Set each element to 0 with probability p and divide the others by 1 - p; x itself if not training.

    Drawn from ``generator``, without one from the default generator, which `minigan.manual_seed` sets.
    Raises ArgumentError for p outside [0, 1].  Srivastava et al., JMLR 15, 2014.
    """
    return ops.dropout(input, p, training=training, generator=generator or init.default_generator())


@on_request
def dropout2d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: np.random.Generator | None = None,
) -> Tensor:
    """(N, C, ...) -> same: `dropout` of whole channels.  Tompson et al., arXiv 1411.4280, section 3.2."""
    if input.ndim < 2:
        raise ShapeError(f"dropout2d: expected (N, C, ...), got shape {input.shape}")
    lanes = namespace(input.array).ones(input.shape[:2] + (1,) * (input.ndim - 2), input.dtype)
    kept = dropout(Tensor._wrap(lanes), p, training, generator=generator)
    return input * kept if training and p else input
