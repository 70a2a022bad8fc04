"""Layers that drop at random in training and hand on in evaluation."""

from __future__ import annotations

import numpy as np

from minigan.errors import ArgumentError
from minigan.nn import functional as F
from minigan.nn import init
from minigan.nn.module import Module
from minigan.tensor import Tensor


class Dropout(Module):
    """(any shape) -> same: in training each element is 0 with probability p, else divided by 1 - p.

    The layer owns its generator (drawn from the default one unless passed), and `Module.random_state` saves
    it, so that a resumed run drops the same elements.  With ``inplace`` the input becomes the result.
    Srivastava et al., JMLR 15, 2014.
    """

    def __init__(
        self, p: float = 0.5, inplace: bool = False, *, generator: np.random.Generator | None = None
    ):
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ArgumentError(f"p: expected a probability in [0, 1], got {p}")
        self.p, self.inplace = p, inplace
        self.generator = generator or np.random.default_rng(int(init.default_generator().integers(2**63)))

    def forward(self, x: Tensor) -> Tensor:
        """Drop in training, hand on in evaluation."""
        return F.dropout(x, self.p, self.training, self.inplace, generator=self.generator)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout2d(Dropout):
    """(N, C, ...) -> same: as `Dropout`, but of whole channels.  Tompson et al., arXiv 1411.4280."""

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout2d(x, self.p, self.training, self.inplace, generator=self.generator)
