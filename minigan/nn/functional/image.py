"""Convolution, pooling, padding and resizing with PyTorch's arguments.

Sequences (N, C, L) are pictures of height 1.  A single sample without the batch axis is taken as PyTorch
takes it: as a batch of one, whose axis leaves again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigan import ops
from minigan.errors import ArgumentError, ShapeError
from minigan.tensor import Tensor

Size = int | Sequence[int]


def _batched(function: Any, x: Tensor, axes: int, where: str) -> Tensor:
    """Apply to a batch of ``axes`` axes, or to one sample."""
    if x.ndim == axes - 1:
        y = function(ops.reshape(x, 1, *x.shape))
        return ops.reshape(y, *y.shape[1:])
    if x.ndim != axes:
        raise ShapeError(f"{where}: expected {axes} axes, or {axes - 1} for one sample, got {x.shape}")
    return function(x)


def _flat(x: Tensor) -> Tensor:
    """(a, b, L) -> (a, b, 1, L)."""
    if x.ndim != 3:
        raise ShapeError(f"expected 3 axes, got shape {x.shape}")
    return ops.reshape(x, *x.shape[:2], 1, x.shape[2])


def _line(y: Tensor) -> Tensor:
    """(a, b, 1, L) -> (a, b, L)."""
    return ops.reshape(y, *y.shape[:2], y.shape[3])


def _row(value: Any, first: int) -> Any:
    """The setting of one axis as that of two, of which the first has ``first``."""
    if value is None or isinstance(value, str):
        return value
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(values) != 1:
        raise ArgumentError(f"expected one number for a sequence's only axis, got {value!r}")
    return first, values[0]


def _two(value: Any, name: str) -> tuple[Any, Any]:
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(values) not in (1, 2):
        raise ArgumentError(f"{name}: expected a number or a (height, width) pair, got {value!r}")
    return values[0], values[-1]


# ---- convolution ------------------------------------------------------------------------------------------


def same_padding(kernel: Sequence[int], dilation: Any) -> list[int]:
    """Widths for `pad`, last axis first, that keep the size at stride 1; the odd cell goes behind."""
    widths = []
    for k, d in zip(reversed(kernel), reversed(_two(dilation, "dilation")), strict=True):
        total = d * (k - 1)
        widths += [total // 2, total - total // 2]
    return widths


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """(N, C, H, W), (O, C / groups, KH, KW), (O,) -> (N, O, OH, OW); see `minigan.ops.conv`.

    ``padding`` is numbers, "valid" (none) or "same" (the size stays; stride 1 only).
    Raises ArgumentError and ShapeError for settings and sizes that do not fit.
    """
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ArgumentError(f"conv2d: padding must be numbers, 'same' or 'valid', got {padding!r}")
        if padding == "same":
            if any(s != 1 for s in _two(stride, "stride")):
                raise ArgumentError(f"conv2d: padding='same' needs stride 1, got {stride}")
            input = ops.pad(input, same_padding(weight.shape[2:], dilation))
        padding = 0
    settings = {
        "stride": _two(stride, "stride"),
        "padding": _two(padding, "padding"),
        "dilation": _two(dilation, "dilation"),
        "groups": groups,
    }
    return _batched(lambda x: ops.conv2d(x, weight, bias, **settings), input, 4, "conv2d")


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """(N, C, L), (O, C / groups, K), (O,) -> (N, O, OL): `conv2d` of pictures of height 1."""
    settings = _row(stride, 1), _row(padding, 0), _row(dilation, 1), groups
    kernel = _flat(weight)
    return _batched(lambda x: _line(conv2d(_flat(x), kernel, bias, *settings)), input, 3, "conv1d")


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """(N, C, H, W), (C, O / groups, KH, KW), (O,) -> (N, O, OH, OW): the adjoint of `conv2d`."""
    settings = {
        "stride": _two(stride, "stride"),
        "padding": _two(padding, "padding"),
        "output_padding": _two(output_padding, "output_padding"),
    }
    settings |= {"groups": groups, "dilation": _two(dilation, "dilation")}  # type: ignore[dict-item]
    return _batched(lambda x: ops.conv_transpose2d(x, weight, bias, **settings), input, 4, "conv_transpose2d")


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """(N, C, L), (C, O / groups, K), (O,) -> (N, O, OL): the adjoint of `conv1d`."""
    settings = _row(stride, 1), _row(padding, 0), _row(output_padding, 0), groups, _row(dilation, 1)
    kernel = _flat(weight)
    return _batched(
        lambda x: _line(conv_transpose2d(_flat(x), kernel, bias, *settings)), input, 3, "conv_transpose1d"
    )


# ---- pooling ----------------------------------------------------------------------------------------------


def max_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor:
    """(N, C, H, W) -> (N, C, OH, OW): the largest cell of each window; see `minigan.ops.max_pool2d`.

    Raises ArgumentError for ``return_indices``, which is not there.
    """
    if return_indices:
        raise ArgumentError("max_pool2d: return_indices is not there; the gradient finds the cell by itself")
    settings = (
        _two(kernel_size, "kernel_size"),
        None if stride is None else _two(stride, "stride"),
        _two(padding, "padding"),
        _two(dilation, "dilation"),
    )
    return _batched(lambda x: ops.max_pool2d(x, *settings, ceil_mode), input, 4, "max_pool2d")


def max_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor:
    """(N, C, L) -> (N, C, OL): the largest cell of each window."""
    settings = _row(kernel_size, 1), _row(stride, 1), _row(padding, 0), _row(dilation, 1)
    return _batched(
        lambda x: _line(max_pool2d(_flat(x), *settings, ceil_mode, return_indices)), input, 3, "max_pool1d"
    )


def avg_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """(N, C, H, W) -> (N, C, OH, OW): the mean of each window; see `minigan.ops.avg_pool2d`."""
    settings = (
        _two(kernel_size, "kernel_size"),
        None if stride is None else _two(stride, "stride"),
        _two(padding, "padding"),
    )
    how = bool(ceil_mode), bool(count_include_pad), divisor_override
    return _batched(lambda x: ops.avg_pool2d(x, *settings, *how), input, 4, "avg_pool2d")


def avg_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """(N, C, L) -> (N, C, OL): the mean of each window."""
    settings = _row(kernel_size, 1), _row(stride, 1), _row(padding, 0), ceil_mode, count_include_pad
    return _batched(lambda x: _line(avg_pool2d(_flat(x), *settings)), input, 3, "avg_pool1d")


def _grid(x: Tensor, output_size: Any) -> tuple[int, int]:
    """The wanted (OH, OW); None keeps the picture's own size."""
    rows, columns = _two(output_size, "output_size")
    return (x.shape[-2] if rows is None else rows), (x.shape[-1] if columns is None else columns)


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """(N, C, H, W) -> (N, C, *output_size): means over windows that share the picture out evenly.

    A size of None is the picture's own.
    """
    size = _grid(input, output_size)
    return _batched(lambda x: ops.adaptive_avg_pool2d(x, size), input, 4, "adaptive_avg_pool2d")


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Tensor:
    """(N, C, H, W) -> (N, C, *output_size): the largest cell of each window of `adaptive_avg_pool2d`.

    Raises ArgumentError for sizes below 1 and for ``return_indices``, which is not there.
    """
    if return_indices:
        raise ArgumentError("adaptive_max_pool2d: return_indices is not there")
    size = _grid(input, output_size)
    if min(size) < 1:
        raise ArgumentError(f"adaptive_max_pool2d: expected sizes >= 1, got {output_size}")
    return _batched(lambda x: _adaptive_max(x, *size), input, 4, "adaptive_max_pool2d")


def _adaptive_max(x: Tensor, OH: int, OW: int) -> Tensor:
    H, W = x.shape[2:]
    rows, columns = (
        [slice(i * n // out, -(-(i + 1) * n // out)) for i in range(out)] for n, out in ((H, OH), (W, OW))
    )
    lines = []
    for r in rows:
        cells = [x[:, :, r, c] for c in columns]
        lines.append(
            ops.concatenate([ops.max_pool2d(cell, (cell.shape[2], cell.shape[3])) for cell in cells], 3)
        )
    return ops.concatenate(lines, 2)


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """(N, C, L) -> (N, C, output_size): means over windows that share the sequence out evenly."""
    size = _row(output_size, 1)
    return _batched(lambda x: _line(adaptive_avg_pool2d(_flat(x), size)), input, 3, "adaptive_avg_pool1d")
