"""A folder of the user's own pictures: nested or flat, grey or colour, any size."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from minigan.data.images import FORMATS, SUFFIXES, colour, crop_square, is_image, load_image, resize
from minigan.data.survey import near_duplicates
from minigan.errors import DataError, FileError

SURVEYED = 20  # pictures; fewer than so many one looks at oneself
_SHOWN = 5  # files named in one line


def load_folder(
    folder: str | os.PathLike,
    *,
    size: int,
    channels: int = 3,
    limit: int | None = None,
    seed: int = 0,
    skip_unreadable: bool = False,
    background: str = "white",
    note: Callable[[str], object] = warnings.warn,
) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    """Load every picture under a folder as a square of ``size`` pixels, cut from its middle.

    Where all pictures lie in sub-folders, the first level's names are the classes, in alphabetical order but
    with numbers by their value (2 before 10); pictures in the folder itself make the set unlabelled, and a
    note says so where there are sub-folders too.  Symbolic links are followed.  What a file is its content
    decides, not its suffix; how many are no pictures is said in a note.  Names that begin with a dot are
    passed over.

    Args:
        folder: where the pictures lie.
        size: height and width in pixels.
        channels: 1 (grey) or 3 (colour).
        limit: load at most so many, chosen at random.
        seed: of that choice.
        skip_unreadable: leave out files that cannot be read, and say how many, rather than fail.
        background: what lies behind transparent pixels: a colour's name or #rrggbb.
        note: called with one line when something was left out or is worth knowing: pictures that had to be
            enlarged, and pictures that are nearly the same as another.

    Returns:
        images, float32 (N, channels, size, size) in [-1, 1]; labels, int64 (N,), or None; class names.

    Raises:
        ArgumentError: ``background`` is no colour.
        FileError: there is no such folder.
        DataError: it holds no picture, or some that cannot be read: one error names them.
    """
    folder = Path(folder)
    paths = found = find_pictures(folder, note)
    if limit is not None and limit < len(paths):
        chosen = np.random.default_rng(seed).choice(len(paths), limit, replace=False)
        paths = [paths[i] for i in sorted(chosen)]
    images = np.empty((len(paths), channels, size, size), np.float32)
    notes: list[str] = []
    good: list[Path] = []
    enlarged = 0
    colour(background)  # a mistake in it is nobody's picture's
    troubles: list[str] = []
    for path in paths:
        try:
            picture = load_image(path, channels=channels, background=background, note=notes.append)
        except (DataError, FileError) as error:
            troubles.append(str(error))
            continue
        square = crop_square(picture)
        enlarged += square.shape[1] < size
        images[len(good)] = resize(square, size, size) * 2 - 1
        good.append(path)
    _report(folder, len(paths), troubles, notes, skip_unreadable, note)
    _survey(folder, images[: len(good)], good, enlarged, note)
    labels, classes = _labels(folder, found, good, note)
    return images[: len(good)], labels, classes


def find_pictures(folder: str | os.PathLike, note: Callable[[str], object] = warnings.warn) -> list[Path]:
    """Return all pictures under the folder, sorted; notes and errors as in :func:`load_folder`.

    A file with a picture's suffix counts as one even if it is damaged, so that it is not left out in silence.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileError(f"{folder}: no such folder; give the path of a folder of pictures")
    found: list[Path] = []
    others: list[Path] = []
    for place, inner, names in os.walk(folder, followlinks=True, onerror=_unreadable):
        inner[:] = [name for name in inner if not name.startswith(".") and not _leads_back(place, name)]
        for path in sorted(Path(place, name) for name in names if not name.startswith(".")):
            picture = is_image(path) or (path.suffix.lower() in SUFFIXES and not _special(path))
            (found if picture else others).append(path)
    some = _listed(sorted(str(path.relative_to(folder)) for path in others), ", ")
    if not found:
        raise DataError(f"{folder}: no pictures there; expected {', '.join(FORMATS)}, got {some or 'none'}")
    if others:
        note(f"{folder}: {len(others)} files are no pictures that can be read, and are passed over: {some}")
    return sorted(found)


def _leads_back(place: str, name: str) -> bool:
    """Whether a folder is a link to one that the walk came through, where it would go round for ever."""
    path = Path(place, name)
    return path.is_symlink() and path.resolve() in {p.resolve() for p in (Path(place), *Path(place).parents)}


def _special(path: Path) -> bool:
    """Whether a path is a pipe, a socket or a device, which would be waited for."""
    return path.exists() and not path.is_file()


def _unreadable(error: OSError) -> None:
    raise FileError(f"{error.filename}: this folder cannot be read ({error.strerror}); allow or move it")


def _listed(names: list[str], between: str) -> str:
    return between.join(names[:_SHOWN]) + f"{between}..." * (len(names) > _SHOWN)


def in_order(names: set[str]) -> list[str]:
    """Sort names alphabetically, but the numbers in them by their value: 2 before 10, a2 before a10."""

    def key(name: str) -> tuple[list[tuple[int, int, str]], str]:
        parts = re.split(r"([0-9]+)", name)
        return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts if part], name

    return sorted(names, key=key)


def _report(
    folder: Path, total: int, troubles: list[str], notes: list[str], skip: bool, note: Callable[[str], object]
) -> None:
    if notes:
        note(f"{folder}: {len(notes)} animated pictures; only the first frame of each is used")
    if not troubles:
        return
    text = f"{folder}: {len(troubles)} of {total} pictures cannot be read: {_listed(troubles, '; ')}"
    if not skip:
        raise DataError(f"{text}. Remove them, or skip them (skip_unreadable)")
    if len(troubles) == total:
        raise DataError(text)
    note(text)


def _survey(
    folder: Path, images: np.ndarray, good: list[Path], enlarged: int, note: Callable[[str], object]
) -> None:
    """Say what the owner of a set would want to know before training on it, of sets too large to look at."""
    if len(good) < SURVEYED:
        return
    if enlarged:
        size = images.shape[2]
        note(
            f"{folder}: {enlarged} of {len(good)} pictures are smaller than {size} x {size} and were "
            "enlarged; they are blurred, and so will be what is made after them"
        )
    if pairs := near_duplicates(images):
        shown = [f"{good[j].relative_to(folder)} as {good[i].relative_to(folder)}" for i, j in pairs]
        note(
            f"{folder}: {len(pairs)} of {len(good)} pictures look nearly the same as another one "
            f"({_listed(shown, ', ')}); such are learnt by heart first"
        )


def _labels(
    folder: Path, found: list[Path], used: list[Path], note: Callable[[str], object]
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Classes come from all pictures found, so that a limit does not renumber them."""
    strays = [path.name for path in found if path.parent == folder]
    if strays and len(strays) < len(found):
        note(
            f"{folder}: {len(strays)} of {len(found)} pictures lie beside the sub-folders "
            f"({_listed(strays, ', ')}), so these are not taken for classes; move the pictures into one"
        )
    if strays:
        return None, ()
    names = in_order({path.relative_to(folder).parts[0] for path in found})
    labels = [names.index(path.relative_to(folder).parts[0]) for path in used]
    return np.array(labels, np.int64), tuple(names)
