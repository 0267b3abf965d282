"""The formats that pictures are saved in; menus, help texts and refusals read them here."""

from __future__ import annotations

from dataclasses import dataclass

QUALITIES = range(1, 101)
"""How finely JPEG and WebP may keep a picture."""

USUAL_QUALITY = 95


@dataclass(frozen=True)
class Format:
    """A file format pictures are saved in.

    Attributes:
        name: As people write it.
        suffixes: Of its files, with their dots; the first one is proposed.
        lossless: Whether it keeps every pixel.
        longest: Pixels on a side at most; None where no picture of ours is too long.
    """

    name: str
    suffixes: tuple[str, ...]
    lossless: bool
    longest: int | None = None


PNG = Format("PNG", (".png",), lossless=True)
JPEG = Format("JPEG", (".jpg", ".jpeg"), lossless=False, longest=65_500)
TIFF = Format("TIFF", (".tif", ".tiff"), lossless=True)
WEBP = Format("WebP", (".webp",), lossless=False, longest=16_383)

FORMATS = (PNG, JPEG, TIFF, WEBP)
SUFFIXES = tuple(suffix for each in FORMATS for suffix in each.suffixes)


def format_of(suffix: str) -> Format | None:
    """The format of a file by its suffix, regardless of case; None where there is none."""
    return next((each for each in FORMATS if suffix.lower() in each.suffixes), None)
