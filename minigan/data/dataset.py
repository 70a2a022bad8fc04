"""One door to every data set: ``open_dataset("glyphs")``, ``("mnist")``, ``("path/to/pictures")`` ..."""

from __future__ import annotations

import os
import struct
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from minigan.data import download
from minigan.data.arrays import map_npy, read_npz
from minigan.data.folder import load_folder
from minigan.data.glyphs import DIGITS, render_glyphs
from minigan.data.idx import PARTS, find_idx, load_idx, read_idx
from minigan.data.images import LUMA, SUFFIXES, crop_square, resize
from minigan.errors import ArgumentError, DataError, FileError

NAMES = ("glyphs", "mnist", "fashion-mnist")
CLASSES = {
    "mnist": tuple(DIGITS),
    "fashion-mnist": (
        "T-shirt/top",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ),
}
GLYPHS = 10_000  # pictures drawn where no limit is given
PICTURE_SIZE = 64  # of a folder of pictures where no size is given
LARGEST = 1 << 33  # bytes of an .npz or .zip file, unpacked
MOST_CLASSES = 100_000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # of .zip files; others can ask for any memory


@dataclass(frozen=True)
class Dataset:
    """Square pictures in memory, with or without labels."""

    images: np.ndarray  # float32 (N, C, size, size) in [-1, 1]
    labels: np.ndarray | None  # int64 (N,), 0 .. len(classes) - 1
    name: str
    classes: tuple[str, ...]  # () without labels

    def __len__(self) -> int:
        return len(self.images)


def open_dataset(
    name_or_path: str | os.PathLike,
    *,
    size: int | None = None,
    channels: int | None = None,
    limit: int | None = None,
    seed: int = 0,
    part: str | None = None,
    skip_unreadable: bool = False,
    background: str | None = None,
    mirrored: bool = False,
    note: Callable[[str], object] = warnings.warn,
) -> Dataset:
    """Load a data set as square pictures of one size.

    Args:
        name_or_path: "glyphs" (drawn at run time); "mnist" or "fashion-mnist" (from MINIGAN_DATA, else from
            the cache, else downloaded); or the path of a folder with IDX files, of a folder or ``.zip`` of
            pictures, of an ``.npz`` file with "images" (uint8, or float in [-1, 1]; (N, H, W), (N, C, H, W)
            or (N, H, W, C)) and perhaps "labels" (N,), whole numbers below 100,000, or of an ``.npy`` file
            with the images alone.  A relative path is also looked for under MINIGAN_DATA.
        size: height and width in pixels; by default that of the set, 28 for glyphs, 64 for pictures.
        channels: 1 (grey) or 3 (colour); by default that of the set, 1 for glyphs, 3 for pictures.
        limit: take at most so many pictures, chosen at random; glyphs draws that many (else 10,000).
        seed: of what is drawn or chosen.
        part: "train" or "test" of the MNIST family; by default train where there is one.
        skip_unreadable: leave out pictures that cannot be read, and say how many, rather than fail.
        background: what lies behind transparent pixels of a folder's pictures: a colour's name or #rrggbb,
            white where nothing is given.
        mirrored: add each picture's mirror image, left to right, which doubles the set; refused for digits.
        note: called with one line when something is worth saying (a download, pictures left out).

    Raises:
        ArgumentError: an option out of range.
        FileError, DataError: nothing there, or what is there cannot be used; the message says why.
    """
    _check(size, channels, limit, part)
    name = os.fspath(name_or_path)
    if mirrored and name in ("glyphs", "mnist"):
        raise ArgumentError(f"mirrored: the digits of {name} are no digits in a mirror; leave it out")
    found = _open(
        name, part, size=size, channels=channels, limit=limit, seed=seed, skip_unreadable=skip_unreadable,
        background=background or "white", note=note,
    )  # fmt: skip
    if not mirrored:
        return found
    labels = None if found.labels is None else np.tile(found.labels, 2)
    return replace(found, images=np.concatenate([found.images, found.images[..., ::-1]]), labels=labels)


