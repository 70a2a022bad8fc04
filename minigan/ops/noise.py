"""Operations that draw random numbers; the generator is always handed in."""

from __future__ import annotations

import numpy as np

from minigan import backend
from minigan.errors import ArgumentError
from minigan.ops.choice import where
from minigan.tensor import Tensor


def dropout(
    x: Tensor, p: float = 0.5, *, training: bool, generator: np.random.Generator | None = None
) -> Tensor:
    """Set each element to 0 with probability p and divide the others by 1 - p; nothing when not training.

    What is kept is drawn once, on the host, and is the same for every derivative: y = x / (1 - p) there and
    gx = g / (1 - p), else 0.  ``generator`` is read only in
    training.  Raises ArgumentError for p outside [0, 1] or a missing generator.
    Srivastava et al., "Dropout", JMLR 15 (2014), section 4, scaled in training instead of at test time.
    """
    if isinstance(p, bool) or not isinstance(p, (int, float, np.number)) or not 0 <= p <= 1:
        raise ArgumentError(f"dropout: p must be a number in [0, 1], got {p!r}")
    if not training or p == 0:
        return x
    if not isinstance(generator, np.random.Generator):
        raise ArgumentError(f"dropout: training needs a numpy Generator, got {type(generator).__name__}")
    kept = backend.of(x.array).from_host(generator.random(x.shape, dtype=np.float32) >= p)
    return where(kept, x, 0.0) * (1 / (1 - p) if p < 1 else 1.0)
