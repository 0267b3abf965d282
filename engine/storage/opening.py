"""Opens the picture files that people name: ordinary ones, or one clear sentence."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from engine.spec.errors import InputError
from engine.storage.ordinary import oddity, ordinary_file

USABLE = "Open a JPEG, PNG, TIFF, WebP, GIF, BMP, AVIF or HEIC picture."

FILE_LIMIT = 2_400_000_000
"""Bytes of the largest picture file: 16 bits, four channels, all pixels there may be."""


@contextlib.contextmanager
def opened(path: Path, name: str) -> Iterator[BinaryIO]:
    """A picture's file, open for reading; `name` is what messages call it.

    Raises:
        InputError: It is missing, no ordinary file, unreadable or far too large for a picture.
    """
    with contextlib.ExitStack() as stack:
        try:
            if odd := oddity(path.stat().st_mode):
                inside = " inside it" if odd == "a folder" else ""
                raise InputError(f"{name} is {odd}.", f"Choose a picture{inside}.")
            file = stack.enter_context(ordinary_file(path))
        except FileNotFoundError as error:
            remedy = "Check the name and the folder."
            raise InputError(f"There is no file {name}.", remedy) from error
        except PermissionError as error:
            raise InputError(f"{name} may not be read.", "Check the file's permissions.") from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(f"{name} could not be read: {reason}.", "Choose a picture.") from error
        if os.fstat(file.fileno()).st_size > FILE_LIMIT:
            raise InputError(f"{name} is too large for a picture.", USABLE)
        yield file
