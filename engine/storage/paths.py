"""Where the program keeps its files, and how a file gets there whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from engine.spec.errors import InputError

_APP = ("Gramarye", "Gramarye")


def data_folder() -> Path:
    """The user's folder for what the program keeps, such as network weights; may not exist yet."""
    return platformdirs.user_data_path(*_APP)


def config_folder() -> Path:
    """The user's folder for settings and presets; may not exist yet."""
    return platformdirs.user_config_path(*_APP)


def log_folder() -> Path:
    """The user's folder for logs; may not exist yet."""
    return platformdirs.user_log_path(*_APP)


@contextlib.contextmanager
def replacing(destination: Path) -> Iterator[Path]:
    """Write a file beside its destination and move it there only once it is whole and on disk.

        with replacing(path) as temporary:
            temporary.write_bytes(data)

    Missing folders are made. After any exception the destination is as it was and nothing is
    left beside it.

    Raises:
        InputError: The place cannot be written to or is full; the message says which.
    """
    temporary = destination.with_name(f".{secrets.token_hex(8)}.part")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(destination)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(destination, error) from error


def unwritable(path: Path, error: OSError) -> InputError:
    """Why a file could not be written, in words for a person."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InputError(
            f"The disk is full: {path.name} was not saved.",
            f"Make room on the disk of {path.parent} and try again.",
        )
    reason = error.strerror or str(error)
    return InputError(
        f"{path} cannot be written: {reason}.", "Check the folder's permissions, or choose another."
    )


def unreadable(path: Path, error: OSError) -> InputError:
    """Why a file could not be read, in words for a person."""
    reason = error.strerror or str(error)
    return InputError(f"{path} cannot be read: {reason}.", "Choose another file.")
