"""JPEGs, by a decoder that tells if something is missing: Pillow's fills it up with grey."""

from __future__ import annotations

from typing import BinaryIO

import simplejpeg
from PIL import Image, ImageFile

_MODES = {"L": ("GRAY", "L"), "RGB": ("RGBX", "RGBX")}
"""What is asked of the decoder for each mode of Pillow's, and how Pillow sees that in place."""


_MOST_SCANS = 200
"""Of a progressive JPEG, which has about ten; thousands would keep a decoder busy for minutes."""

_DAMAGED = "The file is damaged in places; the picture may be incomplete."


def decoded_jpeg(file: BinaryIO, image: ImageFile.ImageFile) -> tuple[Image.Image, tuple[str, ...]]:
    """Decode a JPEG at once; with a sentence if it may be incomplete.

    Args:
        file: Its file.
        image: As Pillow has identified it.

    Raises:
        OSError: A part of it is missing.
    """
    file.seek(0)
    data = file.read()
    if not _ends(data):
        raise OSError("the end of the JPEG is missing")
    if data.count(b"\xff\xda") > _MOST_SCANS:
        raise OSError("the JPEG has too many scans")
    wanted, seen_as = _MODES.get(image.mode, ("CMYK", ""))
    doubts: tuple[str, ...] = ()
    try:
        if seen_as:
            pixels = simplejpeg.decode_jpeg(data, wanted, fastdct=False)
            decoded = Image.frombuffer(seen_as, image.size, pixels, "raw", seen_as, 0, 1)
            decoded.info = image.info
            return decoded, ()
        # Of inks Pillow alone knows which are stored as negatives: this only looks for what lacks.
        simplejpeg.decode_jpeg(data, wanted, min_height=1, min_width=1, min_factor=8)
    except ValueError as error:
        words = str(error).lower()
        if "premature end" in words:
            raise OSError("a part of the JPEG is missing") from error
        # Of several complaints only one is told. Where it is that of a kind of JPEG which only
        # Pillow knows, nothing is amiss.
        if "corrupt" in words:
            doubts = (_DAMAGED,)
    image.load()
    return image, doubts


def _ends(data: bytes) -> bool:
    """Whether the end marker follows the scan, past a thumbnail's own in the header."""
    position = 2
    while data[position : position + 1] == b"\xff" and data[position + 1] != 0xDA:
        fill = data[position + 1] == 0xFF
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        position += 1 if fill else 2 + length
    return data.find(b"\xff\xd9", position) >= 0
