"""Layers that make the picture smaller without parameters."""

from __future__ import annotations

from typing import Any

from minigan.nn import functional as F
from minigan.nn.conv import Size
from minigan.nn.module import Module
from minigan.tensor import Tensor


class _Pool(Module):
    """Windows of ``kernel_size``; ``stride`` defaults to it."""

    kernel_size: Size
    stride: Size
    padding: Size

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _MaxPool(_Pool):
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ):
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.ceil_mode = padding, dilation, ceil_mode
        self.return_indices = return_indices

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, dilation={self.dilation}, ceil_mode={self.ceil_mode}"

    def _settings(self) -> tuple[Any, ...]:
        shape = self.kernel_size, self.stride, self.padding, self.dilation
        return (*shape, self.ceil_mode, self.return_indices)


class MaxPool1d(_MaxPool):
    """(N, C, L) -> (N, C, OL): the largest value of each window; ``stride`` defaults to the window."""

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool1d(x, *self._settings())


class MaxPool2d(_MaxPool):
    """(N, C, H, W) -> (N, C, OH, OW): the largest value of each window; ``stride`` defaults to the window."""

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(x, *self._settings())


class AvgPool1d(_Pool):
    """(N, C, L) -> (N, C, OL): the mean of each window; ``stride`` defaults to the window."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ):
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode, self.count_include_pad = padding, ceil_mode, count_include_pad

    def forward(self, x: Tensor) -> Tensor:
        how = self.ceil_mode, self.count_include_pad
        return F.avg_pool1d(x, self.kernel_size, self.stride, self.padding, *how)


class AvgPool2d(AvgPool1d):
    """(N, C, H, W) -> (N, C, OH, OW): the mean of each window; ``stride`` defaults to the window.

    ``divisor_override`` replaces the number of cells in the mean.
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ):
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.divisor_override = divisor_override

    def forward(self, x: Tensor) -> Tensor:
        how = self.ceil_mode, self.count_include_pad, self.divisor_override
        return F.avg_pool2d(x, self.kernel_size, self.stride, self.padding, *how)


class _Adaptive(Module):
    def __init__(self, output_size: Any):
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_Adaptive):
    """(N, C, L) -> (N, C, output_size): means over windows that share the sequence out evenly."""

    def forward(self, x: Tensor) -> Tensor:
        return F.adaptive_avg_pool1d(x, self.output_size)


class AdaptiveAvgPool2d(_Adaptive):
    """(N, C, H, W) -> (N, C, *output_size): means over windows that share the picture out evenly."""

    def forward(self, x: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(x, self.output_size)


class AdaptiveMaxPool2d(_Adaptive):
    """(N, C, H, W) -> (N, C, *output_size): the largest cell of such windows."""

    def __init__(self, output_size: Any, return_indices: bool = False):
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, x: Tensor) -> Tensor:
        return F.adaptive_max_pool2d(x, self.output_size, self.return_indices)
