"""Losses with PyTorch's arguments: (prediction, target) -> one number, or one per element.

``reduction`` is "mean", "sum" or "none"; the older ``size_average`` and ``reduce`` are understood.  The plain
ones are those of `minigan.ops.loss`; weights, ignored classes and the rarer losses are composed of them here.
"""

from __future__ import annotations

from math import log, pi
from typing import Any

from minigan import backend, ops
from minigan.backend import Array, namespace
from minigan.errors import ArgumentError, ShapeError
from minigan.ops.half import in_single
from minigan.ops.operands import as_tensor
from minigan.tensor import Tensor

Flag = bool | None


def reduction_of(reduction: str, size_average: Flag = None, reduce: Flag = None) -> str:
    """Return the reduction that the two older flags mean where one of them is given."""
    if size_average is not None or reduce is not None:
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
    if reduction not in ("mean", "sum", "none"):
        raise ArgumentError(f"reduction: expected mean, sum or none, got {reduction!r}")
    return reduction


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """Return the mean or the sum of the elements' losses, or all of them."""
    return loss if reduction == "none" else ops.sum(loss) if reduction == "sum" else ops.mean(loss)


def _weighted(loss: Tensor, weight: Any, reduction: str, of_weights: bool = False) -> Tensor:
    """Weight each element's loss; the mean is over the elements, or ``of_weights`` over the weights."""
    if weight is None:
        return reduced(loss, reduction)
    weight = as_tensor(weight, like=loss)
    if of_weights and reduction == "mean":
        return ops.sum(loss * weight) / ops.sum(ops.broadcast_to(weight, loss.shape))
    return reduced(loss * weight, reduction)


