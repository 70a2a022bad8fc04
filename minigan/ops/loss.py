"""Losses: what to minimise, as (prediction, target) -> one number, or one per element.

``reduction`` is "mean" (the default), "sum" or "none".  A target may be a Tensor, an array or, where
one value stands for all elements, a number; a gradient flows to it only if it is a Tensor that wants one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan import backend
from minigan.backend import Array, namespace
from minigan.errors import ArgumentError, DTypeError, ShapeError
from minigan.ops.activation import log_softmax, sigmoid, softplus
from minigan.ops.broadcast import sum
from minigan.ops.elementwise import abs, clip
from minigan.ops.half import in_single
from minigan.ops.operands import as_tensor, is_number
from minigan.ops.reduce import mean
from minigan.ops.shape import getitem
from minigan.tensor import Op, Tensor

LOG_FLOOR = -100.0  # PyTorch's bound on the log of a probability, which keeps log(0) finite
SLOPE_FLOOR = 1e-12  # and on the divisor of its gradient


def floored_log(x: Array) -> Array:
    """max(log(x), -100): log(0) is minus infinity, which the floor lifts; NaN for x < 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return namespace(x).maximum(namespace(x).log(x), LOG_FLOOR)


def check_probabilities(x: Array) -> None:
    """Raise ArgumentError for numbers outside [0, 1]."""
    low, high = (x.min().item(), x.max().item()) if x.size else (0, 1)
    if low < 0 or high > 1:
        raise ArgumentError(
            f"binary_cross_entropy: expected probabilities in [0, 1], got values from {low:.4g} to "
            f"{high:.4g}; use binary_cross_entropy_with_logits for logits"
        )


class FlooredLog(Op):
    """(any shape) -> same: y = max(log(x), -100) for x >= 0;  gx = g / max(x, 1e-12)."""

    keeps = (0,)

    def forward(self, x: Array) -> Array:
        return floored_log(x)

    def backward(self, g: Tensor) -> Tensor:
        """Divide by x, never by less than its floor."""
        return g / clip(self.input(0), SLOPE_FLOOR, None)


