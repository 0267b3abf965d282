"""From files to pictures: every file either becomes upright sRGB pixels or one clear sentence."""

from __future__ import annotations

import hashlib
import importlib
import io
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from engine.spec.errors import InputError
from engine.spec.pictures import Picture
from engine.storage.colour import is_deep, pixels_of, to_srgb
from engine.storage.naming import shown_name

OPEN_SUFFIXES = (
    ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".gif", ".bmp", ".avif", ".heic", ".heif",
)  # fmt: skip
PIXEL_LIMIT = 300_000_000
"""Pictures with more pixels than this are refused before anything is decoded."""

_FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "AVIF")
_FILE_LIMIT = 8 * PIXEL_LIMIT  # no picture within the limit needs more: 16 bits, four channels
_USE = "Open a JPEG, PNG, TIFF, WebP, GIF, BMP, AVIF or HEIC picture."
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How to undo each EXIF orientation; 1 is upright."""

# Pillow's own limit is lower and the same for every picture in the process; see `identify`.
Image.MAX_IMAGE_PIXELS = None


def open_picture(path: Path) -> Picture:
    """Read a picture file; the first frame of an animation, the first page of a TIFF.

    Raises:
        InputError: The file is missing, unreadable, damaged, too large or no picture.
    """
    return replace(decode_picture(read_file(path), shown_name(path)), path=path)


def decode_picture(data: bytes, name: str) -> Picture:
    """A picture from a file's bytes; `name` is what messages call it.

    Raises:
        InputError: The bytes are damaged, too large or no picture.
    """
    image = identify(data, name)
    try:
        _check_complete(data, image)
        deep = is_deep(image)
        turned = _orientation(image)
        colour, notes = to_srgb(image, deep)
        # Pillow has turned a TIFF upright by now and says so.
        colour = _upright(colour, _orientation(image))
    except MemoryError as error:
        raise InputError(
            f"{name} is too large for this machine's memory.", "Make it smaller first."
        ) from error
    except Exception as error:  # decoders raise whatever they trip over
        raise InputError(
            f"{name} is damaged or incomplete ({error}).", "Copy or export it again."
        ) from error
    if turned != 1:
        notes = ("Turned upright.", *notes)
    return Picture(pixels_of(colour), name, hashlib.sha256(data).hexdigest(), notes=notes)


def picture_from_pixels(pixels: npt.NDArray[np.uint8], name: str) -> Picture:
    """A picture from sRGB pixels of shape (H, W, 3), which are copied."""
    own = np.array(pixels, dtype=np.uint8, order="C")
    own.flags.writeable = False
    return Picture(own, name, hashlib.sha256(str(own.shape).encode() + own.tobytes()).hexdigest())


def identify(data: bytes, name: str) -> ImageFile.ImageFile:
    """The picture's header: format, size and metadata, nothing decoded yet.

    Raises:
        InputError: There is no picture in the bytes, or it is too large.
    """
    if not data:
        raise InputError(f"{name} is empty.", "Copy or export it again.")
    heic = _is_heic(data)
    if heic:
        _load_heic(name)
    try:
        image = Image.open(io.BytesIO(data), formats=("HEIF",) if heic else _FORMATS)
    except UnidentifiedImageError as error:
        raise InputError(f"{name} is not a picture Gramarye can open.", _USE) from error
    except Exception as error:  # header parsers raise whatever they trip over
        raise InputError(
            f"{name} is damaged or incomplete ({error}).", "Copy or export it again."
        ) from error
    if image.width * image.height > PIXEL_LIMIT:
        raise InputError(
            f"{name} is too large: {image.width} × {image.height} pixels.",
            f"Make it smaller than {PIXEL_LIMIT // 1_000_000} megapixels first.",
        )
    return image


def read_file(path: Path) -> bytes:
    """All bytes of an ordinary file.

    Raises:
        InputError: It is missing, a folder, unreadable or far too large for a picture.
    """
    name = shown_name(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InputError(f"{name} is a folder.", "Choose a picture inside it.")
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{name} is not an ordinary file.", _USE)
        if status.st_size > _FILE_LIMIT:
            raise InputError(f"{name} is too large for a picture.", _USE)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"There is no file {name}.", "Check the name and the folder.") from error
    except PermissionError as error:
        raise InputError(f"{name} may not be read.", "Check the file's permissions.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{name} could not be read: {reason}.", "Check the file.") from error


def _is_heic(data: bytes) -> bool:
    # AVIF has the same container; only the brands after "ftyp" tell them apart.
    brands = data[8 : int.from_bytes(data[:4], "big")][:256]
    return data[4:8] == b"ftyp" and any(brand in brands for brand in (b"heic", b"heix", b"hevc"))


def _load_heic(name: str) -> None:
    try:
        plugin: Any = importlib.import_module("pi_heif")
    except ImportError as error:
        raise InputError(
            f"{name} is a HEIC picture, which Gramarye can only open with the package pi-heif.",
            "Install it with `pip install pi-heif`, or export the picture as JPEG.",
        ) from error
    plugin.register_heif_opener()


def _check_complete(data: bytes, image: Image.Image) -> None:
    """Refuse what Pillow would half decode: files filled up with zeros where a copy broke off."""
    if image.format == "PNG":
        Image.open(io.BytesIO(data), formats=["PNG"]).verify()
    if image.format in ("JPEG", "MPO") and not _jpeg_ends(data):
        raise OSError("the end of the JPEG is missing")


def _jpeg_ends(data: bytes) -> bool:
    """Whether the end marker follows the scan, past a thumbnail's own in the header."""
    position = 2
    while data[position : position + 1] == b"\xff" and data[position + 1] != 0xDA:
        fill = data[position + 1] == 0xFF
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        position += 1 if fill else 2 + length
    return data.find(b"\xff\xd9", position) >= 0


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # broken EXIF is no reason to refuse the picture
        return 1
    return value if value in _UPRIGHT else 1


def _upright(colour: Image.Image, orientation: int) -> Image.Image:
    return colour if orientation == 1 else colour.transpose(_UPRIGHT[orientation])
