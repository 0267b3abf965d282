"""Opens the picture files that people name: ordinary ones, or one clear sentence."""

from __future__ import annotations

import os
import stat
from typing import BinaryIO

from engine.spec.errors import InputError

USABLE = "Open a JPEG, PNG, TIFF, WebP, GIF, BMP, AVIF or HEIC picture."

FILE_LIMIT = 2_400_000_000
"""Bytes of the largest picture file: 16 bits, four channels, all pixels there may be."""

# Opening a pipe that nobody writes to must not wait.
_READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def opened(path: str, name: str) -> BinaryIO:
    """A picture's file, open for reading.

    Args:
        path: Where.
        name: What messages call it.

    Raises:
        InputError: It is missing, a folder, unreadable or far too large for a picture.
    """
    try:
        descriptor = os.open(path, _READING)
    except FileNotFoundError as error:
        raise InputError(f"There is no file {name}.", "Check the name and the folder.") from error
    except PermissionError as error:
        raise InputError(f"{name} may not be read.", "Check the file's permissions.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{name} could not be read: {reason}.", "Check the file.") from error
    try:
        _refuse_unfit(os.fstat(descriptor), name)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _refuse_unfit(status: os.stat_result, name: str) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise InputError(f"{name} is a folder.", "Choose a picture inside it.")
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{name} is not an ordinary file.", USABLE)
    if status.st_size > FILE_LIMIT:
        raise InputError(f"{name} is too large for a picture.", USABLE)
