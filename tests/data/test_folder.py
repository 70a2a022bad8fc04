"""A folder of one's own pictures."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minigan.data.folder import SURVEYED, find_pictures, load_folder
from minigan.errors import ArgumentError, DataError, FileError


def put(path, shade=100, size=(20, 10), mode="L"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, shade).save(path)


@pytest.fixture
def nested(tmp_path):
    for i in range(3):
        put(tmp_path / "cats" / f"{i}.png", 10 * i)
    put(tmp_path / "dogs" / "big" / "a.JPG", (200, 0, 0), (30, 40), "RGB")
    put(tmp_path / "birds" / "b.webp", (0, 0, 0, 0), (5, 5), "RGBA")
    put(tmp_path / ".hidden" / "c.png")
    put(tmp_path / "cats" / "._0.png")
    return tmp_path


def test_sub_folders_are_classes(nested):
    images, labels, classes = load_folder(nested, size=8)
    assert images.shape == (5, 3, 8, 8) and images.dtype == np.float32
    assert classes == ("birds", "cats", "dogs") and labels.tolist() == [0, 1, 1, 1, 2]
    assert labels.dtype == np.int64
    np.testing.assert_allclose(images[0], 1, atol=1e-6)  # transparent: white
    np.testing.assert_allclose(images[1], -1, atol=1e-6)
    np.testing.assert_allclose(images[4, 0], 200 / 127.5 - 1, atol=0.05)


def test_a_flat_folder_has_no_labels(tmp_path):
    put(tmp_path / "b.png", 255)
    put(tmp_path / "a.png", 0)
    images, labels, classes = load_folder(tmp_path, size=4, channels=1)
    assert labels is None and classes == ()
    assert images[:, 0, 0, 0].tolist() == [-1, 1], "in the order of their names"


def test_a_mixed_folder_is_unlabelled(nested):
    put(nested / "stray.png")
    images, labels, classes = load_folder(nested, size=4, note=lambda line: None)
    assert len(images) == 6 and labels is None and classes == ()


def test_the_middle_square_is_taken(tmp_path):
    picture = np.zeros((10, 30), np.uint8)
    picture[:, 10:20] = 255
    Image.fromarray(picture).save(tmp_path / "a.png")
    np.testing.assert_allclose(load_folder(tmp_path, size=10, channels=1)[0], 1)


def test_a_limit_chooses_at_random_and_keeps_the_classes(nested):
    chosen = {load_folder(nested, size=4, limit=2, seed=seed)[1].tobytes() for seed in range(20)}
    assert len(chosen) > 1
    images, labels, classes = load_folder(nested, size=4, limit=2, seed=0)
    assert len(images) == len(labels) == 2 and classes == ("birds", "cats", "dogs")
    np.testing.assert_array_equal(images, load_folder(nested, size=4, limit=2, seed=0)[0])


def damage(nested):
    (nested / "dogs" / "text.png").write_text("hello")
    (nested / "cats" / "empty.jpg").touch()


def test_unreadable_files_are_named_in_one_error(nested):
    damage(nested)
    with pytest.raises(DataError, match="2 of 7 pictures cannot be read") as caught:
        load_folder(nested, size=4)
    assert "text.png: not an image" in str(caught.value) and "empty.jpg" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unreadable_files_are_skipped_on_request_and_counted(nested):
    damage(nested)
    said = []
    images, labels, _ = load_folder(nested, size=4, skip_unreadable=True, note=said.append)
    assert len(images) == len(labels) == 5 and labels.tolist() == [0, 1, 1, 1, 2]
    assert len(said) == 1 and "2 of 7" in said[0]


def test_nothing_readable_is_an_error_even_then(tmp_path):
    (tmp_path / "a.png").write_text("hello")
    with pytest.raises(DataError, match="1 of 1 pictures"):
        load_folder(tmp_path, size=4, skip_unreadable=True)


def test_many_faults_are_not_all_listed(tmp_path):
    for i in range(40):
        (tmp_path / f"{i}.png").write_text("hello")
    with pytest.raises(DataError, match="40 of 40") as caught:
        load_folder(tmp_path, size=4)
    assert str(caught.value).count("not an image") == 5


def test_animations_are_said_once(tmp_path):
    frames = [Image.new("L", (4, 4), shade) for shade in (255, 0)]
    for name in ("a.gif", "b.gif"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    said = []
    load_folder(tmp_path, size=4, note=said.append)
    assert len(said) == 1 and "2 animated" in said[0]


def test_empty_and_missing_folders(tmp_path):
    with pytest.raises(DataError, match="no pictures there"):
        load_folder(tmp_path, size=4)
    with pytest.raises(FileError, match="no such folder"):
        find_pictures(tmp_path / "nothing")


@pytest.mark.parametrize("where", ["beside", "inside", "absolute", "of a link"])
def test_linked_folders_are_classes_like_any_other(tmp_path, where):
    data, store = tmp_path / "data", tmp_path / "store"
    put(data / "dog" / "a.png", 3)
    put(store / "b.png", 7)
    if where == "inside":
        (data / "dog" / "more").symlink_to(store, target_is_directory=True)
    elif where == "of a link":
        (tmp_path / "link").symlink_to(store, target_is_directory=True)
        (data / "cat").symlink_to(tmp_path / "link", target_is_directory=True)
    else:
        target = store if where == "absolute" else Path("..", "store")
        (data / "cat").symlink_to(target, target_is_directory=True)
    images, labels, classes = load_folder(data, size=8, channels=1)
    assert classes == (("dog",) if where == "inside" else ("cat", "dog"))
    assert len(images) == 2 and sorted(labels) == ([0, 0] if where == "inside" else [0, 1])


def test_links_that_lead_back_end_and_linked_pictures_count(tmp_path):
    put(tmp_path / "a" / "one.png")
    (tmp_path / "a" / "round").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a", target_is_directory=True)
    (tmp_path / "a" / "two.png").symlink_to(tmp_path / "a" / "one.png")
    images, _, classes = load_folder(tmp_path, size=8)
    assert len(images) == 2 and classes == ("a",)


def test_a_link_to_nothing_is_named(tmp_path):
    put(tmp_path / "a.png")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(DataError, match="1 of 2 pictures cannot be read.*gone.png"):
        load_folder(tmp_path, size=8)


def test_content_decides_what_a_picture_is(tmp_path):
    forms = {"a.jfif": "JPEG", "b": "PNG", "c.pic": "WEBP", "d.PNG": "PNG", "e.tmp": "TIFF"}
    for name, form in (forms | {"f.txt": "GIF", "g.png": "BMP", "h.jpe": "JPEG"}).items():
        Image.new("L", (8, 8)).save(tmp_path / name, form)
    (tmp_path / "i.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    (tmp_path / "notes.txt").write_text("BM is not a picture")
    Image.new("L", (8, 8)).save(tmp_path / "j.ppm")
    os.mkfifo(tmp_path / "pipe")
    notes = []
    images, labels, _ = load_folder(tmp_path, size=8, note=notes.append)
    assert len(images) == 8 and labels is None
    (line,) = notes
    assert "4 files are no pictures" in line
    assert all(name in line for name in ("i.heic", "j.ppm", "notes.txt", "pipe"))


def test_a_folder_of_other_files_says_what_is_there(tmp_path):
    for i in range(9):
        (tmp_path / f"{i}.heic").write_bytes(b"\0\0\0\x18ftypheic")
    with pytest.raises(DataError, match=r"no pictures there; expected PNG, .* got 0.heic, .*, \.\.\."):
        load_folder(tmp_path, size=8)


@pytest.mark.parametrize(
    "names",
    [
        ("0", "1", "2", "9", "10", "11", "100"),
        ("01", "2", "03", "10"),
        ("class2", "class10", "class30"),
        ("2 cats", "10 dogs", "a", "b"),
        ("v1.2", "v1.10"),
        ("Ant", "Bee", "ant"),
    ],
)
def test_numbers_in_names_count_by_their_value(tmp_path, names):
    for k, name in enumerate(names):
        put(tmp_path / name / "a.png", 20 * k)
    images, labels, classes = load_folder(tmp_path, size=8, channels=1)
    assert classes == names
    shades = ((images.mean(axis=(1, 2, 3)) + 1) * 127.5).round()
    assert dict(zip(labels.tolist(), shades, strict=True)) == {k: 20 * k for k in range(len(names))}


def test_pictures_beside_class_folders_are_told(tmp_path):
    for name in ("a/1.png", "b/2.png", "sheet.png"):
        put(tmp_path / name)
    notes = []
    images, labels, classes = load_folder(tmp_path, size=8, note=notes.append)
    assert len(images) == 3 and labels is None and classes == ()
    assert len(notes) == 1 and "1 of 3 pictures lie beside the sub-folders (sheet.png)" in notes[0]


@pytest.mark.parametrize("names", (("a", "b"), ("a", "b", "c")))
def test_folders_that_link_to_each_other_end(tmp_path, names):
    for name, shade in zip(names, (10, 20, 30), strict=False):
        put(tmp_path / name / "p.png", shade)
    for name, other in zip(names, (*names[1:], names[0]), strict=True):
        (tmp_path / name / "next").symlink_to(tmp_path / other, target_is_directory=True)
    images, labels, classes = load_folder(tmp_path, size=8)
    assert classes == names and len(images) == len(names) ** 2, "its own and what it links to"


def test_a_pipe_with_a_pictures_suffix_is_passed_over_not_waited_for(tmp_path):
    put(tmp_path / "a.png")
    os.mkfifo(tmp_path / "b.png")
    notes = []
    assert len(load_folder(tmp_path, size=8, note=notes.append)[0]) == 1
    assert len(notes) == 1 and "b.png" in notes[0]


def test_a_folder_that_cannot_be_listed_is_named(tmp_path, monkeypatch):
    put(tmp_path / "cat" / "a.png")
    put(tmp_path / "dog" / "b.png")
    listed = os.scandir

    def scandir(path):
        if str(path).endswith("dog"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(FileError, match="dog: this folder cannot be read"):
        load_folder(tmp_path, size=8)


def test_a_set_too_large_to_look_at_is_surveyed(tmp_path):
    draw = np.random.default_rng(0)
    for number in range(SURVEYED):
        side = 6 if number < 3 else 12
        pixels = (
            draw.integers(0, 256, (3, 3, 3), np.uint8).repeat(side // 3, axis=0).repeat(side // 3, axis=1)
        )
        Image.fromarray(pixels).save(tmp_path / f"{number:02}.png")
    (tmp_path / "07b.png").write_bytes((tmp_path / "07.png").read_bytes())
    notes = []
    images, _, _ = load_folder(tmp_path, size=12, note=notes.append)
    assert len(images) == SURVEYED + 1 and len(notes) == 2
    assert notes[0].endswith(
        f"3 of {SURVEYED + 1} pictures are smaller than 12 x 12 and were enlarged; they are blurred, and so "
        "will be what is made after them"
    )
    assert notes[1].endswith(
        f"1 of {SURVEYED + 1} pictures look nearly the same as another one (07b.png as 07.png); such are "
        "learnt by heart first"
    )
    for number in range(4, 15):  # too few to be worth a line
        (tmp_path / f"{number:02}.png").unlink()
    assert load_folder(tmp_path, size=12, note=notes.append) and len(notes) == 2


@pytest.mark.parametrize("background, grey", [("black", -1.0), ("#ff0000", None), ("white", 1.0)])
def test_transparency_lies_on_the_background_of_choice(tmp_path, background, grey):
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[:2] = (0, 255, 0, 255)  # the lower half is transparent
    Image.fromarray(pixels).save(tmp_path / "a.png")
    images, _, _ = load_folder(tmp_path, size=4, background=background)
    assert images[0, :, 0, 0] == pytest.approx([-1, 1, -1])
    expected = [1, -1, -1] if grey is None else [grey] * 3
    assert images[0, :, 3, 0] == pytest.approx(expected)


def test_a_background_that_is_no_colour_is_refused_at_once(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    for wrong in ("whiite", "#12", "", 7):
        with pytest.raises(ArgumentError, match="background: expected a colour such as white"):
            load_folder(tmp_path, size=4, background=wrong)
