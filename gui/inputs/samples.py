"""The pictures that come with the program, as pairs to try things out with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtGui import QImage

from engine.storage.decoding import decoded_here
from gui.base.qimages import thumbnail
from resources import SAMPLES

THUMBNAIL = 480
"""Pixels of a thumbnail's long side: for cropping, and for dense screens."""


@dataclass(frozen=True)
class SamplePair:
    """A photograph and a painting.

    Attributes:
        title: What to call the painting.
        painting: Its file.
        photograph: The photograph's file.
    """

    title: str
    painting: Path
    photograph: Path = SAMPLES / "photograph.jpg"


SAMPLE_PAIRS = (
    SamplePair("Stars and sunflowers", SAMPLES / "painting.jpg"),
    SamplePair("Woodcut", SAMPLES / "woodcut.jpg"),
    SamplePair("Watercolour", SAMPLES / "wash.jpg"),
    SamplePair("Mosaic", SAMPLES / "mosaic.jpg"),
)


def sample_thumbnail(path: Path) -> QImage:
    """A small copy of a sample picture; decodes it, so not on the window's thread.

    Raises:
        InputError: The file is damaged.
        OSError: It is missing.
    """
    with path.open("rb") as file:
        pixels, _ = decoded_here(file, path.name)
    return thumbnail(pixels, THUMBNAIL)
