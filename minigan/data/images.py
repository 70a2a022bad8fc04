"""Pictures in files: one way in, one way out.

Pillow knows many formats and quietly does the wrong thing with some (it clips 16-bit grey, drops alpha,
ignores the camera's rotation), so every picture comes in through :func:`load_image`.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from minigan.data.arrays import replace_file
from minigan.errors import ArgumentError, DataError, FileError, NumericError, ShapeError

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
MOST_PIXELS = 50_000_000
_STARTS = (b"\x89PNG", b"\xff\xd8", b"GIF8", b"RIFF", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BITS, _PHOTOMETRIC, _MOST = 258, 262, 281  # TIFF tags (TIFF 6.0, section 8)


def load_image(
    path: str | os.PathLike, *, channels: int | None = None, note: Callable[[str], object] = warnings.warn
) -> np.ndarray:
    """Read one picture.

    Transparency is laid on white, the camera's rotation (EXIF) is applied, grey of 12 or 16 bits is scaled
    rather than clipped (in a TIFF by what it says of its bits, its largest value and whether white is 0),
    palettes, CMYK, YCbCr and Lab are converted.

    Args:
        path: a PNG, JPEG, WebP, BMP, GIF or TIFF file of at most 50 million pixels.
        channels: 1 (grey), 3 (RGB), or None for what the picture has.
        note: called with one line if an animation is read, of which only the first frame is used.

    Returns:
        float32 (channels, H, W) in [0, 1].

    Raises:
        FileError: the file is missing or cannot be read.
        DataError: it is not a picture of a known format, too large, damaged, or of floating-point values.
    """
    from PIL import Image, ImageOps

    if channels not in (None, 1, 3):
        raise ArgumentError(f"load_image: channels must be 1, 3 or None, got {channels!r}")
    start = _first_bytes(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(path, formats=FORMATS)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise DataError(_too_large(path, str(error).split(" pixels")[0].split("(")[-1])) from error
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
        if start.startswith(_STARTS):
            raise DataError(f"{path}: truncated or damaged, or of a kind of picture that cannot be read "
                            f"(starts with {start!r}); get it again, or save it as PNG") from error
        raise DataError(f"{path}: not an image (starts with {start!r}); "
                        f"expected {', '.join(FORMATS)}") from error
    with picture, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about odd metadata
        if math.prod(picture.size) > MOST_PIXELS:
            raise DataError(_too_large(path, f"{picture.width} x {picture.height}"))
        if picture.mode == "F" or (picture.mode == "I" and picture.format == "TIFF"):
            raise DataError(f"{path}: its values are floating-point or 32-bit (mode {picture.mode}), in a "
                            "range that is not said; expected 8 or 16 bits, save it so first")
        try:
            frames = 1 if picture.format == "MPO" else getattr(picture, "n_frames", 1)
            picture.load()
            if picture.mode.startswith("I"):  # 16-bit grey, which Pillow's own conversion would clip
                array = _deep_grey(picture, channels)
            else:
                array = _to_array(ImageOps.exif_transpose(picture), channels)
        except Exception as error:
            raise DataError(f"{path}: truncated or damaged ({error}); get the file again") from error
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


def _first_bytes(path: str | os.PathLike) -> bytes:
    if Path(path).is_dir():
        raise DataError(f"{path}: not an image but a directory; give the path of one picture")
    try:
        with open(path, "rb") as file:
            start = file.read(12)
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    if not start:
        raise DataError(f"{path}: not an image: the file is empty")
    return start


def _too_large(path: str | os.PathLike, size: str) -> str:
    return f"{path}: {size} pixels, expected at most {MOST_PIXELS:,}; make it smaller first"


def _to_array(picture: Image, channels: int | None) -> np.ndarray:
    """float32 (H, W, channels) in [0, 1]."""
    grey = channels == 1 or (channels is None and picture.mode in ("1", "L", "LA", "La"))
    picture = _on_white(picture)
    if picture.mode == "LAB":
        picture = picture.convert("RGB")
    array = np.asarray(picture.convert("L" if grey else "RGB"), np.float32) / 255
    return array.reshape(*array.shape[:2], -1)


def _deep_grey(picture: Image, channels: int | None) -> np.ndarray:
    """The same of grey with more than 8 bits; a transparent shade becomes white."""
    from PIL import ImageOps

    tags = getattr(picture, "tag_v2", {})  # of a TIFF; a PNG's 16 bits are always full
    bits = tags.get(_BITS, 16)
    most = tags.get(_MOST) or (1 << (bits[0] if isinstance(bits, tuple) else bits)) - 1
    values = np.asarray(ImageOps.exif_transpose(picture)).astype(np.float32)
    shades = (values / np.float32(most[0] if isinstance(most, tuple) else most)).clip(0, 1)
    if tags.get(_PHOTOMETRIC) == 0:  # white is zero
        shades = 1 - shades
    clear = picture.info.get("transparency")
    if isinstance(clear, int):
        shades[values == clear] = 1
    return np.repeat(shades[..., None], channels or 1, axis=2)


def _on_white(picture: Image) -> Image:
    from PIL import Image

    if not picture.has_transparency_data:
        return picture
    picture = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)


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
