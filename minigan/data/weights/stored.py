"""What every weight file becomes first: names, shapes and a way to read each array, nothing read yet."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.errors import FileError

# Names in .safetensors and names of PyTorch's storage classes -> NumPy's. bfloat16 is read as uint16.
DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "bf16",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "|u1",
    "BOOL": "|b1",
}
STORAGES = {
    "DoubleStorage": "F64",
    "FloatStorage": "F32",
    "HalfStorage": "F16",
    "BFloat16Storage": "BF16",
    "LongStorage": "I64",
    "IntStorage": "I32",
    "ShortStorage": "I16",
    "CharStorage": "I8",
    "ByteStorage": "U8",
    "BoolStorage": "BOOL",
}


@dataclass(frozen=True)
class Stored:
    """One array that lies in a file: its shape, its dtype's name (a key of DTYPES), and how to read it."""

    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], np.ndarray]


def itemsize(dtype: str) -> int:
    """Bytes per element of a dtype named as in DTYPES."""
    return 2 if dtype == "BF16" else np.dtype(DTYPES[dtype]).itemsize


def decode(content: bytes | np.ndarray, dtype: str, *, big_endian: bool = False) -> np.ndarray:
    """Bytes -> flat array in the machine's byte order; bfloat16 becomes float32 (its upper half)."""
    raw = np.dtype("<u2" if dtype == "BF16" else DTYPES[dtype])
    values = np.frombuffer(content, raw.newbyteorder(">") if big_endian else raw)
    if dtype == "BF16":
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values.astype(raw.newbyteorder("="))


def check_view(where: str, numel: Any, offset: Any, size: Any, stride: Any) -> None:
    """Prove, in Python integers, that a strided view stays inside its storage of ``numel`` elements.

    Views that repeat elements (stride 0, overlaps that need more elements than there are) are refused too:
    no saved weight needs one, and they make a small file ask for much memory. Raises FileError.
    """
    numbers = [numel, offset, *size, *stride] if _sequences(size, stride) else [None]
    if not all(type(n) is int and n >= 0 for n in numbers) or len(size) != len(stride) or len(size) > 32:
        raise FileError(
            f"{where}: offset, size and stride must be whole numbers of at least 0, one stride "
            "per size; the file is not sound"
        )
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    count = math.prod(size)
    if count and (last >= numel or count > numel):
        raise FileError(
            f"{where}: a view of {count:,} elements from {offset:,} to {last:,} does not fit its "
            f"storage of {numel:,}; the file is not sound"
        )


def _sequences(*values: Any) -> bool:
    return all(isinstance(value, (tuple, list)) for value in values)


def take_view(values: np.ndarray, offset: int, size: Sequence[int], stride: Sequence[int]) -> np.ndarray:
    """Copy the strided view (element units, already proved by :func:`check_view`) out of flat values."""
    if 0 in size:
        return np.empty(size, values.dtype)
    steps = [step * values.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(values[offset:], size, steps, writeable=False).copy()
