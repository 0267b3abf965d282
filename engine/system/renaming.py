"""Moving a file to a name that nobody has: nothing is replaced, and no empty file takes it."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import sys
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None

_HERE, _NO_REPLACE = -100, 1
"""Linux's AT_FDCWD and RENAME_NOREPLACE."""

_EXCLUSIVELY = 4
"""Apple's RENAME_EXCL."""


def move_to_free(source: Path, destination: Path) -> None:
    """Rename a file, unless something has the new name, even if it came just now.

    The system's own exclusive rename is tried first, then a second name for the file and the end of
    its first. Where the file system knows neither, as over some networks, the name is looked at and
    the file renamed: what another program puts there in the microseconds between is replaced.
    However it is done, a kill leaves under the new name nothing or the whole file.

    Raises:
        FileExistsError: The new name is taken.
        OSError: The system refused for another reason.
    """
    for move in (_rename_exclusively, _link_and_unlink):
        try:
            move(source, destination)
        except FileExistsError:
            raise
        # What a file system says of a call it does not know differs; the last way says what else.
        except OSError:
            continue
        return
    _look_and_rename(source, destination)


def _rename_exclusively(source: Path, destination: Path) -> None:
    if sys.platform == "win32":
        os.rename(source, destination)
        return
    old, new = os.fsencode(source), os.fsencode(destination)
    arguments: tuple[int | bytes, ...] = _HERE, old, _HERE, new, _NO_REPLACE
    rename = getattr(_LIBC, "renameat2", None)
    if sys.platform == "darwin":
        arguments = old, new, _EXCLUSIVELY
        rename = getattr(_LIBC, "renamex_np", None)
    if rename is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if rename(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), os.fspath(destination))


def _link_and_unlink(source: Path, destination: Path) -> None:
    os.link(source, destination)
    # A name too many loses nothing.
    with contextlib.suppress(OSError):
        source.unlink()


def _look_and_rename(source: Path, destination: Path) -> None:
    if os.path.lexists(destination):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(destination))
    os.rename(source, destination)
