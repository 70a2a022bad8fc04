"""MNIST and Fashion-MNIST by name: fetched once, proved by SHA-256, kept in a cache folder.

A file is put together in memory and gets its place in the cache only when its digest is right, so the
cache never holds part of a file; files that are there already are not fetched again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from minigan.data.arrays import replace_file
from minigan.errors import ArgumentError, DataError, FileError

MIRRORS = {
    "mnist": (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    "fashion-mnist": (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
}
# name -> part -> (file, bytes, SHA-256)
FILES = {
    "mnist": {
        "train": (
            (
                "train-images-idx3-ubyte.gz",
                9_912_422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            (
                "train-labels-idx1-ubyte.gz",
                28_881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
        ),
        "test": (
            (
                "t10k-images-idx3-ubyte.gz",
                1_648_877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            (
                "t10k-labels-idx1-ubyte.gz",
                4_542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ),
    },
    "fashion-mnist": {
        "train": (
            (
                "train-images-idx3-ubyte.gz",
                26_421_880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            (
                "train-labels-idx1-ubyte.gz",
                29_515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
        ),
        "test": (
            (
                "t10k-images-idx3-ubyte.gz",
                4_422_102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
            (
                "t10k-labels-idx1-ubyte.gz",
                5_148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        ),
    },
}
_BLOCK = 1 << 16
_TRIES = 2  # of each mirror


def cache_folder() -> Path:
    """Return where downloads are kept: MINIGAN_CACHE, else ``minigan`` in the user's cache folder."""
    if chosen := os.environ.get("MINIGAN_CACHE"):
        return Path(chosen)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "minigan"


def fetch(
    name: str,
    *,
    part: str = "train",
    base_url: str | None = None,
    cache: str | os.PathLike | None = None,
    timeout: float = 20,
    note: Callable[[str], object] = lambda line: None,
) -> Path:
    """Make sure that the files of a data set are in the cache, and return their folder.

    Args:
        name: "mnist" or "fashion-mnist".
        part: "train" (60,000 pictures) or "test" (10,000).
        base_url: where to fetch from instead of the known mirrors; else the variable MINIGAN_MIRROR.
        cache: the cache folder; else :func:`cache_folder`.
        timeout: seconds without a byte before the next mirror is tried.
        note: called with one line for each file that is fetched.

    Raises:
        ArgumentError: no such data set or part.
        FileError: no mirror answered, or the cache cannot be written; says how to use local files.
        DataError: every mirror sent something else than the known file.
    """
    if name not in FILES or part not in FILES[name]:
        raise ArgumentError(
            f"download: no data set {name!r} with part {part!r}; expected one of "
            f"{', '.join(FILES)}, train or test"
        )
    folder = Path(cache or cache_folder()) / name
    base_url = base_url or os.environ.get("MINIGAN_MIRROR")
    mirrors = (base_url.rstrip("/") + "/",) if base_url else MIRRORS[name]
    for file, size, digest in FILES[name][part]:
        target = folder / file
        if target.is_file() and hashlib.sha256(target.read_bytes()).hexdigest() == digest:
            continue
        note(f"fetching {name} {file} ({size / 1e6:.1f} MB)")
        content = download([mirror + file for mirror in mirrors], size=size, digest=digest, timeout=timeout)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(
                f"cannot make the cache folder {folder} ({error.strerror}); "
                "set MINIGAN_CACHE to a folder that can be written"
            ) from error
        with replace_file(target, needed=size) as out:
            out.write(content)
    return folder


def download(urls: Sequence[str], *, size: int, digest: str, timeout: float = 20) -> bytes:
    """Return the file of ``size`` bytes and SHA-256 ``digest`` (hex) from the first URL that serves it.

    When a connection breaks, the next try asks for the missing rest only.  Raises FileError when no URL
    answers with a whole file, DataError when what came is another file.
    """
    content = bytearray()
    troubles = []
    for url in [url for url in urls for _ in range(_TRIES)]:
        try:
            _continue(url, content, size, timeout)
        except (OSError, ValueError) as error:  # URLError, timeouts and broken connections are OSErrors
            troubles.append(f"{url}: {error}")
            continue
        if len(content) == size and hashlib.sha256(content).hexdigest() == digest:
            return bytes(content)
        if len(content) >= size:
            troubles.append(f"{url}: not the known file (SHA-256 differs)")
            content.clear()
        else:
            troubles.append(f"{url}: broke off after {len(content):,} of {size:,} bytes")
    wrong = all("SHA-256" in trouble for trouble in troubles)
    raise (DataError if wrong else FileError)(
        f"cannot download {urls[0].rsplit('/', 1)[-1]}: {'; '.join(dict.fromkeys(troubles))}. Without a "
        "network: put the IDX files into a folder and give its path as --data, or set MINIGAN_DATA to it"
    )


def _continue(url: str, content: bytearray, size: int, timeout: float) -> None:
    """Append what ``content`` still lacks; never more than one byte beyond ``size``."""
    from http.client import HTTPException
    from urllib.request import Request, urlopen

    request = Request(url, headers={"User-Agent": "minigan"})
    if content:
        request.add_header("Range", f"bytes={len(content)}-")
    try:
        with urlopen(request, timeout=timeout) as response:
            if content and response.status != 206:  # the server starts again
                content.clear()
            while len(content) <= size and (block := response.read(min(_BLOCK, size + 1 - len(content)))):
                content += block
    except HTTPException as error:
        raise OSError(f"broken answer ({error!r})") from error
