"""IDX files: the format of MNIST, Fashion-MNIST, KMNIST and their family.

A file is a magic number (two zero bytes, a type, the number of axes), the sizes of the axes as big-endian
32-bit numbers, then the values.  The header is compared with the bytes that are there before any memory
is asked for, because a damaged or hostile header can claim anything.

Format: LeCun, Cortes and Burges, "The MNIST database of handwritten digits", 1998.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from pathlib import Path

import numpy as np

from minigan.data.arrays import replace_file
from minigan.errors import DataError, FileError

_UBYTE = 8  # the type code of unsigned bytes, the only one the family uses
_BLOCK = 1 << 20
_DENSEST = 1032  # deflate never packs more than this many bytes into one
_GZIP = b"\x1f\x8b"
PARTS = {"train": "train", "test": "t10k"}


def read_idx(path: str | os.PathLike) -> np.ndarray:
    """Read one IDX file of unsigned bytes, packed with gzip or not (its first bytes decide).

    Returns:
        uint8 array of the 1 to 4 axes that the header names.

    Raises:
        FileError: the file is missing or cannot be read.
        DataError: it is not an IDX file, is cut short, damaged or empty, or holds more than it says.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            return _read(file, path)
    except FileNotFoundError as error:
        raise FileError(f"{path}: no such file; give the path of an IDX file") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: damaged gzip data ({error}); get the file again") from error
    except EOFError as error:
        raise DataError(f"{path}: the gzip data is cut short; get the file again") from error
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror or error})") from error


def _read(file, path: Path) -> np.ndarray:
    start = file.read(16)
    if not start:
        raise DataError(f"{path}: the file is empty; get it again")
    size = os.fstat(file.fileno()).st_size
    file.seek(0)
    if start.startswith(_GZIP):
        stream, at_most = gzip.GzipFile(fileobj=file), size * _DENSEST
    elif path.suffix.lower() == ".gz":
        raise DataError(
            f"{path}: not gzip data (starts with {start!r}); a web page saved by mistake? Get it again"
        )
    else:
        stream, at_most = file, size
    shape = _read_header(stream, path)
    wanted = math.prod(shape)
    if wanted > at_most:
        raise DataError(
            f"{path}: the header claims {_spell(shape)} = {wanted:,} bytes, but a file of "
            f"{size:,} bytes cannot hold them; get it again"
        )
    values = bytearray()
    while len(values) < wanted and (block := stream.read(min(_BLOCK, wanted - len(values)))):
        values += block
    if len(values) < wanted:
        raise DataError(
            f"{path}: cut short: the header claims {_spell(shape)} = {wanted:,} bytes, "
            f"got {len(values):,}; get it again"
        )
    if stream.read(1):  # reading to the end also makes gzip compare its checksum
        raise DataError(f"{path}: more bytes than the {_spell(shape)} of its header; get it again")
    return np.frombuffer(values, np.uint8).reshape(shape)


def _read_header(stream, path: Path) -> tuple[int, ...]:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or not 1 <= magic[3] <= 4:
        raise DataError(
            f"{path}: bad magic number {magic!r}, expected two zero bytes, a type "
            "and 1 to 4 axes; is it an IDX file?"
        )
    if magic[2] != _UBYTE:
        raise DataError(f"{path}: type code {magic[2]:#04x}, expected 0x08 (bytes); convert the file")
    sizes = stream.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise DataError(f"{path}: cut short inside its header; get it again")
    shape = struct.unpack(f">{magic[3]}I", sizes)
    if 0 in shape:
        raise DataError(f"{path}: an empty set (sizes {_spell(shape)}); expected at least one value")
    return shape


def _spell(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{size:,}" for size in shape)


def find_idx(folder: str | os.PathLike, part: str | None = None) -> tuple[Path, Path | None] | None:
    """Return the (images, labels) files of the MNIST family in a folder, or None if it has no image file.

    ``part`` is "train", "test", or None for train where there is one, else test.  Labels may be missing.
    """
    for prefix in [PARTS[part]] if part else PARTS.values():
        images = _spelled(Path(folder), f"{prefix}-images", "idx3-ubyte")
        if images:
            return images, _spelled(Path(folder), f"{prefix}-labels", "idx1-ubyte")
    return None


def _spelled(folder: Path, stem: str, kind: str) -> Path | None:
    """The mirrors disagree on one character, gzip adds a suffix, and some disks write capitals."""
    there = {path.name.lower(): path for path in sorted(folder.glob("*"))}  # of two, the one in small letters
    spellings = (there.get(f"{stem}{mark}{kind}{end}") for mark in "-." for end in ("", ".gz"))
    return next((path for path in spellings if path and path.is_file()), None)


def load_idx(
    folder: str | os.PathLike, *, part: str | None = None, classes: int = 10
) -> tuple[np.ndarray, np.ndarray | None]:
    """Load images and labels of the MNIST family from a folder.

    Args:
        folder: holds ``train-images-idx3-ubyte`` or ``t10k-...``, with or without ``.gz``.
        part: "train", "test", or None for train where there is one, else test.
        classes: number of classes; a label outside 0 .. classes - 1 is an error.

    Returns:
        images, uint8 (N, H, W), and labels, int64 (N,), or None where the folder has no label file.

    Raises:
        FileError: nothing to read there.
        DataError: a file is damaged, or images and labels do not fit together.
    """
    found = find_idx(folder, part)
    if found is None:
        raise FileError(
            f"{folder}: no {PARTS[part] if part else 'train'}-images-idx3-ubyte(.gz) there; "
            "give the folder that holds the IDX files"
        )
    images_path, labels_path = found
    images = read_idx(images_path)
    if images.ndim != 3:
        raise DataError(f"{images_path}: expected 3 axes (pictures, rows, columns), got {images.ndim}")
    if labels_path is None:
        return images, None
    labels = read_idx(labels_path)
    if labels.ndim != 1:
        raise DataError(f"{labels_path}: expected 1 axis (labels), got {labels.ndim}")
    if len(labels) != len(images):
        raise DataError(
            f"{labels_path}: {len(labels):,} labels, but {images_path.name} has {len(images):,} "
            "pictures; both must come from one set"
        )
    if labels.max() >= classes:
        raise DataError(
            f"{labels_path}: label {labels.max()} at position {labels.argmax()} is out of range, "
            f"expected 0 to {classes - 1}; pass classes= for a set with more"
        )
    return images, labels.astype(np.int64)


def write_idx(path: str | os.PathLike, values: np.ndarray) -> None:
    """Write a uint8 array of 1 to 4 axes as an IDX file, packed if the name ends in ``.gz``.

    All or nothing.  Raises DataError for another array, FileError if the file cannot be written.
    """
    if values.dtype != np.uint8 or not 1 <= values.ndim <= 4:
        raise DataError(f"write_idx: expected uint8 and 1 to 4 axes, got {values.dtype} {values.shape}")
    content = bytes((0, 0, _UBYTE, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape)
    content += values.tobytes()
    if Path(path).suffix.lower() == ".gz":
        content = gzip.compress(content, mtime=0)
    with replace_file(path, needed=len(content)) as file:
        file.write(content)
