"""``.safetensors``: eight bytes of length, a JSON table of contents, raw bytes. Nothing in it can run.

The format: https://huggingface.co/docs/safetensors (also for its rule that the arrays fill the rest of the
file without gaps or overlaps, which is checked here before any array is read).
"""

from __future__ import annotations

import json
import math
import os
from typing import Any

from minigan.data.weights.stored import DTYPES, Stored, decode, itemsize
from minigan.data.zips import check_name
from minigan.errors import FileError

_LONGEST_HEADER = 100_000_000  # the format's own limit


def open_safetensors(path: str | os.PathLike) -> dict[str, Stored]:
    """Read the table of contents and prove it against the file's size. Raises FileError."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or not 2 <= length <= min(size - 8, _LONGEST_HEADER):
            raise FileError(
                f"{path}: its header claims {length:,} bytes, the file has {size:,}; "
                "cut short, or not .safetensors"
            )
        text = file.read(length)
    try:
        header = json.loads(text.decode(), object_pairs_hook=lambda pairs: _no_twins(pairs, path))
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path}: its header cannot be read ({error}); not .safetensors") from error
    if not isinstance(header, dict):
        raise FileError(f"{path}: its header is not a table of names; not .safetensors")
    header.pop("__metadata__", None)
    start = 8 + length
    spans = {name: _check_entry(name, entry, path) for name, entry in header.items()}
    end = 0
    for name in sorted(spans, key=spans.__getitem__):
        if spans[name][0] != end:
            raise FileError(
                f"{path}: array {name!r} begins at byte {spans[name][0]:,}, expected {end:,}: "
                "arrays overlap or leave a gap; the file is not sound"
            )
        end = spans[name][1]
    if end != size - start:
        raise FileError(f"{path}: its arrays need {end:,} bytes, the file holds {size - start:,}; cut short?")
    return {name: _stored(path, start, header[name]) for name in header}


def _no_twins(pairs: list[tuple[str, Any]], path: str | os.PathLike) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise FileError(f"{path}: the name {twin!r} occurs twice; the file is not sound")
    return table


def _check_entry(name: str, entry: dict[str, Any], path: str | os.PathLike) -> tuple[int, int]:
    """Return (first byte, byte after the last) of one array, proved against its shape and dtype."""
    check_name(name, path)
    entry = entry if isinstance(entry, dict) else {}
    dtype: Any = entry.get("dtype")
    shape: Any = entry.get("shape")
    span: Any = entry.get("data_offsets")
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise FileError(
            f"{path}: array {name!r} has dtype {str(dtype)[:20]!r}, expected one of " + ", ".join(DTYPES)
        )
    numbers = [*shape, *span] if isinstance(shape, list) and isinstance(span, list) else [None]
    if not all(type(n) is int and n >= 0 for n in numbers) or len(span) != 2 or len(shape) > 32:
        raise FileError(f"{path}: array {name!r} has a shape or place not of whole numbers; not sound")
    needed = math.prod(shape) * itemsize(dtype)
    if span[1] - span[0] != needed:
        raise FileError(
            f"{path}: array {name!r} of shape {tuple(shape)} needs {needed:,} bytes, its place "
            f"holds {span[1] - span[0]:,}; not sound"
        )
    return span[0], span[1]


def _stored(path: str | os.PathLike, start: int, entry: dict[str, Any]) -> Stored:
    shape, (begin, end) = tuple(entry["shape"]), entry["data_offsets"]

    def read() -> Any:
        with open(path, "rb") as file:
            file.seek(start + begin)
            return decode(file.read(end - begin), entry["dtype"]).reshape(shape)

    return Stored(shape, entry["dtype"], read)
