"""Reading and writing named arrays: round trips, and every hostile file we know of."""

import errno
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from minigan.data import arrays as room
from minigan.data.arrays import read_manifest, read_npz, replace_file, write_npz
from minigan.errors import FileError

LIMIT = 1 << 20


def sample(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "weight": rng.standard_normal((3, 2, 4)).astype(np.float32),
        "steps": np.array(7),
        "moments": np.asfortranarray(rng.standard_normal((4, 3))),
        "empty": np.zeros((0, 3), np.float16),
        "flags": np.array([True, False]),
    }


def npy(array=None, header=None, body=b""):
    """Bytes of an .npy member, with a header of one's own if asked."""
    buffer = io.BytesIO()
    if header is None:
        np.lib.format.write_array(buffer, array, allow_pickle=True)
        return buffer.getvalue()
    text = header.encode("latin-1") + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


def hostile(path, members, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def test_round_trip_keeps_values_dtypes_shapes_and_facts(tmp_path):
    path = tmp_path / "a.npz"
    stored = sample()
    write_npz(path, stored, {"note": "ä", "n": 3}, kind="test")
    back, facts = read_npz(
        path,
        limit_bytes=LIMIT,
        kind="test",
        expected={name: (array.shape, array.dtype) for name, array in stored.items()},
    )
    assert facts == {"note": "ä", "n": 3}
    for name, array in stored.items():
        np.testing.assert_array_equal(back[name], array)
        assert back[name].dtype == array.dtype and back[name].flags.writeable
    assert read_manifest(path, kind="test")["arrays"]["weight"]["shape"] == [3, 2, 4]


def test_numpy_reads_our_files_and_we_read_numpys(tmp_path):
    write_npz(tmp_path / "ours.npz", sample(), compress=True)
    with np.load(tmp_path / "ours.npz", allow_pickle=False) as theirs:
        np.testing.assert_array_equal(theirs["moments"], sample()["moments"])
    big_endian = {**sample(), "other": np.arange(3, dtype=">f4")}
    np.savez_compressed(tmp_path / "theirs.npz", **big_endian)
    back, facts = read_npz(tmp_path / "theirs.npz", limit_bytes=LIMIT)
    assert facts == {} and back["other"].dtype == np.dtype("f4").newbyteorder("=")
    np.testing.assert_array_equal(back["other"], [0, 1, 2])


def test_equal_content_gives_equal_bytes(tmp_path):
    for name in "ab":
        write_npz(tmp_path / name, sample(), {"x": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("compress", [False, True])
def test_every_flipped_bit_is_noticed(tmp_path, compress):
    path = tmp_path / "a.npz"
    write_npz(path, {"weight": np.arange(4, dtype=np.float32)}, {"note": "x"}, kind="k", compress=compress)
    good = path.read_bytes()
    rng = np.random.default_rng(0)
    named = 0
    for position in range(len(good)):
        bad = bytearray(good)
        bad[position] ^= 1 << rng.integers(8)
        path.write_bytes(bad)
        with pytest.raises(FileError) as caught:
            read_npz(path, limit_bytes=LIMIT, kind="k")
        named += "'weight" in str(caught.value)
    assert named >= 16  # at least each flip inside the values


def test_a_flip_that_fools_the_crc_is_named_by_the_digest(tmp_path):
    path = tmp_path / "a.npz"
    write_npz(path, {"first": np.zeros(2), "second": np.ones(2)})
    with zipfile.ZipFile(path) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    members = [
        (name, content[:-1] + b"\x3e" if name == "second.npy" else content) for name, content in members
    ]
    hostile(path, members)
    with pytest.raises(FileError, match="'second' is damaged: its SHA-256"):
        read_npz(path, limit_bytes=LIMIT)


def test_every_cut_is_noticed(tmp_path):
    path = tmp_path / "a.npz"
    write_npz(path, {"weight": np.arange(4, dtype=np.float32)}, kind="k")
    good = path.read_bytes()
    for length in range(len(good)):
        path.write_bytes(good[:length])
        with pytest.raises(FileError):
            read_npz(path, limit_bytes=LIMIT, kind="k")


def test_misfits_are_listed_in_one_error(tmp_path):
    path = tmp_path / "a.npz"
    write_npz(path, {"a": np.zeros(2), "b": np.zeros((2, 3)), "d": np.zeros(1, np.float32)})
    with pytest.raises(FileError) as caught:
        read_npz(path, limit_bytes=LIMIT, expected={"a": (3,), "c": (1,), "d": ((1,), "f8")})
    message = str(caught.value)
    for part in (
        "missing 'c'",
        "unexpected 'b'",
        "'a' has shape (2,), expected (3,)",
        "'d' has dtype float32",
    ):
        assert part in message


def claims(descr, shape, body=b""):
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"
    return [("a.npy", npy(header=header, body=body))]


HOSTILE = {
    "object array": ([("a.npy", npy(np.array([{}], dtype=object)))], "object arrays are pickles"),
    "terabyte": (claims("'<f4'", "(250000000000,)"), "needs 1,000,000,000,000 bytes"),
    "overflowing shape": (claims("'<f8'", "(4294967296, 4294967296)", bytes(8)), "not sound"),
    "negative size": (claims("'<f8'", "(-1, -1)", bytes(8)), "not sound"),
    "bool size": (claims("'<f8'", "(True,)", bytes(8)), "not sound"),
    "structured": (claims("[('x', '<f8')]", "(1,)", bytes(8)), "expected numbers"),
    "code in the header": ([("a.npy", npy(header="__import__('os').abort()"))], "cannot be read"),
    "deep header": ([("a.npy", npy(header="(" * 5000))], "cannot be read"),
    "not npy": ([("a.npy", b"hello")], "not an .npy array"),
    "pickled member": ([("a.npy", pickle.dumps([1]))], "not an .npy array"),
    "twice": ([("a.npy", npy(np.zeros(1))), ("a.npy", npy(np.ones(1)))], "occurs twice"),
    "path": ([("../a.npy", npy(np.zeros(1)))], "path-like"),
    "absolute path": ([("/etc/a.npy", npy(np.zeros(1)))], "path-like"),
    "other member": ([("a.txt", b"x")], "unexpected member"),
    "NaN": ([("a.npy", npy(np.array([1, np.nan])))], "'a' holds NaN"),
    "infinity": ([("a.npy", npy(np.array([1, np.inf])))], "'a' holds NaN or infinity"),
    "manifest of another form": ([("manifest.json", b"[]")], "manifest cannot be read"),
    "deep manifest": ([("manifest.json", b"[" * 100_000)], "manifest cannot be read"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("case", HOSTILE, ids=str)
def test_hostile_file_is_refused_in_one_line(tmp_path, case):
    members, match = HOSTILE[case]
    path = hostile(tmp_path / "bad.npz", members)
    with pytest.raises(FileError, match=match) as caught:
        read_npz(path, limit_bytes=LIMIT)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600


def test_zip_bomb_is_capped_before_unpacking(tmp_path):
    bomb = hostile(tmp_path / "bomb.npz", [("a.npy", npy(np.zeros(1 << 20)))], zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 20_000
    with pytest.raises(FileError, match="unpacks to 8,388,736 bytes, expected at most 1,048,576"):
        read_npz(bomb, limit_bytes=LIMIT)


def test_zip_bomb_that_lies_about_its_size(tmp_path):
    path = hostile(tmp_path / "bomb.npz", [("a.npy", npy(np.zeros(1 << 20)))], zipfile.ZIP_DEFLATED)
    content = path.read_bytes()
    path.write_bytes(content.replace((8_388_736).to_bytes(4, "little"), (136).to_bytes(4, "little")))
    with pytest.raises(FileError):
        read_npz(path, limit_bytes=LIMIT)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "starts with b''"),
        (b"<html>", "starts with b'<html>'"),
        (pickle.dumps([1]), "a pickle is never opened"),
        (b"PK\x03\x04 and nothing", "damaged or cut short"),
        (npy(np.zeros(2)), "expected a zip"),
    ],
)
def test_other_files_are_refused(tmp_path, content, match):
    path = tmp_path / "other.npz"
    path.write_bytes(content)
    with pytest.raises(FileError, match=match):
        read_npz(path, limit_bytes=LIMIT)


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "none.npz", tmp_path):
        with pytest.raises(FileError, match="cannot read"):
            read_npz(path, limit_bytes=LIMIT)


def test_kind_and_version_have_their_own_messages(tmp_path):
    path = tmp_path / "a.npz"
    write_npz(path, sample(), kind="features")
    with pytest.raises(FileError, match="wrong kind of file: expected 'checkpoint', got 'features'"):
        read_npz(path, limit_bytes=LIMIT, kind="checkpoint")
    write_npz(path, sample(), kind="features", version=9)
    with pytest.raises(FileError, match="format version 9 is newer"):
        read_npz(path, limit_bytes=LIMIT, kind="features")
    np.savez(path, a=np.zeros(1))
    with pytest.raises(FileError, match="without a manifest"):
        read_npz(path, limit_bytes=LIMIT, kind="features")


@pytest.mark.parametrize("name", ["a/b", "..", "a\\b", "", "c:x"])
def test_names_that_are_paths_are_not_written(tmp_path, name):
    with pytest.raises(FileError, match="path-like"):
        write_npz(tmp_path / "a.npz", {name: np.zeros(1)})
    assert list(tmp_path.iterdir()) == []


def test_objects_are_not_written(tmp_path):
    with pytest.raises(FileError, match="expected numbers"):
        write_npz(tmp_path / "a.npz", {"a": np.array([None])})


def test_full_disk_keeps_the_old_file_and_says_sizes(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    write_npz(path, sample(0))
    old = path.read_bytes()

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(room.os, "fsync", full)
    with pytest.raises(FileError, match=r"disk is full: [\d,]+ bytes needed, [\d,]+ free"):
        write_npz(path, sample(1))
    assert path.read_bytes() == old and list(tmp_path.iterdir()) == [path]


def test_an_error_inside_the_block_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), replace_file(path) as file:
        file.write(b"new")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(FileError, match="does not exist; create it"):
        write_npz(tmp_path / "no" / "a.npz", sample())


def test_a_link_keeps_pointing(tmp_path):
    write_npz(tmp_path / "real.npz", sample(0))
    os.symlink("real.npz", tmp_path / "link.npz")
    write_npz(tmp_path / "link.npz", sample(1))
    assert (tmp_path / "link.npz").is_symlink()
    back, _ = read_npz(tmp_path / "real.npz", limit_bytes=LIMIT)
    np.testing.assert_array_equal(back["weight"], sample(1)["weight"])


def test_killed_at_any_moment_leaves_old_or_new(tmp_path):
    """A process that writes without end is killed; what is there reads whole each time."""
    path = tmp_path / "a.npz"
    code = (
        "import sys, numpy as np\nfrom minigan.data.arrays import write_npz\n"
        "for i in range(10**9):\n"
        "    write_npz(sys.argv[1], {'a': np.full(50_000, i)}, {'i': i})\n"
        "    if i == 0: print('ready', flush=True)\n"
    )
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"ready\n"
            process.kill()
        back, facts = read_npz(path, limit_bytes=LIMIT)
        assert (back["a"] == facts["i"]).all()


def test_manifest_is_plain_json(tmp_path):
    write_npz(tmp_path / "a.npz", {"a": np.zeros(1)}, {"x": [1, 2]})
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert json.loads(archive.read("manifest.json"))["facts"] == {"x": [1, 2]}
