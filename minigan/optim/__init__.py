"""Optimisers, learning-rate schedules, clipping and the moving average of a net.

They take parameters and know no layers.  Start with `rules`; `optimizer` holds what the rules share.
"""

from typing import Any

from minigan.errors import nearest
from minigan.optim import lr_scheduler
from minigan.optim.adaptive import Adadelta, Adamax
from minigan.optim.clip import clip_grad_norm_, clip_grad_value_
from minigan.optim.ema import EMA
from minigan.optim.lbfgs import LBFGS
from minigan.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiplicativeLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)
from minigan.optim.optimizer import Optimizer
from minigan.optim.rules import SGD, Adagrad, Adam, AdamW, RMSprop


def __getattr__(name: str) -> Any:
    known = [known for known in globals() if not known.startswith("_") and known not in ("Any", "nearest")]
    raise AttributeError(f"minigan.optim has no {name!r}; the nearest: {nearest(name, known)}")
