"""Normalisation layers, and the discriminator's view of how varied a batch is."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from minigan import ops
from minigan.errors import ArgumentError, ShapeError
from minigan.nn import functional as F
from minigan.nn import init
from minigan.nn.linear import count, empty
from minigan.nn.module import Module
from minigan.ops.half import in_single
from minigan.tensor import Tensor


class _Affine(Module):
    """A learned scale (starts at 1) and shift (starts at 0), or None for both."""

    def __init__(self, shape: tuple[int, ...], eps: float, affine: bool, bias: bool = True):
        super().__init__()
        if eps < 0:
            raise ArgumentError(f"eps: expected a number >= 0, got {eps}")
        self.eps = eps
        self.weight = init.ones_(empty(*shape)) if affine else None
        self.bias = empty(*shape) if affine and bias else None

    def learned(self, affine: str) -> str:
        """Which of scale and shift there are, to be printed; ``affine`` is what the setting is called."""
        return f"{affine}={self.weight is not None}, bias={self.bias is not None}"


class _Running(_Affine):
    """Scale and shift a channel, and running statistics; ``axes`` is how many axes an input may have."""

    axes: tuple[int, ...] = ()

    def __init__(
        self, num_features: int, eps: float, momentum: float | None, affine: bool, track_running_stats: bool
    ):
        super().__init__((count("num_features", num_features),), eps, affine)
        if momentum is not None and not 0.0 <= momentum <= 1.0:
            raise ArgumentError(f"momentum: expected a number in [0, 1] or None, got {momentum}")
        self.num_features, self.momentum, self.track_running_stats = (
            num_features,
            momentum,
            track_running_stats,
        )
        self.running_mean = self.running_var = None
        if track_running_stats:
            self.register_buffer("running_mean", Tensor(np.zeros(num_features, np.float32)))
            self.register_buffer("running_var", Tensor(np.ones(num_features, np.float32)))
            self.register_buffer("num_batches_tracked", Tensor(np.zeros((), np.int64)))

    def _check(self, x: Tensor) -> None:
        if x.ndim not in self.axes or x.shape[1] != self.num_features:
            raise ShapeError(
                f"{type(self).__name__}: expected {' or '.join(map(str, self.axes))} axes with "
                f"{self.num_features} channels on axis 1, got {x.shape}"
            )

    def extra_repr(self) -> str:
        numbers = f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"
        return f"{numbers}, {self.learned('affine')}, track_running_stats={self.track_running_stats}"


class _BatchNorm(_Running):
    """Batch norm over all axes but the channels; a ``negative_slope`` adds a leaky ReLU, see `nn.fuse`."""

    negative_slope: float | None = None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ):
        super().__init__(num_features, eps, momentum, affine, track_running_stats)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise by the batch's statistics in training, by the running ones in evaluation."""
        self._check(x)
        tracking = self.training and self.track_running_stats
        momentum = self.momentum
        if momentum is None:
            momentum = 1.0 / (self.num_batches_tracked.item() + 1) if tracking else 0.0
        y = ops.batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            training=self.training or not self.track_running_stats,
            momentum=momentum,
            eps=self.eps,
            negative_slope=self.negative_slope,
        )
        if tracking:
            self.num_batches_tracked.array += 1
        return y

    def extra_repr(self) -> str:
        slope = "" if self.negative_slope is None else f", negative_slope={self.negative_slope}"
        return super().extra_repr() + slope


class BatchNorm1d(_BatchNorm):
    """(N, C) or (N, C, L) -> same: (x - mean) / sqrt(var + eps) * weight + bias, over all but C.

    Training uses the batch's mean and (biased) variance and moves the running ones towards the batch's mean
    and unbiased variance: running = (1 - momentum) running + momentum batch.  ``momentum=None`` keeps the
    plain average of all batches.  Ioffe and Szegedy, arXiv 1502.03167.
    """

    axes = (2, 3)


class BatchNorm2d(_BatchNorm):
    """(N, C, H, W) -> same; see BatchNorm1d."""

    axes = (4,)


