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
from engine.storage.ordinary import oddity
from engine.system.attributes import keep_attributes
from engine.system.durability import make_folder, read_back, sync_file, sync_folder
from engine.system.renaming import move_to_free

_APP = ("Gramarye", "Gramarye")

_TRIES = 10
"""How often a name that was free may be lost to another program before one gives up."""


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
    left beside it. A link stays one: what it leads to is replaced, or made. What is replaced
    hands its mode, owner, group and extended attributes on, as far as the system allows, and at no
    time may more people read the new file. A second name of the old file (a hard link) keeps the
    old content: writing into the file that both name could not be done whole.

    Args:
        destination: Where the file goes.
        overwrite: Whether what is there may be replaced, even if it came just now.
        check: Given the bytes read back from the disk; raises if they are not what they should be.

    Raises:
        InputError: The place cannot be written to, is full, or taken and may not be replaced; the
            message says which.
    """
    place = written_at(destination) if overwrite else destination
    temporary = place.with_name(f".gramarye-{secrets.token_hex(8)}.part")
    try:
        make_folder(place.parent)
        try:
            # What is replaced may be private; what is new is as public as any other file.
            mode = 0o600 if overwrite and place.exists() else 0o666
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
            yield temporary
            put_in_place(temporary, place, overwrite=overwrite, check=check)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(place, error) from error


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
        if overwrite:
            keep_attributes(file.fileno(), destination)
        sync_file(file.fileno())
        if check is not None:
            check(read_back(file))
    if overwrite:
        temporary.replace(destination)
    else:
        try:
            move_to_free(temporary, destination)
        except FileExistsError as error:
            raise taken(destination) from error
    sync_folder(destination.parent)


def written_at(path: Path) -> Path:
    """Where a file that replaces what a path names is written: where a link leads, or there.

    Raises:
        InputError: It leads to no place for a file, or there is something else than a file.
    """
    linked = os.path.islink(path)
    place = Path(os.path.realpath(path)) if linked else path
    if linked and os.path.islink(place):
        raise InputError(
            f"{shown_name(path)} is a link that leads in a circle.", "Remove it, or save elsewhere."
        )
    try:
        odd = oddity(os.stat(path).st_mode)
    # Nothing is there, or whoever writes there will be told why not.
    except (OSError, ValueError):
        odd = ""
    if odd:
        raise InputError(f"{shown_name(path)} is {odd}.", "Give the file a name of its own.")
    if linked and not place.parent.is_dir():
        raise InputError(
            f"{shown_name(path)} is a link into {place.parent}, and there is no such folder.",
            "Create it, or save elsewhere.",
        )
    return place


def set_aside(path: Path) -> Path | None:
    """Rename a damaged file, so that a sound one can take its place; None if that is refused."""
    for _ in range(_TRIES):
        aside = free_path(path.with_name(f"{path.name}.corrupt"))
        try:
            move_to_free(path, aside)
        except FileExistsError:  # taken since it was looked for
            continue
        except OSError:
            return None
        sync_folder(path.parent)
        return aside
    return None


def delete(path: Path) -> None:
    """Remove a file for good, if there is one.

    Raises:
        OSError: The system refused.
    """
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


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
