"""Padding, resizing, and moving channels into space and back, with PyTorch's arguments."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import Any

from minigan import ops
from minigan.errors import ArgumentError, ShapeError
from minigan.nn.functional.image import adaptive_avg_pool1d, adaptive_avg_pool2d
from minigan.tensor import Tensor


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Pad the last axes: ``pad`` = (last before, last after, second-last before, ...).

    ``mode`` "constant" fills with ``value`` (0), "reflect" mirrors without repeating the edge, "replicate"
    repeats the edge, "circular" goes on at the other end.  Negative widths cut cells off.
    Raises ArgumentError for widths that are too large.
    """
    widths = [int(width) for width in pad]
    if mode != "constant" and value not in (None, 0, 0.0):
        raise ArgumentError(f"pad: mode {mode!r} takes no value, got {value}")
    if len(widths) % 2 or len(widths) // 2 > input.ndim:
        raise ArgumentError(f"pad: expected pairs for at most {input.ndim} axes, got {tuple(pad)}")
    if mode == "circular":
        return _circular(input, widths)
    x = input
    if min(widths, default=0) < 0:
        cut = [slice(None)] * x.ndim
        for pair in range(len(widths) // 2):
            before, after = widths[2 * pair : 2 * pair + 2]
            axis = x.ndim - 1 - pair
            cut[axis] = slice(max(-before, 0), x.shape[axis] - max(-after, 0))
        x, widths = x[tuple(cut)], [max(width, 0) for width in widths]
    return ops.pad(x, widths, mode, 0.0 if value is None else value)


def _circular(x: Tensor, widths: list[int]) -> Tensor:
    for pair in range(len(widths) // 2):
        before, after = widths[2 * pair : 2 * pair + 2]
        axis = x.ndim - 1 - pair
        n = x.shape[axis]
        if not (0 <= before <= n and 0 <= after <= n):
            raise ArgumentError(f"pad: circular needs widths from 0 to the size {n}, got {(before, after)}")
        lead = (slice(None),) * axis
        parts = [x[(*lead, slice(n - before, n))], x, x[(*lead, slice(after))]]
        x = ops.concatenate([part for part in parts if part.shape[axis]], axis) if before + after else x
    return x


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resize (N, C, H, W) or (N, C, L) to ``size`` or by ``scale_factor``; see `minigan.ops.interpolate`.

    Modes: "nearest", "bilinear" and "bicubic" (pictures), "linear" (sequences), "area" (adaptive means).
    ``recompute_scale_factor`` takes the factor from the rounded size.  Raises ArgumentError for other modes,
    for ``antialias``, and for ``align_corners`` where nothing is interpolated.
    """
    modes = {3: ("nearest", "linear", "area"), 4: ("nearest", "bilinear", "bicubic", "area")}
    if input.ndim not in modes:
        raise ShapeError(f"interpolate: expected (N, C, H, W) or (N, C, L), got shape {input.shape}")
    if mode not in modes[input.ndim] or antialias:
        raise ArgumentError(
            f"interpolate: expected mode {' or '.join(modes[input.ndim])} without antialias, got {mode!r}"
        )
    if align_corners is not None and mode in ("nearest", "area"):
        raise ArgumentError("interpolate: align_corners works with mode linear, bilinear and bicubic only")
    space = input.shape[2:]
    if recompute_scale_factor or mode == "area":
        size, scale_factor = _rounded(space, size, scale_factor), None
    if mode == "area":
        return (adaptive_avg_pool2d if len(space) == 2 else adaptive_avg_pool1d)(input, size)
    if len(space) == 2:
        return ops.interpolate(
            input, size=size, scale_factor=scale_factor, mode=mode, align_corners=bool(align_corners)
        )
    one, row = ops.reshape(input, *input.shape[:2], 1, *space), [_last(size, 1), _last(scale_factor, 1.0)]
    mode = "bilinear" if mode == "linear" else mode
    y = ops.interpolate(one, size=row[0], scale_factor=row[1], mode=mode, align_corners=bool(align_corners))
    return ops.reshape(y, *y.shape[:2], y.shape[3])


def _each(value: Any, count: int) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * count


def _rounded(space: tuple[int, ...], size: Any, scale_factor: Any) -> tuple[int, ...]:
    if (size is None) == (scale_factor is None):
        raise ArgumentError("interpolate: expected one of size and scale_factor")
    if size is not None:
        return _each(size, len(space))
    return tuple(floor(n * f) for n, f in zip(space, _each(scale_factor, len(space)), strict=True))


def _last(value: Any, first: Any) -> Any:
    return None if value is None else (first, *_each(value, 1))


def upsample(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """The older name of `interpolate`."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(..., C r r, H, W) -> (..., C, H r, W r): y[c, h r + i, w r + j] = x[c r r + i r + j, h, w].

    Shi et al., arXiv 1609.05158, equation 4.  Raises ShapeError unless r r divides the channels.
    """
    r = upscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-3] % (r * r):
        raise ShapeError(f"pixel_shuffle: expected (..., C * {r}**2, H, W), got shape {input.shape}")
    *lead, C, H, W = input.shape
    n = len(lead)
    x = ops.reshape(input, *lead, C // (r * r), r, r, H, W)
    x = ops.permute(x, *range(n), n, n + 3, n + 1, n + 4, n + 2)
    return ops.reshape(x, *lead, C // (r * r), H * r, W * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(..., C, H r, W r) -> (..., C r r, H, W): the inverse of `pixel_shuffle`.

    Raises ShapeError unless r divides the height and the width.
    """
    r = downscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-2] % r or input.shape[-1] % r:
        raise ShapeError(f"pixel_unshuffle: expected (..., C, H * {r}, W * {r}), got shape {input.shape}")
    *lead, C, H, W = input.shape
    n = len(lead)
    x = ops.reshape(input, *lead, C, H // r, r, W // r, r)
    x = ops.permute(x, *range(n), n, n + 2, n + 4, n + 1, n + 3)
    return ops.reshape(x, *lead, C * r * r, H // r, W // r)
