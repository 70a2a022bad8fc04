"""Named arrays in a file, safely: the one place that reads and writes ``.npz``.

A file from elsewhere is hostile until proved otherwise, so everything is compared with the bytes that
are really there before memory is asked for: sizes are Python integers, pickles are never opened, and
each array has its SHA-256 in a manifest. Writing goes to a temporary file beside the target, which
then takes the target's name in one step: whoever looks sees the old file or the new one, never half.

A file of ours is an ordinary ``.npz`` (``numpy.load`` reads it) with two additions: a member
``manifest.json`` (kind, version, digests, the caller's own facts) and, as the zip's comment, the SHA-256
of every byte before it, so that one flipped bit anywhere is noticed.
"""

from __future__ import annotations

import ast
import contextlib
import errno
import hashlib
import io
import json
import math
import os
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np

from minigan.data.zips import check_name, open_zip
from minigan.errors import FileError

MANIFEST = "manifest.json"
VERSION = 1
_SEAL = b"sha256="
_SEAL_LENGTH = len(_SEAL) + 64
_LONGEST_HEADER = 10_000  # bytes of an npy header; a real one has about a hundred
_LONGEST_MANIFEST = 16 << 20

Arrays = dict[str, np.ndarray]


# ---- writing ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def replace_file(path: str | os.PathLike, *, needed: int = 0) -> Iterator[BinaryIO]:
    """Open a temporary file beside ``path``; at the end it becomes ``path`` in one step.

    Leaving the block by an error removes the temporary file and leaves ``path`` as it was. ``needed`` is
    the number of bytes about to be written, for the message of a full disk. Raises FileError.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
        _sync_folder(target.parent)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        with contextlib.suppress(OSError):
            temporary.unlink()  # first, so that what it took counts as free
        raise FileError(_write_failure(target, error, needed)) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut (where the system can open a folder at all)."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _write_failure(target: Path, error: OSError, needed: int) -> str:
    if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
        free = shutil.disk_usage(target.parent).free
        wanted = f"{needed:,} bytes needed, " if needed else ""
        return (
            f"cannot write {target}: the disk is full: {wanted}{free:,} free; "
            "the old file is untouched; make room or choose another folder"
        )
    if not target.parent.is_dir():
        return f"cannot write {target}: the folder {target.parent} does not exist; create it first"
    return f"cannot write {target}: {error.strerror or error}; choose a place that can be written"


def write_npz(
    path: str | os.PathLike | BinaryIO,
    arrays: Mapping[str, Any],
    manifest: Mapping[str, Any] | None = None,
    *,
    kind: str = "minigan-arrays",
    version: int = VERSION,
    compress: bool = False,
) -> None:
    """Write named arrays (any shape; bool, integer, float) and a manifest to ``path``, all or nothing.

    A file open for writing, in memory for example, is written to where it stands, in one piece.
    ``manifest`` holds JSON values of the caller; ``kind`` and ``version`` say what the file is and are
    checked by :func:`read_npz`. Equal content gives equal bytes. Raises FileError.
    """
    members: dict[str, bytes] = {}
    digests: dict[str, dict] = {}
    for name, value in arrays.items():
        check_name(name, str(path))
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise FileError(f"cannot write {path}: array {name!r} has dtype {array.dtype}, expected numbers")
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, array, allow_pickle=False)
        members[name + ".npy"] = buffer.getvalue()
        digests[name] = _describe(array)
    record = {"kind": kind, "version": version, "arrays": digests, "facts": dict(manifest or {})}
    members[MANIFEST] = json.dumps(record, sort_keys=True, allow_nan=False).encode()
    if len(members[MANIFEST]) > _LONGEST_MANIFEST:  # which no reader would accept
        raise FileError(
            f"cannot write {path}: its numbers and text take {len(members[MANIFEST]):,} bytes, expected at "
            f"most {_LONGEST_MANIFEST:,}; put long lists of numbers into arrays"
        )
    needed = sum(map(len, members.values()))
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    if not isinstance(path, (str, os.PathLike)):
        return _write_sealed_zip(path, members, method)
    with replace_file(path, needed=needed) as file:
        _write_sealed_zip(file, members, method)


def _write_sealed_zip(file: BinaryIO, members: Mapping[str, bytes], method: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            # A fixed date, so that equal content gives an equal file.
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = method
            archive.writestr(info, content)
        archive.comment = b" " * _SEAL_LENGTH  # the room for the seal; its length is sealed too
    body = buffer.getbuffer()[:-_SEAL_LENGTH]
    file.write(body)
    file.write(_SEAL + hashlib.sha256(body).hexdigest().encode())


def _describe(array: np.ndarray) -> dict[str, Any]:
    return {"shape": list(array.shape), "dtype": array.dtype.str, "sha256": array_digest(array)}


def array_digest(array: np.ndarray) -> str:
    """SHA-256 (hex) of an array's values in C order; its shape and dtype are recorded beside it."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


# ---- reading ----------------------------------------------------------------------------------------


