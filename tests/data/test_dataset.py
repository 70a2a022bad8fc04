"""One door to every data set."""

import os
import warnings
import zipfile

import numpy as np
import pytest
from PIL import Image

from minigan.data import Dataset, download, open_dataset
from minigan.data.idx import write_idx
from minigan.errors import ArgumentError, DataError, FileError, MiniganError

RAW = np.random.default_rng(0).integers(0, 256, (12, 28, 28), np.uint8)
LABELS = np.arange(12, dtype=np.uint8) % 10


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch, tmp_path):
    monkeypatch.delenv("MINIGAN_DATA", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def idx(tmp_path):
    folder = tmp_path / "digits"
    folder.mkdir()
    write_idx(folder / "t10k-images-idx3-ubyte.gz", RAW)
    write_idx(folder / "t10k-labels-idx1-ubyte.gz", LABELS)
    return folder


def sound(data: Dataset, count, channels, size):
    assert data.images.shape == (count, channels, size, size) and data.images.dtype == np.float32
    assert data.images.flags.c_contiguous and data.images.min() >= -1 and data.images.max() <= 1
    assert len(data) == count
    if data.labels is not None:
        assert data.labels.shape == (count,) and data.labels.dtype == np.int64
        assert 0 <= data.labels.min() and data.labels.max() < len(data.classes)


def test_glyphs():
    data = open_dataset("glyphs", limit=30, seed=4)
    sound(data, 30, 1, 28)
    assert data.classes == tuple("0123456789") and data.name == "glyphs"
    sound(open_dataset("glyphs", limit=3, size=64, channels=3), 3, 3, 64)
    assert np.array_equal(open_dataset("glyphs", limit=30, seed=4).images, data.images)


def test_a_folder_of_idx_files(idx):
    data = open_dataset(idx)
    sound(data, 12, 1, 28)
    np.testing.assert_allclose(data.images[:, 0], RAW / 127.5 - 1, atol=1e-6)
    assert data.labels.tolist() == LABELS.tolist() and data.name == "digits" and len(data.classes) == 10
    sound(open_dataset(idx, size=32, channels=3), 12, 3, 32)


def test_a_single_idx_file(idx):
    data = open_dataset(idx / "t10k-images-idx3-ubyte.gz")
    sound(data, 12, 1, 28)
    assert data.labels is None and data.classes == ()
    with pytest.raises(DataError, match="expected 3 axes"):
        open_dataset(idx / "t10k-labels-idx1-ubyte.gz")


def test_a_limit_keeps_pictures_and_labels_together(idx):
    data = open_dataset(idx, limit=5, seed=1)
    sound(data, 5, 1, 28)
    whole = open_dataset(idx)
    for image, label in zip(data.images, data.labels, strict=True):
        row = np.flatnonzero((whole.images == image).all(axis=(1, 2, 3)))
        assert whole.labels[row] == label
    assert not np.array_equal(open_dataset(idx, limit=5, seed=2).images, data.images)
    assert len(open_dataset(idx, limit=99)) == 12


def test_a_folder_of_pictures(tmp_path):
    for name in ("a/1.png", "b/2.png"):
        (tmp_path / name).parent.mkdir()
        Image.new("RGB", (90, 70), (255, 0, 0)).save(tmp_path / name)
    data = open_dataset(tmp_path)
    sound(data, 2, 3, 64)
    assert data.classes == ("a", "b") and data.labels.tolist() == [0, 1]
    sound(open_dataset(tmp_path, size=16, channels=1, limit=1), 1, 1, 16)


@pytest.mark.parametrize(
    "images",
    [
        RAW,
        RAW[:, None],
        RAW[..., None].repeat(3, 3),
        RAW[:, None].repeat(3, 1),
        (RAW / 127.5 - 1).astype(np.float32),
        (RAW / 127.5 - 1),
    ],
)
def test_npz_in_any_layout(tmp_path, images):
    np.savez(tmp_path / "set.npz", images=images, labels=LABELS)
    data = open_dataset(tmp_path / "set.npz", channels=1)
    sound(data, 12, 1, 28)
    np.testing.assert_allclose(data.images[:, 0], RAW / 127.5 - 1, atol=1e-5)
    assert data.labels.tolist() == LABELS.tolist() and data.name == "set.npz"


def test_npz_needs_no_labels(tmp_path):
    np.savez(tmp_path / "set.npz", images=RAW)
    assert open_dataset(tmp_path / "set.npz").labels is None


@pytest.mark.parametrize(
    "arrays, words",
    [
        ({"pictures": RAW}, "no array 'images', got pictures"),
        ({"images": RAW[0]}, r"must be \(N, H, W\)"),
        ({"images": RAW[:0]}, "at least one picture"),
        ({"images": RAW[:, None].repeat(2, 1)}, "1 or 3 channels"),
        ({"images": RAW.astype(np.float32)}, r"floats in \[-1, 1\], got float32 from 0.0 to 255.0"),
        ({"images": RAW.astype(np.int64)}, "must be uint8"),
        ({"images": RAW, "labels": LABELS[:3]}, "'labels' must be"),
        ({"images": RAW, "labels": LABELS - 1.0}, "'labels' must be"),
        ({"images": RAW, "labels": LABELS.astype(int) - 1}, "'labels' must be"),
    ],
)
def test_npz_that_does_not_fit(tmp_path, arrays, words):
    np.savez(tmp_path / "set.npz", **arrays)
    with pytest.raises(DataError, match=words):
        open_dataset(tmp_path / "set.npz")


def test_npz_with_objects_is_never_unpickled(tmp_path):
    np.savez(tmp_path / "set.npz", images=np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(FileError, match="object arrays"):
        open_dataset(tmp_path / "set.npz")


def test_colour_becomes_grey_by_lightness(tmp_path):
    colour = np.random.default_rng(1).integers(0, 256, (2, 6, 6, 3), np.uint8)
    np.savez(tmp_path / "set.npz", images=colour)
    got = open_dataset(tmp_path / "set.npz", channels=1).images
    want = [np.asarray(Image.fromarray(c).convert("L")) / 127.5 - 1 for c in colour]
    np.testing.assert_allclose(got[:, 0], want, atol=1.01 / 127.5)


def test_oblong_pictures_become_square(tmp_path):
    np.savez(tmp_path / "set.npz", images=RAW[:, :, 4:24])
    got = open_dataset(tmp_path / "set.npz").images
    np.testing.assert_allclose(got[:, 0], RAW[:, 4:24, 4:24] / 127.5 - 1, atol=1e-6)


def test_known_names_come_from_minigan_data_first(idx, monkeypatch, tmp_path):
    monkeypatch.setattr(download, "fetch", lambda *_, **__: pytest.fail("downloaded"))
    monkeypatch.setenv("MINIGAN_DATA", str(idx))
    assert len(open_dataset("mnist")) == 12
    monkeypatch.setenv("MINIGAN_DATA", str(tmp_path))
    idx.rename(tmp_path / "fashion-mnist")
    assert open_dataset("fashion-mnist").classes[0] == "T-shirt/top"


def test_files_of_one_set_are_not_taken_for_another(idx, monkeypatch):
    monkeypatch.setenv("MINIGAN_DATA", str(idx))
    asked = []

    def fetch(name, *, part, note):
        asked.append((name, part))
        raise FileError("no network")

    monkeypatch.setattr(download, "fetch", fetch)
    for name, part in (("fashion-mnist", None), ("mnist", "train")):
        with pytest.raises(FileError, match="no network"):
            open_dataset(name, part=part)
    assert asked == [("fashion-mnist", "train"), ("mnist", "train")]


def test_a_path_is_also_looked_for_under_minigan_data(idx, monkeypatch, tmp_path):
    monkeypatch.setenv("MINIGAN_DATA", str(tmp_path))
    monkeypatch.chdir(idx)
    assert len(open_dataset("digits")) == 12


def test_what_cannot_be_opened_is_said(tmp_path):
    with pytest.raises(FileError, match="no data set or path 'nothing'; expected glyphs, mnist,"):
        open_dataset("nothing")
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match="one picture is not a data set"):
        open_dataset(tmp_path / "a.png")


@pytest.mark.parametrize(
    "options", [{"size": 0}, {"size": 2.5}, {"limit": 0}, {"limit": True}, {"channels": 4}, {"part": "all"}]
)
def test_bad_options_are_named(options):
    with pytest.raises(ArgumentError, match=f"data: {next(iter(options))} must be"):
        open_dataset("glyphs", **options)


def test_mirror_images_double_a_set_and_keep_its_labels(idx):
    once, twice = open_dataset(idx), open_dataset(idx, mirrored=True)
    n = len(once)
    assert len(twice) == 2 * n and (twice.images[:n] == once.images).all()
    assert (twice.images[n:] == once.images[..., ::-1]).all()
    assert (twice.labels == np.concatenate([once.labels, once.labels])).all() and twice.name == once.name
    for name in ("glyphs", "mnist"):
        with pytest.raises(ArgumentError, match=f"mirrored: the digits of {name} are no digits in a mirror"):
            open_dataset(name, mirrored=True)


def test_a_small_glyph_size_is_an_error_of_ours():
    with warnings.catch_warnings(), pytest.raises(MiniganError, match="at least 8"):
        open_dataset("glyphs", size=4)


@pytest.mark.parametrize("name", ("a.npz", "a.NPZ", "a.Npz"))
def test_npz_by_any_spelling_of_its_suffix(tmp_path, name):
    with open(tmp_path / name, "wb") as file:
        np.savez(file, images=RAW, labels=LABELS)
    data = open_dataset(tmp_path / name)
    sound(data, 12, 1, 28)
    np.testing.assert_array_equal(data.labels, LABELS)


@pytest.mark.parametrize(
    "labels",
    [
        [0, 1, 10**12],
        [0, 1, 100_000],
        np.array([1, 2, 2**63 + 5], np.uint64),
        np.array([0, 1, 2**64 - 1], np.uint64),
        [-1, 0, 1],
        np.array([0, -128, 1], np.int8),
        [0.0, 1.0, 2.0],
        [0.5, np.nan, 1.0],
        [True, False, True],
        ["a", "b", "c"],
        [[0], [1], [2]],
        [0, 1],
    ],
)
def test_labels_that_number_no_classes_are_refused_at_once(tmp_path, labels):
    np.savez(tmp_path / "a.npz", images=RAW[:3], labels=np.asarray(labels))
    with pytest.raises(MiniganError, match="a.npz: .*'labels'") as caught:
        open_dataset(tmp_path / "a.npz")
    assert "\n" not in str(caught.value)


def test_the_largest_label_is_fine(tmp_path):
    np.savez(tmp_path / "a.npz", images=RAW[:2], labels=np.array([0, 99_999], np.uint64))
    assert len(open_dataset(tmp_path / "a.npz").classes) == 100_000


@pytest.mark.parametrize(
    "images", [RAW, RAW[:, None], np.repeat(RAW[..., None], 3, -1), RAW.astype(np.float32) / 127.5 - 1]
)
@pytest.mark.parametrize("name", ("a.npy", "A.NPY"))
def test_npy_holds_images_alone(tmp_path, images, name):
    with open(tmp_path / name, "wb") as file:
        np.save(file, images)
    data = open_dataset(tmp_path / name)
    sound(data, 12, 3 if images.shape[-1] == 3 else 1, 28)
    assert data.labels is None and data.classes == ()
    np.testing.assert_allclose(data.images[:, 0], RAW / np.float32(127.5) - 1, atol=1e-6)


def npy(header: str, body: bytes = b"") -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


HOSTILE = {
    "empty": b"",
    "text": b"not an array at all",
    "cut": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4, 8, 8)}", bytes(100)),
    "a terabyte": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1048576, 1024, 1024)}", bytes(9)),
    "objects": npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"cos\nsystem\n."),
    "bad header": npy("{'descr': '|u1', 'fortran_order': False, 'shape': ", bytes(9)),
    "one axis": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (9,)}", bytes(9)),
    "more": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 8, 8)}", bytes(65)),
    "words": npy("{'descr': '<U1', 'fortran_order': False, 'shape': (1, 8, 8)}", bytes(256)),
    "records": npy("{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (1, 8, 8)}", bytes(64)),
    "a truth": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (True, 8, 8)}", bytes(64)),
    "names of two kinds": npy("{'descr': '|u1', 'fortran_order': False, b'shape': (1, 8, 8)}", bytes(64)),
    "a zip": b"PK\x05\x06" + bytes(18),
    "a long header": b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + bytes(100),
    "nothing of much": npy(f"{{'descr': '|u1', 'fortran_order': False, 'shape': (0, {2**80}, 8)}}"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_npy_files_that_are_none_are_refused(tmp_path, kind):
    (tmp_path / "a.npy").write_bytes(HOSTILE[kind])
    with pytest.raises(DataError, match="a.npy"):
        open_dataset(tmp_path / "a.npy")


@pytest.fixture
def pictures(tmp_path):
    for name, shade in (("cat/a.png", 0), ("cat/b.png", 51), ("dog/c.png", 255)):
        (tmp_path / "pets" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (9, 9), shade).save(tmp_path / "pets" / name)
    return tmp_path / "pets"


@pytest.mark.parametrize("name", ("pets.zip", "pets.ZIP"))
@pytest.mark.parametrize("inside", ("", "pets/", "a/pets/"))
def test_a_zip_of_pictures_is_the_folder_it_unpacks_to(pictures, tmp_path, name, inside):
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        for path in sorted(pictures.rglob("*.png")):
            archive.write(path, inside + str(path.relative_to(pictures)))
    folder, zipped = (open_dataset(path, size=8, channels=1) for path in (pictures, tmp_path / name))
    np.testing.assert_array_equal(zipped.images, folder.images)
    np.testing.assert_array_equal(zipped.labels, folder.labels)
    assert zipped.classes == ("cat", "dog") and zipped.name == name


def test_a_zip_stays_inside_and_names_itself(pictures, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(pictures / "cat" / "a.png", "../../outside.png")
        archive.write(pictures / "cat" / "b.png", "/b.png")
        archive.writestr("notes.txt", "hello")
    notes = []
    sound(open_dataset(tmp_path / "a.zip", size=8, note=notes.append), 2, 3, 8)
    assert not list(tmp_path.parent.glob("outside.png"))
    assert len(notes) == 1 and notes[0].startswith(f"{tmp_path / 'a.zip'}: 1 files")


@pytest.mark.parametrize("content", (b"", b"PK\x03\x04 but no more", bytes(1000)))
def test_a_zip_that_is_none_is_named(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match="a.zip: not a zip archive"):
        open_dataset(tmp_path / "a.zip")


def test_a_zip_without_pictures_or_with_a_damaged_one_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("notes.txt", "hello")
    with pytest.raises(DataError, match="a.zip: no pictures there"):
        open_dataset(tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip", "a") as archive:
        archive.writestr("x.png", "no picture")
    with pytest.raises(DataError, match="a.zip: 1 of 1 pictures cannot be read: .*a.zip/x.png"):
        open_dataset(tmp_path / "a.zip", note=lambda line: None)


@pytest.mark.parametrize("method", (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2))
def test_a_zip_packed_in_a_rare_way_is_named(pictures, tmp_path, method):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.write(pictures / "cat" / "a.png", "a.png")
    with pytest.raises(DataError, match="a.zip: 'a.png' is packed in a rare way"):
        open_dataset(tmp_path / "a.zip")


def test_a_zip_with_a_name_that_is_no_text_is_named(pictures, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(pictures / "cat" / "a.png", "\u00e9.png")
    (tmp_path / "a.zip").write_bytes((tmp_path / "a.zip").read_bytes().replace(b"\xc3\xa9", b"\xff\xff"))
    with pytest.raises(DataError, match="a.zip: not a zip archive"):
        open_dataset(tmp_path / "a.zip")


@pytest.mark.parametrize("name", ("pets.zip", "pets.npy", "pets.npz"))
def test_a_folder_is_one_whatever_its_name(pictures, tmp_path, name):
    pictures.rename(tmp_path / name)
    assert open_dataset(tmp_path / name, size=8).classes == ("cat", "dog")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in its folders")
@pytest.mark.parametrize("name", ("a.npz", "a.npy", "a.zip", "a-idx3-ubyte"))
def test_a_pipe_is_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(DataError, match=f"{name}: a pipe"):
        open_dataset(tmp_path / name)
