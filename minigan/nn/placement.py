"""Where a module's numbers live and in which type: `to` and PyTorch's short forms of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np

from minigan import backend
from minigan.errors import DTypeError
from minigan.tensor import Tensor

P = TypeVar("P", bound="Placed")


class Placed:
    """The part of a Module that moves it."""

    def parameters(self) -> Iterator[Tensor]:
        """Yield every parameter once."""
        raise NotImplementedError

    def buffers(self) -> Iterator[Tensor]:
        """Yield every buffer once."""
        raise NotImplementedError

    def to(self: P, device: Any = None, dtype: Any = None, non_blocking: bool = False) -> P:
        """Move parameters, buffers and gradients to a device, or to a float type, or both; returns self.

        ``device`` is "numpy" or "cupy", or PyTorch's "cpu" or "cuda"; a type or a Tensor to be like may stand
        in its place.  Integer buffers keep their type.  Make the optimiser afterwards.  Raises DeviceError
        where there is no such device, DTypeError for a type without fractions.
        """
        if isinstance(device, Tensor):
            device, dtype = device.device, device.dtype
        elif device is not None and (isinstance(device, (type, np.dtype)) or _is_float(device)):
            device, dtype = None, device
        if dtype is not None and np.dtype(dtype).kind != "f":
            raise DTypeError(f"to: expected a floating-point type, got {np.dtype(dtype)}")
        name = None if device is None else backend.device_name(device)
        for tensor in [*self.parameters(), *self.buffers()]:
            for t in (tensor, tensor.grad):
                if t is not None:
                    t.array = _moved(t.array, name, dtype)
        return self

    def cpu(self: P) -> P:
        """Move to the host, "numpy"; returns self."""
        return self.to("numpy")

    def cuda(self: P, device: Any = None) -> P:
        """Move to the graphics card, "cupy"; returns self.  DeviceError where there is none."""
        return self.to("cuda" if device is None else device)

    def type(self: P, dst_type: Any) -> P:
        """Convert floating-point parameters and buffers to a type; returns self."""
        return self.to(dtype=dst_type)

    def float(self: P) -> P:
        """Convert to float32; returns self."""
        return self.to(dtype=np.float32)

    def double(self: P) -> P:
        """Convert to float64; returns self."""
        return self.to(dtype=np.float64)

    def half(self: P) -> P:
        """Raise DTypeError: the small steps of training are lost in float16."""
        raise DTypeError(
            "half: modules are not trained in float16, whose digits lose small steps; use float32"
        )

    bfloat16 = half


def _is_float(word: Any) -> bool:
    return str(word) in ("float16", "float32", "float64")


def _moved(array: backend.Array, device: str | None, dtype: Any) -> backend.Array:
    if dtype is not None and array.dtype.kind == "f":
        array = array.astype(dtype, copy=False)
    return array if device is None else backend.to_device(array, device)
