"""Pictures in files: one way in, one way out.

Pillow knows many formats and quietly does the wrong thing with some (it clips 16-bit grey, drops alpha,
ignores the camera's rotation), so every picture comes in through :func:`load_image`.
"""

from __future__ import annotations

import contextlib
import math
import os
import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from minigan.data.arrays import replace_file
from minigan.errors import ArgumentError, DataError, FileError, NumericError, ShapeError

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
MOST_PIXELS = 50_000_000
WHITE = (255, 255, 255)
LUMA = (0.299, 0.587, 0.114)  # lightness of red, green and blue (ITU-R BT.601), as Pillow has it

_DEEP = ("I", "I;16", "I;16L", "I;16B", "I;16N")
# How many channels a picture has in each mode of Pillow that is read ("F", floating-point, is not).
_CHANNELS = {
    **dict.fromkeys(("1", "L", "LA", "La", *_DEEP), 1),
    **dict.fromkeys(("P", "PA", "RGB", "RGBX", "RGBA", "RGBa", "CMYK", "YCbCr", "LAB", "HSV"), 3),
}
_YCBCR = 6  # as a TIFF file says it
# How the files of each format start.
_STARTS = (
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8", "JPEG"),
    (b"GIF8", "GIF"),
    (b"RIFF", "WEBP"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
)


def load_image(
    path: str | os.PathLike,
    *,
    channels: int | None = None,
    background: str = "white",
    note: Callable[[str], object] = warnings.warn,
) -> np.ndarray:
    """Read one picture.

    Transparency is laid on ``background``, the camera's rotation (EXIF) is applied, grey of 1 to 16 bits
    is scaled so that the largest number its bits can hold is white (black, where the file says that 0 is
    white); palettes, CMYK, YCbCr and Lab are converted.  Colours of 16 bits are read with their upper 8.
    The content decides the format, not the suffix.

    Args:
        path: a PNG, JPEG, WebP, BMP, GIF or TIFF file of at most 50 million pixels.
        channels: 1 (grey), 3 (RGB), or None for what the picture has.
        background: what lies behind transparent pixels: a colour's name or #rrggbb, as in CSS.
        note: called with one line if an animation is read, of which only the first frame is used.

    Returns:
        float32 (channels, H, W) in [0, 1].

    Raises:
        ArgumentError: ``channels`` or ``background`` is none of these.
        FileError: the file is missing or cannot be read.
        DataError: it is not a picture of a known format, too large, damaged, or of values whose range or
            order is not known (floating-point, signed, 32-bit, some rare kinds of TIFF and PNG).
    """
    if channels not in (None, 1, 3):
        raise ArgumentError(f"load_image: channels must be 1, 3 or None, got {channels!r}")
    behind = colour(background)
    file, start = _open_file(path)
    with file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about odd metadata
        with _open_picture(path, file, start) as picture:
            if math.prod(picture.size) > MOST_PIXELS:
                raise DataError(_too_large(path, f"{picture.width} x {picture.height}"))
            try:
                unclear = _unclear(picture, start)
                if unclear is None:
                    frames = 1 if picture.format == "MPO" else getattr(picture, "n_frames", 1)
                    array = _to_array(picture, channels, start, behind)
            except MemoryError:
                raise
            except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
                raise DataError(f"{path}: truncated or damaged ({error}); get the file again") from error
    if unclear is not None:
        raise DataError(f"{path}: {unclear}; expected 8 or 16 bits in a plain order, save it so first")
    if frames > 1:
        note(f"{path}: animated, or of several pages; only the first of its {frames} pictures is used")
    return np.ascontiguousarray(array.transpose(2, 0, 1))


def is_image(path: str | os.PathLike) -> bool:
    """Whether a file begins like a picture that :func:`load_image` reads, whatever its name."""
    from PIL import Image

    if not Path(path).is_file():
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            Image.open(path, formats=FORMATS).close()
        except Image.DecompressionBombError:
            return True
        except Exception:  # Pillow's decoders raise nearly anything on other files
            return False
    return True


def _open_file(path: str | os.PathLike) -> tuple[BinaryIO, bytes]:
    """The opened file, and how it starts: as much as the header of a PNG file takes."""
    if Path(path).is_dir():
        raise DataError(f"{path}: not an image but a directory; give the path of one picture")
    if Path(path).exists() and not Path(path).is_file():  # opening a pipe would wait for its writer
        raise DataError(f"{path}: not an image but a pipe or a device; give the path of one picture")
    try:
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(open(path, "rb"))
            start = file.read(26)
            file.seek(0)
            if not start:
                raise DataError(f"{path}: not an image: the file is empty")
            stack.pop_all()
            return file, start
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror}); check the path") from error


