"""Whether a picture file is all there: decoders fill up what is missing without a word."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

import simplejpeg
from PIL import Image, ImageFile

_UNCOMPRESSED = (("TIFF", "raw"), ("BMP", 0), ("BMP", 3))
"""Formats with what Pillow says of their compression, in which zeros may be black."""

_SUSPICIOUS = 32
"""Zeros at the end of a compressed file, where chance would put none in a million files."""

_SUSPICIOUS_SHARE, _SUSPICIOUS_BYTES = 0.01, 4096
"""Of an uncompressed one, where a dark edge is nothing to speak of."""

_BLOCK = 1 << 16

Verdict = Callable[[], None]
"""Waits for a check that goes on meanwhile; raises OSError if something is missing."""


def _nothing_missing() -> None:
    pass


def begin_check(file: BinaryIO, image: ImageFile.ImageFile) -> Verdict:
    """Look for what the decoder would not miss; the rest of the work goes on beside this.

    Args:
        file: The picture's; read to its end or not at all.
        image: Identified, not decoded.

    Raises:
        OSError, SyntaxError: Something is missing, in words.
    """
    if image.format == "PNG":
        file.seek(0)
        Image.open(file, formats=["PNG"]).verify()
    if image.format not in ("JPEG", "MPO"):
        return _nothing_missing
    file.seek(0)
    data = file.read()
    if not _jpeg_ends(data):
        raise OSError("the end of the JPEG is missing")
    helper = ThreadPoolExecutor(1)
    scans = helper.submit(_check_scans, data)
    helper.shutdown(wait=False)
    return scans.result


def doubt(file: BinaryIO, image: Image.Image) -> tuple[str, ...]:
    """A sentence if a file ends in zeros, as where copying it broke off; a JPEG's end was seen."""
    if image.format in ("JPEG", "MPO", "PNG"):
        return ()
    size = file.seek(0, os.SEEK_END)
    zeros = _zeros_at_the_end(file, size)
    plain = (image.format, image.info.get("compression")) in _UNCOMPRESSED
    if zeros <= (max(size * _SUSPICIOUS_SHARE, _SUSPICIOUS_BYTES) if plain else _SUSPICIOUS):
        return ()
    share = max(1, round(100 * zeros / size))
    if plain:
        return (f"The last {share} % of the file are zeros: black, or never copied.",)
    return (f"The last {share} % of the file are zeros; the picture may be incomplete.",)


def _jpeg_ends(data: bytes) -> bool:
    """Whether the end marker follows the scan, past a thumbnail's own in the header."""
    position = 2
    while data[position : position + 1] == b"\xff" and data[position + 1] != 0xDA:
        fill = data[position + 1] == 0xFF
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        position += 1 if fill else 2 + length
    return data.find(b"\xff\xd9", position) >= 0


def _check_scans(data: bytes) -> None:
    """Walk a JPEG's scans at an eighth of its size: Pillow hears no warning of its decoder.

    Raises:
        OSError: A scan ends before the picture does.
    """
    try:
        *_, space, _ = simplejpeg.decode_jpeg_header(data)
        colours = "CMYK" if space in ("CMYK", "YCCK") else "GRAY"
        simplejpeg.decode_jpeg(data, colours, min_height=1, min_width=1, min_factor=8)
    except ValueError as error:
        # Whatever else it stumbles over, the decoder proper says so, or shows that it does not
        # matter: bytes that belong to nothing, or a kind of JPEG that only that one knows.
        if "premature end" in str(error).lower():
            raise OSError("a part of the JPEG is missing") from error


def _zeros_at_the_end(file: BinaryIO, size: int) -> int:
    """How many zero bytes a file ends in."""
    position = size
    while position > 0:
        begin = max(0, position - _BLOCK)
        file.seek(begin)
        block = file.read(position - begin)
        kept = block.rstrip(b"\0")
        if kept:
            return size - begin - len(kept)
        position = begin
    return size
