"""Pictures as they flow: decoded pixels, and what a request knows of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field

from engine.spec.values import Value
from engine.spec.wording import plain

Size = tuple[int, int]
"""Width and height in pixels."""

Pixels = npt.NDArray[np.uint8]
"""An sRGB picture, shape (H, W, 3), 0..255, C-contiguous."""

LONGEST_NAME = 255
"""Characters of a picture's name, as many as a file's can have."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Length = Annotated[int, Field(ge=1)]


def _bare(name: str) -> str:
    return plain(re.split(r"[/\\]", name)[-1], LONGEST_NAME)


class PictureRef(Value):
    """A picture by what it holds: enough to recognise it and to plan with it.

    Attributes:
        name: What to call it, without folders.
        sha256: Of the file's bytes, or of the pixels where there was no file; hexadecimal.
        size: Width and height in pixels; None where it is not known before the file is opened.
        path: Where it was found; empty where it has no place that can be written down.
    """

    name: Annotated[str, AfterValidator(_bare), Field(max_length=1024)]
    sha256: Sha256
    size: tuple[Length, Length] | None = None
    path: str = ""

    def without_folder(self) -> PictureRef:
        """The same for others to read: where a person keeps pictures is nobody else's business."""
        return self.model_copy(update={"path": ""})


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture, upright and in sRGB.

    Attributes:
        pixels: Shape (H, W, 3), uint8, sRGB; marked read-only.
        name: What to call it in the window and in recipes, usually the file's name.
        sha256: Of the file's bytes, or of the pixels where there was no file; hexadecimal.
        path: Where it came from; None for pasted pictures.
        notes: What was done to it on the way in, one plain sentence each ("Turned upright.").
    """

    pixels: Pixels
    name: str
    sha256: str
    path: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> Size:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def ref(self) -> PictureRef:
        """What a request knows of it."""
        return PictureRef(
            name=self.name, sha256=self.sha256, size=self.size, path=written(self.path)
        )


@dataclass(frozen=True)
class StyleImage:
    """An opened painting and its share in the blend; shares are relative to each other."""

    picture: Picture
    weight: float = 1.0


def written(path: Path | None) -> str:
    """A path as text; empty where it is not valid Unicode, which JSON cannot hold."""
    if path is None:
        return ""
    try:
        return str(path.absolute()).encode().decode()
    except UnicodeEncodeError:
        return ""
