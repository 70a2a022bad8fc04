"""Which pictures a command works on: its options about data, and the data set they mean."""

from __future__ import annotations

import hashlib
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minigan.cli import arguments as types

if TYPE_CHECKING:
    from minigan.data import Dataset

DATA_OPTIONS = ("data", "size", "channels", "limit", "skip_unreadable", "background", "mirrored")


def add_data_options(where: Any) -> None:
    """Add the options that say which pictures."""
    where.add_argument(
        "--data",
        metavar="WHAT",
        help="glyphs (default), mnist, fashion-mnist, or a folder of pictures or IDX files",
    )
    where.add_argument("--size", type=types.integer(least=1, most=4096), help="height and width in pixels")
    where.add_argument("--channels", type=int, choices=(1, 3), help="1 grey, 3 colour")
    where.add_argument("--limit", type=types.integer(least=1), metavar="N", help="use at most N pictures")
    where.add_argument(
        "--skip-unreadable", action="store_true", default=None, help="leave out broken pictures"
    )
    where.add_argument(
        "--background", metavar="COLOUR", help="behind transparent pixels: a name or #rrggbb; default white"
    )
    where.add_argument(
        "--mirrored",
        action="store_true",
        default=None,
        help="add each picture's mirror image; not for text or digits",
    )


def data_options(arguments: Namespace) -> dict[str, Any]:
    """Return the options about data that were given, a path made whole: a run may go on from elsewhere."""
    from minigan.data import NAMES

    given = {name: value for name in DATA_OPTIONS if (value := getattr(arguments, name)) is not None}
    where = given.get("data")
    if where and where not in NAMES and Path(where).exists():
        given["data"] = str(Path(where).resolve())
    return given


def open_data(options: dict[str, Any], seed: int) -> Dataset:
    """Open the data set that the ``data`` part of config.json describes; notes go to the standard error."""
    from minigan.data import open_dataset

    rest = {name: options[name] for name in DATA_OPTIONS if name in options and name != "data"}
    return open_dataset(options["data"], seed=seed, note=_say, **rest)


def digest(dataset: Dataset) -> str:
    """Return the SHA-256 of the pictures."""
    return hashlib.sha256(dataset.images.tobytes()).hexdigest()


def _say(line: str) -> None:
    print(line, file=sys.stderr)
