"""Reference values that are not the code under test: loops over Python numbers, and scipy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def one_by_one(function: Callable[..., float]) -> Callable[..., np.ndarray]:
    """The oracle of an elementwise operation: `function` on Python numbers, one element after another."""

    def oracle(*arrays: np.ndarray, **kwargs: Any) -> np.ndarray:
        spread = np.broadcast_arrays(*arrays)
        out = np.zeros(spread[0].shape)
        for place in np.ndindex(*out.shape):
            out[place] = function(*(a[place].item() for a in spread), **kwargs)
        return out

    return oracle


def along_axes(function: Callable[..., float]) -> Callable[..., np.ndarray]:
    """The oracle of a reduction: `function` on the list of Python numbers of each group over `axis`."""

    def oracle(x: np.ndarray, axis: Any = None, keepdims: bool = False, **kwargs: Any) -> np.ndarray:
        axes = tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        axes = tuple(a % x.ndim for a in axes)
        groups: dict[tuple[int, ...], list[float]] = {}
        for place in np.ndindex(*x.shape):
            rest = tuple(0 if a in axes else i for a, i in enumerate(place))
            groups.setdefault(rest, []).append(x[place].item())
        out = np.zeros([1 if a in axes else n for a, n in enumerate(x.shape)])
        for place in np.ndindex(*out.shape):
            out[place] = function(groups.get(place, []), **kwargs)
        kept = [n for a, n in enumerate(x.shape) if a not in axes]
        return out if keepdims else out.reshape(kept)

    return oracle


def from_places(place_of: Callable[..., Sequence[int] | None]) -> Callable[..., np.ndarray]:
    """The oracle of an operation that only moves elements of one array.

    `place_of(out_place, x_shape, **kwargs)` says where an element of the result comes from (None: a zero);
    called with None it gives the result's shape.
    """

    def oracle(x: np.ndarray, **kwargs: Any) -> np.ndarray:
        shape = place_of(None, x.shape, **kwargs)
        assert shape is not None
        out = np.zeros(tuple(shape))
        for place in np.ndindex(*out.shape):
            source = place_of(place, x.shape, **kwargs)
            out[place] = 0.0 if source is None else x[tuple(source)]
        return out

    return oracle


def pairwise(value: int | Sequence[int]) -> tuple[int, int]:
    """A setting as (rows, columns)."""
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def conv2d(
    x: np.ndarray, weight: np.ndarray, bias: Any = None, *, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> np.ndarray:  # fmt: skip
    """Convolution by scipy: pad, put zeros into the kernel, correlate, take every stride-th pixel."""
    from scipy.signal import correlate2d

    (sh, sw), (ph, pw), (dh, dw) = (pairwise(v) for v in (stride, padding, dilation))
    spread = spread_out(weight, dh, dw)
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    per_in, per_out = weight.shape[1], weight.shape[0] // groups
    planes = []
    for image in padded:
        for o in range(weight.shape[0]):
            begin = o // per_out * per_in
            full = sum(correlate2d(image[begin + c], spread[o, c], "valid") for c in range(per_in))
            planes.append(full[::sh, ::sw])
    y = np.array(planes).reshape(x.shape[0], weight.shape[0], *planes[0].shape)
    return y if bias is None else y + bias[:, None, None]


def conv_transpose2d(
    x: np.ndarray, weight: np.ndarray, bias: Any = None, *, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, dilation: Any = 1, groups: int = 1,
) -> np.ndarray:  # fmt: skip
    """Transposed convolution by scipy's full 2-d convolution of the input with zeros put between its pixels.

    The output padding adds rows and columns at the end, then the padding is cut off all round.
    """
    from scipy.signal import convolve2d

    (sh, sw), (ph, pw), (dh, dw) = (pairwise(v) for v in (stride, padding, dilation))
    eh, ew = pairwise(output_padding)
    spread, gaps = spread_out(weight, dh, dw), spread_out(x, sh, sw)
    per_in, per_out = weight.shape[0] // groups, weight.shape[1]
    planes = []
    for image in gaps:
        for o in range(per_out * groups):
            begin = o // per_out * per_in
            full = sum(
                convolve2d(image[begin + c], spread[begin + c, o % per_out], "full") for c in range(per_in)
            )
            longer = np.pad(full, ((0, eh), (0, ew)))
            planes.append(longer[ph : longer.shape[0] - ph, pw : longer.shape[1] - pw])
    y = np.array(planes).reshape(x.shape[0], per_out * groups, *planes[0].shape)
    return y if bias is None else y + bias[:, None, None]


def conv2d_weight_grad(
    x: np.ndarray,
    g: np.ndarray,
    *,
    kernel: Sequence[int],
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> np.ndarray:
    """The weight gradient by loops.

    gweight[o, c, kh, kw] = sum over n, i, j of g[n, o, i, j] xpadded[n, c, i S + kh D, j S + kw D].
    """
    (sh, sw), (ph, pw), (dh, dw) = (pairwise(v) for v in (stride, padding, dilation))
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    per_in, per_out = x.shape[1] // groups, g.shape[1] // groups
    out = np.zeros((g.shape[1], per_in, *kernel))
    for o, c, kh, kw in np.ndindex(*out.shape):
        channel = o // per_out * per_in + c
        for n, i, j in np.ndindex(g.shape[0], g.shape[2], g.shape[3]):
            out[o, c, kh, kw] += g[n, o, i, j] * padded[n, channel, i * sh + kh * dh, j * sw + kw * dw]
    return out


def spread_out(planes: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Put rows-1 zero rows and columns-1 zero columns between the pixels of the last two axes."""
    height, width = planes.shape[2:]
    out = np.zeros((*planes.shape[:2], (height - 1) * rows + 1, (width - 1) * columns + 1))
    out[:, :, ::rows, ::columns] = planes
    return out
