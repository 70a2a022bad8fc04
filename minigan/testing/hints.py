"""What a wrong gradient looks like: from its entries to the mistake that usually makes them."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np

CLOSE = 1e-4  # of the largest entry: a pattern must hold this well to be named


def hint(analytic: np.ndarray, numeric: np.ndarray, sizes: dict[str, int], order: int = 1) -> str:
    """Say in one line how `analytic` follows from `numeric` (both of the argument's shape); "" if no idea.

    `sizes` are named counts (a batch size, the number of elements) a factor may stand for.
    """
    largest = float(np.max(np.abs(numeric), initial=0.0))
    if not np.any(analytic):
        return "the gradient is zero here: " + (
            "is the operand detached, or its gradient not returned?"
            if order == 1
            else "does backward compute with raw arrays (x.array) instead of Tensors?"
        )
    if largest == 0:
        return "the true gradient is zero here: the value does not depend on these entries"
    for found in (_factor(analytic, numeric, sizes), _moved(analytic, numeric), _partial(analytic, numeric)):
        if found:
            return found
    return ""


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    largest = float(np.max(np.abs(b), initial=0.0))
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= CLOSE * largest))


def _factor(analytic: np.ndarray, numeric: np.ndarray, sizes: dict[str, int]) -> str:
    ratio = float(np.vdot(analytic, numeric) / np.vdot(numeric, numeric))
    if abs(ratio) < CLOSE or not _same(analytic, ratio * numeric):
        return ""
    sign = "the negative of " if ratio < 0 else ""
    if abs(abs(ratio) - 1) < CLOSE:
        return "it is the negative of the true gradient: a sign is wrong" if sign else ""
    names = {2: "counted twice?", 0.5: "a factor 2 is missing, or halved once too often?"}
    for name, size in sizes.items():
        names.setdefault(size, f"{size} is {name}: summed where it should be averaged?")
        names.setdefault(
            1 / size, f"{size} is {name}: averaged (or divided by it) where it should be summed?"
        )
    for value, meaning in names.items():
        if abs(abs(ratio) / value - 1) < CLOSE:
            shown = f"{value:g}" if value >= 1 else f"1/{round(1 / value)}"
            return f"it is {sign}{shown} times the true gradient everywhere: {meaning}"
    if numeric.size == 1:
        return ""  # a number alone is always some factor times another
    return f"it is {sign}{abs(ratio):.6g} times the true gradient everywhere: a constant factor is wrong"


def _moved(analytic: np.ndarray, numeric: np.ndarray) -> str:
    axes = range(numeric.ndim)
    for order in permutations(axes):
        if list(order) != list(axes) and _same(analytic, numeric.transpose(order)):
            return f"it is the true gradient with its axes transposed to {order}"
    for count in (1, 2):
        for some in combinations(axes, count):
            if _same(analytic, np.flip(numeric, some)):
                return f"it is the true gradient flipped along axes {some}"
    for axis in axes:
        for shift in (1, -1):
            if numeric.shape[axis] > 1 and _same(analytic, np.roll(numeric, shift, axis)):
                return f"it is the true gradient shifted by {shift} along axis {axis}"
            begin = [slice(None)] * numeric.ndim
            begin[axis] = slice(1, None) if shift > 0 else slice(None, -1)
            end = list(begin)
            end[axis] = slice(None, -1) if shift > 0 else slice(1, None)
            there, here = numeric[tuple(end)], analytic[tuple(begin)]
            if numeric.shape[axis] > 1 and np.any(there) and _same(here, there):
                return f"it is the true gradient shifted by {shift} along axis {axis} (an offset forgotten?)"
    return ""


def _partial(analytic: np.ndarray, numeric: np.ndarray) -> str:
    wrong = np.abs(analytic - numeric) > CLOSE * float(np.max(np.abs(numeric)))
    count = int(wrong.sum())
    if not 0 < count < wrong.size:
        return ""
    if not np.any(analytic[wrong]):
        return f"{count} of {wrong.size} entries are zero and should not be: overwritten, or never written?"
    ratios = analytic[wrong] / np.where(numeric[wrong] == 0, np.nan, numeric[wrong])
    if np.all(np.isfinite(ratios)) and np.ptp(ratios) <= CLOSE * abs(float(ratios[0])):
        return f"{count} of {wrong.size} entries are {float(ratios[0]):.4g} times what they should be"
    return f"{count} of {wrong.size} entries are wrong, the others are right"
