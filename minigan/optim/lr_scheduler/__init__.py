"""Learning-rate schedules under PyTorch's names.  Start with `formulas`; `policies` holds the others."""

from minigan.optim.lr_scheduler.formulas import (
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from minigan.optim.lr_scheduler.policies import CyclicLR, OneCycleLR, ReduceLROnPlateau, SequentialLR
