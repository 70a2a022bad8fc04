"""Minibatch discrimination: D is told, for each picture, how close it lies to the others of its batch.

A generator that makes one picture over and over is betrayed at once by its batch, though each picture alone
may pass for real.  Salimans et al., "Improved Techniques for Training GANs", arXiv 1606.03498, section 3.2.
(`nn.MinibatchStdDev`, in the networks that grow, is a later and simpler form of the same idea.)
"""

from __future__ import annotations

import numpy as np

from minigan import nn, ops
from minigan.errors import ArgumentError
from minigan.nn.normalisation import in_groups
from minigan.tensor import Tensor

KERNELS, SIZE = 8, 4  # B and C in the paper, which takes 100 and 5
GROUP = 64  # pictures compared with one another: the cost grows with N times this


class MinibatchFeatures(nn.Module):
    """Features (N, F) -> (N, F + B): to each picture's features B closenesses to the rest of its group.

    M = f T in R^(B x C);  o_b(n) = mean over m != n of exp(-|M_nb - M_mb|_1), in [0, 1].
    The paper sums over the batch; a mean means the same at every batch size.  A group has up to GROUP
    pictures (see `nn.normalisation.in_groups`), and a picture alone gets 0.
    """

    def __init__(self, features: int, *, rng: np.random.Generator):
        super().__init__()
        self.projection = nn.Linear(features, KERNELS * SIZE, bias=False, generator=rng)

    def forward(self, x: Tensor) -> Tensor:
        """Append the closenesses."""
        m = self.projection(x).reshape(len(x), KERNELS, SIZE)
        return ops.concatenate([x, in_groups(_closeness, m, GROUP)], axis=1)


def _closeness(m: Tensor) -> Tensor:
    """(size, groups, B, C) -> (size, groups, B): the mean over the others of a group."""
    size = len(m)
    apart = (ops.reshape(m, size, 1, *m.shape[1:]) - m).abs().sum(axis=-1)  # (size, size, groups, B)
    others = ops.exp(-apart).sum(axis=1) - 1.0  # less the picture itself
    return others * (1 / max(size - 1, 1))


def with_minibatch_features(discriminator: nn.Module, *, rng: np.random.Generator) -> nn.Sequential:
    """Put the features before D's last dense layer, which is made anew and wider.

    Raises ArgumentError for a discriminator that does not end in a dense layer and `Flatten`.
    """
    layers = list(discriminator) if isinstance(discriminator, nn.Sequential) else []
    if len(layers) < 2 or not isinstance(layers[-2], nn.Linear) or not isinstance(layers[-1], nn.Flatten):
        raise ArgumentError(
            "minibatch features: expected a discriminator whose last layers are Linear and "
            "Flatten, such as those of the models planar, dense, dcgan and pooled"
        )
    features = layers[-2].in_features
    last = nn.Linear(features + KERNELS, 1, generator=rng)
    return nn.Sequential(*layers[:-2], MinibatchFeatures(features, rng=rng), last, layers[-1])
