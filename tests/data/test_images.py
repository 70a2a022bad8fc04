"""Pictures in files: each kind arrives as it looks, each fault gets its own line."""

import os
import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from minigan.data import images
from minigan.data.images import crop_square, load_image, resize, save_image
from minigan.errors import ArgumentError, DataError, FileError, NumericError, ShapeError

RED_GREEN = np.uint8([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]], [[9, 8, 7], [100, 90, 80]]])


def saved(path, array, mode=None, **options):
    picture = Image.fromarray(array)
    (picture.convert(mode) if mode else picture).save(path, **options)
    return path


def as_loaded(array):
    return np.float32(array if array.ndim == 3 else array[..., None]).transpose(2, 0, 1) / 255


@pytest.mark.parametrize("form", ["png", "webp", "bmp", "tif"])
def test_lossless_colour(tmp_path, form):
    path = saved(tmp_path / f"a.{form}", RED_GREEN, **({"lossless": True} if form == "webp" else {}))
    got = load_image(path)
    assert got.dtype == np.float32 and got.shape == (3, 3, 2) and got.flags.c_contiguous
    np.testing.assert_allclose(got, as_loaded(RED_GREEN), atol=1e-6)


def test_jpeg_is_close(tmp_path):
    smooth = np.add.outer(np.arange(32), np.arange(32))[..., None].repeat(3, 2).astype(np.uint8)
    np.testing.assert_allclose(load_image(saved(tmp_path / "a.jpg", smooth)), as_loaded(smooth), atol=0.02)


def test_grey_stays_one_channel_unless_asked(tmp_path):
    grey = np.uint8([[0, 128, 255]])
    path = saved(tmp_path / "a.png", grey)
    np.testing.assert_allclose(load_image(path), as_loaded(grey), atol=1e-6)
    np.testing.assert_allclose(load_image(path, channels=3), as_loaded(grey).repeat(3, 0), atol=1e-6)


def test_colour_to_grey_is_lightness(tmp_path):
    got = load_image(saved(tmp_path / "a.png", RED_GREEN), channels=1)
    want = np.einsum("chw,c->hw", as_loaded(RED_GREEN), [0.299, 0.587, 0.114])
    np.testing.assert_allclose(got[0], want, atol=1 / 255)


@pytest.mark.parametrize("form", ["png", "tif"])
@pytest.mark.parametrize("channels", [None, 1, 3])
def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path, form, channels):
    deep = np.uint16([[0, 255, 4000, 32768, 65535]])
    got = load_image(saved(tmp_path / f"a.{form}", deep), channels=channels)
    np.testing.assert_allclose(got, (deep / 65535)[None].repeat(channels or 1, 0), atol=1e-6)


def test_sixteen_bit_big_endian(tmp_path):
    deep = np.uint16([[0, 4000, 65535]])
    path = tmp_path / "a.tif"
    Image.frombytes("I;16B", (3, 1), deep.astype(">u2").tobytes()).save(path)
    np.testing.assert_allclose(load_image(path)[0], deep / 65535, atol=1e-6)


def test_transparency_is_laid_on_white(tmp_path):
    half = np.uint8([[[0, 0, 0, 0], [0, 0, 0, 128], [200, 100, 0, 255]]])
    got = load_image(saved(tmp_path / "a.png", half))
    want = np.float32([[1, 1, 1], [127 / 255] * 3, [200 / 255, 100 / 255, 0]]).T[:, None]
    np.testing.assert_allclose(got, want, atol=1 / 255)


def test_transparent_grey_stays_grey(tmp_path):
    got = load_image(saved(tmp_path / "a.png", np.uint8([[[0, 0], [0, 255]]])))
    np.testing.assert_allclose(got, [[[1, 0]]], atol=1e-6)


def test_a_palette_and_its_transparent_colour(tmp_path):
    picture = Image.fromarray(RED_GREEN).convert("P", palette=Image.Palette.ADAPTIVE, colors=8)
    picture.save(tmp_path / "a.png")
    np.testing.assert_allclose(load_image(tmp_path / "a.png"), as_loaded(RED_GREEN), atol=0.02)
    picture.save(tmp_path / "b.png", transparency=picture.getpixel((0, 0)))
    np.testing.assert_allclose(load_image(tmp_path / "b.png")[:, 0, 0], 1)


