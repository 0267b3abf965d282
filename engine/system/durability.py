"""What is done so that files, and the names they have, outlive a power cut."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]

_WHOLE_WAY: int | None = getattr(fcntl, "F_FULLFSYNC", None)
"""Apple's fsync stops at the disk's own memory; this does not."""


def sync_file(descriptor: int) -> None:
    """Put what was written to an open file on the disk.

    Raises:
        OSError: The disk refused, so the file may not be there.
    """
    if _WHOLE_WAY is not None:
        try:
            fcntl.fcntl(descriptor, _WHOLE_WAY)
        except OSError:  # not every file system knows it
            os.fsync(descriptor)
    else:
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk, those that are gone included, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            sync_file(descriptor)
        finally:
            os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and those it lies in, as far as they are missing, for good.

    Raises:
        OSError: One cannot be made, or something else has its name.
    """
    missing = [each for each in (folder, *folder.parents) if not os.path.exists(each)]
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        sync_folder(made.parent)


def read_back(file: BinaryIO) -> bytes:
    """What a file that has been synced holds, from the disk where the system can, not from memory.

    Raises:
        OSError: The disk refused.
    """
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    file.seek(0)
    return file.read()
