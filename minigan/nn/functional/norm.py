"""Normalisations, distances, dense products and look-ups with PyTorch's arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigan import backend, ops
from minigan.backend import namespace
from minigan.errors import ArgumentError, DTypeError, ShapeError
from minigan.ops.half import in_single
from minigan.ops.operands import as_tensor
from minigan.tensor import Tensor


def batch_norm(
    input: Tensor,
    running_mean: Any,
    running_var: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(N, C, ...) -> same, each channel over the batch; see `minigan.ops.batch_norm`.

    In training the running statistics, (C,), are moved in place; else they are used.
    """
    return ops.batch_norm(
        input, running_mean, running_var, weight, bias, training=training, momentum=momentum, eps=eps
    )


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(N, C, ...) -> same, each channel of each sample over its positions.  Ulyanov et al., arXiv 1607.08022.

    Running statistics, (C,), move towards the batch's mean of the samples' means and unbiased variances;
    without ``use_input_stats`` they stand in for the samples' own.
    """
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise ArgumentError("instance_norm: expected running statistics where use_input_stats is False")
        return ops.batch_norm(input, running_mean, running_var, weight, bias, eps=eps)
    y = ops.instance_norm(input, weight, bias, eps=eps)
    if running_mean is not None and running_var is not None:
        x = input.detach()
        positions = tuple(range(2, x.ndim))
        now = ops.mean(x, (0, *positions)), ops.mean(ops.var(x, positions), 0)
        for running, value in zip((running_mean, running_var), now, strict=True):
            running.copy_(running.detach() * (1 - momentum) + ops.astype(value, running.dtype) * momentum)
    return y


def layer_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(..., *normalized_shape) -> same, each sample over its last axes.  Ba et al., arXiv 1607.06450."""
    return ops.layer_norm(input, normalized_shape, weight, bias, eps=eps)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(N, C, ...) -> same, each sample over groups of channels.  Wu and He, arXiv 1803.08494."""
    return ops.group_norm(input, num_groups, weight, bias, eps=eps)


# ---- lengths and distances --------------------------------------------------------------------------------


@in_single
def normalize(
    input: Tensor,
    p: float = 2.0,
    dim: int = 1,
    eps: float = 1e-12,
    out: None = None,
    *,
    axis: int | None = None,
) -> Tensor:
    """(.., n, ..) -> same: x / max(its p-norm over ``dim``, eps).  ``out`` is refused."""
    if out is not None:
        raise ArgumentError("normalize: out= is not there; assign the result")
    length = ops.norm(input, float(p), dim if axis is None else axis, True)
    return input / ops.clip(length, eps, None)


@in_single
def cosine_similarity(
    x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8, *, axis: int | None = None
) -> Tensor:
    """(.., n, ..), broadcast -> (.., ..): x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) over ``dim``.

    The derivative is that of the lengths even where eps stands in for them, as in PyTorch.
    """
    ndim = max(x1.ndim, x2.ndim)
    where = (dim if axis is None else axis) % max(ndim, 1) - ndim
    units = []
    for x in (x1, x2):
        length = ops.norm(x, 2, where, True)
        units.append(x / (length + ops.clip(eps - length.detach(), 0.0, None)))
    return ops.sum(units[0] * units[1], where)


@in_single
def pairwise_distance(
    x1: Tensor,
    x2: Tensor,
    p: float = 2.0,
    eps: float = 1e-6,
    keepdim: bool = False,
    *,
    keepdims: bool = False,
) -> Tensor:
    """(..., n), broadcast -> (...): the p-norm of x1 - x2 + eps over the last axis."""
    return ops.norm(x1 - x2 + eps, float(p), -1, keepdim or keepdims)


# ---- products and look-ups --------------------------------------------------------------------------------


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """(..., in), (out, in), (out,) -> (..., out): x W^T + b."""
    return ops.linear(input, weight, bias)


@in_single
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """(..., A), (..., B), (O, A, B), (O,) -> (..., O): y_o = x1^T W_o x2 + b_o.

    Raises ShapeError for sizes that do not fit.
    """
    if weight.ndim != 3 or weight.shape[1:] != (input1.shape[-1], input2.shape[-1]):
        raise ShapeError(
            f"bilinear: expected weight (out, {input1.shape[-1]}, {input2.shape[-1]}), got {weight.shape}"
        )
    O, A, B = weight.shape
    left = ops.linear(input1, ops.reshape(ops.permute(weight, 0, 2, 1), O * B, A))
    left = ops.reshape(left, *input1.shape[:-1], O, B)
    y = ops.sum(left * ops.reshape(input2, *input2.shape[:-1], 1, B), -1)
    return y if bias is None else y + bias


def _whole(input: Any, where: str) -> Any:
    """The raw integer array of numbers to look up."""
    array = as_tensor(input).array
    if array.dtype.kind not in "iu":
        raise DTypeError(f"{where}: expected whole numbers, got dtype {array.dtype}")
    return array


def embedding(
    input: Any,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Whole numbers (...), table (rows, D) -> (..., D): row i of the table for each number i.

    The row ``padding_idx`` gets no gradient.  Raises DTypeError and ArgumentError for numbers that name no
    row, ArgumentError for ``max_norm`` and ``scale_grad_by_freq``, which are not there.
    """
    if max_norm is not None or scale_grad_by_freq:
        raise ArgumentError("embedding: max_norm and scale_grad_by_freq are not there; scale the weight")
    index = backend.to_device(_whole(input, "embedding"), weight.device)
    rows = weight.shape[0]
    if index.size and not (0 <= int(index.min()) and int(index.max()) < rows):
        raise ArgumentError(
            f"embedding: expected numbers in [0, {rows}), got {int(index.min())} to {int(index.max())}"
        )
    found = ops.getitem(weight, index)
    if padding_idx is None:
        return found
    return ops.where((index == padding_idx % rows)[..., None], found.detach(), found)


def one_hot(tensor: Any, num_classes: int = -1) -> Tensor:
    """Whole numbers (...) -> int64 (..., num_classes): 1 at the number, else 0; -1: the largest plus 1."""
    index = _whole(tensor, "one_hot")
    low, high = (int(index.min()), int(index.max())) if index.size else (0, -1)
    if num_classes < 0:
        num_classes = high + 1
    if low < 0 or high >= num_classes or num_classes < 1:
        raise ArgumentError(f"one_hot: expected numbers in [0, {num_classes}), got {low} to {high}")
    xp = namespace(index)
    return Tensor._wrap((index[..., None] == xp.arange(num_classes)).astype("int64"))