def test_cmyk_and_one_bit(tmp_path):
    flat = np.full((8, 8, 3), (200, 50, 50), np.uint8)
    got = load_image(saved(tmp_path / "a.jpg", flat, "CMYK", quality=100))
    np.testing.assert_allclose(got, as_loaded(flat), atol=0.03)
    bits = load_image(saved(tmp_path / "b.png", np.array([[True, False]])))
    np.testing.assert_array_equal(bits, [[[1, 0]]])


@pytest.mark.parametrize(
    "orientation, turn",
    [
        (2, lambda a: a[:, ::-1]),
        (3, lambda a: a[::-1, ::-1]),
        (4, lambda a: a[::-1]),
        (5, lambda a: a.swapaxes(0, 1)),
        (6, lambda a: np.rot90(a, -1)),
        (8, lambda a: np.rot90(a)),
    ],
)
def test_the_rotation_of_the_camera_is_applied(tmp_path, orientation, turn):
    exif = Image.Exif()
    exif[0x0112] = orientation
    got = load_image(saved(tmp_path / "a.png", RED_GREEN, exif=exif))
    np.testing.assert_allclose(got, as_loaded(turn(RED_GREEN)), atol=1e-6)


@pytest.mark.parametrize("array", [np.ones((2, 2), np.float32), np.ones((2, 2), np.int32)])
def test_float_and_32_bit_are_refused(tmp_path, array):
    with pytest.raises(DataError, match="floating-point or 32-bit"):
        load_image(saved(tmp_path / "a.tif", array))


@pytest.mark.parametrize("form", ["png", "jpg", "webp", "gif", "bmp"])
def test_a_truncated_picture_is_refused(tmp_path, form):
    noise = np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)
    path = saved(tmp_path / f"a.{form}", noise)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=f"a.{form}: (truncated or damaged|not an image)"):
        load_image(path)


