"""Pictures of every mode and depth: read as they look, or refused by name."""

import struct
import zlib

import numpy as np
import PIL
import pytest
from PIL import Image, ImageCms

from minigan.data import images
from minigan.data.images import load_image
from minigan.errors import DataError

PILLOW = int(PIL.__version__.partition(".")[0])
DEEP = [0, 16384, 65535, 1000]
TAGS = {"sample_format": 339, "extra": 338, "planar": 284, "subsampling": 530, "orientation": 274}


def tiff(path, width, height, bits, photometric, data, order="<", **more):
    """An uncompressed TIFF file of one strip (or one for each channel, if planar), the pixels at its end."""
    count = len(bits) if more.get("planar") == [2] else 1
    fields = {
        256: [width],
        257: [height],
        258: bits,
        259: [1],
        262: [photometric],
        273: [0] * count,
        277: [len(bits)],
        278: [height],
        279: [len(data) // count] * count,
    }
    fields.update({TAGS[name]: value for name, value in more.items()})

    def packed(offset):
        fields[273] = [offset + i * len(data) // count for i in range(count)]
        entries, outside, end = b"", b"", 8 + 2 + 12 * len(fields) + 4
        for tag, values in sorted(fields.items()):
            value = (
                struct.pack(f"{order}{len(values)}I", *values)
                if tag in (273, 279)
                else struct.pack(f"{order}{len(values)}H", *values)
            )
            if len(value) > 4:
                value, outside = struct.pack(f"{order}I", end + len(outside)), outside + value
            entries += struct.pack(f"{order}HHI", tag, 4 if tag in (273, 279) else 3, len(values))
            entries += value.ljust(4, b"\0")
        magic = b"II*\0" if order == "<" else b"MM\0*"
        return magic + struct.pack(f"{order}IH", 8, len(fields)) + entries + b"\0" * 4 + outside

    path.write_bytes(packed(len(packed(0))) + data)
    return path


def png(path, width, height, depth, colour, data, transparent=None):
    """A PNG file; ``data`` is one bytes of samples for each row."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))]
    chunks += [(b"tRNS", transparent)] if transparent else []
    chunks += [(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in data))), (b"IEND", b"")]
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            for kind, body in chunks
        )
    )
    return path


def check(path, want):
    """Both as grey, its own number of channels, and as colours."""
    want = np.float32(want)
    for channels in (None, 1, 3):
        got = load_image(path, channels=channels)
        assert got.dtype == np.float32 and got.shape == (channels or 1, 1, len(want))
        np.testing.assert_allclose(got[:, 0], want[None].repeat(channels or 1, 0), atol=1e-6)


@pytest.mark.parametrize("turn", [None, [3]])
def test_twelve_bits_are_scaled_by_their_own_white(tmp_path, turn):
    more = {"orientation": turn} if turn else {}
    path = tiff(tmp_path / "a.tif", 4, 1, [12], 1, bytes([0x00, 0x0F, 0xFF, 0x80, 0x01, 0x00]), **more)
    check(path, np.array([0, 4095, 2048, 256])[:: -1 if turn else 1] / 4095)


def test_sixteen_bits_of_which_zero_is_white(tmp_path):
    data = struct.pack("<4H", *DEEP)
    check(tiff(tmp_path / "a.tif", 4, 1, [16], 0, data), 1 - np.array(DEEP) / 65535)
    Image.frombytes("I;16", (4, 1), data).save(tmp_path / "b.tif", compression="tiff_lzw", tiffinfo={262: 0})
    check(tmp_path / "b.tif", 1 - np.array(DEEP) / 65535)


@pytest.mark.parametrize("order", "<>")
def test_sixteen_bits_of_which_zero_is_black(tmp_path, order):
    path = tiff(tmp_path / "a.tif", 4, 1, [16], 1, struct.pack(f"{order}4H", *DEEP), order)
    check(path, np.array(DEEP) / 65535)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("white_is_zero", [False, True])
def test_few_bits_fill_the_whole_range(tmp_path, bits, white_is_zero):
    most = 2**bits - 1
    values = np.array([0, most, most, 0, most // 2, most, 0, 1 % most])
    data = np.packbits((values[:, None] >> np.arange(bits)[::-1]) & 1).tobytes()
    shades = values / most
    check(
        tiff(tmp_path / "a.tif", 8, 1, [bits], int(not white_is_zero), data),
        1 - shades if white_is_zero else shades,
    )
    if not white_is_zero:
        check(png(tmp_path / "a.png", 8, 1, bits, 0, [data]), shades)
        check(
            png(tmp_path / "b.png", 8, 1, bits, 0, [data], struct.pack(">H", most // 2)),
            np.where(values == most // 2, 1, shades),
        )


def test_the_transparent_shade_of_sixteen_bit_grey_is_white(tmp_path):
    path = png(tmp_path / "a.png", 4, 1, 16, 0, [struct.pack(">4H", *DEEP)], struct.pack(">H", 16384))
    check(path, [0, 1, 1, 1000 / 65535])


def test_sixteen_bit_grey_with_alpha_is_grey(tmp_path):
    data = struct.pack(">6H", 0, 0, 0, 65535, 51400, 65535)
    check(png(tmp_path / "a.png", 3, 1, 16, 4, [data]), [1, 0, 200 / 255])


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("order", ["png", "<", ">"])
def test_sixteen_bit_colours_are_right_to_eight(tmp_path, order, alpha):
    pixels = np.random.default_rng(0).integers(0, 65536, (5, 4))
    pixels[:2] = [[65535, 0, 32768, 65535], [1, 2, 3, 0]]
    pixels[2:, 3] = 65535
    kept = pixels if alpha else pixels[:, :3]
    data = kept.astype(order.replace("png", ">") + "u2").tobytes()
    if order == "png":
        path = png(tmp_path / "a.png", 5, 1, 16, 6 if alpha else 2, [data])
    else:
        path = tiff(
            tmp_path / "a.tif",
            5,
            1,
            [16] * kept.shape[1],
            2,
            data,
            order,
            **({"extra": [2]} if alpha else {}),
        )
    want = kept[:, :3] / 65535
    if alpha:
        want[1] = 1
    np.testing.assert_allclose(load_image(path)[:, 0].T, want, atol=1.01 / 255)


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize(
    "orientation, turn",
    [(5, lambda a: a.T), (6, lambda a: np.rot90(a, -1)), (7, lambda a: a[::-1, ::-1].T), (8, np.rot90)],
)
def test_a_turned_tiff_keeps_its_rows(tmp_path, compression, mode, orientation, turn):
    shades = np.arange(6, dtype=np.uint8).reshape(2, 3)
    picture = Image.fromarray(shades.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(shades)
    picture.convert(mode).save(tmp_path / "a.tif", compression=compression, tiffinfo={274: orientation})
    got = load_image(tmp_path / "a.tif", channels=1)[0]
    np.testing.assert_allclose(got, turn(shades) / 255, atol=1e-6)


def lab(colour):
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    to_lab = ImageCms.buildTransform(*profiles, "RGB", "LAB")
    return ImageCms.applyTransform(Image.new("RGB", (6, 4), colour), to_lab)


@pytest.mark.parametrize("colour", [(60, 200, 90), (0, 0, 0), (255, 255, 255), (120, 30, 250)])
@pytest.mark.parametrize("mode", ["LAB", "YCbCr", "CMYK", "RGBX", "RGBa", "P"])
def test_other_colours_have_the_grey_of_their_rgb(tmp_path, mode, colour):
    plain = Image.new("RGB", (6, 4), colour)
    picture = (
        lab(colour)
        if mode == "LAB"
        else plain.convert("RGBA").convert(mode)
        if mode == "RGBa"
        else (plain.convert(mode))
    )
    if mode == "RGBa":
        tiff(tmp_path / "a.tif", 6, 4, [8] * 4, 2, picture.tobytes(), extra=[1])
    else:
        picture.save(tmp_path / "a.tif")
    if mode == "YCbCr" and PILLOW < 13:
        with pytest.raises(DataError, match=r"a.tif: its colours .* only Pillow 13 and later read"):
            load_image(tmp_path / "a.tif")
        return
    near = 0.1 if mode == "P" else 0.02
    np.testing.assert_allclose(load_image(tmp_path / "a.tif")[:, 0, 0], np.array(colour) / 255, atol=near)
    grey = np.dot(colour, [0.299, 0.587, 0.114]) / 255
    np.testing.assert_allclose(load_image(tmp_path / "a.tif", channels=1)[0, 0, 0], grey, atol=near)


@pytest.mark.parametrize("extra, stored", [(1, 100), (2, 200)])
def test_grey_with_alpha_premultiplied_or_not(tmp_path, extra, stored):
    path = tiff(tmp_path / "a.tif", 3, 1, [8, 8], 1, bytes([stored, 128, 0, 0, 70, 255]), extra=[extra])
    if extra == 1 and PILLOW < 13:
        with pytest.raises(DataError, match=r"a.tif: .* a rare kind of TIFF"):
            load_image(path)
        return
    for channels in (None, 1, 3):
        got = load_image(path, channels=channels)
        half = (200 * 128 / 255 + 127) / 255
        np.testing.assert_allclose(got[:, 0], [[half, 1, 70 / 255]] * (channels or 1), atol=1.5 / 255)


def test_a_palette_with_alpha(tmp_path):
    picture = Image.new("PA", (2, 1))
    picture.putpalette([250, 100, 0, 0, 0, 40])
    picture.putdata([(0, 255), (1, 0)])
    picture.save(tmp_path / "a.tif")
    got = load_image(tmp_path / "a.tif")
    np.testing.assert_allclose(got[:, 0].T, [[250 / 255, 100 / 255, 0], [1, 1, 1]], atol=1e-6)


@pytest.mark.parametrize("channels", [None, 1, 3])
@pytest.mark.parametrize("mode", sorted(images._CHANNELS))
def test_black_and_white_of_every_mode(mode, channels):
    def flat(shade):
        if mode in images._DEEP:
            return Image.new(mode, (3, 2), shade * 257)
        return (
            lab((shade,) * 3)
            if mode == "LAB"
            else Image.new("RGBA", (3, 2), (shade,) * 3).convert("LA" if mode == "La" else mode).convert(mode)
        )

    for shade in (0, 255):
        got = images._to_array(flat(shade), channels, b"")
        assert got.shape[2] == (channels or images._CHANNELS[mode])
        np.testing.assert_allclose(got, shade / 255, atol=0.01)


def test_every_mode_of_pillow_is_decided():
    assert set(Image.MODES) <= {*images._CHANNELS, "F"}
    assert "floating-point" in images._unclear(Image.new("F", (1, 1)), b"")


@pytest.mark.parametrize(
    "words, bits, photometric, data, more",
    [
        ("signed", [8], 1, bytes([0, 127, 128, 255]), {"sample_format": [2]}),
        ("signed", [16], 1, bytes(8), {"sample_format": [2]}),
        ("32-bit", [32], 1, bytes(16), {}),
        ("floating-point", [32], 1, bytes(16), {"sample_format": [3]}),
        ("stored apart", [16] * 3, 2, struct.pack("<12H", *DEEP * 3), {"planar": [2]}),
        ("stored apart", [8], 0, bytes(4), {"planar": [2]}),
        ("stored apart", [4], 1, bytes(2), {"planar": [2]}),
        ("stored coarser", [8] * 3, 6, bytes(12), {"subsampling": [2, 1]}),
        ("stored coarser", [8] * 3, 6, bytes(12), {}),
        ("rare kind of TIFF", [10], 1, bytes(5), {}),
        ("rare kind of TIFF", [12], 0, bytes(6), {}),
        ("rare kind of TIFF", [16] * 3, 8, bytes(24), {}),
        ("truncated or damaged", [8, 8], 1, bytes(8), {"planar": [2], "extra": [2]}),
    ],
)
@pytest.mark.parametrize("channels", [None, 1, 3])
def test_values_that_would_be_wrong_are_refused(tmp_path, words, bits, photometric, data, more, channels):
    path = tiff(tmp_path / "a.tif", 4, 1, bits, photometric, data, **more)
    with pytest.raises(DataError, match=f"a.tif: .*{words}"):
        load_image(path, channels=channels)


def test_a_transparent_colour_of_sixteen_bits_is_refused(tmp_path):
    data = struct.pack(">6H", 1, 2, 3, 4, 5, 6)
    path = png(tmp_path / "a.png", 2, 1, 16, 2, [data], struct.pack(">3H", 1, 2, 3))
    with pytest.raises(DataError, match=r"a.png: one of its 16-bit colours is transparent"):
        load_image(path)


def test_channels_stored_apart_are_read_if_plain(tmp_path):
    path = tiff(tmp_path / "a.tif", 2, 1, [8] * 3, 2, bytes([10, 20, 30, 40, 50, 60]), planar=[2])
    np.testing.assert_allclose(load_image(path)[:, 0] * 255, [[10, 20], [30, 40], [50, 60]], atol=1e-4)


@pytest.mark.parametrize("form", ["png", "jpg", "webp", "bmp", "gif", "tif"])
@pytest.mark.parametrize("left", [2, 4, 11, 20, 40, 0.5, 0.9])
def test_a_file_cut_short_is_called_damaged(tmp_path, form, left):
    noise = np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / f"a.{form}")
    content = (tmp_path / f"a.{form}").read_bytes()
    cut = content[: left if left > 1 else int(left * len(content))]
    (tmp_path / f"cut.{form}").write_bytes(cut)
    with pytest.raises(DataError, match=f"cut.{form}: truncated or damaged"):
        load_image(tmp_path / f"cut.{form}")


@pytest.mark.parametrize("content", [b"BMW cars", b"RIFF\x10\0\0\0WAVEfmt ", b"I", b"<html>", b"\xff"])
def test_other_files_are_not_called_damaged_pictures(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(DataError, match="a.jpg: not an image .starts with"):
        load_image(tmp_path / "a.jpg")


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".JPG", ".txt", ""])
def test_the_content_decides_the_format(tmp_path, suffix):
    Image.new("RGB", (4, 4), (255, 255, 255)).save(tmp_path / f"a{suffix}", "JPEG")
    np.testing.assert_allclose(load_image(tmp_path / f"a{suffix}"), 1)
