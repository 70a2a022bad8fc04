"""Convolution and its adjoint as layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan import ops
from minigan.errors import ArgumentError
from minigan.nn import init
from minigan.nn.linear import count, empty
from minigan.nn.module import Module
from minigan.tensor import Tensor

Size = int | tuple[int, int]


def pair(name: str, value: Any, least: int = 1) -> tuple[int, int]:
    """Return (height, width) from one number or two; ArgumentError for anything else."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(values) != 2:
        raise ArgumentError(f"{name}: expected a number or a (height, width) pair, got {value!r}")
    return count(name, values[0], least), count(name, values[1], least)


class _Convolution(Module):
    """Settings, weight and printing that both directions share; ``bias`` says whether there is one."""

    def __init__(
        self,
        channels: tuple[int, int],
        kernel_size: Size,
        settings: dict[str, Any],
        bias: bool,
        generator: np.random.Generator | None,
        transposed: bool,
    ):
        super().__init__()
        self.in_channels, self.out_channels = (
            count("in_channels", channels[0]),
            count("out_channels", channels[1]),
        )
        self.kernel_size = pair("kernel_size", kernel_size)
        self.groups = count("groups", settings.pop("groups"))
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ArgumentError(
                f"groups: expected a divisor of in_channels {self.in_channels} and out_channels "
                f"{self.out_channels}, got {self.groups}"
            )
        for name, value in settings.items():
            setattr(self, name, pair(name, value, least=0 if "padding" in name else 1))
        first, second = (
            (self.in_channels, self.out_channels) if transposed else (self.out_channels, self.in_channels)
        )
        self.weight = empty(first, second // self.groups, *self.kernel_size)
        self.bias = empty(self.out_channels) if bias else None
        init.default_(self.weight, self.bias, generator)

    def extra_repr(self) -> str:
        shown = {"kernel_size": self.kernel_size}
        for name, usual in (
            ("stride", (1, 1)),
            ("padding", (0, 0)),
            ("output_padding", (0, 0)),
            ("dilation", (1, 1)),
            ("groups", 1),
        ):
            if getattr(self, name, usual) != usual:
                shown[name] = getattr(self, name)
        if self.bias is None:
            shown["bias"] = False  # type: ignore[assignment]
        return f"{self.in_channels}, {self.out_channels}, " + ", ".join(f"{k}={v}" for k, v in shown.items())


class Conv2d(_Convolution):
    """(N, C, H, W) -> (N, O, OH, OW), OH = floor((H + 2 padding - dilation (KH - 1) - 1) / stride) + 1.

    Parameters: weight (O, C / groups, KH, KW) and bias (O,), both U(-b, b), b = 1 / sqrt(C / groups KH KW).
    Sizes are numbers or (height, width) pairs.  ``padding_mode`` "reflect" mirrors the picture at its edge
    (without repeating the edge) instead of adding zeros.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        *,
        stride: Size = 1,
        padding: Size = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        generator: np.random.Generator | None = None,
    ):
        if padding_mode not in ("zeros", "reflect"):
            raise ArgumentError(f"padding_mode: expected zeros or reflect, got {padding_mode!r}")
        settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        super().__init__(
            (in_channels, out_channels), kernel_size, settings, bias, generator, transposed=False
        )
        self.padding_mode = padding_mode

    def forward(self, x: Tensor) -> Tensor:
        padding = self.padding
        if self.padding_mode == "reflect":
            height, width = padding
            x, padding = ops.pad(x, (width, width, height, height), mode="reflect"), (0, 0)
        return ops.conv2d(
            x,
            self.weight,
            self.bias,
            stride=self.stride,
            padding=padding,
            dilation=self.dilation,
            groups=self.groups,
        )


class ConvTranspose2d(_Convolution):
    """(N, C, H, W) -> (N, O, OH, OW), the adjoint of Conv2d with the same settings.

    OH = (H - 1) stride - 2 padding + dilation (KH - 1) + output_padding + 1.
    Parameters: weight (C, O / groups, KH, KW) and bias (O,), both
    U(-b, b), b = 1 / sqrt(O / groups KH KW), which is what PyTorch takes for its fan-in.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        *,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        generator: np.random.Generator | None = None,
    ):
        settings = {"stride": stride, "padding": padding, "output_padding": output_padding}
        settings |= {"dilation": dilation, "groups": groups}
        super().__init__((in_channels, out_channels), kernel_size, settings, bias, generator, transposed=True)

    def forward(self, x: Tensor) -> Tensor:
        return ops.conv_transpose2d(
            x,
            self.weight,
            self.bias,
            stride=self.stride,
            padding=self.padding,
            output_padding=self.output_padding,
            groups=self.groups,
            dilation=self.dilation,
        )