def declared(width, height):
    """A PNG file that says how large it is, and no more."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    end = b"IDAT" + zlib.compress(b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (chunk, end)
    )


@pytest.mark.parametrize("side", [7_100, 9_600, 30_000, 2_000_000])
def test_more_than_fifty_megapixels_are_refused_before_decoding(tmp_path, side, monkeypatch):
    (tmp_path / "a.png").write_bytes(declared(side, side))
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(DataError, match="pixels, expected at most 50,000,000"):
        load_image(tmp_path / "a.png")


@pytest.mark.parametrize("form", ["ppm", "ico", "tga", "pcx"])
def test_only_known_formats_are_opened(tmp_path, form):
    path = saved(tmp_path / f"a.{form}", RED_GREEN)
    with pytest.raises(DataError, match="not an image .starts with .*expected PNG, JPEG, WEBP, BMP"):
        load_image(path)


def test_what_is_no_picture_says_how_it_starts(tmp_path):
    (tmp_path / "text.png").write_text("hello world")
    with pytest.raises(DataError, match=r"text.png: not an image \(starts with b'hello world'\)"):
        load_image(tmp_path / "text.png")
    (tmp_path / "empty.png").touch()
    with pytest.raises(DataError, match="empty.png: not an image: the file is empty"):
        load_image(tmp_path / "empty.png")
    with pytest.raises(DataError, match="not an image but a directory"):
        load_image(tmp_path)
    with pytest.raises(FileError, match="nothing.png: cannot be read"):
        load_image(tmp_path / "nothing.png")
    with pytest.raises(ArgumentError, match="channels"):
        load_image(tmp_path / "text.png", channels=4)


@pytest.mark.parametrize("form", ["gif", "webp", "png", "tif"])
def test_of_an_animation_the_first_frame_is_used_and_that_is_said(tmp_path, form):
    frames = [Image.new("L", (4, 4), shade) for shade in (255, 0, 128)]
    frames[0].save(tmp_path / f"a.{form}", save_all=True, append_images=frames[1:])
    said = []
    np.testing.assert_allclose(load_image(tmp_path / f"a.{form}", channels=1, note=said.append), 1, atol=0.02)
    assert len(said) == 1 and "first of its 3" in said[0]
    with pytest.warns(UserWarning, match="first of its 3"):
        load_image(tmp_path / f"a.{form}")


@given(flip=st.integers(0, 10**6))
def test_a_damaged_file_is_read_or_refused_but_never_crashes(tmp_path_factory, flip):
    buffer = BytesIO()
    Image.fromarray(RED_GREEN.repeat(9, 0).repeat(9, 1)).save(buffer, "PNG")
    content = bytearray(buffer.getvalue())
    content[flip % len(content)] ^= 1 << flip % 8
    path = tmp_path_factory.mktemp("damaged") / "a.png"
    path.write_bytes(content)
    try:
        assert load_image(path).dtype == np.float32
    except DataError as error:
        assert "a.png" in str(error)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("form", ["png", "bmp", "tif", "PNG"])
def test_what_is_saved_comes_back(tmp_path, channels, form):
    image = np.random.default_rng(0).random((channels, 5, 4), np.float32)
    save_image(tmp_path / f"a.{form}", image)
    np.testing.assert_allclose(load_image(tmp_path / f"a.{form}"), image, atol=0.5 / 255 + 1e-6)


def test_values_outside_are_clipped(tmp_path):
    save_image(tmp_path / "a.png", np.float32([[[-3, 0.5, 7]]]))
    np.testing.assert_allclose(load_image(tmp_path / "a.png"), [[[0, 128 / 255, 1]]], atol=1e-6)


def test_a_file_that_is_there_is_kept_unless_told(tmp_path):
    path = saved(tmp_path / "a.png", RED_GREEN)
    before = path.read_bytes()
    with pytest.raises(FileError, match="exists already"):
        save_image(path, np.zeros((1, 2, 2)))
    assert path.read_bytes() == before
    save_image(path, np.zeros((1, 2, 2)), overwrite=True)
    assert load_image(path).shape == (1, 2, 2) and [p.name for p in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    "image, name, error, words",
    [
        (np.full((1, 2, 2), np.nan), "a.png", NumericError, "NaN or infinite pixels at step 17"),
        (np.full((1, 2, 2), np.inf), "a.png", NumericError, "step 17"),
        (np.zeros((2, 2)), "a.png", ShapeError, r"\(1 or 3, H, W\), got \(2, 2\)"),
        (np.zeros((4, 2, 2)), "a.png", ShapeError, "1 or 3"),
        (np.zeros((1, 0, 2)), "a.png", ShapeError, "1 or 3"),
        (np.zeros((1, 2, 2)), "a.psd", ArgumentError, "'.psd', expected one of .png"),
        (np.zeros((1, 2, 2)), "no/such/folder/a.png", FileError, "does not exist"),
    ],
)
def test_what_cannot_be_saved_leaves_nothing_behind(tmp_path, image, name, error, words):
    with pytest.raises(error, match=words):
        save_image(tmp_path / name, image, step=17)
    assert not list(tmp_path.iterdir())


shape = st.integers(1, 30)


@given(before=st.tuples(shape, shape), after=st.tuples(shape, shape), seed=st.integers(0, 99))
def test_resizing_agrees_with_pillow(before, after, seed):
    image = np.random.default_rng(seed).random(before, np.float32)
    want = Image.fromarray(image).resize(after[::-1], Image.Resampling.BILINEAR)
    np.testing.assert_allclose(resize(image, *after), np.asarray(want), atol=1e-5)


def test_resizing_works_on_any_stack_and_keeps_what_fits():
    stack = np.random.default_rng(0).random((2, 3, 6, 8), np.float32)
    small = resize(stack, 3, 5)
    assert small.shape == (2, 3, 3, 5) and small.dtype == np.float32
    np.testing.assert_allclose(small[1, 2], resize(stack[1, 2], 3, 5), atol=1e-6)
    np.testing.assert_array_equal(resize(stack, 6, 8), stack)


def test_the_square_is_cut_from_the_middle():
    wide = np.arange(10)[None].repeat(4, 0)
    assert crop_square(wide)[0].tolist() == [3, 4, 5, 6]
    assert crop_square(wide.T)[:, 0].tolist() == [3, 4, 5, 6]


def test_the_suffixes_are_those_of_the_formats():
    known = Image.registered_extensions()
    assert {known[suffix] for suffix in images.SUFFIXES} == set(images.FORMATS)


def test_a_pipe_is_refused_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(DataError, match="a.png: not an image but a pipe"):
        load_image(tmp_path / "a.png")
