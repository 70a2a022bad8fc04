"""Convolution and its adjoint as layers, over pictures and over sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan.errors import ArgumentError
from minigan.nn import functional as F
from minigan.nn import init
from minigan.nn.functional.image import same_padding
from minigan.nn.linear import count, empty
from minigan.nn.module import Module
from minigan.tensor import Tensor

Size = int | tuple[int, ...]
MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


def sizes(name: str, value: Any, axes: int = 2, least: int = 1) -> tuple[int, ...]:
    """Return one whole number an axis, from one number or as many; ArgumentError for anything else."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * axes
    if len(values) != axes:
        wanted = "a (height, width) pair" if axes == 2 else "a tuple of one"
        raise ArgumentError(f"{name}: expected a number or {wanted}, got {value!r}")
    return tuple(count(name, n, least) for n in values)


class _Convolution(Module):
    """Settings, weight and printing that both directions share; ``bias`` says whether there is one."""

    axes = 2
    transposed = False

    def __init__(
        self,
        channels: tuple[int, int],
        kernel_size: Size,
        settings: dict[str, Any],
        groups: int,
        bias: bool,
        generator: np.random.Generator | None,
    ):
        super().__init__()
        self.in_channels = count("in_channels", channels[0])
        self.out_channels = count("out_channels", channels[1])
        self.kernel_size = sizes("kernel_size", kernel_size, self.axes)
        self.groups = count("groups", groups)
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ArgumentError(
                f"groups: expected a divisor of in_channels {self.in_channels} and out_channels "
                f"{self.out_channels}, got {self.groups}"
            )
        for name, value in settings.items():
            words = name == "padding" and value in ("same", "valid") and not self.transposed
            setattr(self, name, value if words else sizes(name, value, self.axes, int("padding" not in name)))
        first, second = self.out_channels, self.in_channels
        if self.transposed:
            first, second = second, first
        self.weight = empty(first, second // self.groups, *self.kernel_size)
        self.bias = empty(self.out_channels) if bias else None
        init.default_(self.weight, self.bias, generator)

    def extra_repr(self) -> str:
        shown: dict[str, Any] = {"kernel_size": self.kernel_size, "stride": getattr(self, "stride", None)}
        usual = {"padding": 0, "dilation": 1, "output_padding": 0}
        for name, number in usual.items():
            if getattr(self, name, None) not in (None, (number,) * self.axes):
                shown[name] = getattr(self, name)
        if self.groups != 1:
            shown["groups"] = self.groups
        if self.bias is None:
            shown["bias"] = False
        if getattr(self, "padding_mode", "zeros") != "zeros":
            shown["padding_mode"] = getattr(self, "padding_mode", None)
        return f"{self.in_channels}, {self.out_channels}, " + ", ".join(f"{k}={v}" for k, v in shown.items())


class Conv2d(_Convolution):
    """(N, C, H, W) -> (N, O, OH, OW), OH = floor((H + 2 padding - dilation (KH - 1) - 1) / stride) + 1.

    Parameters: weight (O, C / groups, KH, KW) and bias (O,), both U(-b, b), b = 1 / sqrt(C / groups KH KW).
    Sizes are numbers or (height, width) pairs; ``padding`` may also be "valid" (none) or "same" (the size
    stays, at stride 1).  ``padding_mode`` says what stands beyond the edge: "zeros", the picture mirrored
    without its edge ("reflect"), the edge repeated ("replicate"), or the other end ("circular").
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        generator: np.random.Generator | None = None,
    ):
        if padding_mode not in MODES:
            raise ArgumentError(f"padding_mode: expected {', '.join(MODES)}, got {padding_mode!r}")
        settings = {"stride": stride, "padding": padding, "dilation": dilation}
        super().__init__((in_channels, out_channels), kernel_size, settings, groups, bias, generator)
        self.padding_mode = padding_mode
        if self.padding == "same" and set(self.stride) != {1}:
            raise ArgumentError(f"padding: 'same' needs stride 1, got {stride}")

    def forward(self, x: Tensor) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros" and padding != "valid":
            if padding == "same":
                widths = same_padding(self.kernel_size, self.dilation)
            else:
                widths = [n for n in reversed(padding) for _ in range(2)]
            x, padding = F.pad(x, widths, MODES[self.padding_mode]), 0
        convolve = F.conv1d if self.axes == 1 else F.conv2d
        return convolve(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(Conv2d):
    """(N, C, L) -> (N, O, OL), OL = floor((L + 2 padding - dilation (K - 1) - 1) / stride) + 1.

    Parameters: weight (O, C / groups, K) and bias (O,), which start as in `Conv2d`; settings as there.
    """

    axes = 1


class ConvTranspose2d(_Convolution):
    """(N, C, H, W) -> (N, O, OH, OW), the adjoint of Conv2d with the same settings.

    OH = (H - 1) stride - 2 padding + dilation (KH - 1) + output_padding + 1.
    Parameters: weight (C, O / groups, KH, KW) and bias (O,), both
    U(-b, b), b = 1 / sqrt(O / groups KH KW), which is what PyTorch takes for its fan-in.
    """

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        padding_mode: str = "zeros",
        *,
        generator: np.random.Generator | None = None,
    ):
        if padding_mode != "zeros":
            raise ArgumentError(
                f"padding_mode: only zeros for a transposed convolution, got {padding_mode!r}"
            )
        settings = {"stride": stride, "padding": padding, "output_padding": output_padding}
        settings["dilation"] = dilation
        super().__init__((in_channels, out_channels), kernel_size, settings, groups, bias, generator)

    def forward(self, x: Tensor) -> Tensor:
        convolve = F.conv_transpose1d if self.axes == 1 else F.conv_transpose2d
        how = self.stride, self.padding, self.output_padding, self.groups, self.dilation
        return convolve(x, self.weight, self.bias, *how)


class ConvTranspose1d(ConvTranspose2d):
    """(N, C, L) -> (N, O, OL): the adjoint of `Conv1d`; parameters and settings as in `ConvTranspose2d`."""

    axes = 1
