"""From pixels to files: a file is there whole, read back and with its recipe, or not at all."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.spec.errors import InputError
from engine.spec.pictures import Pixels
from engine.storage.colour import SRGB_PROFILE
from engine.storage.embedding import png_chunks, tiff_tags, xmp_packet
from engine.storage.images import decode_picture, shown_name
from engine.storage.recipes import Recipe, recipe_in


@dataclass(frozen=True)
class _Format:
    """A file format as Pillow calls it; whether it keeps every pixel, and its longest side."""

    name: str
    lossless: bool
    longest: int | None = None


_PNG, _TIFF = _Format("PNG", lossless=True), _Format("TIFF", lossless=True)
_JPEG = _Format("JPEG", lossless=False, longest=65_500)
_WEBP = _Format("WEBP", lossless=False, longest=16_383)
_FORMATS = {
    ".png": _PNG, ".jpg": _JPEG, ".jpeg": _JPEG, ".tif": _TIFF, ".tiff": _TIFF, ".webp": _WEBP,
}  # fmt: skip

SAVE_SUFFIXES = tuple(_FORMATS)


def save_pixels(
    pixels: Pixels,
    path: Path,
    *,
    recipe: Recipe | None = None,
    quality: int = 95,
    overwrite: bool = False,
) -> None:
    """Write a picture in the format of the path's suffix, with its sRGB profile and recipe.

    The file appears at once and whole: it is written beside its place, read back and decoded,
    and only then moved there. On any failure nothing is left behind and what was there stays.

    Args:
        pixels: Shape (H, W, 3), sRGB.
        path: Where to; its folder exists.
        recipe: What made the picture.
        quality: 1..100, for JPEG and WebP.
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

    try:
        _write_whole(data, path, check, overwrite)
    except OSError as error:
        raise _refusal(error, path) from error


def check_place(path: Path, *, overwrite: bool = False) -> None:
    """Refuse at once what saving there would refuse after hours of work.

    Raises:
        InputError: The suffix is unknown, the folder is missing or may not be written to, or the
            name is too long, a folder's, or taken and may not be replaced.
    """
    _format_of(path)
    if os.path.isdir(path):
        raise InputError(f"{shown_name(path)} is a folder.", "Give the file a name of its own.")
    try:
        path.parent.stat()
        if _is_taken(path) and not overwrite:
            raise _exists(path)
        if not os.access(path.parent, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _refusal(error, path) from error


def _is_taken(path: Path) -> bool:
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def _format_of(path: Path) -> _Format:
    try:
        return _FORMATS[path.suffix.lower()]
    except KeyError:
        raise InputError(
            f"Gramarye cannot tell from the name {shown_name(path)} which format to save in.",
            f"End the name in one of {', '.join(SAVE_SUFFIXES)}.",
        ) from None


def _refuse_unfit(pixels: Pixels, file_format: _Format, quality: int) -> None:
    longest = file_format.longest
    if not 1 <= quality <= 100:
        raise InputError(f"The quality cannot be {quality}.", "Give a number from 1 to 100.")
    if longest and max(pixels.shape[:2]) > longest:
        raise InputError(
            f"A {file_format.name} file cannot be longer than {longest} pixels on a side.",
            "Save as PNG or TIFF.",
        )


def _encoded(pixels: Pixels, file_format: _Format, recipe: Recipe | None, quality: int) -> bytes:
    text = None if recipe is None else recipe.to_json()
    options: dict[str, Any] = {"icc_profile": SRGB_PROFILE}
    if file_format is _PNG:
        # Brushwork hardly compresses: the usual level takes thrice as long for 4 % fewer bytes.
        options |= {"compress_level": 1, "pnginfo": png_chunks(text)}
    elif file_format is _TIFF:
        options |= {"compression": "tiff_adobe_deflate", "tiffinfo": tiff_tags(text)}
    elif file_format in (_JPEG, _WEBP):
        options["quality"] = quality
        if text is not None:
            options["xmp"] = xmp_packet(text)
    if file_format is _JPEG:
        options["subsampling"] = 0  # halved colour bleeds at the edges of saturated strokes
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, file_format.name, **options)
    return buffer.getvalue()


def _holds(data: bytes, pixels: Pixels, file_format: _Format, recipe: Recipe | None) -> bool:
    """Whether a file's bytes open again as the picture and recipe they were made from."""
    try:
        found = decode_picture(data, "the file").pixels
        reading = recipe_in(data, "the file")
        if (reading and reading.recipe) != recipe:
            return False
    except InputError:
        return False
    return np.array_equal(found, pixels) if file_format.lossless else found.shape == pixels.shape


def _write_whole(data: bytes, path: Path, check: Callable[[bytes], None], overwrite: bool) -> None:
    temporary = path.with_name(f".gramarye-{secrets.token_hex(8)}.part")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        check(temporary.read_bytes())
        if overwrite:
            temporary.replace(path)
        else:
            _move_to_free(temporary, path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _move_to_free(temporary: Path, path: Path) -> None:
    """Move the file to a name nobody has taken, not even since we looked."""
    try:
        os.link(temporary, path)
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError:
        _claim_and_replace(temporary, path)


def _claim_and_replace(temporary: Path, path: Path) -> None:
    """The same on file systems without hard links: an empty file holds the name for a moment."""
    try:
        path.open("xb").close()
    except FileExistsError as error:
        raise _exists(path) from error
    try:
        temporary.replace(path)
    except BaseException:
        path.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    """Make the new name itself outlive a power cut, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _exists(path: Path) -> InputError:
    return InputError(f"{shown_name(path)} exists already.", "Choose another name.")


def _refusal(error: OSError, path: Path) -> InputError:
    name, folder = shown_name(path), str(path.parent)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InputError(
            f"The disk is full; {name} was not saved.", "Make room, or save elsewhere."
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return InputError(f"There is no folder {folder}.", "Create it, or save elsewhere.")
    if error.errno == errno.ENAMETOOLONG:
        return InputError("The name is too long for this disk.", "Choose a shorter name.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return InputError(f"Nothing may be written to {folder}.", "Save to another folder.")
    return InputError(f"{name} could not be saved: {error.strerror}.", "Save elsewhere.")
