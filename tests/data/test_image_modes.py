"""Pictures of every depth and kind: each shade comes out right, or the file is refused by name."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from minigan.data.images import load_image
from minigan.errors import DataError

WHITE_IS_ZERO, BLACK_IS_ZERO = 0, 1


def packed(row, bits, order):
    """One row of samples as TIFF stores it: words of 16 bits, else bit after bit, filled up to a byte."""
    if bits == 16:
        return np.asarray(row, f"{order}u2").tobytes()
    text = "".join(f"{value:0{bits}b}" for value in row)
    text += "0" * (-len(text) % 8)
    return bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))


def tiff(values, bits, photometric, order="<", more=()):
    """A grey TIFF (TIFF 6.0, section 4) with ``values`` (H, W), and further tags (number, value)."""
    height, width = np.shape(values)
    body = b"".join(packed(row, bits, order) for row in values)
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: photometric, 273: 0, 277: 1, 278: height}
    tags |= {279: len(body), **dict(more)}
    tags[273] = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(struct.pack(f"{order}HHIHH", tag, 3, 1, tags[tag], 0) for tag in sorted(tags))
    head = b"II*\0" if order == "<" else b"MM\0*"
    head += struct.pack(f"{order}IH", 8, len(tags))
    return head + entries + bytes(4) + body


def png(values, bits, kind, clear=b""):
    """A PNG of colour type ``kind`` with samples ``values`` (H, W, planes), and a tRNS chunk."""
    height, width, _ = values.shape
    rows = b"".join(b"\0" + np.asarray(row, ">u2" if bits == 16 else "u1").tobytes() for row in values)
    head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"tRNS", clear), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
        if body or name != b"tRNS"
    )


def loaded(tmp_path, content, channels=None):
    (tmp_path / "picture").write_bytes(content)
    return load_image(tmp_path / "picture", channels=channels)


@pytest.mark.parametrize("channels", (None, 1, 3))
@pytest.mark.parametrize("photometric", (WHITE_IS_ZERO, BLACK_IS_ZERO))
@pytest.mark.parametrize("bits", (1, 2, 4, 8, 12, 16))
@pytest.mark.parametrize("order", "<>")
def test_grey_tiffs_are_right_or_refused(tmp_path, bits, photometric, order, channels):
    most = (1 << bits) - 1
    values = np.array([[0, most // 3, most, 0], [most, 0, most // 2, most]])
    wanted = values / most if photometric == BLACK_IS_ZERO else 1 - values / most
    try:
        got = loaded(tmp_path, tiff(values, bits, photometric, order), channels)
    except DataError as error:  # kinds that Pillow does not open
        assert (bits == 12 or photometric == WHITE_IS_ZERO) and bits > 8, error
        assert "of a kind of picture that cannot be read" in str(error) and "\n" not in str(error)
        return
    assert got.shape == (channels or 1, 2, 4)
    np.testing.assert_allclose(got, np.broadcast_to(wanted, got.shape), atol=0.5 / 255)


@pytest.mark.parametrize("bits, photometric", [(12, BLACK_IS_ZERO), (16, WHITE_IS_ZERO), (16, BLACK_IS_ZERO)])
def test_deep_little_endian_tiffs_are_read(tmp_path, bits, photometric):
    loaded(tmp_path, tiff(np.zeros((2, 4), int), bits, photometric))


@pytest.mark.parametrize("most", (1023, 4095, 16383))
@pytest.mark.parametrize("order", "<>")
def test_a_largest_value_that_a_tiff_names_is_white(tmp_path, most, order):
    values = np.array([[0, most // 2, most, most + 9]])
    got = loaded(tmp_path, tiff(values, 16, BLACK_IS_ZERO, order, [(281, most)]))
    np.testing.assert_allclose(got[0], [[0, values[0, 1] / most, 1, 1]], atol=1e-6)


@pytest.mark.parametrize("clear", (0, 1000, 65535))
@pytest.mark.parametrize("channels", (None, 1, 3))
def test_the_transparent_shade_of_deep_grey_is_white(tmp_path, clear, channels):
    values = np.array([[0, 1000, 1001, 65535]])
    got = loaded(tmp_path, png(values[..., None], 16, 0, struct.pack(">H", clear)), channels)
    wanted = np.where(values == clear, 1, values / 65535)
    np.testing.assert_allclose(got, np.broadcast_to(wanted, got.shape), atol=1e-6)


@pytest.mark.parametrize("kind, planes", [(2, 3), (4, 2), (6, 4)])
def test_deep_colour_and_alpha(tmp_path, kind, planes):
    values = np.random.default_rng(kind).integers(0, 1 << 16, (3, 5, planes))
    share = values / 65535
    if planes in (2, 4):
        alpha = share[..., -1:]
        share = share[..., :-1] * alpha + 1 - alpha
    got = loaded(tmp_path, png(values, 16, kind), 3)
    np.testing.assert_allclose(got, np.broadcast_to(share, (3, 5, 3)).transpose(2, 0, 1), atol=2.5 / 255)


def test_a_turned_deep_picture_is_turned_back(tmp_path):
    values = np.arange(6).reshape(2, 3) * 10_000
    got = loaded(tmp_path, tiff(values, 16, WHITE_IS_ZERO, more=[(274, 3)]))
    np.testing.assert_allclose(got[0], 1 - values[::-1, ::-1] / 65535, atol=1e-6)


COLOUR = (200, 100, 50)
GREY = 0.299 * 200 / 255 + 0.587 * 100 / 255 + 0.114 * 50 / 255


@pytest.mark.parametrize("channels", (None, 1, 3))
@pytest.mark.parametrize("mode, form", [("RGB", "PNG"), ("YCbCr", "TIFF"), ("LAB", "TIFF"), ("P", "GIF")])
def test_every_kind_of_colour_becomes_rgb_or_grey(tmp_path, mode, form, channels):
    picture = Image.new("RGB", (4, 3), COLOUR)
    if mode == "LAB":
        there = ImageCms.createProfile("LAB")
        turn = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), there, "RGB", "LAB")
        picture = ImageCms.applyTransform(picture, turn)
    else:
        picture = picture.convert(mode)
    buffer = BytesIO()
    picture.save(buffer, form)
    got = loaded(tmp_path, buffer.getvalue(), channels)
    wanted = np.reshape([GREY] if channels == 1 else np.array(COLOUR) / 255, (-1, 1, 1))
    np.testing.assert_allclose(got, np.broadcast_to(wanted, (len(wanted), 3, 4)), atol=4 / 255)


@pytest.mark.parametrize("form", ("JPEG", "PNG", "GIF", "WEBP", "TIFF"))
@pytest.mark.parametrize("length", (8, 11, 20, 60))
def test_a_picture_cut_short_is_called_damaged_not_another_thing(tmp_path, form, length):
    buffer = BytesIO()
    Image.effect_noise((64, 64), 50).save(buffer, form)
    with pytest.raises(DataError, match="damaged") as caught:
        loaded(tmp_path, buffer.getvalue()[:length])
    assert "not an image" not in str(caught.value)


@pytest.mark.parametrize("content", (b"hello, world", b"%PDF-1.7 ...", b"\0\0\0\x18ftypheic..", b"PK\x03"))
def test_other_files_are_called_no_image(tmp_path, content):
    with pytest.raises(DataError, match="not an image"):
        loaded(tmp_path, content)
