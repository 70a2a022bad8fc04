"""Tell both networks the label: any pair becomes a conditional one.

G reads its label as K more latent numbers, D as K more channels, each 1 in the place of the label's class
and 0 elsewhere.  Mirza and Osindero, "Conditional Generative Adversarial Nets", arXiv 1411.1784.
With the option ``projection`` D compares the label with its features instead.
"""

from __future__ import annotations

import numpy as np

from minigan import backend, nn, ops
from minigan.errors import ArgumentError, DataError
from minigan.tensor import Tensor


def one_hot(labels: np.ndarray, classes: int, like: Tensor) -> Tensor:
    """Return (N, classes) of like's dtype and device with a 1 in column labels[n] of row n.

    Raises DataError for a label outside 0 .. classes - 1.
    """
    labels = np.asarray(labels)
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        raise DataError(f"labels: expected 0 to {classes - 1}, got {labels.min()} to {labels.max()}")
    return Tensor(backend.to_device(np.eye(classes, dtype=like.dtype)[labels], like.device))


class LabelledGenerator(nn.Module):
    """(N, latent), labels (N,) -> pictures; ``core`` takes latents of latent + classes numbers."""

    def __init__(self, core: nn.Module, classes: int):
        super().__init__()
        self.core, self.classes = core, classes

    def forward(self, latents: Tensor, labels: np.ndarray) -> Tensor:
        """Append the label to the latents."""
        return self.core(ops.concatenate([latents, one_hot(labels, self.classes, latents)], axis=1))


class LabelledDiscriminator(nn.Module):
    """Pictures (N, C, H, W), labels (N,) -> logits (N,); ``core`` takes C + classes channels."""

    def __init__(self, core: nn.Module, classes: int):
        super().__init__()
        self.core, self.classes = core, classes

    def forward(self, pictures: Tensor, labels: np.ndarray) -> Tensor:
        """Append the label as constant channels."""
        N, _, H, W = pictures.shape
        hot = one_hot(labels, self.classes, pictures).reshape(N, self.classes, 1, 1)
        planes = ops.broadcast_to(hot, (N, self.classes, H, W))
        return self.core(ops.concatenate([pictures, planes], axis=1))


class ProjectionDiscriminator(nn.Module):
    """Pictures (N, C, H, W), labels (N,) -> logits (N,): D compares the label with what it sees.

    logit = psi(features) + <v_label, features>, one learnt vector v a class, 0 at the start, so that D begins
    as an unconditional one.  ``core`` is a Sequential that ends in Linear(features, 1), Flatten(0).
    Miyato and Koyama, "cGANs with Projection Discriminator", arXiv 1802.05637, equation 3.
    """

    def __init__(self, core: nn.Module, classes: int):
        super().__init__()
        if not isinstance(core, nn.Sequential) or not isinstance(core[-2], nn.Linear):
            raise ArgumentError(
                "projection: expected a discriminator that ends in a dense layer; "
                "use the model dcgan, dense, pooled or upscale, or projection=false"
            )
        self.trunk, self.head, self.classes = core[:-2], core[-2], classes
        self.vectors = nn.Parameter(np.zeros((classes, core[-2].in_features), np.float32))

    def forward(self, pictures: Tensor, labels: np.ndarray) -> Tensor:
        """Judge the picture, and how well the label fits it."""
        features = self.trunk(pictures)
        vectors = one_hot(labels, self.classes, features) @ self.vectors
        return self.head(features).flatten() + (vectors * features).sum(axis=1)
