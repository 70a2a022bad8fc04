"""Fetching a network's published weights: only when asked, into the cache, and proved by SHA-256.

The file's name ends in the first eight hexadecimal digits of its SHA-256, as its publisher (torchvision)
writes them; a whole digest can be given for a stricter proof.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.request import urlopen

from minigan.data.arrays import replace_file
from minigan.data.download import cache_folder
from minigan.errors import DataError, FileError
from minigan.style.weights import architecture

SOURCE = "https://download.pytorch.org/models/"
_BLOCK = 1 << 20


def fetch(
    name: str,
    *,
    source: str = SOURCE,
    cache: str | os.PathLike | None = None,
    sha256: str | None = None,
    timeout: float = 30,
) -> Path:
    """Return the path of network ``name``'s weights in the cache, downloading them if they are not there.

    source: address of the folder that has the file; cache: folder, else the package's; sha256: the whole
    digest to expect. Raises ArgumentError for an unknown network, FileError without a network (it names the
    local way), DataError if another file came. The cache never holds a part of a file.
    """
    table = architecture(name)
    expected = sha256 or table.file.rpartition("-")[2].removesuffix(".pth")
    target = Path(cache or cache_folder()) / "weights" / table.file
    if target.is_file() and _digest(target).startswith(expected):
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot make the cache folder {target.parent} ({error.strerror})") from error
    limit = 8 * table.most_elements + _BLOCK
    digest, count = hashlib.sha256(), 0
    with replace_file(target, needed=4 * table.most_elements) as file:
        try:
            with urlopen(source + table.file, timeout=timeout) as answer:
                while count <= limit and (block := answer.read(_BLOCK)):
                    count += len(block)
                    digest.update(block)
                    file.write(block)
        except (OSError, ValueError) as error:
            raise FileError(
                f"cannot download {source}{table.file} ({error}); without a network give a local file: "
                "--weights FILE"
            ) from error
        if not digest.hexdigest().startswith(expected):
            raise DataError(
                f"{source}{table.file}: not the known file: SHA-256 {digest.hexdigest()[:8]}..., expected "
                f"{expected[:8]}...; it was thrown away"
            )
    return target


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
