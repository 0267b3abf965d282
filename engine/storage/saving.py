"""From pixels to files: a file is there whole, read back and with its recipe, or not at all."""

from __future__ import annotations

import errno
import io
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.spec.errors import InputError
from engine.spec.pictures import Pixels
from engine.storage.colour import SRGB_PROFILE
from engine.storage.decoding import decoded_here
from engine.storage.embedding import png_chunks, tiff_tags, xmp_packet
from engine.storage.formats import (
    JPEG,
    PNG,
    QUALITIES,
    SUFFIXES,
    TIFF,
    USUAL_QUALITY,
    WEBP,
    Format,
    format_of,
)
from engine.storage.naming import shown_name, shown_path
from engine.storage.paths import replacing, taken, unwritable, written_at
from engine.storage.recipes import Recipe, parse_recipe


def save_pixels(
    pixels: Pixels,
    path: Path,
    *,
    recipe: Recipe | None = None,
    quality: int = USUAL_QUALITY,
    overwrite: bool = False,
) -> None:
    """Write a picture in the format of the path's suffix, with its sRGB profile and recipe.

    The file appears at once and whole: it is written beside its place, read back and decoded,
    and only then moved there. On any failure nothing is left behind and what was there stays.

    Args:
        pixels: Shape (H, W, 3), sRGB.
        path: Where to; its folder exists. A link stays one, and what it leads to is replaced.
        recipe: What made the picture.
        quality: One of `QUALITIES`, for JPEG and WebP.
        overwrite: Whether a file of that name may be replaced.

    Raises:
        InputError: The suffix, size, quality or place does not allow it, the file exists and
            may not be replaced, or what was read back is not what was written.
    """
    check_place(path, overwrite=overwrite)
    file_format = _format_of(path)
    _refuse_unfit(pixels, file_format, quality)
    try:
        data = _encoded(pixels, file_format, recipe, quality)
    except (OSError, ValueError, struct.error) as error:  # what Pillow's encoders raise
        raise InputError(
            f"{shown_name(path)} could not be written as {file_format.name}.", "Save as PNG."
        ) from error

    def check(written: bytes) -> None:
        if written != data or not _holds(written, pixels, file_format, recipe):
            raise InputError(
                f"{shown_name(path)} was not saved: what was read back is not what was written.",
                "Save to another disk.",
            )

    with replacing(path, overwrite=overwrite, check=check) as temporary:
        temporary.write_bytes(data)


def check_place(path: Path, *, overwrite: bool = False) -> None:
    """Refuse at once what saving there would refuse after hours of work.

    Raises:
        InputError: The suffix is unknown, the folder is missing or may not be written to, or the
            name is too long, of something else than a file, or taken and may not be replaced.
    """
    _format_of(path)
    place = written_at(path)
    try:
        path.parent.stat()
        if _is_taken(path) and not overwrite:
            raise taken(path)
        if not os.access(place.parent, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise unwritable(place, error) from error
    except ValueError as error:  # a zero byte, or what no encoding has
        raise InputError(
            f"No file can be named {shown_path(path)}.", "Use another name."
        ) from error


def _is_taken(path: Path) -> bool:
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def _format_of(path: Path) -> Format:
    found = format_of(path.suffix)
    if found is None:
        raise InputError(
            f"Gramarye cannot tell from the name {shown_name(path)} which format to save in.",
            f"End the name in one of {', '.join(SUFFIXES)}.",
        )
    return found


def _refuse_unfit(pixels: Pixels, file_format: Format, quality: int) -> None:
    longest = file_format.longest
    if quality not in QUALITIES:
        raise InputError(
            f"The quality cannot be {quality}.",
            f"Give a number from {QUALITIES[0]} to {QUALITIES[-1]}.",
        )
    if longest and max(pixels.shape[:2]) > longest:
        raise InputError(
            f"A {file_format.name} file cannot be longer than {longest} pixels on a side.",
            "Save as PNG or TIFF.",
        )


def _encoded(pixels: Pixels, file_format: Format, recipe: Recipe | None, quality: int) -> bytes:
    text = None if recipe is None else recipe.to_json()
    options: dict[str, Any] = {"icc_profile": SRGB_PROFILE}
    if file_format is PNG:
        # Brushwork hardly compresses: the usual level takes thrice as long for 4 % fewer bytes.
        options |= {"compress_level": 1, "pnginfo": png_chunks(text)}
    elif file_format is TIFF:
        options |= {"compression": "tiff_adobe_deflate", "tiffinfo": tiff_tags(text)}
    elif file_format in (JPEG, WEBP):
        options["quality"] = quality
        if text is not None:
            options["xmp"] = xmp_packet(text)
    if file_format is JPEG:
        options["subsampling"] = 0  # halved colour bleeds at the edges of saturated strokes
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, file_format.name, **options)
    return buffer.getvalue()


def _holds(data: bytes, pixels: Pixels, file_format: Format, recipe: Recipe | None) -> bool:
    """Whether a file's bytes open again as the picture and recipe they were made from."""
    try:
        found, facts = decoded_here(io.BytesIO(data), "the file")
        read = None if facts.text is None else parse_recipe(facts.text, "the file").recipe
    except InputError:
        return False
    if facts.complaint or read != recipe:
        return False
    return np.array_equal(found, pixels) if file_format.lossless else found.shape == pixels.shape
