"""What decoding a picture takes, told by its header before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.spec.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

_STORED = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "LA": 4}
_USUALLY_STORED = 4
"""Bytes in which Pillow holds a pixel."""

_BESIDE = {"WEBP": 8, "AVIF": 16, "HEIF": 16, "TIFF": 8, "GIF": 6}
_PROGRESSIVE = 6
"""Bytes of a pixel that a decoder holds beside that: its own planes, coefficients or strips."""

_FIXED = 150_000_000
"""Bytes for what does not grow with the picture."""

_SECONDS, _SECONDS_PER_MEGAPIXEL, _SECONDS_PER_MEGABYTE = 2.0, 0.4, 0.01
"""Of the processor's time, several times what whole pictures were measured to take: a progressive
JPEG 0.08 s for a megapixel, an AVIF 0.05 s."""

_SECONDS_PER_MEGAPIXEL_OF_INK = 1.0
"""The same for CMYK with a profile: 0.2 s."""

_BITS = {"1": 1, "L": 8, "P": 8, "LA": 16, "I;16": 16, "RGB": 24}
_USUAL_BITS = 32

_LARGE = 64_000_000
"""Pixels beyond which a file must hold something."""

_HOLLOW = 400
"""To how many times its length a file of a photograph or painting does not grow."""


@dataclass(frozen=True)
class Needs:
    """What decoding one picture takes.

    Attributes:
        result: Bytes of the pixels as they are handed over.
        memory: Bytes at the peak, these included.
        seconds: Of the processor's time, at most.
    """

    result: int
    memory: int
    seconds: float


HEADER = Needs(result=0, memory=400_000_000, seconds=1.0)
"""What reading a header takes, metadata included."""


def needs_of(image: Image.Image, file_size: int) -> Needs:
    """What decoding takes.

    Args:
        image: Identified, not decoded.
        file_size: Bytes.
    """
    pixels = image.width * image.height
    beside = _BESIDE.get(image.format or "", 0)
    ink = image.mode == "CMYK"
    per_megapixel = _SECONDS_PER_MEGAPIXEL_OF_INK if ink else _SECONDS_PER_MEGAPIXEL
    data = 0
    if image.format in ("JPEG", "MPO"):
        beside = _PROGRESSIVE if image.info.get("progressive") else 0
        data = 2 * file_size
    each = _STORED.get(image.mode, _USUALLY_STORED) + beside + 3
    return Needs(
        result=3 * pixels,
        memory=each * pixels + data + _FIXED,
        seconds=_SECONDS + per_megapixel * pixels / 1e6 + _SECONDS_PER_MEGABYTE * file_size / 1e6,
    )


def refuse_if_hollow(image: Image.Image, file_size: int, name: str) -> None:
    """Refuse a small file that would grow enormously.

    Raises:
        InputError: It would.
    """
    pixels = image.width * image.height
    if pixels * _BITS.get(image.mode, _USUAL_BITS) / 8 > _HOLLOW * file_size and pixels > _LARGE:
        raise InputError(
            f"{name} claims {image.width} × {image.height} pixels, and hardly anything is in it.",
            f"Copy it again, or make it smaller than {_LARGE // 1_000_000} megapixels.",
        )
