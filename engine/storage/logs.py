"""The log on disk: what the program writes down for whoever mends it, and where."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

_LAYOUT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_LARGEST, _KEPT = 1_000_000, 3  # bytes in a file, and files beside it


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
    current = [handler for handler in root.handlers if isinstance(handler, RotatingFileHandler)]
    if any(Path(handler.baseFilename) == log.absolute() for handler in current):
        return log
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(log, maxBytes=_LARGEST, backupCount=_KEPT, encoding="utf-8")
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
