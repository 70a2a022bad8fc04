"""Losses of likeness and order: pairs that shall be near or far, one above the other, by a margin.

``reduction`` is "mean", "sum" or "none"; the older ``size_average`` and ``reduce`` are understood.
"""

from __future__ import annotations

from typing import Any

from minigan import ops
from minigan.nn.functional.loss import Flag, reduced, reduction_of
from minigan.nn.functional.norm import pairwise_distance
from minigan.ops.half import in_single
from minigan.ops.operands import as_tensor
from minigan.tensor import Tensor


@in_single
def hinge_embedding_loss(
    input: Tensor,
    target: Any,
    margin: float = 1.0,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """Distance x where the target is 1, max(0, margin - x) where it is -1."""
    how = reduction_of(reduction, size_average, reduce)
    sign = as_tensor(target, like=input).array
    near, far = ops.where(sign != -1, input, 0.0), ops.relu(margin - input)
    return reduced(near + ops.where(sign != 1, far, 0.0), how)


@in_single
def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Any,
    margin: float = 0.0,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin - t (x1 - x2)): x1 shall be above x2 by the margin where t is 1, below where it is -1."""
    how = reduction_of(reduction, size_average, reduce)
    return reduced(ops.relu(margin - as_tensor(target, like=input1) * (input1 - input2)), how)


@in_single
def soft_margin_loss(
    input: Tensor,
    target: Any,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """log(1 + exp(-t x)), t in {1, -1}."""
    how = reduction_of(reduction, size_average, reduce)
    return reduced(ops.softplus(-(as_tensor(target, like=input) * input), threshold=float("inf")), how)


@in_single
def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Any,
    margin: float = 0.0,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """(N, D), (N, D), (N,) -> (N,), reduced: 1 - cos where t is 1, max(0, cos - margin) where it is -1.

    cos = x1 . x2 / sqrt((|x1|**2 + e) (|x2|**2 + e)), e = 1e-12.
    """
    how = reduction_of(reduction, size_average, reduce)
    lengths = [ops.sum(x * x, -1) + 1e-12 for x in (input1, input2)]
    cosine = ops.sum(input1 * input2, -1) / ops.sqrt(lengths[0] * lengths[1])
    sign = as_tensor(target, like=input1).array
    loss = ops.where(sign == 1, 1.0 - cosine, 0.0) + ops.where(sign == -1, ops.relu(cosine - margin), 0.0)
    return reduced(loss, how)


@in_single
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: Flag = None,
    reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """(N, D) each -> (N,), reduced: max(0, d(anchor, positive) - d(anchor, negative) + margin).

    d is `pairwise_distance`; ``swap`` takes the negative's distance to the positive where that is smaller.
    Balntas et al., BMVC 2016, section 3.2.
    """
    how = reduction_of(reduction, size_average, reduce)
    near, far = (pairwise_distance(anchor, other, p, eps) for other in (positive, negative))
    if swap:
        far = ops.minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced(ops.relu(near - far + margin), how)
