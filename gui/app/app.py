"""Starts the program with a window, and ends it once the window has been closed."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from engine import __version__
from engine.storage.paths import log_folder
from gui.app.logs import log_window, strays_caught
from gui.app.shell import Shell
from gui.session.engine_thread import EngineThread


def run_window(content: Path | None, styles: tuple[Path, ...]) -> int:
    """Open the window with these pictures and stay until it is closed.

    Returns:
        The program's exit code.
    """
    log_window(log_folder())
    application = QApplication(sys.argv[:1])
    application.setApplicationName("Gramarye")
    application.setApplicationVersion(__version__)
    application.setDesktopFileName("gramarye")
    application.setQuitOnLastWindowClosed(False)
    loop = QEventLoop(application)
    asyncio.set_event_loop(loop)
    with loop:
        loop.run_until_complete(_live(content, styles))
    return 0


async def _live(content: Path | None, styles: tuple[Path, ...]) -> None:
    loop = asyncio.get_running_loop()
    shell = Shell(EngineThread())
    with contextlib.suppress(NotImplementedError):  # Windows has no such signals
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, shell.window.close)
    closed = asyncio.Event()
    shell.leaving.closed.connect(closed.set)
    with strays_caught(loop, shell.fail):
        shell.open(content, styles)
        await closed.wait()
