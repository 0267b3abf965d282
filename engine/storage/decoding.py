"""From the bytes of a picture file to upright sRGB pixels, or one clear sentence.

Runs where a decoder may crash, hang or take gigabytes without harm; see `decoder.py`.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from engine.spec.errors import InputError
from engine.spec.wording import plain
from engine.storage.colour import Conversion, is_deep, strips
from engine.storage.completeness import check_sums, doubt
from engine.storage.decoding_costs import Needs, needs_of, refuse_if_hollow
from engine.storage.embedding import embedded_text
from engine.storage.jpegs import decoded_jpeg
from engine.storage.opening import USABLE

if TYPE_CHECKING:  # a helper process loads what it needs: this would double the time it takes
    from engine.spec.pictures import Pixels, Size

PIXEL_LIMIT = 300_000_000
"""Pictures with more pixels than this are refused before anything is decoded."""

_FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "AVIF")

_UPRIGHT: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: upright.transpose(1, 0, 2)[::-1],
    7: lambda upright: upright.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda upright: upright.transpose(1, 0, 2)[:, ::-1],
}
"""Where a picture stored in an EXIF orientation lies in the upright one: a view of that."""

_LYING = (5, 6, 7, 8)
"""Orientations in which a picture's sides are exchanged."""

# Pillow's own limit is lower and the same for every picture in the process; see `identify`.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True)
class Decoded:
    """What was found in a picture file, but for the pixels.

    Attributes:
        size: Width and height of the upright picture.
        sha256: Of the file's bytes, hexadecimal.
        notes: What was done to it on the way in, one sentence each.
        text: What our own pictures carry inside; None where there is nothing.
        complaint: What is wrong with that; empty where nothing is.
    """

    size: Size
    sha256: str
    notes: tuple[str, ...]
    text: str | None
    complaint: str


Room = Callable[[Needs], "Pixels"]
"""Asked once, when the header has been read: memory for all pixels, of any shape."""


def decode_picture(file: BinaryIO, name: str, room: Room) -> Decoded:
    """Decode a picture file: the first frame of an animation, the first page of a TIFF.

    Args:
        file: Open, at its beginning.
        name: What messages call it.
        room: Where the pixels go.

    Raises:
        InputError: The bytes are damaged, too large or no picture; or what `room` raises.
    """
    image = identify(file, name)
    text, complaint = _text_and_complaint(image, name)
    size = file.seek(0, os.SEEK_END)
    refuse_if_hollow(image, size, name)
    pixels = room(needs_of(image, size))
    try:
        if image.format == "PNG":
            check_sums(file)
            file.seek(0)
            image = identify(file, name)
        shape, notes = _decoded_into(pixels, image, file)
    except MemoryError as error:
        raise InputError(
            f"{name} is too large for this machine's memory.", "Make it smaller first."
        ) from error
    except Exception as error:  # decoders raise whatever they trip over
        raise _damaged(name, error) from error
    file.seek(0)
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    return Decoded(shape, sha256, notes, text, complaint)


def decoded_here(file: BinaryIO, name: str) -> tuple[Pixels, Decoded]:
    """The pixels in a file of our own, shape (H, W, 3), decoded in this process.

    Raises:
        InputError: It is damaged.
    """
    memory: list[Pixels] = []

    def room(needs: Needs) -> Pixels:
        memory.append(np.empty(needs.result, np.uint8))
        return memory[0]

    found = decode_picture(file, name, room)
    width, height = found.size
    return memory[0].reshape(height, width, 3), found


def identify(file: BinaryIO, name: str) -> ImageFile.ImageFile:
    """The picture's header: format, size and metadata, nothing decoded yet.

    Raises:
        InputError: There is no picture in the bytes, or it is too large.
    """
    head = file.read(512)
    file.seek(0)
    if not head:
        raise InputError(f"{name} is empty.", "Copy or export it again.")
    heic = _is_heic(head)
    if heic:
        _load_heic(name)
    try:
        image = Image.open(file, formats=("HEIF",) if heic else _FORMATS)
    except UnidentifiedImageError as error:
        raise InputError(f"{name} is not a picture Gramarye can open.", USABLE) from error
    except Exception as error:  # header parsers raise whatever they trip over
        raise _damaged(name, error) from error
    if image.width * image.height > PIXEL_LIMIT:
        raise InputError(
            f"{name} is too large: {image.width} × {image.height} pixels.",
            f"Make it smaller than {PIXEL_LIMIT // 1_000_000} megapixels first.",
        )
    return image


def text_in(file: BinaryIO, name: str) -> str | None:
    """The text that our own pictures carry; None where there is none.

    Raises:
        InputError: The file is no picture, or the text is damaged or too long.
    """
    return embedded_text(identify(file, name), name)


def _decoded_into(
    pixels: Pixels, image: ImageFile.ImageFile, file: BinaryIO
) -> tuple[Size, tuple[str, ...]]:
    """Decode into memory of the right length; the upright size, and what was done."""
    deep = is_deep(image)
    turned = ("Turned upright.",) if _orientation(image) != 1 else ()
    decoded: Image.Image = image
    doubts: tuple[str, ...] = ()
    if image.format in ("JPEG", "MPO"):
        decoded, doubts = decoded_jpeg(file, image)
    else:
        image.load()
        if image.format != "PNG":
            doubts = doubt(file, image)
    conversion = Conversion(decoded, deep=deep)
    # Pillow has turned a TIFF upright by now and says so.
    orientation = _orientation(image)
    width, height = decoded.size[::-1] if orientation in _LYING else decoded.size
    stored = _UPRIGHT[orientation](pixels.reshape(height, width, 3))
    for top, bottom in strips(decoded):
        stored[top:bottom] = conversion.band(top, bottom)
    return (width, height), (*turned, *conversion.notes, *doubts)


def _text_and_complaint(image: Image.Image, name: str) -> tuple[str | None, str]:
    try:
        return embedded_text(image, name), ""
    except InputError as error:
        return None, str(error)


def _damaged(name: str, error: Exception) -> InputError:
    reason = plain(str(error) or type(error).__name__, 160)
    return InputError(f"{name} is damaged or incomplete ({reason}).", "Copy or export it again.")


def _is_heic(head: bytes) -> bool:
    # AVIF has the same container; only the brands after "ftyp" tell them apart.
    brands = head[8 : int.from_bytes(head[:4], "big")][:256]
    return head[4:8] == b"ftyp" and any(brand in brands for brand in (b"heic", b"heix", b"hevc"))


def _load_heic(name: str) -> None:
    try:
        plugin: Any = importlib.import_module("pi_heif")
    except ImportError as error:
        raise InputError(
            f"{name} is a HEIC picture, which Gramarye can only open with the package pi-heif.",
            "Install it with `pip install pi-heif`, or export the picture as JPEG.",
        ) from error
    plugin.register_heif_opener()


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # broken EXIF is no reason to refuse the picture
        return 1
    return value if value in _UPRIGHT else 1
