"""The exponential moving average of a net: what a GAN's samples are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import numpy as np

from minigan.errors import ArgumentError, DTypeError
from minigan.modes import kernel_for
from minigan.tensor import Tensor


class EMA:
    """Keep ``module``, a copy of a net whose parameters trail it: average = d average + (1 - d) net.

    ``warmup`` starts with the smaller d = min(decay, (1 + t) / (10 + t)) at update t, so that the random
    start is soon forgotten.  ``buffers`` says what happens to running statistics: "average" (as parameters)
    or "copy"; whole-number buffers are always copied.  The copy is in evaluation mode and wants no
    gradients.  Raises DTypeError for float16, in which steps of 1 - d are less than the last digit.
    Yazici et al., arXiv 1806.04498.
    """

    def __init__(self, module: Any, *, decay: float = 0.999, warmup: bool = False, buffers: str = "average"):
        if not 0.0 <= decay < 1.0:
            raise ArgumentError(f"EMA: decay must lie in [0, 1), got {decay}")
        if buffers not in ("average", "copy"):
            raise ArgumentError(f"EMA: buffers must be 'average' or 'copy', got {buffers!r}")
        if any(t.dtype == np.float16 for t in (*module.parameters(), *module.buffers())):
            raise DTypeError(
                "EMA: expected a float32 or float64 net, got float16, which rounds small steps away; "
                "use net.to(dtype='float32')"
            )
        self.decay, self.warmup, self.buffers = decay, warmup, buffers
        self.updates = 0
        self.module = deepcopy(module).eval().requires_grad_(False)
        self.module.zero_grad()

    def update(self, module: Any) -> None:
        """Move the average one step towards ``module``."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates)) if self.warmup else self.decay
        self.updates += 1
        pairs = [*zip(self.module.parameters(), module.parameters(), strict=True)]
        for average, value in zip(self.module.buffers(), module.buffers(), strict=True):
            if average.dtype.kind == "f" and self.buffers == "average":
                pairs.append((average, value))
            else:
                average.copy_(value)
        for kind in {type(average.array): None for average, _ in pairs}:
            self._follow(1.0 - decay, [pair for pair in pairs if type(pair[0].array) is kind])

    def _follow(self, rate: float, pairs: list[tuple[Tensor, Tensor]]) -> None:
        """average += rate (net - average), for tensors of one device."""
        averages, values = map(list, zip(*pairs, strict=True))
        kernel = kernel_for(type(self), "step", averages[0].array)
        if kernel is None or kernel(self, rate, values, averages) is NotImplemented:
            for average, value in pairs:
                average.array += rate * (value.array - average.array)
        for average in averages:
            average.bump()

    def state_dict(self) -> dict[str, Any]:
        """Return {"updates": n, "module": the average's state}, host copies."""
        return {"updates": self.updates, "module": self.module.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the average and the number of updates; ShapeError if the net differs."""
        self.module.load_state_dict(state["module"])
        self.updates = int(state["updates"])
