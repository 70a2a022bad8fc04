"""Opening a zip archive that is not trusted: its table of contents is proved before anything is unpacked."""

from __future__ import annotations

import contextlib
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator

from minigan.errors import FileError


@contextlib.contextmanager
def open_zip(
    path: str | os.PathLike, *, limit_bytes: int, folders: bool = False
) -> Iterator[tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]]:
    """Open a zip archive whose table of contents is sane: yields (archive, name -> entry).

    Refused: not a zip, names twice or path-like (``folders``: plain sub-folders are allowed), encrypted,
    unknown compression, more declared bytes than ``limit_bytes``. Damage met inside the block becomes a
    FileError too.
    """
    check_start(path, b"PK\x03\x04", "a zip archive (.npz)")
    try:
        with zipfile.ZipFile(path) as archive:
            infos: dict[str, zipfile.ZipInfo] = {}
            for info in archive.infolist():
                check_name(info.filename, path, folders)
                if info.filename in infos:
                    raise FileError(f"{path}: the name {info.filename!r} occurs twice; the file is not sound")
                if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise FileError(f"{path}: {info.filename!r} is encrypted or packed in an unknown way")
                infos[info.filename] = info
            total = sum(info.file_size for info in infos.values())
            if total > limit_bytes:
                raise FileError(
                    f"{path}: it unpacks to {total:,} bytes, expected at most {limit_bytes:,}; "
                    "is it made for this model?"
                )
            yield archive, infos
    except FileError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        struct.error,
        ValueError,
        OSError,
    ) as error:
        raise FileError(f"{path}: damaged or cut short ({error}); use another copy of the file") from error


def check_start(path: str | os.PathLike, magic: bytes, what: str) -> None:
    """Raise FileError unless the file can be read and begins with ``magic``; the message shows its start."""
    try:
        with open(path, "rb") as file:
            start = file.read(max(16, len(magic)))
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror or error}") from error
    if start.startswith(magic):
        return
    note = " a pickle is never opened here;" if start[:1] == b"\x80" else ""
    raise FileError(
        f"{path}: expected {what}, got a file that starts with {start[:16]!r};{note} choose another file"
    )


def check_name(name: str, path: str | os.PathLike, folders: bool = False) -> None:
    """Raise FileError if a stored name is empty or could lead out of a folder."""
    parts = name.split("/")
    bad = not name or "\\" in name or "\0" in name or ":" in name or ".." in parts or not parts[0]
    if bad or (len(parts) > 1 and not folders):
        raise FileError(f"{path}: the name {name!r} is path-like or empty; names are plain words and dots")
