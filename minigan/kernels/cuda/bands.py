"""Resampling along an axis on raw device arrays by the kernel of bands.cu."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np

from minigan import backend
from minigan.backend import Array
from minigan.kernels.cuda import launch, lines

KEPT = 64  # matrices kept on the device: those of one net's resizings, both ways


class Band(NamedTuple):
    """A matrix on the device, and for each row the first column that is not 0 and the one after the last."""

    matrix: Array
    starts: Array
    stops: Array


_kept: OrderedDict[Any, tuple[np.ndarray, Band]] = OrderedDict()


def edges(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where the band of each row starts and stops (both 0 for a row of zeros), int32."""
    filled = matrix != 0
    some = filled.any(axis=1)
    starts = np.where(some, filled.argmax(axis=1), 0)
    stops = np.where(some, matrix.shape[1] - filled[:, ::-1].argmax(axis=1), 0)
    return starts.astype(np.int32), stops.astype(np.int32)


def _band(matrix: np.ndarray, like: Array) -> Band:
    """Return the matrix on ``like``'s device, where it is copied once.

    The key is the memory it lies in, which is kept too, so that no other matrix can come to lie there.
    """
    here = backend.of(like)
    key = (here.name, like.dtype.char, matrix.__array_interface__["data"], matrix.shape, matrix.strides)
    if key not in _kept:
        parts = (np.ascontiguousarray(matrix, like.dtype), *edges(matrix))
        _kept[key] = matrix, Band(*(here.from_host(part) for part in parts))
        if len(_kept) > KEPT:
            _kept.popitem(last=False)
    _kept.move_to_end(key)
    return _kept[key][1]


def along(x: Array, matrix: np.ndarray) -> Array:
    """(A, n, B) in C order, a host matrix (m, n) that never changes -> matrix x, (A, m, B)."""
    (A, n, B), m = x.shape, len(matrix)
    y = backend.namespace(x).empty((A, m, B), x.dtype)
    launch("band", lines(y.size), x, y, x, *_band(matrix, x), n, m, B, y.size)
    return y