def read_npz(
    path: str | os.PathLike,
    *,
    limit_bytes: int,
    expected: Mapping[str, Any] | None = None,
    kind: str | None = None,
    version: int = VERSION,
    only: Callable[[str], bool] | None = None,
    finite: bool = True,
) -> tuple[Arrays, dict[str, Any]]:
    """Read the arrays of an ``.npz`` file. Returns (name -> array, the caller's manifest facts).

    ``limit_bytes`` caps the unpacked size: give what the model can need, not what the file asks for.
    ``expected`` maps names to shapes, or to (shape, dtype) pairs; all that is missing, extra or of another
    shape is said in one error before any array is read. With ``kind``, the file must be one of ours of that
    kind, and of a format version up to ``version``. Without, a plain ``.npz`` is read too (facts then {}). A
    file with a manifest is checked against its digests, and the array that differs is named. ``only`` chooses
    by name which arrays are read, if not all. Nothing is ever unpickled. NaN or infinity in a stored array is
    refused where ``finite``. Raises FileError.
    """
    with open_zip(path, limit_bytes=limit_bytes) as (archive, infos):
        record = _read_manifest(archive, infos, path, kind, version)
        headers = {}
        for name, info in infos.items():
            if name != MANIFEST:
                headers[_array_name(name, path)] = info
        shapes = {name: _member_header(archive, info, name, path)[:2] for name, info in headers.items()}
        if record is not None:
            compare(
                shapes,
                {name: (entry["shape"], entry["dtype"]) for name, entry in record["arrays"].items()},
                f"{path} against its own manifest",
            )
        if expected is not None:
            compare(shapes, expected, str(path))
        arrays = {
            name: _read_array(archive, info, name, path)
            for name, info in headers.items()
            if only is None or only(name)
        }
    for name, array in arrays.items():
        if record is not None and array_digest(array) != record["arrays"][name]["sha256"]:
            raise FileError(
                f"{path}: array {name!r} is damaged: its SHA-256 differs from the manifest's; "
                "use another copy of the file"
            )
        if finite:
            check_finite(name, array, path)
    if record is not None:
        _check_seal(path)
    return arrays, record["facts"] if record is not None else {}


def map_npy(path: str | os.PathLike, name: str) -> np.ndarray:
    """Map the array of an ``.npy`` file into memory, read-only, once its header is proved against its length.

    ``name`` is what messages call the array. Raises FileError for all but numbers, never unpickled.
    """
    try:
        with open(path, "rb") as file:
            shape, dtype, fortran, offset = _read_header(file, os.fstat(file.fileno()).st_size, name, path)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"cannot read {path}: {error.strerror or error}") from error
    if 0 in shape:
        return np.zeros(shape, dtype)  # of no bytes, which cannot be mapped
    return np.memmap(path, dtype, "r", offset, shape, "F" if fortran else "C")


def read_manifest(
    path: str | os.PathLike, *, kind: str | None = None, version: int = VERSION, limit_bytes: int = 1 << 40
) -> dict[str, Any]:
    """Return the manifest of one of our files, {"kind", "version", "arrays", "facts"}, reading no array."""
    with open_zip(path, limit_bytes=limit_bytes) as (archive, infos):
        record = _read_manifest(archive, infos, path, kind, version)
    if record is None:
        raise FileError(f"{path}: no manifest; expected a file written by minigan")
    return record


def compare(found: Mapping[str, Any], expected: Mapping[str, Any], where: str) -> None:
    """Raise one FileError that lists every missing, extra and mis-shaped name; silent if all agree.

    Both map names to a shape or to a (shape, dtype) pair; a dtype is compared where both have one.
    """
    troubles = [f"missing {name!r}" for name in expected if name not in found]
    troubles += [f"unexpected {name!r}" for name in found if name not in expected]
    for name in expected:
        if name in found:
            shape, dtype = _shape_and_dtype(found[name])
            wanted_shape, wanted_dtype = _shape_and_dtype(expected[name])
            if shape != wanted_shape:
                troubles.append(f"{name!r} has shape {shape}, expected {wanted_shape}")
            elif dtype is not None and wanted_dtype is not None and dtype != wanted_dtype:
                troubles.append(f"{name!r} has dtype {dtype}, expected {wanted_dtype}")
    if troubles:
        raise FileError(
            f"{where}: {len(troubles)} arrays do not fit: "
            + "; ".join(troubles)
            + "; was the file made for another model?"
        )


def _shape_and_dtype(entry: Any) -> tuple[tuple[int, ...], np.dtype | None]:
    if len(entry) == 2 and not isinstance(entry[0], (int, np.integer)):
        return tuple(entry[0]), np.dtype(entry[1]).newbyteorder("=")
    return tuple(entry), None


