"""Files are opened without trust: nothing but an ordinary one is, and none is read without end."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from engine.spec.errors import InputError
from engine.storage.naming import shown_name

LARGEST = 2**20
"""Bytes in a small file of ours, which has a few hundred or thousand."""

_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


def oddity(mode: int) -> str:
    """What a mode says is there in place of an ordinary file: `a pipe`; empty for such a file."""
    if stat.S_ISREG(mode):
        return ""
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


@contextlib.contextmanager
def ordinary_file(path: Path) -> Iterator[BufferedReader]:
    """Open a file to read it, of whatever size; nothing that could keep one waiting is opened.

    Raises:
        OSError: It is not there, may not be read, or is no ordinary file: a folder, pipe, socket
            or device.
    """
    # Before it is opened, for with some devices that alone does something.
    _refuse_odd(os.stat(path).st_mode)
    with open(path, "rb", opener=_open_at_once) as file:
        # And after, for another may stand there by then.
        _refuse_odd(os.fstat(file.fileno()).st_mode)
        yield file


def read_ordinary(path: Path, most: int = LARGEST) -> bytes:
    """The whole of a small file.

    Args:
        path: Where it lies.
        most: Bytes that it may have.

    Raises:
        OSError: As `ordinary_file`.
        InputError: It is longer than any such file of ours.
    """
    with ordinary_file(path) as file:
        data = file.read(most + 1) or b""  # None from a file of the kernel's that has nothing yet
    if len(data) > most:
        raise InputError(f"{shown_name(path)} is far too large.", "Choose another file.")
    return data


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | _NEVER_WAIT)


def _refuse_odd(mode: int) -> None:
    odd = oddity(mode)
    if odd:
        raise OSError(errno.EINVAL, f"this is {odd}")
