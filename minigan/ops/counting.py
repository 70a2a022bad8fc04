"""Statistics by order and by count: median, quantiles, what is there how often, and draws by weight."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigan import backend
from minigan.backend import namespace
from minigan.errors import ArgumentError, ShapeError
from minigan.ops.broadcast import sum
from minigan.ops.choice import where
from minigan.ops.compare import Extremes, isnan, sort
from minigan.ops.creation import default_generator
from minigan.ops.operands import one_axis, takes_dim
from minigan.ops.reduce import amax, amin, mean, std, var
from minigan.ops.shape import getitem, reshape, stack
from minigan.tensor import Tensor


def _at(x: Tensor, place: int, k: int, keepdims: bool) -> Tensor:
    part = getitem(x, (slice(None),) * place + (slice(k, k + 1),))
    return part if keepdims else reshape(part, x.shape[:place] + x.shape[place + 1 :])


@takes_dim
def kthvalue(x: Tensor, k: int, axis: int = -1, keepdims: bool = False) -> Extremes:
    """Return the k-th smallest value (from 1) along one axis, and where it was."""
    place = one_axis(axis, x.ndim, "kthvalue")
    if not 1 <= k <= x.shape[place]:
        raise ArgumentError(f"kthvalue: expected k from 1 to {x.shape[place]}, got {k}")
    found = sort(x, place)
    return Extremes(_at(found.values, place, k - 1, keepdims), _at(found.indices, place, k - 1, keepdims))


@takes_dim
def median(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return the middle value, of two the lower; with an axis (values, indices)."""
    if axis is None:
        return kthvalue(reshape(x, -1), (x.size + 1) // 2).values
    return kthvalue(x, (x.shape[one_axis(axis, x.ndim, "median")] + 1) // 2, axis, keepdims)


@takes_dim
def quantile(x: Tensor, q: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the values below which shares ``q`` of the elements lie, straight lines between two of them.

    A tensor of several shares gives a first axis of its own.  ArgumentError for a share outside [0, 1].
    """
    if isinstance(q, Tensor) and q.ndim:
        parts = [quantile(x, share, axis, keepdims) for share in q.tolist()]
        return stack(parts)
    share = float(q.item() if isinstance(q, Tensor) else q)
    if not 0 <= share <= 1:
        raise ArgumentError(f"quantile: expected a share from 0 to 1, got {share}")
    flat = reshape(x, -1) if axis is None else x
    place = one_axis(-1 if axis is None else axis, flat.ndim, "quantile")
    values = sort(flat, place).values
    position = share * (flat.shape[place] - 1)
    low = int(position)
    high = min(low + 1, flat.shape[place] - 1)
    a, b = _at(values, place, low, keepdims), _at(values, place, high, keepdims)
    found = a + (b - a) * (position - low)
    return reshape(found, (1,) * x.ndim) if keepdims and axis is None else found


def std_mean(x: Tensor, *args: Any, **settings: Any) -> tuple[Tensor, Tensor]:
    """Return `std` and `mean` over the same axes."""
    return std(x, *args, **settings), _mean_beside(x, *args, **settings)


def var_mean(x: Tensor, *args: Any, **settings: Any) -> tuple[Tensor, Tensor]:
    """Return `var` and `mean` over the same axes."""
    return var(x, *args, **settings), _mean_beside(x, *args, **settings)


def _mean_beside(x: Tensor, *args: Any, **settings: Any) -> Tensor:
    kept = {name: value for name, value in settings.items() if name not in ("unbiased", "correction")}
    first = args[:1] if args and not isinstance(args[0], bool) else ()
    return mean(x, *first, **kept)


@takes_dim
def aminmax(x: Tensor, *, axis: int | None = None, keepdims: bool = False) -> tuple[Tensor, Tensor]:
    """Return the smallest and the largest element over one axis or all."""
    return amin(x, axis, keepdims), amax(x, axis, keepdims)


@takes_dim
def nansum(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the sum over ``axis`` of what is not NaN."""
    return sum(where(isnan(x), 0.0, x), axis, keepdims)


@takes_dim
def nanmean(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the mean over ``axis`` of what is not NaN."""
    there = ~isnan(x)
    return nansum(x, axis, keepdims) / sum(there.astype(x.dtype), axis, keepdims)


def nan_to_num(
    x: Tensor, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """Return x with numbers for NaN and the infinities (the dtype's largest).  gx = g elsewhere, else 0."""
    xp, largest = namespace(x.array), float(np.finfo(x.dtype).max)
    filled = xp.nan_to_num(
        x.array,
        nan=nan,
        posinf=largest if posinf is None else posinf,
        neginf=-largest if neginf is None else neginf,
    )
    return where(xp.isfinite(x.array), x, Tensor._wrap(filled))


# ---- counts: constants, counted on the host ----------------------------------------------------------------


def _host(x: Any) -> np.ndarray:
    return backend.to_host(x.array) if isinstance(x, Tensor) else np.asarray(x)


def _back(found: Any, like: Tensor) -> Tensor:
    return Tensor._wrap(backend.of(like.array).from_host(np.asarray(found)))


def unique(
    x: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Return the different elements (or slices along ``dim``) in order; where each went; how many of each."""
    found = np.unique(_host(x), return_inverse=True, return_counts=True, axis=dim)
    parts = [_back(found[0], x)]
    if return_inverse:
        parts.append(_back(found[1].reshape(x.shape if dim is None else -1), x))
    if return_counts:
        parts.append(_back(found[2], x))
    return parts[0] if len(parts) == 1 else tuple(parts)


def bincount(x: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """Return how often each whole number from 0 comes, or the sum of its weights."""
    return _back(np.bincount(_host(x), None if weights is None else _host(weights), minlength), x)


def histc(x: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """Return how many elements fall in each of ``bins`` even parts of [min, max] (0, 0: of the range)."""
    array = _host(x)
    limits = (array.min(), array.max()) if min == max == 0 and array.size else (min, max)
    return _back(np.histogram(array, bins, limits)[0].astype(x.dtype), x)


def nonzero(x: Tensor, *, as_tuple: bool = False) -> Any:
    """Return the places (count, axes) of elements that are not 0; as a tuple, an index for x."""
    found = np.nonzero(np.atleast_1d(_host(x)))
    return tuple(_back(part, x) for part in found) if as_tuple else _back(np.stack(found, 1)[:, : x.ndim], x)


def argwhere(x: Tensor) -> Tensor:
    """Return the places (count, axes) of elements that are not 0."""
    return nonzero(x)


@takes_dim
def count_nonzero(x: Tensor, axis: Any = None) -> Tensor:
    """Return how many elements over ``axis`` are not 0."""
    return _back(np.count_nonzero(_host(x), axis), x)


def isclose(
    x: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Return where |x - other| <= atol + rtol |other|."""
    return _back(np.isclose(_host(x), _host(other), rtol, atol, equal_nan), x)


def isin(elements: Tensor, test_elements: Any) -> Tensor:
    """Return which elements are among the others."""
    return _back(np.isin(_host(elements), _host(test_elements)), elements)


def searchsorted(sorted_sequence: Tensor, input: Any, *, right: bool = False) -> Tensor:
    """Return where numbers would stand in a sorted vector: before their equals, or after (``right``)."""
    return _back(
        np.searchsorted(_host(sorted_sequence), _host(input), "right" if right else "left"), sorted_sequence
    )


def bucketize(input: Any, boundaries: Tensor, *, right: bool = False) -> Tensor:
    """Return in which of the parts between ``boundaries`` each number lies."""
    return searchsorted(boundaries, input, right=right)


def _triangle(row: int, col: int, offset: int, lower: bool) -> Tensor:
    found = np.tril_indices(row, offset, col) if lower else np.triu_indices(row, offset, col)
    return Tensor._wrap(backend.current().from_host(np.stack(found)))


def tril_indices(row: int, col: int, offset: int = 0) -> Tensor:
    """Return the rows and columns, (2, count), of a matrix's lower triangle."""
    return _triangle(row, col, offset, True)


def triu_indices(row: int, col: int, offset: int = 0) -> Tensor:
    """Return the rows and columns, (2, count), of a matrix's upper triangle."""
    return _triangle(row, col, offset, False)


def multinomial(x: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None) -> Tensor:
    """Return places drawn in proportion to weights (n,) or (rows, n): (.., num_samples), int64.

    Raises ArgumentError for weights below 0, all 0, or fewer above 0 than draws without replacement.
    """
    weights = np.atleast_2d(_host(x)).astype(np.float64)
    draw = generator or default_generator()
    if x.ndim not in (1, 2):
        raise ShapeError(f"multinomial: expected weights (n,) or (rows, n), got shape {x.shape}")
    if not np.isfinite(weights).all() or (weights < 0).any() or (weights.sum(1) <= 0).any():
        raise ArgumentError("multinomial: expected weights >= 0, some of them > 0, in every row")
    if not replacement and ((weights > 0).sum(1) < num_samples).any():
        raise ArgumentError(
            f"multinomial: fewer than {num_samples} weights > 0 to draw from without replacement"
        )
    shares = weights / weights.sum(1, keepdims=True)
    drawn = [draw.choice(weights.shape[1], num_samples, replacement, row) for row in shares]
    return _back(np.stack(drawn) if x.ndim == 2 else drawn[0], x)