@in_single
def mse_loss(
    input: Tensor,
    target: Any,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Tensor:
    """(x - t)**2 of each element; a weighted mean is divided by the sum of the weights."""
    how = reduction_of(reduction, size_average, reduce)
    if weight is None:
        return ops.mse_loss(input, target, reduction=how)
    return _weighted(ops.mse_loss(input, target, reduction="none"), weight, how, of_weights=True)


@in_single
def l1_loss(
    input: Tensor,
    target: Any,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Tensor:
    """|x - t| of each element; a weighted mean is divided by the sum of the weights."""
    how = reduction_of(reduction, size_average, reduce)
    if weight is None:
        return ops.l1_loss(input, target, reduction=how)
    return _weighted(ops.l1_loss(input, target, reduction="none"), weight, how, of_weights=True)


def smooth_l1_loss(
    input: Tensor,
    target: Any,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """(x - t)**2 / (2 beta) where |x - t| < beta, else |x - t| - beta / 2.  arXiv 1504.08083, equation 3."""
    how = reduction_of(reduction, size_average, reduce)
    return ops.smooth_l1_loss(input, target, reduction=how, beta=beta)


@in_single
def huber_loss(
    input: Tensor, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None
) -> Tensor:
    """(x - t)**2 / 2 where |x - t| < delta, else delta (|x - t| - delta / 2).  Huber, 1964."""
    if weight is None:
        return ops.huber_loss(input, target, reduction=reduction, delta=delta)
    loss = ops.huber_loss(input, target, reduction="none", delta=delta)
    return _weighted(loss, weight, reduction_of(reduction), of_weights=True)


@in_single
def binary_cross_entropy(
    input: Tensor,
    target: Any,
    weight: Any = None,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """-(t log(x) + (1 - t) log(1 - x)) for probabilities x, times ``weight``, which broadcasts."""
    how = reduction_of(reduction, size_average, reduce)
    if weight is None:
        return ops.binary_cross_entropy(input, target, reduction=how)
    return _weighted(ops.binary_cross_entropy(input, target, reduction="none"), weight, how)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Any,
    weight: Any = None,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Tensor:
    """`binary_cross_entropy` of sigmoid(x), without overflow; ``pos_weight`` multiplies the t term."""
    return ops.binary_cross_entropy_with_logits(
        input,
        target,
        weight=weight,
        pos_weight=pos_weight,
        reduction=reduction_of(reduction, size_average, reduce),
    )


@in_single
def nll_loss(
    input: Tensor,
    target: Any,
    weight: Any = None,
    size_average: Flag = None,
    ignore_index: int = -100,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """Return -w[t] x[n, t[n]] for log-probabilities (N, C, ...), classes (N, ...) and weights w (C,).

    One sample alone is (C,) with a class ().
    Targets equal to ``ignore_index`` cost nothing; the mean is over the weights of the others.
    """
    how = reduction_of(reduction, size_average, reduce)
    if input.ndim == 1:
        loss = nll_loss(input[None], as_tensor(target)[None], weight, None, ignore_index, None, how)
        return ops.reshape(loss, ()) if how == "none" else loss
    classes = backend.to_device(as_tensor(target).array, input.device)
    ignored = classes == ignore_index
    if weight is None and not ignored.any().item():
        return ops.nll_loss(input, target, reduction=how)
    safe = namespace(classes).where(ignored, 0, classes)
    loss = ops.nll_loss(input, Tensor._wrap(safe), reduction="none")
    weights = _class_weights(weight, safe, ignored, input)
    loss = ops.where(ignored, 0.0, loss * weights)
    return ops.sum(loss) / ops.sum(weights) if how == "mean" else reduced(loss, how)


def _class_weights(weight: Any, classes: Array, ignored: Array, like: Tensor) -> Tensor:
    """The weight of each target's class, 0 for those that are ignored."""
    xp = namespace(classes)
    if weight is None:
        return Tensor._wrap((~ignored).astype(like.dtype))
    table = as_tensor(weight, like=like)
    if table.shape != like.shape[1:2]:
        raise ShapeError(f"weight: expected one for each of {like.shape[1]} classes, got {table.shape}")
    return Tensor._wrap(xp.where(ignored, 0, table.array[classes]).astype(like.dtype))


@in_single
def cross_entropy(
    input: Tensor,
    target: Any,
    weight: Any = None,
    size_average: Flag = None,
    ignore_index: int = -100,
    reduce: Flag = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log softmax at the target, for logits (N, C, ...) or (C,); classes and weights as in `nll_loss`.

    The target may also be a probability for each class (logits' shape); then the mean is over samples.
    ``label_smoothing`` e takes e of the target and spreads it over all classes (arXiv 1512.00567, section 7).
    """
    how = reduction_of(reduction, size_average, reduce)
    if not 0.0 <= label_smoothing <= 1.0:
        raise ArgumentError(f"cross_entropy: label_smoothing must be in [0, 1], got {label_smoothing}")
    if input.ndim == 0:
        raise ShapeError("cross_entropy: expected logits (N, C, ...) or (C,), got a single number")
    if input.ndim == 1:
        lifted = as_tensor(target)[None]
        loss = cross_entropy(input[None], lifted, weight, None, ignore_index, None, how, label_smoothing)
        return ops.reshape(loss, ()) if how == "none" else loss
    score = ops.log_softmax(input, 1)
    target = as_tensor(target, like=None)
    if target.dtype.kind == "f" and target.shape == input.shape:
        return _soft_cross_entropy(score, target, weight, how, label_smoothing)
    hard = nll_loss(score, target, weight, None, ignore_index, None, how)
    if not label_smoothing:
        return hard
    smooth = _smooth_part(score, target, weight, ignore_index, how)
    return hard * (1 - label_smoothing) + smooth * (label_smoothing / input.shape[1])


def _lane(weight: Any, score: Tensor) -> Tensor:
    """One weight a class, to go with (N, C, ...)."""
    return ops.reshape(as_tensor(weight, like=score), 1, -1, *(1,) * (score.ndim - 2))


def _soft_cross_entropy(score: Tensor, target: Tensor, weight: Any, how: str, smoothing: float) -> Tensor:
    if smoothing:
        target = target * (1 - smoothing) + smoothing / score.shape[1]
    terms = score * target
    loss = -ops.sum(terms if weight is None else terms * _lane(weight, score), 1)
    return reduced(loss, how)


def _smooth_part(score: Tensor, target: Tensor, weight: Any, ignore_index: int, how: str) -> Tensor:
    """The weighted sum over classes of minus the score, averaged as `nll_loss` averages."""
    classes = backend.to_device(target.array, score.device)
    ignored = classes == ignore_index
    loss = -ops.sum(score if weight is None else score * _lane(weight, score), 1)
    loss = ops.where(ignored, 0.0, loss)
    if how != "mean":
        return reduced(loss, how)
    safe = namespace(classes).where(ignored, 0, classes)
    return ops.sum(loss) / ops.sum(_class_weights(weight, safe, ignored, score))


@in_single
def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """t (log(t) - x) of each element, for log-probabilities x; exp(t) (t - x) with ``log_target``.

    "batchmean" divides the sum by the first size, which is the divergence's mean over samples; "mean" divides
    by the number of elements.  t = 0 costs 0.
    """
    batch = reduction == "batchmean" and size_average is None and reduce is None
    how = "sum" if batch else reduction_of(reduction, size_average, reduce)
    target = as_tensor(target, like=input)
    if log_target:
        loss = ops.exp(target) * (target - input)
    else:
        some = target.array > 0
        loss = ops.where(some, target * ops.log(ops.where(some, target, 1.0)), 0.0) - target * input
    loss = reduced(loss, how)
    return loss * (1 / input.shape[0]) if batch and input.ndim else loss


@in_single
def gaussian_nll_loss(
    input: Tensor, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """(log(var) + (input - target)**2 / var) / 2, var at least ``eps``; ``full`` adds log(2 pi) / 2.

    ``var`` is a number, of input's shape, or without its last axis (or with a last axis of 1).  Nix and
    Weigend, ICNN 1994.  Where var is held at eps its gradient is that at eps, as in PyTorch.
    Raises ArgumentError for a var below 0 and ShapeError for one that does not fit.
    """
    var = as_tensor(var, like=input)
    if var.ndim and var.shape == input.shape[:-1] != input.shape:
        var = ops.unsqueeze(var, -1)
    if var.ndim and var.shape not in (input.shape, (*input.shape[:-1], 1)):
        raise ShapeError(f"gaussian_nll_loss: var of {var.shape} does not fit input of {input.shape}")
    if (var.array < 0).any().item():
        raise ArgumentError("gaussian_nll_loss: expected var >= 0 everywhere")
    var = var + ops.maximum(var.detach(), eps) - var.detach()
    error = input - as_tensor(target, like=input)
    loss = (ops.log(var) + error * error / var) * 0.5
    return reduced(loss + 0.5 * log(2 * pi) if full else loss, reduction_of(reduction))