def check_finite(name: str, array: np.ndarray, path: str | os.PathLike) -> None:
    """Raise FileError, naming the array, if it holds NaN or infinity."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise FileError(f"{path}: array {name!r} holds NaN or infinity; the file is from a failed run")


def _array_name(member: str, path: str | os.PathLike) -> str:
    if not member.endswith(".npy"):
        raise FileError(f"{path}: unexpected member {member!r}; an .npz holds .npy arrays only")
    return member[:-4]


def _read_manifest(
    archive: zipfile.ZipFile,
    infos: Mapping[str, zipfile.ZipInfo],
    path: str | os.PathLike,
    kind: str | None,
    version: int,
) -> dict[str, Any] | None:
    if MANIFEST not in infos:
        if kind is not None:
            raise FileError(
                f"{path}: wrong kind of file: expected {kind!r} written by minigan, "
                "got an .npz without a manifest"
            )
        return None
    if infos[MANIFEST].file_size > _LONGEST_MANIFEST:
        raise FileError(f"{path}: its manifest claims {infos[MANIFEST].file_size:,} bytes; not sound")
    try:
        record = json.loads(archive.read(infos[MANIFEST]))
        found, stored_version = record["kind"], record["version"]
        for entry in record["arrays"].values():
            np.dtype(entry["dtype"]), tuple(entry["shape"]), str(entry["sha256"])
        sound = isinstance(record["facts"], dict)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FileError(f"{path}: its manifest cannot be read ({error}); use another copy") from error
    if not sound or not isinstance(stored_version, int):
        raise FileError(f"{path}: its manifest is not of minigan's form; use another copy")
    if kind is not None and found != kind:
        raise FileError(f"{path}: wrong kind of file: expected {kind!r}, got {found!r}")
    if stored_version > version:
        raise FileError(
            f"{path}: format version {stored_version} is newer than this minigan's {version}; "
            "install a newer minigan"
        )
    return record


def _member_header(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, path: str | os.PathLike
) -> tuple[tuple[int, ...], np.dtype, bool, int]:
    with archive.open(info) as file:
        return _read_header(file, info.file_size, name, path)


def _read_header(
    file: IO[bytes], size: int, name: str, path: str | os.PathLike
) -> tuple[tuple[int, ...], np.dtype, bool, int]:
    """Return (shape, dtype, fortran order, offset of the data), proved against all ``size`` bytes."""
    start = file.read(12)
    if start[:6] != b"\x93NUMPY" or start[6:7] not in (b"\x01", b"\x02") or len(start) < 12:
        raise FileError(f"{path}: array {name!r} is not an .npy array (starts with {start!r})")
    offset, form = (10, "<H") if start[6] == 1 else (12, "<I")
    (length,) = struct.unpack_from(form, start, 8)
    if length > min(_LONGEST_HEADER, size):
        raise FileError(f"{path}: array {name!r} has a header of {length:,} bytes; not sound")
    text = (start[offset:] + file.read(length))[:length]
    try:
        header = ast.literal_eval(text.decode("latin-1").strip())
        shape, order = header["shape"], header["fortran_order"]
        dtype = np.dtype(header["descr"]) if isinstance(header["descr"], str) else None
    except (ValueError, SyntaxError, KeyError, TypeError, MemoryError, RecursionError) as error:
        raise FileError(f"{path}: array {name!r} has a header that cannot be read ({error})") from error
    if dtype is None or dtype.kind not in "biuf":
        raise FileError(
            f"{path}: array {name!r} holds {header['descr']!r}, expected numbers; object arrays "
            "are pickles and never opened"
        )
    if not (
        isinstance(shape, tuple)
        and all(type(axis) is int and axis >= 0 for axis in shape)
        and isinstance(order, bool)
        and len(shape) <= 32
        and math.prod(axis or 1 for axis in shape) < 1 << 48  # NumPy counts what an axis of 0 hides
    ):
        raise FileError(f"{path}: array {name!r} has shape {shape!r}; not sound")
    claimed, there = math.prod(shape) * dtype.itemsize, size - offset - length
    if claimed != there:
        raise FileError(
            f"{path}: array {name!r} of shape {shape} needs {claimed:,} bytes, the file holds "
            f"{there:,}; cut short or not sound"
        )
    return shape, dtype, order, offset + length


def _read_array(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, path: str | os.PathLike
) -> np.ndarray:
    shape, dtype, fortran, offset = _member_header(archive, info, name, path)
    try:
        content = archive.read(info)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise FileError(f"{path}: array {name!r} is damaged ({error}); use another copy") from error
    if len(content) != info.file_size:
        raise FileError(f"{path}: array {name!r} is cut short; use another copy of the file")
    array = np.frombuffer(content, dtype, offset=offset).reshape(shape, order="F" if fortran else "C")
    return array.astype(dtype.newbyteorder("="), order="C", copy=True)


def _check_seal(path: str | os.PathLike) -> None:
    """Compare the whole file with the digest in its last bytes (what no array and no CRC covers)."""
    size = os.path.getsize(path) - _SEAL_LENGTH
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for start in range(0, size, 1 << 20):
            digest.update(file.read(min(1 << 20, size - start)))
        if file.read() != _SEAL + digest.hexdigest().encode():
            raise FileError(f"{path}: damaged outside its arrays (its seal does not fit); use another copy")
