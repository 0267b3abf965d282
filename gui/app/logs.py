"""Everything noteworthy is written to a file, for a windowed program has no terminal."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

from engine.storage.logs import begin_logging

logger = logging.getLogger("gramarye")

LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def log_window(folder: Path) -> None:
    """Log to a folder what the program and Qt say, and crashes of the interpreter to `crash.log`.

    A folder that cannot be written to is no reason not to start: warnings then go to stderr.
    """
    stderr = logging.StreamHandler()
    stderr.setLevel(logging.WARNING)
    if begin_logging(folder, otherwise=stderr):
        with contextlib.suppress(OSError):
            faulthandler.enable((folder / "crash.log").open("a", encoding="utf-8"))
    qInstallMessageHandler(_log_qt)


@contextlib.contextmanager
def strays_caught(
    loop: asyncio.AbstractEventLoop, failed: Callable[[BaseException], None]
) -> Iterator[None]:
    """Meanwhile hand what nobody caught, in slots and in the loop's callbacks, to one place."""

    def from_slot(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            failed(error.with_traceback(trace))

    def from_loop(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is None:
            logger.error("%s", context.get("message"))
        else:
            failed(error)

    before, sys.excepthook = sys.excepthook, from_slot
    loop.set_exception_handler(from_loop)
    try:
        yield
    finally:
        sys.excepthook = before
        loop.set_exception_handler(None)


def log_qt(kind: QtMsgType, message: str) -> None:
    """Write down what Qt says."""
    logging.getLogger("qt").log(LEVELS[kind], "%s", message)


def _log_qt(kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
    log_qt(kind, message)
