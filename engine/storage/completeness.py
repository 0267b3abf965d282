"""Whether a picture file is all there: decoders fill up what is missing without a word."""

from __future__ import annotations

import os
from typing import BinaryIO

from PIL import Image

_UNCOMPRESSED = (("TIFF", "raw"), ("BMP", 0), ("BMP", 3))
"""Formats with what Pillow says of their compression, in which zeros may be black."""

_SUSPICIOUS = 32
"""Zeros at the end of a compressed file, where chance would put none in a million files."""

_SUSPICIOUS_SHARE, _SUSPICIOUS_BYTES = 0.01, 4096
"""Of an uncompressed one, where a dark edge is nothing to speak of."""

_BLOCK = 1 << 16


def check_sums(file: BinaryIO) -> None:
    """See whether a PNG's chunks are whole, which decoding it would not.

    Raises:
        OSError, SyntaxError: One is not, in words.
    """
    file.seek(0)
    Image.open(file, formats=["PNG"]).verify()


def doubt(file: BinaryIO, image: Image.Image) -> tuple[str, ...]:
    """A sentence if a file ends in zeros, as where copying it broke off.

    Args:
        file: A picture's whose end the decoder does not miss by itself.
        image: As it was identified.
    """
    size = file.seek(0, os.SEEK_END)
    zeros = _zeros_at_the_end(file, size)
    plain = (image.format, image.info.get("compression")) in _UNCOMPRESSED
    if zeros <= (max(size * _SUSPICIOUS_SHARE, _SUSPICIOUS_BYTES) if plain else _SUSPICIOUS):
        return ()
    share = max(1, round(100 * zeros / size))
    if plain:
        return (f"The last {share} % of its file is empty: black, or never copied.",)
    return (f"The last {share} % of its file is empty; the picture may be incomplete.",)


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