class BinaryCrossEntropy(Op):
    """(any shape) twice -> same: y = -(t log x + (1 - t) log(1 - x)), each log no less than -100.

    gx = g ((1 - t) / (1 - x) - t / x), no divisor less than 1e-12; gt = g (log(1 - x) - log x).
    t may be one number for all.
    """

    keeps = (0, 1)

    def forward(self, x: Array, t: Array) -> Array:
        check_probabilities(x)
        return -(t * floored_log(x) + (1 - t) * floored_log(1 - x))

    def backward(self, g: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, t = self.input(0), self.input(1)
        gx = gt = None
        if self.needs(0):
            gx = g * ((1.0 - t) / clip(1.0 - x, SLOPE_FLOOR, None) - t / clip(x, SLOPE_FLOOR, None))
        if self.needs(1):
            gt = g * (FlooredLog()(1.0 - x) - FlooredLog()(x))
        return gx, gt


class BinaryCrossEntropyWithLogits(Op):
    """(any shape) twice -> same: y = -(t log s + (1 - t) log(1 - s)), where s = sigmoid(x).

    gx = g (s - t), gt = -g x.
    As -log s = softplus(-x) and -log(1 - s) = softplus(x), y = max(x, 0) - t x + log(1 + exp(-|x|)), which
    cannot overflow.  t may be one number for all.
    """

    keeps = (0, 1)

    def forward(self, x: Array, t: Array) -> Array:
        xp = namespace(x)
        return xp.maximum(x, 0) - t * x + xp.log1p(xp.exp(-xp.absolute(x)))

    def backward(self, g: Tensor) -> tuple[Tensor, Tensor | None]:
        x, t = self.input(0), self.input(1)
        return g * (sigmoid(x) - t), -(g * x) if self.needs(1) else None


@in_single
def mse_loss(input: Tensor, target: Any, *, reduction: str = "mean") -> Tensor:
    """Squared error (x - t)**2.  gx = 2 g (x - t).  ShapeError unless the shapes are equal."""
    return _reduce((input - _target(input, target, "mse_loss")) ** 2, reduction, "mse_loss")


@in_single
def l1_loss(input: Tensor, target: Any, *, reduction: str = "mean") -> Tensor:
    """Absolute error |x - t|.  gx = g sign(x - t), 0 where equal.  ShapeError unless the shapes are equal."""
    return _reduce(abs(input - _target(input, target, "l1_loss")), reduction, "l1_loss")


@in_single
def smooth_l1_loss(input: Tensor, target: Any, *, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """(x - t)**2 / (2 beta) where |x - t| < beta, else |x - t| - beta / 2; beta 0 is l1_loss.

    Girshick, "Fast R-CNN", arXiv 1504.08083, equation 3 (beta = 1).
    """
    _check_number(beta, "smooth_l1_loss: beta", 0.0)
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    loss = _huber(input - _target(input, target, "smooth_l1_loss"), beta) * (1 / beta)
    return _reduce(loss, reduction, "smooth_l1_loss")


@in_single
def huber_loss(input: Tensor, target: Any, *, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """(x - t)**2 / 2 where |x - t| < delta, else delta (|x - t| - delta / 2); delta > 0.

    Huber, "Robust estimation of a location parameter", 1964.
    """
    _check_number(delta, "huber_loss: delta", 0.0)
    if delta == 0:
        raise ArgumentError("huber_loss: delta must be > 0, got 0")
    return _reduce(_huber(input - _target(input, target, "huber_loss"), delta), reduction, "huber_loss")


def _huber(difference: Tensor, delta: float) -> Tensor:
    """With c the difference limited to [-delta, delta], both branches are c (d - c / 2)."""
    bounded = clip(difference, -delta, delta)
    return bounded * (difference - bounded * 0.5)


@in_single
def binary_cross_entropy(input: Tensor, target: Any, *, reduction: str = "mean") -> Tensor:
    """-(t log(x) + (1 - t) log(1 - x)) for probabilities x in [0, 1], each log bounded below by -100.

    gx = g (x - t) / (x (1 - x)), the divisor bounded below by 1e-12 (PyTorch's bounds).
    Raises ArgumentError for x outside [0, 1]; a GPU, which would have to be waited for, gives NaN instead.
    `binary_cross_entropy_with_logits` loses no digits.
    """
    where = "binary_cross_entropy"
    target = as_tensor(_target(input, target, where), like=input)
    return _reduce(BinaryCrossEntropy()(input, target), reduction, where)


@in_single
def binary_cross_entropy_with_logits(
    input: Tensor, target: Any, *, weight: Any = None, pos_weight: Any = None, reduction: str = "mean"
) -> Tensor:
    """-(t log(s) + (1 - t) log(1 - s)) with s = sigmoid(x), for any logit x: it cannot overflow.

    ``weight`` multiplies each element's loss; ``pos_weight`` multiplies its t term; both broadcast.
    """
    where = "binary_cross_entropy_with_logits"
    target = as_tensor(_target(input, target, where), like=input)
    loss = BinaryCrossEntropyWithLogits()(input, target)
    if pos_weight is not None:
        more = (as_tensor(pos_weight, like=input) - 1.0) * target
        loss = loss + softplus(-input, threshold=float("inf")) * more
    if weight is not None:
        loss = loss * as_tensor(weight, like=input)
    return _reduce(loss, reduction, where)


@in_single
def nll_loss(input: Tensor, target: Any, *, reduction: str = "mean") -> Tensor:
    """-x[n, t[n]]: the negative log-likelihood of class t[n], for log-probabilities x.

    x is (N, C) or (N, C, d1, ...), ``target`` integers in [0, C) of shape (N,) or (N, d1, ...).
    Raises ShapeError, DTypeError (targets that are not integers) or ArgumentError (out of range).
    """
    return _reduce(_picked(input, target, "nll_loss"), reduction, "nll_loss")


@in_single
def cross_entropy(
    input: Tensor, target: Any, *, reduction: str = "mean", label_smoothing: float = 0.0
) -> Tensor:
    """-log softmax(x)[n, t[n]] for logits x; shapes and errors as `nll_loss`.

    With ``label_smoothing`` e in [0, 1] the target is 1 - e on its class plus e / C on every class
    (Szegedy et al., arXiv 1512.00567, section 7).  gx = g (softmax(x) - target distribution).
    """
    _check_number(label_smoothing, "cross_entropy: label_smoothing", 0.0, 1.0)
    if input.ndim < 2:
        raise ShapeError(f"cross_entropy: expected logits (N, C, ...), got shape {input.shape}")
    log_probability = log_softmax(input, axis=1)
    loss = _picked(log_probability, target, "cross_entropy")
    if label_smoothing:
        loss = loss * (1 - label_smoothing) - mean(log_probability, axis=1) * label_smoothing
    return _reduce(loss, reduction, "cross_entropy")


def _picked(x: Tensor, target: Any, where: str) -> Tensor:
    """-x[n, t[n, ...], ...]: minus the entry of each target's class."""
    array = (
        np.asarray(target) if _is_listed(target) else target.array if isinstance(target, Tensor) else target
    )
    if array.dtype.kind not in "iu":
        raise DTypeError(f"{where}: expected integer targets, got {array.dtype}; convert with .astype(int)")
    if x.ndim < 2 or array.shape != x.shape[:1] + x.shape[2:]:
        raise ShapeError(
            f"{where}: expected x (N, C, ...) and targets (N, ...), got {x.shape} and {array.shape}"
        )
    low, high = (array.min().item(), array.max().item()) if array.size else (0, 0)
    if array.size and (low < 0 or high >= x.shape[1]):
        raise ArgumentError(f"{where}: expected classes in [0, {x.shape[1]}), got {low} to {high}")
    array = backend.to_device(array, x.device)
    xp = namespace(x.array)
    grids = xp.meshgrid(*(xp.arange(n) for n in array.shape), indexing="ij")
    return -getitem(x, (grids[0], array, *grids[1:]))


def _is_listed(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or is_number(value)


def _target(input: Tensor, target: Any, where: str) -> Any:
    """The target as a Tensor of input's shape, or the number that stands for all of it."""
    if is_number(target):
        return float(target)
    target = as_tensor(target, like=input)
    if target.shape != input.shape:
        raise ShapeError(f"{where}: expected a target of shape {input.shape}, got {target.shape}")
    return target


def _reduce(loss: Tensor, reduction: str, where: str) -> Tensor:
    if reduction == "mean":
        return mean(loss)
    if reduction == "sum":
        return sum(loss)
    if reduction != "none":
        raise ArgumentError(f"{where}: unknown reduction {reduction!r}; expected mean, sum or none")
    return loss


def _check_number(value: Any, what: str, low: float, high: float = float("inf")) -> None:
    if isinstance(value, bool) or not is_number(value) or not low <= value <= high:
        raise ArgumentError(f"{what} must be a number in [{low:g}, {high:g}], got {value!r}")
