"""Half precision: float16 holds numbers, it does not compute.

Its largest number is 65504 and its smallest 6e-8, so sums and squares leave it, and an epsilon of 1e-8 is 0.
`Op` therefore computes float16 as float32, forward and backward, and rounds each result once, as
PyTorch does.  A function of several operations would still round between them; `in_single` makes it one step.
Optimisers and `optim.EMA` refuse float16, whose digits do not hold their small steps.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numpy as np

from minigan.ops.operands import astype
from minigan.tensor import Tensor

F = TypeVar("F", bound=Callable[..., Tensor])
HALF = np.dtype(np.float16)


def in_single(function: F) -> F:
    """Decorator: where the first Tensor is float16, widen all float16 arguments and round the result."""

    @wraps(function)
    def wide(*args: Any, **kwargs: Any) -> Tensor:
        first = args[0] if args else None
        if not isinstance(first, Tensor):
            first = next((value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)), None)
        if not _is_half(first):
            return function(*args, **kwargs)
        named = {name: _single(value) for name, value in kwargs.items()}
        return astype(function(*map(_single, args), **named), np.float16)

    return wide  # type: ignore[return-value]


def _is_half(value: Any) -> bool:
    return getattr(value, "dtype", None) == HALF


def _single(value: Any) -> Any:
    if not _is_half(value):
        return value
    return astype(value, np.float32) if isinstance(value, Tensor) else value.astype(np.float32)
