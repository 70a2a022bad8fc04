"""A folder of the user's own pictures: nested or flat, grey or colour, any size."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from minigan.data.images import SUFFIXES, crop_square, load_image, resize
from minigan.errors import DataError, FileError

_SHOWN = 5  # unreadable files named in one error


def load_folder(
    folder: str | os.PathLike,
    *,
    size: int,
    channels: int = 3,
    limit: int | None = None,
    seed: int = 0,
    skip_unreadable: bool = False,
    note: Callable[[str], object] = warnings.warn,
) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    """Load every picture under a folder as a square of ``size`` pixels, cut from its middle.

    Where all pictures lie in sub-folders, the first level's names are the classes, in alphabetical order;
    pictures in the folder itself make the set unlabelled.  Names that begin with a dot are passed over.

    Args:
        folder: where the pictures lie.
        size: height and width in pixels.
        channels: 1 (grey) or 3 (colour).
        limit: load at most so many, chosen at random.
        seed: of that choice.
        skip_unreadable: leave out files that cannot be read, and say how many, rather than fail.
        note: called with one line when something was left out.

    Returns:
        images, float32 (N, channels, size, size) in [-1, 1]; labels, int64 (N,), or None; class names.

    Raises:
        FileError: there is no such folder.
        DataError: it holds no picture, or some that cannot be read: one error names them.
    """
    folder = Path(folder)
    paths = found = find_pictures(folder)
    if limit is not None and limit < len(paths):
        chosen = np.random.default_rng(seed).choice(len(paths), limit, replace=False)
        paths = [paths[i] for i in sorted(chosen)]
    images = np.empty((len(paths), channels, size, size), np.float32)
    notes: list[str] = []
    good: list[Path] = []
    troubles: list[str] = []
    for path in paths:
        try:
            picture = load_image(path, channels=channels, note=notes.append)
        except (DataError, FileError) as error:
            troubles.append(str(error))
            continue
        images[len(good)] = resize(crop_square(picture), size, size) * 2 - 1
        good.append(path)
    _report(folder, len(paths), troubles, notes, skip_unreadable, note)
    labels, classes = _labels(folder, found, good)
    return images[: len(good)], labels, classes


def find_pictures(folder: str | os.PathLike) -> list[Path]:
    """Return all files with a picture's suffix under the folder, sorted; errors as in :func:`load_folder`."""
    folder = Path(folder)
    if not folder.is_dir():
        raise FileError(f"{folder}: no such folder; give the path of a folder of pictures")
    found = []
    for place, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if not name.startswith(".")]
        found += [Path(place, name) for name in names
                  if not name.startswith(".") and name.lower().endswith(SUFFIXES)]
    if not found:
        raise DataError(f"{folder}: no pictures there; expected files that end in {', '.join(SUFFIXES)}")
    return sorted(found)


def _report(folder: Path, total: int, troubles: list[str], notes: list[str], skip: bool,
            note: Callable[[str], object]) -> None:
    if notes:
        note(f"{folder}: {len(notes)} animated pictures; only the first frame of each is used")
    if not troubles:
        return
    listed = "; ".join(troubles[:_SHOWN]) + ("; ..." if len(troubles) > _SHOWN else "")
    text = f"{folder}: {len(troubles)} of {total} pictures cannot be read: {listed}"
    if not skip:
        raise DataError(f"{text}. Remove them, or skip them (skip_unreadable)")
    if len(troubles) == total:
        raise DataError(text)
    note(text)


def _labels(folder: Path, found: list[Path], used: list[Path]) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Classes come from all pictures found, so that a limit does not renumber them."""
    if any(path.parent == folder for path in found):
        return None, ()
    names = sorted({path.relative_to(folder).parts[0] for path in found})
    labels = [names.index(path.relative_to(folder).parts[0]) for path in used]
    return np.array(labels, np.int64), tuple(names)
