"""IDX files: what is sound comes back, what is not is named."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minigan.data.idx import find_idx, load_idx, read_idx, write_idx
from minigan.errors import DataError, FileError

IMAGES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
LABELS = np.array([0, 9, 4], np.uint8)


def family(folder, prefix="train", end="", mark="-", images=IMAGES, labels=LABELS):
    folder.mkdir(exist_ok=True)
    write_idx(folder / f"{prefix}-images{mark}idx3-ubyte{end}", images)
    if labels is not None:
        write_idx(folder / f"{prefix}-labels{mark}idx1-ubyte{end}", labels)
    return folder


@given(
    values=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=4, max_side=5)), packed=st.booleans()
)
def test_what_is_written_comes_back(tmp_path_factory, values, packed):
    path = tmp_path_factory.mktemp("idx") / ("file.gz" if packed else "file")
    write_idx(path, values)
    np.testing.assert_array_equal(read_idx(path), values)


def test_the_bytes_are_those_of_the_format(tmp_path):
    write_idx(tmp_path / "file", IMAGES)
    header = b"\0\0\x08\x03" + struct.pack(">III", 3, 4, 5)
    assert (tmp_path / "file").read_bytes() == header + bytes(range(60))


def test_only_bytes_are_written(tmp_path):
    with pytest.raises(DataError, match="expected uint8"):
        write_idx(tmp_path / "file", IMAGES.astype(np.int32))
    assert not list(tmp_path.iterdir())


HEADER = b"\0\0\x08\x03" + struct.pack(">III", 3, 4, 5)
BODY = bytes(60)
FAULTS = {
    "empty file": (b"", "empty"),
    "too short for a magic number": (b"\0\0", "bad magic number"),
    "another magic number": (b"\x7fELF" + HEADER[4:] + BODY, "bad magic number"),
    "no axes": (b"\0\0\x08\0", "bad magic number"),
    "too many axes": (b"\0\0\x08\x7f" + BODY * 9, "bad magic number"),
    "floats": (b"\0\0\x0d\x01" + struct.pack(">I", 1) + BODY[:4], "type code 0x0d"),
    "cut in the header": (HEADER[:9], "inside its header"),
    "an axis of size 0": (b"\0\0\x08\x03" + struct.pack(">III", 0, 28, 28), "empty set"),
    "cut in the values": (HEADER + BODY[:-1], "60 bytes"),
    "bytes to spare": (HEADER + BODY + b"x", "more bytes"),
    "2^31 images": (b"\0\0\x08\x03" + struct.pack(">III", 2**31, 28, 28) + BODY, "2,147,483,648 x 28 x 28"),
    "sizes that overflow": (b"\0\0\x08\x04" + b"\xff" * 16 + BODY, "cannot hold|claims"),
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("content, words", FAULTS.values(), ids=FAULTS)
def test_every_fault_names_the_file_and_what_is_wrong(tmp_path, content, words, packed):
    path = tmp_path / "odd-name"
    path.write_bytes(gzip.compress(content) if packed else content)
    if packed and not content:
        words = "bad magic number"
    with pytest.raises(DataError, match=words) as caught:
        read_idx(path)
    assert "odd-name" in str(caught.value)


def test_a_web_page_saved_as_gz(tmp_path):
    (tmp_path / "file.gz").write_bytes(b"<!DOCTYPE html><html>not found</html>")
    with pytest.raises(DataError, match=r"not gzip.*starts with b'<!DOCTYPE html>"):
        read_idx(tmp_path / "file.gz")


def test_gzip_is_known_by_its_bytes_not_its_name(tmp_path):
    (tmp_path / "file").write_bytes(gzip.compress(HEADER + bytes(range(60))))
    np.testing.assert_array_equal(read_idx(tmp_path / "file"), IMAGES)


def test_gzip_cut_anywhere_is_noticed(tmp_path):
    content = gzip.compress(HEADER + bytes(range(60)))
    for length in range(len(content)):
        (tmp_path / "file.gz").write_bytes(content[:length])
        with pytest.raises(DataError):
            read_idx(tmp_path / "file.gz")


def test_one_flipped_bit_in_gzip_is_noticed_or_harmless(tmp_path):
    content = gzip.compress(HEADER + bytes(range(60)), mtime=0)
    noticed = 0
    for bit in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        (tmp_path / "file.gz").write_bytes(damaged)
        try:
            values = read_idx(tmp_path / "file.gz")
        except DataError:
            noticed += 1
        else:  # a bit of the time stamp or the like
            np.testing.assert_array_equal(values, IMAGES)
    assert noticed > 7 * len(content)


@pytest.mark.parametrize("packed", [False, True])
def test_a_claim_of_gigabytes_allocates_nothing(tmp_path, packed):
    content = b"\0\0\x08\x03" + struct.pack(">III", 2**31 - 1, 1, 1) + BODY
    (tmp_path / "file").write_bytes(gzip.compress(content) if packed else content)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="2,147,483,647"):
            read_idx(tmp_path / "file")
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_missing_file_and_directory(tmp_path):
    with pytest.raises(FileError, match="no such file"):
        read_idx(tmp_path / "nothing")
    with pytest.raises(FileError, match="cannot be read"):
        read_idx(tmp_path)


@pytest.mark.parametrize("prefix", ["train", "t10k"])
@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize("mark", "-.")
def test_a_folder_under_any_of_the_usual_names(tmp_path, prefix, end, mark):
    images, labels = load_idx(family(tmp_path / "set", prefix, end, mark))
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)
    assert labels.dtype == np.int64


def test_train_comes_before_test_unless_asked(tmp_path):
    family(tmp_path, "t10k", labels=LABELS[::-1].copy())
    family(tmp_path, "train")
    assert load_idx(tmp_path)[1].tolist() == [0, 9, 4]
    assert load_idx(tmp_path, part="test")[1].tolist() == [4, 9, 0]


def test_labels_may_be_missing(tmp_path):
    assert load_idx(family(tmp_path, labels=None))[1] is None


def test_a_folder_without_the_files(tmp_path):
    assert find_idx(tmp_path) is None
    with pytest.raises(FileError, match="t10k-images"):
        load_idx(family(tmp_path), part="test")


@pytest.mark.parametrize(
    "images, labels, words",
    [
        (IMAGES, LABELS[:2], "2 labels, but train-images-idx3-ubyte has 3 pictures"),
        (IMAGES, np.uint8([0, 10, 1]), "label 10 at position 1 is out of range, expected 0 to 9"),
        (IMAGES[0], LABELS, "expected 3 axes"),
        (IMAGES, IMAGES, "expected 1 axis"),
    ],
)
def test_images_and_labels_must_fit(tmp_path, images, labels, words):
    with pytest.raises(DataError, match=words):
        load_idx(family(tmp_path, images=images, labels=labels))


def test_more_classes_on_request(tmp_path):
    family(tmp_path, labels=np.uint8([0, 46, 1]))
    assert load_idx(tmp_path, classes=47)[1].max() == 46


@pytest.mark.parametrize(
    "images, labels",
    [
        ("TRAIN-IMAGES-IDX3-UBYTE", "TRAIN-LABELS-IDX1-UBYTE.GZ"),
        ("train-images.IDX3-ubyte.GZ", "Train-Labels.idx1-ubyte"),
        ("T10K-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte"),
    ],
)
def test_names_in_capitals(tmp_path, images, labels):
    write_idx(tmp_path / images, IMAGES)
    write_idx(tmp_path / labels, LABELS)
    assert find_idx(tmp_path) == (tmp_path / images, tmp_path / labels)
    np.testing.assert_array_equal(load_idx(tmp_path)[0], IMAGES)
    packed = [path for path in (tmp_path / images, tmp_path / labels) if path.suffix.lower() == ".gz"]
    assert all(path.read_bytes()[:2] == b"\x1f\x8b" for path in packed)


def test_a_web_page_saved_as_gz_in_capitals(tmp_path):
    (tmp_path / "a.GZ").write_text("<html>")
    with pytest.raises(DataError, match="not gzip data"):
        read_idx(tmp_path / "a.GZ")
