"""JPEGs, by a decoder that tells if something is missing: Pillow's fills it up with grey."""

from __future__ import annotations

from typing import BinaryIO

import simplejpeg
from PIL import Image, ImageFile

_MODES = {"L": ("GRAY", "L"), "RGB": ("RGBX", "RGBX")}
"""What is asked of the decoder for each mode of Pillow's, and how Pillow sees that in place."""


def decoded_jpeg(file: BinaryIO, image: ImageFile.ImageFile) -> Image.Image:
    """Decode a JPEG at once.

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
    wanted, seen_as = _MODES.get(image.mode, ("CMYK", ""))
    try:
        if seen_as:
            pixels = simplejpeg.decode_jpeg(data, wanted, fastdct=False)
            decoded = Image.frombuffer(seen_as, image.size, pixels, "raw", seen_as, 0, 1)
            decoded.info = image.info
            return decoded
        # Of inks Pillow alone knows which are stored as negatives: this only looks for what lacks.
        simplejpeg.decode_jpeg(data, wanted, min_height=1, min_width=1, min_factor=8)
    except ValueError as error:
        # Whatever else it stumbles over, Pillow says so, or shows that it does not matter: bytes
        # that belong to nothing, or a kind of JPEG that only that one knows.
        if "premature end" in str(error).lower():
            raise OSError("a part of the JPEG is missing") from error
    image.load()
    return image


def _ends(data: bytes) -> bool:
    """Whether the end marker follows the scan, past a thumbnail's own in the header."""
    position = 2
    while data[position : position + 1] == b"\xff" and data[position + 1] != 0xDA:
        fill = data[position + 1] == 0xFF
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        position += 1 if fill else 2 + length
    return data.find(b"\xff\xd9", position) >= 0