class _InstanceNorm(_Running):
    """Instance norm over all axes but the first two."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
    ):
        super().__init__(num_features, eps, momentum, affine, track_running_stats)

    def forward(self, x: Tensor) -> Tensor:
        self._check(x)
        own = self.training or not self.track_running_stats
        statistics = self.running_mean, self.running_var, self.weight, self.bias
        return F.instance_norm(x, *statistics, own, self.momentum or 0.0, self.eps)


class InstanceNorm1d(_InstanceNorm):
    """(N, C, L) -> same: each channel of each sample by its own mean and variance.

    With ``track_running_stats`` their averages are kept, and used in evaluation.
    Ulyanov et al., arXiv 1607.08022.
    """

    axes = (3,)


class InstanceNorm2d(_InstanceNorm):
    """(N, C, H, W) -> same; see InstanceNorm1d."""

    axes = (4,)


class LayerNorm(_Affine):
    """(..., *normalized_shape) -> same: each sample over its last axes.  Ba et al., arXiv 1607.06450."""

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ):
        shape = normalized_shape if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
        self_shape = tuple(count("normalized_shape", n) for n in shape)
        super().__init__(self_shape, eps, elementwise_affine, bias)
        self.normalized_shape = self_shape

    def forward(self, x: Tensor) -> Tensor:
        return ops.layer_norm(x, self.normalized_shape, self.weight, self.bias, eps=self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, {self.learned('elementwise_affine')}"


class GroupNorm(_Affine):
    """(N, C, ...) -> same: each sample over groups of channels.  Wu and He, arXiv 1803.08494."""

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True):
        if count("num_channels", num_channels) % count("num_groups", num_groups):
            raise ArgumentError(
                f"num_groups: expected a divisor of num_channels {num_channels}, got {num_groups}"
            )
        super().__init__((num_channels,), eps, affine)
        self.num_groups, self.num_channels = num_groups, num_channels

    def forward(self, x: Tensor) -> Tensor:
        """Normalise over each group's channels and pixels."""
        if x.ndim < 2 or x.shape[1] != self.num_channels:
            raise ShapeError(f"GroupNorm: expected (N, {self.num_channels}, ...), got {x.shape}")
        return ops.group_norm(x, self.num_groups, self.weight, self.bias, eps=self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, {self.learned('affine')}"


class LocalResponseNorm(Module):
    """(N, C, ...) -> same: x / (k + alpha mean of x**2)**beta, over ``size`` channels around.

    Krizhevsky et al., NeurIPS 2012, section 3.3.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0):
        super().__init__()
        self.size, self.alpha, self.beta, self.k = count("size", size), alpha, beta, k

    def forward(self, x: Tensor) -> Tensor:
        return F.local_response_norm(x, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class PixelNorm(Module):
    """(N, C, ...) -> same: x / sqrt(mean over C of x**2 + eps).

    Karras et al., arXiv 1710.10196, section 4.2.
    """

    def __init__(self, *, eps: float = 1e-8):
        super().__init__()
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return ops.pixel_norm(x, eps=self.eps)

    def extra_repr(self) -> str:
        return f"eps={self.eps}"


def in_groups(function: Callable[[Tensor], Tensor], x: Tensor, largest: int) -> Tensor:
    """(N, ...) -> (N, ...): ``function``, (size, groups, ...) -> (size, groups, ...), on nearly even groups.

    As few groups as keep to ``largest`` samples, but none of a single one: of 3 samples in pairs, all 3 are a
    group.  Sample n belongs to group n mod groups, so that the first N mod groups have a sample more, and
    ``function`` is called for the two sizes apart.  A batch of one is one group of one.
    """
    N, rest = len(x), x.shape[1:]
    groups = min(-(-N // largest), N // 2) if N > 1 else N
    size, longer = divmod(N, groups) if groups else (1, 0)
    even = ops.reshape(x[: size * groups], size, groups, *rest)
    if not longer:
        y = function(even)
        return ops.reshape(y, N, *y.shape[2:])
    last = ops.reshape(x[size * groups :], 1, longer, *rest)
    first = function(ops.concatenate([even[:, :longer], last]))
    second = function(even[:, longer:])
    y = ops.concatenate([first[:size], second], axis=1)
    return ops.concatenate([ops.reshape(y, size * groups, *y.shape[2:]), first[size]])


class MinibatchStdDev(Module):
    """(N, C, H, W) -> (N, C + 1, H, W): one more channel that says how varied the batch is.

    The standard deviation of every feature over a group of ``group_size`` pictures, at least 2, averaged over
    features and pixels, is the value of the group's new channel, so that a discriminator sees mode collapse.
    Where N does not divide, groups differ by one picture: see `in_groups`.  Of one picture alone it
    is sqrt(eps), as of pictures all alike.
    Karras et al., arXiv 1710.10196, section 3 (the paper takes the whole batch; its code groups of 4).
    """

    def __init__(self, group_size: int = 4, *, eps: float = 1e-8):
        super().__init__()
        self.group_size, self.eps = count("group_size", group_size), eps
        if self.group_size < 2:
            raise ArgumentError(f"group_size: expected at least 2 pictures to compare, got {group_size}")

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 4:
            raise ShapeError(f"MinibatchStdDev: expected (N, C, H, W), got {x.shape}")
        N, _, H, W = x.shape
        level = in_groups(self._spread, ops.reshape(x, N, prod(x.shape[1:])), self.group_size)
        channel = ops.broadcast_to(ops.reshape(level, N, 1, 1, 1), (N, 1, H, W))
        return ops.concatenate([x, channel], axis=1)

    @in_single
    def _spread(self, groups: Tensor) -> Tensor:
        """(size, groups, features) -> (size, groups): the mean deviation of each group, for all of it."""
        deviation = ops.sqrt(ops.var(groups, axis=0, correction=0) + self.eps)
        return ops.broadcast_to(ops.mean(deviation, axis=1), groups.shape[:2])

    def extra_repr(self) -> str:
        return f"group_size={self.group_size}"
