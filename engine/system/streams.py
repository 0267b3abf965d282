"""Standard streams that never raise: what cannot be printed costs nothing but itself."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from typing import NoReturn, TextIO, cast

from engine.spec.errors import EngineError


class Unfailing(io.TextIOBase):
    """Passes text on until that fails once, and is silent from then on.

    Args:
        stream: Where the text goes; None where the program was started without one.

    Attributes:
        failure: Why it is silent; None while it is not.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.failure: Exception | None = None
        if stream is None:
            self.failure = OSError(errno.EBADF, "it is closed")

    def write(self, text: str, /) -> int:
        """Write what the encoding can show, and `?` for the rest."""
        stream = self._stream
        if self.failure is None and stream is not None:
            self._try(lambda: stream.write(text))
            if isinstance(self.failure, UnicodeEncodeError):
                self.failure = None
                encoding = stream.encoding or "ascii"
                shown = text.encode(encoding, "replace").decode(encoding)
                self._try(lambda: stream.write(shown))
        return len(text)

    def flush(self) -> None:
        """Let nothing wait in a buffer."""
        if self.failure is None and self._stream is not None:
            self._try(self._stream.flush)

    def isatty(self) -> bool:
        """Whether somebody sees it as it is written."""
        try:
            return self.failure is None and self._stream is not None and self._stream.isatty()
        except (OSError, ValueError):
            return False

    def writable(self) -> bool:
        """It always seems so."""
        return True

    def fileno(self) -> int:
        """The descriptor behind it.

        Raises:
            OSError: There is none.
        """
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Of the stream behind it."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """How the stream behind it takes what it cannot encode."""
        return getattr(self._stream, "errors", None)

    def _try(self, step: Callable[[], object]) -> None:
        try:
            step()
        except UnicodeEncodeError as error:
            self.failure = error
        except (OSError, ValueError) as error:
            self.failure = error
            # Buffers are written once more when Python ends, and C libraries print too.
            with contextlib.suppress(OSError, ValueError):
                _lead_nowhere(self.fileno())


@contextlib.contextmanager
def unfailing() -> Iterator[None]:
    """Meanwhile nothing that is printed can fail; at the end, no text waits in a buffer."""
    for descriptor in (0, 1, 2):
        # The first file to be opened would take the place, and be printed into.
        if not _is_open(descriptor):
            with contextlib.suppress(OSError):
                _lead_nowhere(descriptor)
    before = sys.stdout, sys.stderr
    out, err = Unfailing(sys.stdout), Unfailing(sys.stderr)
    sys.stdout, sys.stderr = cast(TextIO, out), cast(TextIO, err)
    try:
        yield
    finally:
        out.flush()
        err.flush()
        sys.stdout, sys.stderr = before


def check_printed() -> None:
    """See that what was printed on stdout has gone out, or is no longer wanted.

    Raises:
        EngineError: It has not, and not because its reader has left, as `head` does.
    """
    sys.stdout.flush()
    failure = getattr(sys.stdout, "failure", None)
    if isinstance(failure, Exception) and not _reader_has_left(failure):
        reason = getattr(failure, "strerror", None) or failure
        raise EngineError(
            f"Standard output cannot be written to: {reason}.",
            "Print to a terminal, or to a file on a disk that has room.",
        )


def leave(code: int) -> NoReturn:
    """End the process here and at once, with what has been printed."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def _reader_has_left(failure: Exception) -> bool:
    # Windows says EINVAL of a pipe that nobody reads.
    windows = os.name == "nt" and getattr(failure, "errno", None) == errno.EINVAL
    return isinstance(failure, ConnectionError) or windows


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _lead_nowhere(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere == descriptor:
        os.set_inheritable(descriptor, True)
        return
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
