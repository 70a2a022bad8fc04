"""Layers that move elements without computing: flatten, pad, shuffle; and those that resize a picture."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from minigan import ops
from minigan.errors import ArgumentError
from minigan.nn import functional as F
from minigan.nn.module import Module
from minigan.tensor import Tensor


class Identity(Module):
    """(any shape) -> the same tensor; whatever it is built with is ignored."""

    def __init__(self, *settings: Any, **more: Any):
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return x


class Flatten(Module):
    """(N, ...) -> (N, product of the rest), or any run of axes from ``start_dim`` to ``end_dim``."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1):
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Tensor) -> Tensor:
        return ops.flatten(x, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Split one axis into several: Unflatten(1, (C, H, W)) makes (N, C H W) into (N, C, H, W)."""

    def __init__(self, dim: int, unflattened_size: Sequence[int]):
        super().__init__()
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, x: Tensor) -> Tensor:
        """Reshape; ArgumentError where the sizes do not multiply to the axis."""
        axis = self.dim % x.ndim
        if x.shape[axis] != prod(self.unflattened_size):
            raise ArgumentError(
                f"Unflatten: axis {self.dim} of {x.shape} does not split into {self.unflattened_size}"
            )
        return ops.reshape(x, *x.shape[:axis], *self.unflattened_size, *x.shape[axis + 1 :])

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class _Pad(Module):
    """Wider along the last axes: ``padding`` is one width, or one for each of the ``sides``."""

    mode, value = "constant", 0.0
    sides: tuple[str, ...] = ()

    def __init__(self, padding: int | Sequence[int]):
        super().__init__()
        count = len(self.sides)
        widths: tuple[Any, ...] = tuple(padding) if isinstance(padding, (tuple, list)) else (padding,) * count
        if len(widths) != count:
            raise ArgumentError(f"padding: expected a number or ({', '.join(self.sides)}), got {padding!r}")
        self.padding = widths

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, self.padding, self.mode, self.value if self.mode == "constant" else None)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _Constant(_Pad):
    def __init__(self, padding: int | Sequence[int], value: float):
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ZeroPad1d(_Pad):
    """(N, C, L) -> wider, by zeros: one width, or (left, right)."""

    sides = ("left", "right")


class ConstantPad1d(_Constant):
    """(N, C, L) -> wider, filled with ``value``: one width, or (left, right)."""

    sides = ("left", "right")


class ReflectionPad1d(_Pad):
    """(N, C, L) -> wider, mirrored without its edge: one width, or (left, right)."""

    sides = ("left", "right")
    mode = "reflect"


class ReplicationPad1d(_Pad):
    """(N, C, L) -> wider, the edge repeated: one width, or (left, right)."""

    sides = ("left", "right")
    mode = "replicate"


class CircularPad1d(_Pad):
    """(N, C, L) -> wider, going on at the other end: one width, or (left, right)."""

    sides = ("left", "right")
    mode = "circular"


class ZeroPad2d(_Pad):
    """(N, C, H, W) -> wider, by zeros: one width, or (left, right, top, bottom)."""

    sides = ("left", "right", "top", "bottom")


class ConstantPad2d(_Constant):
    """(N, C, H, W) -> wider, filled with ``value``: one width, or (left, right, top, bottom)."""

    sides = ("left", "right", "top", "bottom")


class ReflectionPad2d(_Pad):
    """(N, C, H, W) -> wider, mirrored without its edge: one width, or (left, right, top, bottom)."""

    sides = ("left", "right", "top", "bottom")
    mode = "reflect"


class ReplicationPad2d(_Pad):
    """(N, C, H, W) -> wider, the edge repeated: one width, or (left, right, top, bottom)."""

    sides = ("left", "right", "top", "bottom")
    mode = "replicate"


class CircularPad2d(_Pad):
    """(N, C, H, W) -> wider, going on at the other end: one width, or (left, right, top, bottom)."""

    sides = ("left", "right", "top", "bottom")
    mode = "circular"


class PixelShuffle(Module):
    """(N, C r r, H, W) -> (N, C, H r, W r); see `functional.pixel_shuffle`."""

    def __init__(self, upscale_factor: int):
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(x, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """(N, C, H r, W r) -> (N, C r r, H, W): the inverse of `PixelShuffle`."""

    def __init__(self, downscale_factor: int):
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_unshuffle(x, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class Upsample(Module):
    """(N, C, H, W) -> (N, C, OH, OW), by ``size`` or ``scale_factor``; see `functional.interpolate`."""

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ):
        super().__init__()
        self.size, self.scale_factor, self.mode, self.align_corners = size, scale_factor, mode, align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, x: Tensor) -> Tensor:
        how = self.mode, self.align_corners, self.recompute_scale_factor
        return F.interpolate(x, self.size, self.scale_factor, *how)

    def extra_repr(self) -> str:
        factor = self.scale_factor
        factor = float(factor) if isinstance(factor, int) else factor  # printed as a float
        size = f"scale_factor={factor}" if self.size is None else f"size={self.size}"
        return f"{size}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """`Upsample` by the nearest cell."""

    def __init__(self, size: Any = None, scale_factor: Any = None):
        super().__init__(size, scale_factor, "nearest")


class UpsamplingBilinear2d(Upsample):
    """`Upsample` bilinearly, the corners aligned."""

    def __init__(self, size: Any = None, scale_factor: Any = None):
        super().__init__(size, scale_factor, "bilinear", True)


class Unfold(Module):
    """(N, C, H, W) -> (N, C KH KW, L): every window as a column; see `functional.unfold`."""

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1):
        super().__init__()
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, x: Tensor) -> Tensor:
        return F.unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
            f"stride={self.stride}"
        )


class Fold(Unfold):
    """(N, C KH KW, L) -> (N, C, *output_size): every column added in its place; see `functional.fold`."""

    def __init__(
        self, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ):
        super().__init__(kernel_size, dilation, padding, stride)
        self.output_size = output_size

    def forward(self, x: Tensor) -> Tensor:
        return F.fold(x, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}, {super().extra_repr()}"
