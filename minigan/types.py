"""The tensor types of older PyTorch programs, makers of tensors that also name a dtype; the type of sizes.

``FloatTensor([1, 2])`` holds values, ``FloatTensor(2, 3)`` has sizes (here zeros), ``x.type(FloatTensor)``
converts, ``isinstance(x, FloatTensor)`` asks.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from minigan import ops
from minigan.tensor import Tensor


class Size(tuple):
    """The sizes of a tensor: ``Size([2, 3])`` is a tuple that also counts the elements."""

    def numel(self) -> int:
        """Return the product of the sizes."""
        return prod(self)


class _Kind(type):
    dtype: np.dtype

    def __call__(cls, *data: Any, device: str | None = None) -> Tensor:
        if len(data) == 1 and not isinstance(data[0], (int, np.integer)):
            return ops.tensor(data[0], dtype=cls.dtype, device=device)
        return ops.zeros(*data, dtype=cls.dtype, device=device)

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, Tensor) and value.dtype == cls.dtype


class FloatTensor(metaclass=_Kind):
    """float32."""

    dtype = np.dtype(np.float32)


class DoubleTensor(metaclass=_Kind):
    """float64."""

    dtype = np.dtype(np.float64)


class LongTensor(metaclass=_Kind):
    """int64."""

    dtype = np.dtype(np.int64)


class IntTensor(metaclass=_Kind):
    """int32."""

    dtype = np.dtype(np.int32)


class BoolTensor(metaclass=_Kind):
    """bool."""

    dtype = np.dtype(np.bool_)


class ByteTensor(metaclass=_Kind):
    """uint8."""

    dtype = np.dtype(np.uint8)


class HalfTensor(metaclass=_Kind):
    """float16."""

    dtype = np.dtype(np.float16)


class ShortTensor(metaclass=_Kind):
    """int16."""

    dtype = np.dtype(np.int16)


class CharTensor(metaclass=_Kind):
    """int8."""

    dtype = np.dtype(np.int8)
