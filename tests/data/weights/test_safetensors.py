"""``.safetensors``: sound files are read; headers that lie are refused before anything is read."""

import json
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from minigan.data.weights.safetensors import open_safetensors
from minigan.errors import FileError

sys.path.insert(0, str(Path(__file__).parent))
import makers

ARRAYS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.arange(3), "none": np.zeros((0, 2))}


def test_sound_file(tmp_path):
    found = open_safetensors(makers.write_safetensors(tmp_path / "x", ARRAYS))
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name].read(), array)


def test_bfloat16(tmp_path):
    values = np.array([1.0, -2.5, 0.15625], np.float32)  # exact in bfloat16
    raw = (values.view(np.uint32) >> 16).astype("<u2")
    header = json.dumps({"x": {"dtype": "BF16", "shape": [3], "data_offsets": [0, 6]}}).encode()
    path = makers.write_safetensors(tmp_path / "x", {}, header, raw.tobytes())
    np.testing.assert_array_equal(open_safetensors(path)["x"].read(), values)


def entry(dtype="F32", shape=(1,), span=(0, 4)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(span)}


HEADERS = {
    "not json": (b"{]", "cannot be read"),
    "not a table": (b"[1]", "not a table"),
    "deep": (b"[" * 100_000, "cannot be read"),
    "bad text": (b'{"\xff": 1}', "cannot be read"),
    "twice": (b'{"a": 1, "a": 2}', "'a' occurs twice"),
    "no entry": (b'{"a": 1}', "has dtype 'None'"),
    "dtype": ({"a": entry("O")}, "dtype 'O', expected one of F64"),
    "dtype that is no text": ({"a": entry(["F32"])}, "expected one of"),
    "negative size": ({"a": entry(shape=(-1, -1))}, "not of whole numbers"),
    "bool size": ({"a": entry(shape=(True,))}, "not of whole numbers"),
    "float size": ({"a": entry(shape=(1.0,))}, "not of whole numbers"),
    "terabyte": ({"a": entry(shape=(1 << 38,), span=(0, 1 << 40))}, "need 1,099,511,627,776 bytes"),
    "overflow": ({"a": entry(shape=(1 << 32, 1 << 32))}, "needs 73,786,976,294,838,206,464 bytes"),
    "overlap": ({"a": entry(), "b": entry(span=(2, 6))}, "'b' begins at byte 2, expected 4"),
    "gap": ({"a": entry(span=(4, 8))}, "'a' begins at byte 4, expected 0"),
    "rest": ({}, "need 0 bytes, the file holds 4"),
    "backwards": ({"a": entry(span=(4, 0))}, "its place holds -4"),
    "three places": ({"a": entry(span=(0, 2, 4))}, "not of whole numbers"),
    "path": ({"../a": entry()}, "path-like"),
}


@pytest.mark.parametrize("case", HEADERS, ids=str)
def test_lying_header(tmp_path, case):
    header, match = HEADERS[case]
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = makers.write_safetensors(tmp_path / "x", {}, header, bytes(4))
    with pytest.raises(FileError, match=match) as caught:
        open_safetensors(path)
    assert "\n" not in str(caught.value)


def test_every_cut_is_noticed(tmp_path):
    path = makers.write_safetensors(tmp_path / "x", ARRAYS)
    good = path.read_bytes()
    for length in range(len(good)):
        path.write_bytes(good[:length])
        with pytest.raises(FileError):
            open_safetensors(path)


@pytest.mark.parametrize("length", [0, 1, 1 << 20, (1 << 64) - 1])
def test_header_length_that_lies(tmp_path, length):
    (tmp_path / "x").write_bytes(struct.pack("<Q", length) + b"{}")
    with pytest.raises(FileError, match="its header claims"):
        open_safetensors(tmp_path / "x")
