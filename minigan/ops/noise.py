"""Operations that draw random numbers; the generator is always handed in."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan import backend
from minigan.errors import ArgumentError
from minigan.tensor import Tensor


def dropout(
    x: Tensor, p: float = 0.5, *, training: bool, generator: np.random.Generator | None = None
) -> Tensor:
    """Set each element to 0 with probability p and divide the others by 1 - p; nothing when not training.

    The mask is drawn once, on the host, and reused by every derivative: y = mask * x, gx = mask * g with
    mask = 0 or 1 / (1 - p).  It does not depend on the memory order of x.  ``generator`` is read only in
    training.  Raises ArgumentError for p outside [0, 1] or a missing generator.
    Srivastava et al., "Dropout", JMLR 15 (2014), section 4, scaled in training instead of at test time.
    """
    if isinstance(p, bool) or not isinstance(p, (int, float, np.number)) or not 0 <= p <= 1:
        raise ArgumentError(f"dropout: p must be a number in [0, 1], got {p!r}")
    if not training or p == 0:
        return x
    if not isinstance(generator, np.random.Generator):
        raise ArgumentError(f"dropout: training needs a numpy Generator, got {type(generator).__name__}")
    return x * Tensor._wrap(_mask(x.data, p, generator))


def _mask(x: Any, p: float, generator: np.random.Generator) -> Any:
    kept = generator.random(x.shape, dtype=np.float32) >= p
    mask = backend.namespace(x).empty_like(x)  # in the memory order of x, so that the product keeps it
    mask[...] = backend.of(x).from_host(kept)
    mask *= 0 if p == 1 else 1 / (1 - p)
    return mask
