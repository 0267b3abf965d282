"""The log on disk: what the program writes down for whoever mends it, and where."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_LAYOUT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_LARGEST, _KEPT = 1_000_000, 3  # bytes in a file, and files beside it


class _SharedLog(logging.FileHandler):
    """A log that is begun anew when it is long, though other processes write to it as well."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record down, in the file that has the name, which another may have begun."""
        with contextlib.suppress(OSError):
            if self._is_current() and os.stat(self.baseFilename).st_size >= _LARGEST:
                self._begin_anew()
        with contextlib.suppress(OSError):
            if not self._is_current():
                self._let_go()
            super().emit(record)

    def close(self) -> None:
        """Close the file; what the disk does not take is lost."""
        with contextlib.suppress(OSError):
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Lose what cannot be written: a full disk is no reason to print a traceback."""

    def _is_current(self) -> bool:
        if self.stream is None:
            return False
        try:
            return os.path.samestat(os.fstat(self.stream.fileno()), os.stat(self.baseFilename))
        except (OSError, ValueError):  # the file is gone, or has been closed
            return False

    def _let_go(self) -> None:
        stream, self.stream = self.stream, None
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()

    def _begin_anew(self) -> None:
        """Put the file aside, one process at a time.

        Raises:
            OSError: Another process is at it, or has the file open and Windows refuses.
        """
        if fcntl is None or self.stream is None:  # Windows renames no file that is open here
            self._let_go()
            self._number_up()
            return
        fcntl.flock(self.stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            if self._is_current():
                self._number_up()
        finally:
            fcntl.flock(self.stream, fcntl.LOCK_UN)

    def _number_up(self) -> None:
        os.replace(self.baseFilename, f"{self.baseFilename}.0")
        for number in reversed(range(_KEPT)):
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{self.baseFilename}.{number}", f"{self.baseFilename}.{number + 1}")


def begin_logging(folder: Path, otherwise: logging.Handler) -> Path | None:
    """Log to `gramarye.log` in a folder from now on, if that is not so already.

    Args:
        folder: May not exist yet.
        otherwise: What takes the log when the folder cannot be written to.

    Returns:
        The log's file; None where it cannot be written.
    """
    root = logging.getLogger()
    log = folder / "gramarye.log"
    current = [handler for handler in root.handlers if isinstance(handler, _SharedLog)]
    if any(Path(handler.baseFilename) == log.absolute() for handler in current):
        return log
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = _SharedLog(log, encoding="utf-8")
    except OSError:
        if not root.handlers:
            _attach(otherwise)
        return None
    for old in current:
        root.removeHandler(old)
        old.close()
    _attach(handler)
    return log


def _attach(handler: logging.Handler) -> None:
    handler.setFormatter(logging.Formatter(_LAYOUT))
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)
