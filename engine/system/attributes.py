"""What there is to a file besides its bytes: who may read it, and what others noted on it."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

_ACCESS_LIST = "system.posix_acl_access"

_OF_CONTENT = frozenset({"security.capability", "security.evm", "security.ima"})
"""What the system notes of a file's very bytes: untrue of any others."""


def keep_attributes(descriptor: int, path: Path) -> None:
    """Give a file that is to replace another its mode, owner, group and extended attributes.

    Lists of who else may do what (ACLs) are among the last. What the system refuses is left out,
    in such a way that no more people may read the file. Where there is nothing, or the system
    knows nothing of the kind, nothing is done.

    Args:
        descriptor: The new file, open for writing, which so far nobody else may read.
        path: What it will replace.
    """
    if not hasattr(os, "fchown"):
        return
    try:
        replaced = path.stat()
    except OSError:
        return
    # The group last: whoever may not give the file away may still have the right to that.
    for owner, group in ((replaced.st_uid, -1), (-1, replaced.st_gid)):
        with contextlib.suppress(OSError):
            os.fchown(descriptor, owner, group)
    mode = stat.S_IMODE(replaced.st_mode) & 0o777
    same_group = os.fstat(descriptor).st_gid == replaced.st_gid
    if not same_group:
        # The group's rights would go to others, and what it was denied the old group would get.
        shared = mode & mode >> 3 & 0o007
        mode = mode & 0o700 | shared << 3 | shared
    if not _keep_extended(descriptor, path, access=same_group):
        mode &= 0o700  # the list may have denied what the mode grants
    with contextlib.suppress(OSError):
        os.fchmod(descriptor, mode)


def _keep_extended(descriptor: int, path: Path, *, access: bool) -> bool:
    """Copy extended attributes, the list of access among them or not; whether that is the same."""
    if not hasattr(os, "listxattr"):
        return True
    left_out = _OF_CONTENT if access else _OF_CONTENT | {_ACCESS_LIST}
    wanted = _extended(path)
    for name in wanted.keys() - left_out:
        with contextlib.suppress(OSError):
            os.setxattr(descriptor, name, wanted[name])
    if _ACCESS_LIST not in wanted:
        # The folder may have given one to every new file in it.
        with contextlib.suppress(OSError):
            os.removexattr(descriptor, _ACCESS_LIST)
    return _extended(descriptor).get(_ACCESS_LIST) == wanted.get(_ACCESS_LIST)


def _extended(file: Path | int) -> dict[str, bytes]:
    """The extended attributes that can be read."""
    found: dict[str, bytes] = {}
    with contextlib.suppress(OSError):
        for name in os.listxattr(file):
            with contextlib.suppress(OSError):
                found[name] = os.getxattr(file, name)
    return found
