"""What one training step says about itself."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from minigan import backend
from minigan.gan.team import Team
from minigan.tensor import Tensor

_OF_PICTURES = (
    "d_loss", "g_loss", "d_real", "d_fake", "g_fake", "accuracy", "penalty", "diversity",
)  # fmt: skip


@dataclass
class Record:
    """The figures of one step; where D took several steps, those of its last one."""

    step: int  # counted from 1
    epoch: int  # of the batch, counted from 0
    d_loss: float = 0.0  # the discriminator's loss, penalty left out
    g_loss: float = 0.0  # the generator's
    d_real: float = 0.0  # D(x): mean probability D gives real pictures of being real
    d_fake: float = 0.0  # D(G(z)) in D's step
    g_fake: float = 0.0  # D(G(z)) in G's step
    accuracy: float = 0.0  # share of pictures D sorts rightly, 0 to 1
    g_norm: float = 0.0  # length of G's gradient
    d_norm: float = 0.0  # length of D's gradient
    penalty: float = 0.0  # weighted gradient penalty; 0 at steps without
    diversity: float = 0.0  # spread of the batch over the spread of the real batch, pixel by pixel
    skipped: bool = False  # whether D's update was skipped
    seconds: float = 0.0  # the step took

    def average(self, team: Team) -> None:
        """Replace what was found on this rank's pictures by the mean over the ranks."""
        values = team.means([getattr(self, name) for name in _OF_PICTURES])
        self.__dict__.update(zip(_OF_PICTURES, values, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Return the figures for a line of JSON, floats to six digits."""
        return {name: float(f"{v:.6g}") if isinstance(v, float) else v for name, v in asdict(self).items()}


def norm(parameters: Iterable[Tensor]) -> float:
    """Return the Euclidean length of all gradients together; parameters without one count 0."""
    arrays = [parameter.grad.array for parameter in parameters if parameter.grad is not None]
    if not arrays:
        return 0.0
    xp = backend.namespace(arrays[0])
    squares = [xp.vdot(array, array) for array in arrays]
    total = xp.stack(squares).sum(dtype=np.float64).item()  # one number to fetch from a GPU, not one for each
    return math.sqrt(total) if total >= 0 else math.nan


def mean_sigmoid(logits: Tensor) -> float:
    """Return the mean probability that belongs to logits."""
    x = logits.array
    return (0.5 * (1 + backend.namespace(x).tanh(0.5 * x))).mean().item()
