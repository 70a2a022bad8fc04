"""Downloads, from a server on this machine: whole and proved, or not at all."""

import hashlib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from minigan.data import download
from minigan.data.idx import write_idx
from minigan.errors import ArgumentError, DataError, FileError

CONTENT = bytes(range(256)) * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Site:
    """What the server serves, how it misbehaves, and what it was asked."""

    def __init__(self, files, ranges=True, break_after=()):
        self.files, self.ranges, self.break_after, self.asked = files, ranges, list(break_after), []


@contextmanager
def serving(site):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            name, start = self.path.rsplit("/", 1)[-1], 0
            site.asked.append((name, self.headers.get("Range")))
            content = site.files.get(name)
            if content == "nonsense":
                self.wfile.write(b"this is not HTTP\r\n\r\n")
                self.close_connection = True
                return
            if content is None:
                self.send_error(404)
                return
            if site.ranges and self.headers.get("Range"):
                start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            end = start + site.break_after.pop(0) if site.break_after else len(content)
            self.wfile.write(content[start:end])

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("MINIGAN_MIRROR", raising=False)


def get(*urls):
    return download.download([url + "file" for url in urls], size=len(CONTENT), digest=DIGEST, timeout=5)


def test_a_file_arrives():
    with serving(Site({"file": CONTENT})) as url:
        assert get(url) == CONTENT


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_connection_is_continued(ranges):
    site = Site({"file": CONTENT}, ranges, break_after=[100_000])
    with serving(site) as url:
        assert get(url) == CONTENT
    assert site.asked == [("file", None), ("file", "bytes=100000-")]


def test_the_second_mirror_is_tried():
    with serving(Site({})) as first, serving(Site({"file": CONTENT})) as second:
        assert get(first, second) == CONTENT


def test_another_file_is_refused():
    with serving(Site({"file": CONTENT[::-1]})) as url, pytest.raises(DataError, match="SHA-256 differs"):
        get(url)


def test_a_file_that_is_too_long_is_not_read_to_its_end():
    site = Site({"file": CONTENT + b"x"})
    with serving(site) as url, pytest.raises(DataError, match="SHA-256 differs"):
        get(url)


def test_a_file_that_stays_short_is_refused():
    with serving(Site({"file": CONTENT[:50]}, ranges=False)) as url:
        with pytest.raises(FileError, match="broke off after 50 of 256,000 bytes"):
            get(url)


def test_an_answer_that_is_not_http():
    with serving(Site({"file": "nonsense"})) as url, pytest.raises(FileError, match="broken answer"):
        get(url)


def test_a_server_that_is_not_there():
    with serving(Site({})) as url:
        pass
    with pytest.raises(FileError, match="cannot download file: .*Without a network: .*--data.*MINIGAN_DATA"):
        get(url)


@pytest.fixture
def digits(tmp_path, monkeypatch):
    """A small data set in the place of the real one: (files to serve, cache folder)."""
    source = tmp_path / "source"
    source.mkdir()
    names = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
    write_idx(source / names[0], np.arange(2 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(2, 28, 28))
    write_idx(source / names[1], np.uint8([3, 7]))
    files = {name: (source / name).read_bytes() for name in names}
    table = tuple((name, len(files[name]), hashlib.sha256(files[name]).hexdigest()) for name in names)
    monkeypatch.setitem(download.FILES, "mnist", {"train": table})
    cache = tmp_path / "cache"
    monkeypatch.setenv("MINIGAN_CACHE", str(cache))
    return files, cache


def test_a_data_set_is_fetched_once(digits):
    files, cache = digits
    site, said = Site(files), []
    with serving(site) as url:
        for _ in range(2):
            assert download.fetch("mnist", base_url=url, note=said.append) == cache / "mnist"
    assert len(site.asked) == len(said) == 2
    assert {path.name: path.read_bytes() for path in (cache / "mnist").iterdir()} == files


def test_the_mirror_may_come_from_the_environment(digits, monkeypatch):
    with serving(Site(digits[0])) as url:
        monkeypatch.setenv("MINIGAN_MIRROR", url.rstrip("/"))
        assert len(list(download.fetch("mnist").iterdir())) == 2


def test_a_damaged_file_in_the_cache_is_fetched_again(digits):
    files, cache = digits
    (cache / "mnist").mkdir(parents=True)
    (cache / "mnist" / "train-labels-idx1-ubyte.gz").write_bytes(b"damaged")
    with serving(Site(files)) as url:
        download.fetch("mnist", base_url=url)
    assert {path.name: path.read_bytes() for path in (cache / "mnist").iterdir()} == files


def test_the_cache_never_holds_part_of_a_file(digits):
    files, cache = digits
    images, labels = files
    site = Site({**files, labels: files[labels][:10]}, ranges=False)
    with serving(site) as url:
        with pytest.raises(FileError, match="broke off"):
            download.fetch("mnist", base_url=url)
    assert [path.name for path in cache.rglob("*") if path.is_file()] == [images]


def test_a_cache_that_cannot_be_made(digits, tmp_path):
    (tmp_path / "file").touch()
    with serving(Site(digits[0])) as url, pytest.raises(FileError, match="set MINIGAN_CACHE"):
        download.fetch("mnist", base_url=url, cache=tmp_path / "file" / "cache")


@pytest.mark.parametrize("name, part", [("cifar", "train"), ("mnist", "validation")])
def test_unknown_sets_are_refused(name, part):
    with pytest.raises(ArgumentError, match="expected one of mnist, fashion-mnist"):
        download.fetch(name, part=part)


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.delenv("MINIGAN_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert download.cache_folder() == tmp_path / "minigan"
    monkeypatch.setenv("MINIGAN_CACHE", str(tmp_path / "mine"))
    assert download.cache_folder() == tmp_path / "mine"


def test_the_table_is_complete():
    for name, mirrors in download.MIRRORS.items():
        assert all(url.endswith("/") for url in mirrors)
        for part, prefix in (("train", "train"), ("test", "t10k")):
            (images, _, first), (labels, _, second) = download.FILES[name][part]
            assert images == f"{prefix}-images-idx3-ubyte.gz" and labels == f"{prefix}-labels-idx1-ubyte.gz"
            assert len(bytes.fromhex(first)) == len(bytes.fromhex(second)) == 32
    digests = [d for parts in download.FILES.values() for files in parts.values() for _, _, d in files]
    assert len(set(digests)) == 8
