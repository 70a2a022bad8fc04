"""The ways an array can lie in memory, all of which an operation must accept."""

from __future__ import annotations

import numpy as np

LAYOUTS = ("c", "fortran", "channels_last", "sliced", "reversed", "tangled", "broadcast")


def in_layout(array: np.ndarray, layout: str) -> np.ndarray:
    """Return an array equal to `array` that lies in memory as `layout` says.

    c: row by row; fortran: column by column; channels_last: the second axis varies fastest; sliced: every
    second element of a larger array, not starting at its beginning; reversed: negative strides; tangled:
    fortran, sliced and reversed at once; broadcast: stride 0 along the first axis, which *changes the
    values*: the first row is repeated.
    """
    if array.ndim == 0 or layout == "c":
        return np.array(array, order="C")
    if layout == "fortran":
        return np.array(array, order="F")
    if layout == "channels_last":
        return np.moveaxis(
            np.array(np.moveaxis(array, min(1, array.ndim - 1), -1), order="C"), -1, min(1, array.ndim - 1)
        )
    if layout == "tangled":
        backwards = (slice(None, None, -1),) * array.ndim
        return in_layout(array[backwards].T, "sliced").T[backwards]
    if layout == "sliced":
        larger = np.full(
            [2 * side + 1 for side in array.shape], np.nan if array.dtype.kind == "f" else 0
        ).astype(array.dtype)
        view = larger[(slice(1, None, 2),) * array.ndim]
        view[...] = array
        return view
    backwards = (slice(None, None, -1),) * array.ndim
    if layout == "reversed":
        return np.array(array[backwards], order="C")[backwards]
    return np.broadcast_to(array[:1], array.shape)