def _open_picture(path: str | os.PathLike, file: BinaryIO, start: bytes) -> Image:
    """Let Pillow read the header.

    It is given the file, not its path, for which it would map raw TIFF into memory: those that the camera
    turned by 90 degrees with the wrong number of columns.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(file, formats=FORMATS)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise DataError(_too_large(path, str(error).split(" pixels")[0].split("(")[-1])) from error
    except MemoryError:
        raise
    except Exception as error:
        form = _format_of(start)
        if form:
            raise DataError(
                f"{path}: truncated or damaged, or of a rare kind of {form}; get the file again, "
                "or save it as PNG first"
            ) from error
        raise DataError(
            f"{path}: not an image (starts with {start[:12]!r}); expected {', '.join(FORMATS)}"
        ) from error


def _format_of(start: bytes) -> str | None:
    """The format that a file which starts so means to be; it may be cut short."""
    for magic, form in _STARTS:
        if magic.startswith(start[: len(magic)]):
            other = (
                form == "WEBP"
                and not b"WEBP".startswith(start[8:12])  # sound and film are RIFF as well
                or form == "BMP"
                and any(start[6:10])
            )  # reserved, zero: not a text
            return None if other or len(start) < 2 else form
    return None


def _too_large(path: str | os.PathLike, size: str) -> str:
    return f"{path}: {size} pixels, expected at most {MOST_PIXELS:,}; make it smaller first"


def _unclear(picture: Image, start: bytes) -> str | None:
    """Why the values of a picture would be read wrongly, or None."""
    tags = _tags(picture)
    uncompressed = picture.info.get("compression") == "raw"
    signed = 2 in tags.get("SampleFormat", ())
    if signed or picture.mode not in _CHANNELS or (picture.mode == "I" and picture.format != "PNG"):
        return (
            f"its values are floating-point or 32-bit or signed (mode {picture.mode}), in a range that "
            "is not said"
        )
    plain = set(tags.get("BitsPerSample", (1,))) == {8} and tags.get("FillOrder", 1) == 1
    if uncompressed and tags.get("PlanarConfiguration") == 2 and (_inverted(tags) or not plain):
        return "its channels are stored apart, and not as plain 8-bit values"
    if uncompressed and tags.get("PhotometricInterpretation") == _YCBCR:
        if tags.get("YCbCrSubSampling", (2, 2)) != (1, 1):
            return "its colours (YCbCr) are stored coarser than its brightness, uncompressed"
        if picture.mode != "YCbCr":  # Pillow before 13 takes them for four channels
            return "its colours (YCbCr) are stored uncompressed, which only Pillow 13 and later read"
    if _png_header(picture, start) == (16, 2) and "transparency" in picture.info:
        return "one of its 16-bit colours is transparent"
    return None


def _tags(picture: Image) -> dict[str, Any]:
    """What a TIFF file says about its values, by name."""
    from PIL.ExifTags import TAGS

    return {TAGS.get(key, ""): value for key, value in getattr(picture, "tag_v2", {}).items()}


def _inverted(tags: dict[str, Any]) -> bool:
    return tags.get("PhotometricInterpretation", 0) == 0


def _png_header(picture: Image, start: bytes) -> tuple[int, int]:
    """Bits per value and colour type (0 grey, 2 RGB, 4 grey and alpha, ...) of a PNG; (0, -1) for others."""
    return (start[24], start[25]) if picture.format == "PNG" else (0, -1)


def colour(name: str) -> tuple[int, int, int]:
    """Return red, green and blue, 0 to 255, of a colour's name or #rrggbb; ArgumentError for other words."""
    from PIL import ImageColor

    try:
        return ImageColor.getrgb(name)[:3]
    except (AttributeError, TypeError, ValueError):
        raise ArgumentError(
            f"background: expected a colour such as white, black or #336699, got {name!r}"
        ) from None


