"""From files to pictures: every file either becomes upright sRGB pixels or one clear sentence."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.spec.pictures import Picture
from engine.storage.decoder import DECODER, Found
from engine.storage.naming import shown_name

OPEN_SUFFIXES = (
    ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".gif", ".bmp", ".avif", ".heic", ".heif",
)  # fmt: skip


def _never() -> bool:
    return False


@dataclass(frozen=True, eq=False)
class Opened:
    """A picture, and the text that it carries if it is one of ours.

    Attributes:
        picture: Decoded.
        text: None where there is none that could be read.
        complaint: What is wrong with the text; empty where nothing is.
    """

    picture: Picture
    text: str | None
    complaint: str


def open_picture(path: Path, cancelled: Callable[[], bool] = _never) -> Picture:
    """Read a picture file; the first frame of an animation, the first page of a TIFF.

    Args:
        path: Where.
        cancelled: Asked many times a second, from this thread.

    Raises:
        InputError: The file is missing, unreadable, damaged, too large or no picture.
        EngineError: The helper that decodes cannot be begun.
        Cancelled: `cancelled` said so.
    """
    return open_whole(path, cancelled).picture


def open_whole(path: Path, cancelled: Callable[[], bool] = _never) -> Opened:
    """The same, with the text inside."""
    name = shown_name(path)
    found = DECODER.picture(path, name, cancelled)
    return Opened(_picture(found, name, path), found.text, found.complaint)


def open_bytes(data: bytes, name: str) -> Picture:
    """A picture from a file's bytes; `name` is what messages call it.

    Raises:
        InputError: The bytes are damaged, too large or no picture.
        EngineError: The helper that decodes cannot be begun.
    """
    return _picture(DECODER.picture(data, name), name, None)


def text_of(path: Path) -> str | None:
    """The text that one of our own pictures carries; None where there is none.

    Raises:
        InputError: The file is no picture, or its text is damaged.
        EngineError: The helper that decodes cannot be begun.
    """
    return DECODER.text(path, shown_name(path))


def picture_from_pixels(pixels: npt.NDArray[np.uint8], name: str) -> Picture:
    """A picture from sRGB pixels of shape (H, W, 3), which are copied."""
    own = np.array(pixels, dtype=np.uint8, order="C")
    own.flags.writeable = False
    return Picture(own, name, hashlib.sha256(str(own.shape).encode() + own.tobytes()).hexdigest())


def _picture(found: Found, name: str, path: Path | None) -> Picture:
    width, height = found.size
    pixels = np.frombuffer(found.pixels, np.uint8).reshape(height, width, 3)
    return Picture(pixels, name, found.sha256, path, found.notes)