def _open(
    name: str,
    part: str | None,
    *,
    size: int | None,
    channels: int | None,
    limit: int | None,
    seed: int,
    note: Callable[[str], object],
    **of_folders: Any,
) -> Dataset:
    if name == "glyphs":
        count = GLYPHS if limit is None else limit
        images, labels = render_glyphs(count, size=size or 28, channels=channels or 1, seed=seed)
        return Dataset(images, labels, name, tuple(DIGITS))
    path = _find(name, part, note)
    archive = path.suffix.lower() == ".zip" and path.is_file()
    if archive or (path.is_dir() and find_idx(path) is None):
        images, given, classes = (_load_zip if archive else load_folder)(
            path,
            size=size or PICTURE_SIZE,
            channels=channels or 3,
            limit=limit,
            seed=seed,
            note=note,
            **of_folders,
        )
        return Dataset(images, given, path.name, classes)
    raw, given = _load_arrays(path, part)
    classes = CLASSES.get(name) or _numbered(path, given)
    if limit is not None and limit < len(raw):
        rows = np.sort(np.random.default_rng(seed).choice(len(raw), limit, replace=False))
        raw, given = raw[rows], None if given is None else given[rows]
    return Dataset(_fit(raw, size, channels), given, path.name, classes)


def _check(size: int | None, channels: int | None, limit: int | None, part: str | None) -> None:
    for name, value in (("size", size), ("limit", limit)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise ArgumentError(f"data: {name} must be a whole number, at least 1, got {value!r}")
    if channels not in (None, 1, 3):
        raise ArgumentError(f"data: channels must be 1 (grey) or 3 (colour), got {channels!r}")
    if part is not None and part not in PARTS:
        raise ArgumentError(f"data: part must be one of {', '.join(PARTS)}, got {part!r}")


def _find(name: str, part: str | None, note: Callable[[str], object]) -> Path:
    """The folder or file that a name or path stands for; known names are downloaded where they must be."""
    home = os.environ.get("MINIGAN_DATA")
    if name in CLASSES:
        # Files that lie in MINIGAN_DATA itself are taken for the digits.
        local = [Path(home, name)] + [Path(home)] * (name == "mnist") if home else []
        found = [folder for folder in local if folder.is_dir() and find_idx(folder, part)]
        return found[0] if found else download.fetch(name, part=part or "train", note=note)
    for path in [Path(name)] + ([Path(home, name)] if home else []):
        if path.is_dir() or path.is_file():
            return path
        if path.exists():  # opening a pipe would wait for its writer
            raise DataError(f"{path}: a pipe or a device is not a data set; give a folder or a file")
    raise FileError(
        f"no data set or path {name!r}; expected {', '.join(NAMES)}, a folder of pictures or IDX "
        "files, or an .npz, .npy or .zip file"
    )


def _load_zip(
    path: Path, *, note: Callable[[str], object], **options: Any
) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    """Load the pictures of an archive as those of the folder that it unpacks to; see :func:`load_folder`."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        try:
            with zipfile.ZipFile(path) as archive:
                infos = archive.infolist()
                if odd := [i.filename for i in infos if i.compress_type not in _METHODS]:
                    raise DataError(f"{path}: {odd[0]!r} is packed in a rare way; pack it with deflate")
                size = sum(info.file_size for info in infos)
                if size > LARGEST:
                    raise DataError(f"{path}: unpacks to {size:,} bytes, expected at most {LARGEST:,}")
                archive.extractall(folder)  # which keeps every member below the folder
        except (DataError, FileError):
            raise
        except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError) as error:
            raise DataError(f"{path}: not a zip archive that can be read ({error}); get it again") from error
        except OSError as error:
            raise FileError(f"{path}: cannot be unpacked ({error.strerror or error})") from error
        while len(inside := [path for path in folder.iterdir() if path.name != "__MACOSX"]) == 1:
            if not inside[0].is_dir():
                break
            folder = inside[0]  # an archive of a folder

        def named(text: str) -> str:
            return text.replace(str(folder), str(path))

        try:
            return load_folder(folder, note=lambda line: note(named(line)), **options)
        except (DataError, FileError) as error:
            raise type(error)(named(str(error))) from None


def _map_npy(path: Path) -> np.ndarray:
    try:
        return map_npy(path, "images")
    except FileError as error:
        raise DataError(str(error)) from error


def _load_arrays(path: Path, part: str | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Pictures as they are stored, (N, C, H, W), uint8 or float32 in [-1, 1], and labels or None."""
    if path.is_dir():
        images, labels = load_idx(path, part=part)
        return images[:, None], labels
    if path.suffix.lower() in SUFFIXES:
        raise DataError(f"{path}: one picture is not a data set; give the folder it lies in")
    if path.suffix.lower() == ".npy":
        return _channels_second(path, _map_npy(path)), None
    if path.suffix.lower() != ".npz":
        images = read_idx(path)
        if images.ndim != 3:
            raise DataError(f"{path}: expected 3 axes (pictures, rows, columns), got {images.ndim}")
        return images[:, None], None
    arrays, _ = read_npz(path, limit_bytes=LARGEST)
    if "images" not in arrays:
        raise DataError(f"{path}: no array 'images', got {', '.join(arrays) or 'none'}")
    images = _channels_second(path, arrays["images"])
    labels = arrays.get("labels")
    return images, None if labels is None else _whole(path, labels, len(images))


def _whole(path: Path, labels: np.ndarray, count: int) -> np.ndarray:
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise DataError(
            f"{path}: 'labels' must be one whole number for each of {count} images, "
            f"got {labels.dtype} {labels.shape}"
        )
    least, most = int(labels.min()), int(labels.max())
    if least < 0 or most >= MOST_CLASSES:
        raise DataError(
            f"{path}: 'labels' must be between 0 and {MOST_CLASSES - 1:,}, got {least} to "
            f"{most}; number the classes from 0"
        )
    return labels.astype(np.int64)


def _channels_second(path: Path, images: np.ndarray) -> np.ndarray:
    if images.ndim == 3:
        images = images[:, None]
    elif images.ndim == 4 and images.shape[1] not in (1, 3) and images.shape[3] in (1, 3):
        images = images.transpose(0, 3, 1, 2)
    if images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape:
        raise DataError(
            f"{path}: 'images' must be (N, H, W), (N, C, H, W) or (N, H, W, C) with 1 or 3 "
            f"channels and at least one picture, got {images.shape}"
        )
    in_range = images.dtype == np.uint8 or (images.dtype.kind == "f" and np.abs(images).max() <= 1)
    if not in_range:
        raise DataError(
            f"{path}: 'images' must be uint8, or floats in [-1, 1], got {images.dtype} from "
            f"{images.min()} to {images.max()}"
        )
    return images


def _numbered(path: Path, labels: np.ndarray | None) -> tuple[str, ...]:
    """Names for classes that have only numbers: the MNIST family has ten."""
    if labels is None:
        return ()
    return tuple(str(i) for i in range(10 if path.is_dir() else int(labels.max()) + 1))


def _fit(images: np.ndarray, size: int | None, channels: int | None) -> np.ndarray:
    """Cut the middle square, resize, and bring to the wanted channels and to float32 in [-1, 1]."""
    images = crop_square(images)
    images = images.astype(np.float32) / 127.5 - 1 if images.dtype == np.uint8 else images.astype(np.float32)
    if size is not None:
        images = resize(images, size, size)
    if channels == 3 and images.shape[1] == 1:
        images = np.repeat(images, 3, axis=1)
    if channels == 1 and images.shape[1] == 3:
        images = np.einsum("c,nchw->nhw", np.array(LUMA, np.float32), images)[:, None]
    return np.ascontiguousarray(images)
