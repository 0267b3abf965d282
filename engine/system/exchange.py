"""Memory that a process shares with a helper that it has begun."""

from __future__ import annotations

import mmap
import os
import secrets
import sys
import tempfile


class Exchange:
    """Room that grows as wanted, seen by both processes; nothing of it outlives them.

    A file without a name, which the helper inherits; on Windows memory of a name nobody guesses.

    Attributes:
        handle: What the helper makes its end from.
    """

    def __init__(self, handle: str | None = None) -> None:
        self.handle = _new_handle() if handle is None else handle

    @property
    def inherited(self) -> tuple[int, ...]:
        """The descriptors that a helper must be given."""
        return () if sys.platform == "win32" else (int(self.handle),)

    def mapped(self, size: int) -> mmap.mmap:
        """Its first `size` bytes, at least 1; zeros where it was shorter."""
        if sys.platform == "win32":
            return mmap.mmap(-1, size, tagname=self.handle)
        descriptor = int(self.handle)
        if os.fstat(descriptor).st_size < size:
            os.ftruncate(descriptor, size)
        return mmap.mmap(descriptor, size)

    def clear(self) -> None:
        """Give the memory back; nothing may be mapped any more."""
        if sys.platform != "win32":
            os.ftruncate(int(self.handle), 0)

    def close(self) -> None:
        """Let go of this end."""
        if sys.platform != "win32":
            os.close(int(self.handle))


def _new_handle() -> str:
    if sys.platform == "win32":
        return f"gramarye-{secrets.token_hex(16)}"
    if sys.platform == "linux":
        return str(os.memfd_create("gramarye"))
    # Without a name at once; its pages stay in memory unless that is short.
    descriptor, path = tempfile.mkstemp(prefix=".gramarye-")
    os.unlink(path)
    return str(descriptor)
