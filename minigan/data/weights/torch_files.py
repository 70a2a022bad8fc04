"""PyTorch's ``.pth`` files, both kinds, without PyTorch and without running what they hold.

Since 2020 ``torch.save`` writes a zip: ``<folder>/data.pkl`` (a pickle that points at storages) and
``<folder>/data/<key>`` (raw bytes). Before, and in torchvision's files of 2017, it wrote one stream: three
small pickles (a magic number, a protocol number, facts about the machine), the pickle of the object, the
pickled list of storage keys, and after it each storage as an 8-byte count and raw bytes. The pickles are read
by :mod:`minigan.data.weights.pickles`, which admits the names in ``_Reader.run`` and no others.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.data.weights.pickles import Machine, Meaning, Name
from minigan.data.weights.stored import STORAGES, Stored, check_view, decode, itemsize, take_view
from minigan.data.zips import open_zip
from minigan.errors import FileError

MAGIC = 0x1950A86A20F9469CFC6C  # opens every stream of the old kind
PROTOCOL = 1001
_LONGEST_PICKLE = 16 << 20


@dataclass
class Storage:
    """A run of ``numel`` elements somewhere in the file; ``read`` is set once its place is known."""

    dtype: str
    key: str
    numel: int
    read: Callable[[], np.ndarray] | None = None


@dataclass(frozen=True)
class _View:
    """Some files (of the old kind) point at a part of a storage."""

    storage: Storage
    offset: int
    numel: int


class _Reader:
    """Gives the admitted names their meaning, and collects the storages that are pointed at."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.storages: dict[str, Storage] = {}

    def run(self, file: io.BytesIO) -> Any:
        meanings: dict[str, Meaning | None] = {f"torch.{name}": None for name in STORAGES}
        meanings |= {
            "collections.OrderedDict": self._ordered,
            "torch._utils._rebuild_tensor": self._tensor,
            "torch._utils._rebuild_tensor_v2": self._tensor,
            "torch._utils._rebuild_parameter": lambda tensor, *_: tensor,
            "torch.Size": lambda sizes=(): tuple(sizes),
        }
        return Machine(self.where, meanings, self._point).run(file)

    def _ordered(self, pairs: Any = ()) -> dict:
        if not isinstance(pairs, (list, tuple)) or any(len(pair) != 2 for pair in pairs):
            raise FileError(f"{self.where}: a dictionary is not of pairs; the file is not sound")
        return dict(pairs)

    def _point(self, pointer: Any) -> _View:
        """A persistent id: ("storage", class, key, device, numel) and, in old files, a view or None."""
        if not (isinstance(pointer, tuple) and len(pointer) in (5, 6) and pointer[0] == "storage"):
            raise FileError(f"{self.where}: it points at something that is no storage; the file is not sound")
        _, kind, key, _, numel, *view = pointer
        if not (isinstance(kind, Name) and isinstance(key, str) and type(numel) is int and numel >= 0):
            raise FileError(f"{self.where}: a storage's class, key or size is not sound")
        dtype = STORAGES[kind.text.removeprefix("torch.")]
        storage = self.storages.setdefault(key, Storage(dtype, key, numel))
        if (storage.dtype, storage.numel) != (dtype, numel):
            raise FileError(f"{self.where}: storage {key!r} is described in two ways; the file is not sound")
        if not view or view[0] is None:
            return _View(storage, 0, numel)
        _, offset, count = view[0]
        check_view(f"{self.where}: storage {key!r}", numel, offset, (count,), (1,))
        return _View(storage, offset, count)

    def _tensor(self, view: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Stored:
        if not isinstance(view, _View):
            raise FileError(f"{self.where}: a tensor without a storage; the file is not sound")
        check_view(f"{self.where}: storage {view.storage.key!r}", view.numel, offset, size, stride)
        storage, start = view.storage, view.offset + offset

        def read() -> np.ndarray:
            if storage.read is None:
                raise FileError(f"{self.where}: storage {storage.key!r} is missing; cut short?")
            return take_view(storage.read(), start, size, stride)

        return Stored(tuple(size), storage.dtype, read)


def tensors(value: Any, where: str) -> dict[str, Stored]:
    """The named tensors of what a file held; one in a dictionary inside has both names, "model.conv1.weight".

    What lies under "state_dict" goes before all else. Other entries (a number of epochs, an optimiser's
    settings) are passed over.
    """
    if isinstance(value, dict) and isinstance(value.get("state_dict"), dict):
        value = value["state_dict"]
    if not isinstance(value, dict) or not value:
        raise FileError(
            f"{where}: expected a dictionary of tensors, got {type(value).__name__}; save model.state_dict()"
        )
    found: dict[str, Stored] = {}
    pending: list[tuple[str, dict]] = [("", value)]
    seen: set[int] = set()
    while pending:
        before, inside = pending.pop()
        if id(inside) in seen:  # a dictionary that holds itself would not end, one held twice could explode
            continue
        seen.add(id(inside))
        for key, entry in inside.items():
            if isinstance(entry, Stored):
                found[f"{before}{key}"] = entry
            elif isinstance(entry, dict):
                pending.append((f"{before}{key}.", entry))
    if not found:
        strange = ", ".join(map(repr, list(value)[:8]))
        raise FileError(f"{where}: these entries are no tensors: {strange}; save model.state_dict()")
    return found


def as_it_is(value: Any, where: str) -> Any:
    """The object that a file held: dictionaries, lists and tuples of `Stored`, numbers and text."""
    return value


def open_torch_zip(
    path: str | os.PathLike, *, limit_bytes: int, keep: Callable[[Any, str], Any] = tensors
) -> Any:
    """Open a ``.pth`` of the new kind: names, shapes, and how to read each. Raises FileError.

    ``keep`` says what is made of the object in the file: `tensors` (name -> Stored), or `as_it_is`.
    """
    reader = _Reader(str(path))
    with open_zip(path, limit_bytes=limit_bytes, folders=True) as (archive, infos):
        roots = [name[: -len("data.pkl")] for name in infos if name.endswith("/data.pkl")]
        if len(roots) != 1:
            raise FileError(f"{path}: a zip with {len(roots)} data.pkl, expected 1; not a PyTorch file")
        root = roots[0]
        if infos[root + "data.pkl"].file_size > _LONGEST_PICKLE:
            raise FileError(f"{path}: its pickle claims more than {_LONGEST_PICKLE:,} bytes; not sound")
        found = keep(reader.run(io.BytesIO(archive.read(root + "data.pkl"))), str(path))
        big = root + "byteorder" in infos and archive.read(root + "byteorder") == b"big"
        for key, storage in reader.storages.items():
            info = infos.get(f"{root}data/{key}")
            needed = storage.numel * itemsize(storage.dtype)
            if info is None or info.file_size != needed:
                there = "nothing" if info is None else f"{info.file_size:,}"
                raise FileError(
                    f"{path}: storage {key!r} needs {needed:,} bytes, the file holds {there}; "
                    "cut short or not sound"
                )
            storage.read = _zip_read(path, info.filename, storage.dtype, limit_bytes, big)
    return found


def _zip_read(
    path: str | os.PathLike, member: str, dtype: str, limit_bytes: int, big: bool
) -> Callable[[], np.ndarray]:
    def read() -> np.ndarray:
        with open_zip(path, limit_bytes=limit_bytes, folders=True) as (archive, _):
            return decode(archive.read(member), dtype, big_endian=big)

    return read


def open_torch_stream(path: str | os.PathLike, *, keep: Callable[[Any, str], Any] = tensors) -> Any:
    """Open a ``.pth`` of the old kind; see `open_torch_zip`. Raises FileError."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = io.BytesIO(file.read(_LONGEST_PICKLE))
    reader = _Reader(str(path))
    if reader.run(head) != MAGIC:
        raise FileError(f"{path}: a pickle that is no PyTorch file; refused, nothing was run")
    if reader.run(head) != PROTOCOL:
        raise FileError(f"{path}: a PyTorch file of an unknown protocol, expected {PROTOCOL}; save it again")
    machine = reader.run(head)
    big = isinstance(machine, dict) and machine.get("little_endian") is False
    found = keep(reader.run(head), str(path))
    keys = reader.run(head)
    if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(reader.storages):
        raise FileError(f"{path}: the list of storages does not fit the tensors; the file is not sound")
    place = head.tell()
    with open(path, "rb") as file:
        for key in keys:
            storage = reader.storages[key]
            needed = storage.numel * itemsize(storage.dtype)
            file.seek(place)
            count = int.from_bytes(file.read(8), "big" if big else "little")
            if count != storage.numel or place + 8 + needed > size:
                raise FileError(
                    f"{path}: storage {key!r} of {storage.numel:,} elements needs {needed:,} "
                    f"bytes, the file holds {max(size - place - 8, 0):,}; cut short or not sound"
                )
            storage.read = _stream_read(path, place + 8, storage, big)
            place += 8 + needed
    if place != size:
        raise FileError(f"{path}: {size - place:,} bytes after the last storage; the file is not sound")
    return found


def _stream_read(
    path: str | os.PathLike, place: int, storage: Storage, big: bool
) -> Callable[[], np.ndarray]:
    def read() -> np.ndarray:
        with open(path, "rb") as file:
            file.seek(place)
            return decode(file.read(storage.numel * itemsize(storage.dtype)), storage.dtype, big_endian=big)

    return read