def _to_array(
    picture: Image, channels: int | None, start: bytes, behind: tuple[int, int, int] = WHITE
) -> np.ndarray:
    """float32 (H, W, channels) in [0, 1]."""
    from PIL import ImageOps

    picture.load()
    depth, kind = _png_header(picture, start)
    upright = ImageOps.exif_transpose(picture)
    channels = channels or (1 if (depth, kind) == (16, 4) else _CHANNELS[upright.mode])
    if upright.mode in _DEEP:
        return np.repeat(_deep_shades(upright, _tags(picture), behind)[..., None], channels, axis=2)
    if kind == 0 and upright.mode == "L" and "transparency" in upright.info:
        most = 2**depth - 1  # Pillow scales few bits to 8, but not the shade that is transparent
        upright.info["transparency"] = (upright.info["transparency"] & most) * 255 // most
    plain = _laid_on(upright, behind).convert("RGB")  # from where all modes lead to grey
    array = np.asarray(plain.convert("L") if channels == 1 else plain, np.float32) / 255
    return array.reshape(*array.shape[:2], channels)


def _deep_shades(picture: Image, tags: dict[str, Any], behind: tuple[int, int, int]) -> np.ndarray:
    """float32 (H, W) in [0, 1] of grey with 12 or 16 bits, which Pillow's own conversion would clip."""
    values = np.asarray(picture).astype(np.float32)  # exact, and in the order of bytes of this machine
    shades = values / (2 ** tags.get("BitsPerSample", (16,))[0] - 1)
    if tags and _inverted(tags):
        shades = 1 - shades
    light = np.float32(np.dot(LUMA, behind) / 255)
    return np.where(values == picture.info.get("transparency", -1), light, shades)


def _laid_on(picture: Image, behind: tuple[int, int, int]) -> Image:
    from PIL import Image

    if not picture.has_transparency_data:
        return picture
    if picture.mode == "La":  # Pillow knows no way from it to colours
        picture = picture.convert("LA")
    picture = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, (*behind, 255)), picture)


def save_image(
    path: str | os.PathLike, image: np.ndarray, *, overwrite: bool = False, step: int | None = None
) -> None:
    """Write one picture; the suffix of ``path`` chooses the format.  All or nothing.

    Args:
        path: ends in .png, .jpg, .webp, .bmp, .gif or .tif.
        image: (1, H, W) or (3, H, W) in [0, 1]; what lies outside is clipped.
        overwrite: whether a file of that name may be replaced.
        step: of the run that made the picture, named in the error if it holds NaN.

    Raises:
        FileError: the file exists, or cannot be written.
        NumericError: a pixel is NaN or infinite.
        ArgumentError, ShapeError: another suffix or shape.
    """
    from PIL import Image

    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ArgumentError(f"save_image: {path} ends in {suffix!r}, expected one of {', '.join(SUFFIXES)}")
    if image.ndim != 3 or image.shape[0] not in (1, 3) or 0 in image.shape:
        raise ShapeError(f"save_image: expected shape (1 or 3, H, W), got {image.shape}")
    if not np.isfinite(image).all():
        where = "" if step is None else f" at step {step}"
        raise NumericError(f"save_image: {path} would hold NaN or infinite pixels{where}; it was not written")
    if not overwrite and os.path.lexists(path):
        raise FileError(f"{path}: exists already; choose another name or allow it with --overwrite")
    pixels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    form = Image.registered_extensions()[suffix]
    buffer = BytesIO()
    picture.save(buffer, form, **({"quality": 95} if form in ("JPEG", "WEBP") else {}))
    with replace_file(path, needed=buffer.tell()) as file:
        file.write(buffer.getbuffer())


def resize(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resample (..., H, W) to (..., height, width), float32: bilinear, averaging where it shrinks.

    The tent filter widens with the scale, as in Pillow's BILINEAR, so that a small copy of a large picture
    does not flicker with single pixels of it.
    """
    images = np.asarray(images, np.float32)
    if height != images.shape[-2]:
        images = _tents(images.shape[-2], height) @ images
    if width != images.shape[-1]:
        images = images @ _tents(images.shape[-1], width).T
    return images


def _tents(before: int, after: int) -> np.ndarray:
    """Weights (after, before) of the old pixels in each new one; each row sums to 1."""
    scale = before / after
    centres = (np.arange(after) + 0.5) * scale - 0.5
    away = np.abs(centres[:, None] - np.arange(before)) / max(scale, 1)
    weights = (1 - away).clip(0)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def crop_square(image: np.ndarray) -> np.ndarray:
    """Return the square (..., S, S) in the middle of (..., H, W), S = min(H, W)."""
    side = min(image.shape[-2:])
    top, left = (image.shape[-2] - side) // 2, (image.shape[-1] - side) // 2
    return image[..., top : top + side, left : left + side]
