"""Learning-rate schedules under PyTorch's names.  Start with `formulas`; `policies` holds the others."""

from minigan.optim.lr_scheduler.formulas import (
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiplicativeLR,
    MultiStepLR,
    StepLR,
)
from minigan.optim.lr_scheduler.policies import OneCycleLR, ReduceLROnPlateau, SequentialLR
