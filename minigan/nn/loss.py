"""Losses as modules; each is one call of the function of the same name in `minigan.ops`."""

from __future__ import annotations

from typing import Any

from minigan import ops
from minigan.errors import ArgumentError
from minigan.nn.module import Module
from minigan.tensor import Tensor


class _Loss(Module):
    """``reduction``: "mean", "sum" or "none" (one value an element)."""

    def __init__(self, *, reduction: str = "mean"):
        super().__init__()
        if reduction not in ("mean", "sum", "none"):
            raise ArgumentError(f"reduction: expected mean, sum or none, got {reduction!r}")
        self.reduction = reduction

    def extra_repr(self) -> str:
        return f"reduction={self.reduction!r}"


class MSELoss(_Loss):
    """(any shape), same -> scalar: mean of (x - target)**2."""

    def forward(self, x: Tensor, target: Any) -> Tensor:
        return ops.mse_loss(x, target, reduction=self.reduction)


class L1Loss(_Loss):
    """(any shape), same -> scalar: mean of |x - target|."""

    def forward(self, x: Tensor, target: Any) -> Tensor:
        return ops.l1_loss(x, target, reduction=self.reduction)


class BCELoss(_Loss):
    """Probabilities in [0, 1], targets in [0, 1] -> scalar: -mean(t log x + (1 - t) log(1 - x)).

    `BCEWithLogitsLoss` takes scores before the sigmoid and keeps its precision where this one saturates.
    """

    def forward(self, x: Tensor, target: Any) -> Tensor:
        return ops.binary_cross_entropy(x, target, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """Scores (any real numbers), targets in [0, 1] -> scalar: BCE of sigmoid(scores)."""

    def forward(self, x: Tensor, target: Any) -> Tensor:
        return ops.binary_cross_entropy_with_logits(x, target, reduction=self.reduction)


class CrossEntropyLoss(_Loss):
    """Scores (N, classes), class numbers (N,) -> scalar: mean of -log softmax at the right class."""

    def forward(self, x: Tensor, target: Any) -> Tensor:
        return ops.cross_entropy(x, target, reduction=self.reduction)
