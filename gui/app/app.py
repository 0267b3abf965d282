"""Starts the program with a window, and ends it once the window has been closed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from engine import __version__
from engine.storage.paths import log_folder
from engine.system.signals import Tell, handled, heard
from engine.system.streams import leave
from gui.app.logs import log_qt, log_window, strays_caught
from gui.app.no_window import no_window
from gui.app.shell import Shell
from gui.session.engine_thread import EngineThread


def run_window(content: Path | None, styles: tuple[Path, ...], tell: Tell) -> int:
    """Open the window with these pictures and stay until it is closed.

    Args:
        content: The photograph.
        styles: The paintings.
        tell: Says why there can be no window, and returns the exit code the process ends with.

    Returns:
        The program's exit code.
    """
    content = content and _absolute(content)
    styles = tuple(map(_absolute, styles))
    _stand_at_home()
    log_window(log_folder())
    application = _application(tell)
    application.setApplicationName("Gramarye")
    application.setApplicationVersion(__version__)
    application.setDesktopFileName("gramarye")
    application.setQuitOnLastWindowClosed(False)
    loop = QEventLoop(application)
    asyncio.set_event_loop(loop)
    with loop:
        loop.run_until_complete(_live(content, styles))
    return 0


def _stand_at_home() -> None:
    """Leave the working folder: gone while torch loads, it would end the program.

    And a disk can be ejected only once nobody stands in one of its folders.
    """
    if networks := os.environ.get("GRAMARYE_NETWORKS"):
        os.environ["GRAMARYE_NETWORKS"] = str(_absolute(Path(networks).expanduser()))
    for folder in (Path.home(), Path(os.sep)):
        with contextlib.suppress(OSError):
            os.chdir(folder)
            return


def _absolute(path: Path) -> Path:
    try:
        return path.absolute()
    except OSError:  # the working folder is gone, and its files with it
        return Path(os.environ.get("PWD", os.sep)) / path


def _application(tell: Tell) -> QApplication:
    """Qt and its display; where there is none, the end of the process, which Qt would abort."""
    said: list[tuple[QtMsgType, str]] = []

    def listen(kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
        said.append((kind, message))
        if kind is QtMsgType.QtFatalMsg:
            leave(tell(no_window(_why_no_display(said[0][1]))))

    before = qInstallMessageHandler(listen)
    try:
        application = QApplication(sys.argv[:1])
    finally:
        qInstallMessageHandler(before)
    for each in said:
        log_qt(*each)
    return application


def _why_no_display(first_said: str) -> str:
    displays = ("DISPLAY", "WAYLAND_DISPLAY")
    named = any(map(os.environ.get, (*displays, "QT_QPA_PLATFORM")))
    if sys.platform == "linux" and not named:
        return f"there is no display (neither {' nor '.join(displays)} is set)"
    return first_said.strip().partition("\n")[0]


async def _live(content: Path | None, styles: tuple[Path, ...]) -> None:
    loop = asyncio.get_running_loop()

    def close() -> None:
        shell.window.close()

    with handled(lambda *_: loop.call_soon_threadsafe(close)):
        numbers = heard()
        with contextlib.suppress(NotImplementedError):  # Windows waits for Python's next turn
            for number in numbers:
                loop.add_signal_handler(number, close)
        shell = Shell(EngineThread())
        closed = asyncio.Event()
        shell.leaving.closed.connect(closed.set)
        with strays_caught(loop, shell.fail):
            shell.open(content, styles)
            await closed.wait()
        with contextlib.suppress(NotImplementedError):
            for number in numbers:
                loop.remove_signal_handler(number)
