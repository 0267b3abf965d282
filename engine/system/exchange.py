"""Memory that a process shares with a helper that it has begun."""

from __future__ import annotations

import contextlib
import mmap
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator


class Exchange:
    """Room that grows as wanted, seen by both processes; nothing of it outlives them.

    A file without a name, which the helper inherits. On Windows memory of a name nobody guesses,
    which is there as long as one of the two has it mapped: whoever writes keeps it so until the
    other has read.

    Attributes:
        handle: What the helper makes its end from.
    """

    def __init__(self, handle: str | None = None) -> None:
        self.handle = _new_handle() if handle is None else handle
        self._closed = False

    @property
    def inherited(self) -> tuple[int, ...]:
        """The descriptors that a helper must be given."""
        return () if sys.platform == "win32" else (int(self.handle),)

    @contextlib.contextmanager
    def holding(self, data: bytes) -> Iterator[None]:
        """Meanwhile the helper finds these bytes as `given`.

        Raises:
            OSError: There is no room for them.
        """
        if sys.platform == "win32":
            with mmap.mmap(-1, len(data) or 1, tagname=f"{self.handle}-given") as memory:
                memory[: len(data)] = data
                yield
        else:
            # Written and not mapped: where there is no room, that is an error and no signal.
            written = 0
            while written < len(data):
                written += os.pwrite(int(self.handle), data[written:], written)
            yield

    def given(self, size: int) -> bytes:
        """What the other side is holding."""
        if not size:
            return b""
        with self._mapped(size, "given") as memory:
            return memory[:]

    def result(self, size: int) -> mmap.mmap:
        """Room of `size` bytes for what the helper makes, at least 1; the same on both sides."""
        return self._mapped(size, "result")

    def clear(self) -> None:
        """Give the memory back; nobody may look at it any more."""
        if sys.platform != "win32":
            os.ftruncate(int(self.handle), 0)

    def close(self) -> None:
        """Let go of this end; closed already, it is left alone."""
        if sys.platform != "win32" and not self._closed:
            self._closed = True
            os.close(int(self.handle))

    def _mapped(self, size: int, purpose: str) -> mmap.mmap:
        if sys.platform == "win32":
            return mmap.mmap(-1, size, tagname=f"{self.handle}-{purpose}")
        descriptor = int(self.handle)
        if os.fstat(descriptor).st_size < size:
            os.ftruncate(descriptor, size)
        return mmap.mmap(descriptor, size)


def _new_handle() -> str:
    if sys.platform == "win32":
        return f"gramarye-{secrets.token_hex(16)}"
    if sys.platform == "linux":
        return str(os.memfd_create("gramarye"))
    # Without a name at once; its pages stay in memory unless that is short.
    descriptor, path = tempfile.mkstemp(prefix=".gramarye-")
    os.unlink(path)
    return str(descriptor)
