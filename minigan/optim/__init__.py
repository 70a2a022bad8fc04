"""Optimisers, learning-rate schedules, clipping and the moving average of a net.

They take parameters and know no layers.  Start with `rules`; `optimizer` holds what the rules share.
"""

from minigan.optim.clip import clip_grad_norm_, clip_grad_value_
from minigan.optim.ema import EMA
from minigan.optim.optimizer import Optimizer
from minigan.optim.rules import SGD, Adam, AdamW, RMSprop
from minigan.optim.schedule import (
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    StepLR,
)
