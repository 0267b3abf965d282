"""Where the program keeps its files, and how a file gets anywhere whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import platformdirs

from engine.spec.errors import InputError
from engine.storage.naming import free_path, shown_name, shown_path

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
def replacing(
    destination: Path,
    *,
    overwrite: bool = True,
    check: Callable[[bytes], None] | None = None,
) -> Iterator[Path]:
    """Write a file beside its destination and move it there only once it is whole and on disk.

        with replacing(path) as temporary:
            temporary.write_bytes(data)

    Missing folders are made. After any exception the destination is as it was and nothing is
    left beside it.

    Args:
        destination: Where the file goes.
        overwrite: Whether what is there may be replaced, even if it came just now.
        check: Given the bytes read back from the disk; raises if they are not what they should be.

    Raises:
        InputError: The place cannot be written to, is full, or taken and may not be replaced; the
            message says which.
    """
    temporary = destination.with_name(f".gramarye-{secrets.token_hex(8)}.part")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            put_in_place(temporary, destination, overwrite=overwrite, check=check)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(destination, error) from error


def put_in_place(
    temporary: Path,
    destination: Path,
    *,
    overwrite: bool = True,
    check: Callable[[bytes], None] | None = None,
) -> None:
    """Move a file that has been written to where it belongs; arguments are those of `replacing`.

    Both lie in one folder. The file is on the disk before it has its name, and the name after.

    Raises:
        InputError: The destination is taken and may not be replaced.
        OSError: The disk refused.
    """
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    if check is not None:
        check(temporary.read_bytes())
    if overwrite:
        temporary.replace(destination)
    else:
        _move_to_free(temporary, destination)
    _sync_folder(destination.parent)


def set_aside(path: Path) -> Path | None:
    """Rename a damaged file, so that a sound one can take its place; None if that is refused."""
    aside = free_path(path.with_name(f"{path.name}.corrupt"))
    try:
        return path.rename(aside)
    except OSError:
        return None


def taken(path: Path) -> InputError:
    """A file is not replaced by itself, in words for a person."""
    return InputError(f"{shown_name(path)} exists already.", "Choose another name, or replace it.")


def unwritable(path: Path, error: OSError) -> InputError:
    """Why a file could not be written, in words for a person."""
    name, folder = shown_name(path), shown_path(path.parent)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InputError(
            f"The disk is full; {name} was not saved.",
            f"Make room on the disk of {folder}, or save elsewhere.",
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EEXIST):
        return InputError(f"There is no folder {folder}.", "Create it, or save elsewhere.")
    if error.errno == errno.ENAMETOOLONG:
        return InputError("The name is too long for this disk.", "Choose a shorter name.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return InputError(
            f"Nothing may be written to {folder}.",
            "Change its permissions, or choose another folder.",
        )
    reason = error.strerror or error
    return InputError(f"{name} could not be saved: {reason}.", "Save elsewhere.")


def unreadable(path: Path, error: OSError) -> InputError:
    """Why a file could not be read, in words for a person."""
    reason = error.strerror or str(error)
    return InputError(f"{shown_name(path)} cannot be read: {reason}.", "Choose another file.")


def _move_to_free(temporary: Path, path: Path) -> None:
    """Move the file to a name nobody has taken, not even since we looked."""
    try:
        os.link(temporary, path)
    except FileExistsError as error:
        raise taken(path) from error
    except OSError:
        _claim_and_replace(temporary, path)


def _claim_and_replace(temporary: Path, path: Path) -> None:
    """The same on file systems without hard links: an empty file holds the name for a moment."""
    try:
        path.open("xb").close()
    except FileExistsError as error:
        raise taken(path) from error
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
