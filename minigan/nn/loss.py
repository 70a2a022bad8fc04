"""Losses and likenesses as modules; each is one call of the function of that name in `nn.functional`.

Losses take ``reduction``: "mean", "sum" or "none" (one value an element), and before it, where PyTorch has
them, the older ``size_average`` and ``reduce``.  Weights are kept as they are given, and no parameters.
"""

from __future__ import annotations

from typing import Any

from minigan.nn import functional as F
from minigan.nn.functional.loss import Flag, reduction_of
from minigan.nn.module import Module
from minigan.tensor import Tensor


class _Loss(Module):
    def __init__(self, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean"):
        super().__init__()
        self.reduction = reduction_of(reduction, size_average, reduce)


class _Weighted(_Loss):
    def __init__(
        self, weight: Any = None, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean"
    ):
        super().__init__(size_average, reduce, reduction)
        self._keep("weight", weight)

    def _keep(self, name: str, weight: Any) -> None:
        """Keep a weight as a buffer, which moves with the module."""
        if weight is None:
            setattr(self, name, None)
        else:
            self.register_buffer(name, weight if isinstance(weight, Tensor) else Tensor(weight))


class MSELoss(_Loss):
    """(any shape), same -> scalar: mean of (x - target)**2."""

    def forward(self, x: Tensor, target: Any) -> Tensor:
        return F.mse_loss(x, target, reduction=self.reduction)


class L1Loss(_Loss):
    """(any shape), same -> scalar: mean of |x - target|."""

    def forward(self, x: Tensor, target: Any) -> Tensor:
        return F.l1_loss(x, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """(any shape), same -> scalar: a parabola where |x - target| < beta, a line beyond."""

    def __init__(
        self,
        size_average: Flag = None,
        reduce: Flag = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ):
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, x: Tensor, target: Any) -> Tensor:
        return F.smooth_l1_loss(x, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """(any shape), same -> scalar: a parabola where |x - target| < delta, a line of slope delta beyond."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0):
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, x: Tensor, target: Any) -> Tensor:
        return F.huber_loss(x, target, self.reduction, self.delta)


class BCELoss(_Weighted):
    """Probabilities in [0, 1], targets in [0, 1] -> scalar: -mean(t log x + (1 - t) log(1 - x)).

    `BCEWithLogitsLoss` takes scores before the sigmoid and keeps its precision where this one saturates.
    """

    def forward(self, x: Tensor, target: Any) -> Tensor:
        return F.binary_cross_entropy(x, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Weighted):
    """Scores (any real numbers), targets in [0, 1] -> scalar: BCE of sigmoid(scores)."""

    def __init__(
        self,
        weight: Any = None,
        size_average: Flag = None,
        reduce: Flag = None,
        reduction: str = "mean",
        pos_weight: Any = None,
    ):
        super().__init__(weight, size_average, reduce, reduction)
        self._keep("pos_weight", pos_weight)

    def forward(self, x: Tensor, target: Any) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            x, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class NLLLoss(_Weighted):
    """Log-probabilities (N, C, ...), class numbers (N, ...) -> scalar: mean of -x at the right class."""

    def __init__(
        self,
        weight: Any = None,
        size_average: Flag = None,
        ignore_index: int = -100,
        reduce: Flag = None,
        reduction: str = "mean",
    ):
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, x: Tensor, target: Any) -> Tensor:
        return F.nll_loss(x, target, self.weight, None, self.ignore_index, None, self.reduction)


class CrossEntropyLoss(NLLLoss):
    """Scores (N, C, ...), class numbers (N, ...) -> scalar: mean of -log softmax at the right class.

    The target may also be a probability for each class; see `functional.cross_entropy`.
    """

    def __init__(
        self,
        weight: Any = None,
        size_average: Flag = None,
        ignore_index: int = -100,
        reduce: Flag = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ):
        super().__init__(weight, size_average, ignore_index, reduce, reduction)
        self.label_smoothing = label_smoothing

    def forward(self, x: Tensor, target: Any) -> Tensor:
        how = self.weight, None, self.ignore_index, None, self.reduction, self.label_smoothing
        return F.cross_entropy(x, target, *how)


class KLDivLoss(_Loss):
    """Log-probabilities, probabilities of the same shape -> scalar: mean of t (log(t) - x).

    ``reduction`` may also be "batchmean", the sum divided by the first size.
    """

    def __init__(
        self,
        size_average: Flag = None,
        reduce: Flag = None,
        reduction: str = "mean",
        log_target: bool = False,
    ):
        batch = reduction == "batchmean"
        super().__init__(size_average, reduce, "sum" if batch else reduction)
        self.reduction, self.log_target = "batchmean" if batch else self.reduction, log_target

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        return F.kl_div(x, target, None, None, self.reduction, self.log_target)


class SoftMarginLoss(_Loss):
    """(any shape), signs of that shape -> scalar: mean of log(1 + exp(-t x))."""

    def forward(self, x: Tensor, target: Any) -> Tensor:
        return F.soft_margin_loss(x, target, reduction=self.reduction)


class _Margin(_Loss):
    usual = 0.0

    def __init__(
        self,
        margin: float | None = None,
        size_average: Flag = None,
        reduce: Flag = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction)
        self.margin = self.usual if margin is None else margin


class HingeEmbeddingLoss(_Margin):
    """Distances, signs -> scalar: x where the sign is 1, max(0, margin - x) where it is -1; margin 1."""

    usual = 1.0

    def forward(self, x: Tensor, target: Any) -> Tensor:
        return F.hinge_embedding_loss(x, target, self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(_Margin):
    """(N, D), (N, D), signs (N,) -> scalar: 1 - cos where the sign is 1, max(0, cos - margin) where -1."""

    def forward(self, x1: Tensor, x2: Tensor, target: Any) -> Tensor:
        return F.cosine_embedding_loss(x1, x2, target, self.margin, reduction=self.reduction)


class MarginRankingLoss(_Margin):
    """(any shape), same, signs -> scalar: max(0, margin - t (x1 - x2))."""

    def forward(self, x1: Tensor, x2: Tensor, target: Any) -> Tensor:
        return F.margin_ranking_loss(x1, x2, target, self.margin, reduction=self.reduction)


class TripletMarginLoss(_Loss):
    """(N, D) each -> scalar: max(0, d(anchor, positive) - d(anchor, negative) + margin)."""

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: Flag = None,
        reduce: Flag = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        how = self.margin, self.p, self.eps, self.swap
        return F.triplet_margin_loss(anchor, positive, negative, *how, reduction=self.reduction)


class CosineSimilarity(Module):
    """(.., n, ..) twice -> (.., ..): the cosine of the angle between them along ``dim``."""

    def __init__(self, dim: int = 1, eps: float = 1e-8, *, axis: int | None = None):
        super().__init__()
        self.dim, self.eps = dim if axis is None else axis, eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """(..., n) twice -> (...): the p-norm of x1 - x2 + eps over the last axis."""

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False):
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class GaussianNLLLoss(_Loss):
    """Means, targets, variances -> scalar: (log(var) + (x - t)**2 / var) / 2; see `gaussian_nll_loss`."""

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean"):
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, x: Tensor, target: Any, var: Any) -> Tensor:
        return F.gaussian_nll_loss(x, target, var, self.full, self.eps, self.reduction)
