"""Fetching weights: proved by SHA-256, never half, and the local way named without a network."""

import hashlib
import os

import pytest

from minigan.errors import ArgumentError, DataError, FileError
from minigan.style.weights.download import fetch

FILE = "squeezenet1_1-b8a52dc0.pth"


def test_fetches_once_proves_and_keeps(tmp_path):
    content = os.urandom(5000)
    source = tmp_path / "server"
    source.mkdir()
    (source / FILE).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    options = {"source": source.as_uri() + "/", "cache": tmp_path / "cache", "sha256": digest}
    path = fetch("squeezenet1_1", **options)
    assert path.read_bytes() == content and path.name == FILE
    (source / FILE).unlink()
    assert fetch("squeezenet1_1", **options) == path  # from the cache now
    with pytest.raises(DataError, match="not the known file: SHA-256"):
        (source / FILE).write_bytes(b"other")
        fetch("squeezenet1_1", **{**options, "cache": tmp_path / "second"})
    assert list((tmp_path / "second" / "weights").iterdir()) == []


def test_the_published_digest_is_asked_for_by_default(tmp_path):
    (tmp_path / FILE).write_bytes(b"not it")
    with pytest.raises(DataError, match="expected b8a52dc0"):
        fetch("squeezenet1_1", source=tmp_path.as_uri() + "/", cache=tmp_path / "cache")


def test_without_a_network_the_local_way_is_named(tmp_path):
    with pytest.raises(FileError, match="without a network give a local file: --weights FILE"):
        fetch("vgg19", source=(tmp_path / "nothing").as_uri() + "/", cache=tmp_path / "cache")
    assert list((tmp_path / "cache" / "weights").iterdir()) == []
    with pytest.raises(ArgumentError, match="network 'vgg11'"):
        fetch("vgg11", cache=tmp_path)
