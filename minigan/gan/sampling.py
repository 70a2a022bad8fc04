"""Pictures from a generator as it is, outside of training."""

from __future__ import annotations

import numpy as np

from minigan import nn
from minigan.modes import no_grad
from minigan.tensor import Tensor


def draw(
    network: nn.Module, latents: np.ndarray, labels: np.ndarray | None = None, *, batch: int = 100
) -> np.ndarray:
    """Run a generator in evaluation mode on latents (N, L); returns host pictures (N, C, H, W).

    The network's mode before the call is its mode after it: a generator left in evaluation mode after
    its first picture would train on frozen batch statistics.
    """
    was_training = network.training
    network.eval()
    try:
        with no_grad():
            parts = []
            for start in range(0, len(latents), batch):
                part = slice(start, start + batch)
                arguments = (Tensor(np.asarray(latents[part], np.float32)),) + (
                    () if labels is None else (labels[part],)
                )
                parts.append(network(*arguments).numpy())
            return np.concatenate(parts)
    finally:
        network.train(was_training)
