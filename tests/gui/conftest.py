"""A whole window around a scripted engine, answered by scripted dialogs, in one asyncio loop."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from qasync import QEventLoop
from scripted import ScriptedDialogs, ScriptedEngine, act, leave, save_noise

from engine.weights.installed import networks_folder
from gui.app.actions import Action
from gui.app.shell import Shell
from gui.base.states import State
from gui.session.engine_thread import EngineThread


def pytest_itemcollected(item: pytest.Item) -> None:
    """Overlook what Qt's offscreen platform says about every real window."""
    item.add_marker(pytest.mark.qt_log_ignore("does not support propagateSizeHints"))


@pytest.fixture(autouse=True)
def _collected_here() -> Iterator[None]:
    """Have what a test leaves of Qt's destroyed on this thread, not on one that happens to collect.

    Only Qt's own thread may destroy its widgets, and Python collects wherever enough was made.
    """
    gc.disable()
    yield
    gc.collect()
    gc.enable()


@pytest.fixture(scope="session")
def loop(qapp: QApplication) -> QEventLoop:
    """The one asyncio loop; never stopped, for qasync cannot start a second one."""
    qapp.setQuitOnLastWindowClosed(False)
    return QEventLoop(qapp, already_running=True)


@pytest.fixture
def finish(loop: QEventLoop, qtbot: QtBot) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a coroutine to its end and return or raise what it does."""

    def run(story: Coroutine[Any, Any, Any]) -> Any:
        task = loop.create_task(story)
        qtbot.waitUntil(task.done)
        return task.result()

    return run


@pytest.fixture
def engine() -> ScriptedEngine:
    """What the window's engine thread runs."""
    return ScriptedEngine()


@pytest.fixture
def network() -> Path:
    """A file that passes for VGG-19's weights with whoever does not read it."""
    path = networks_folder() / "vgg19.safetensors"
    path.parent.mkdir()
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def make_shell(
    loop: QEventLoop, qtbot: QtBot, engine: ScriptedEngine, network: Path
) -> Iterator[Callable[[], Shell]]:
    """Opens a window as the program does; every window is closed again, and leaves no thread."""
    threads = set(threading.enumerate())
    shells: list[Shell] = []

    def make() -> Shell:
        shell = Shell(EngineThread(engine, engine.warm_up, engine.foresee), ScriptedDialogs)
        shells.append(shell)
        shell.open()
        qtbot.waitExposed(shell.window)
        return shell

    yield make
    for shell in shells:
        if shell.window.isVisible():
            leave(shell, qtbot)
        shell.window.deleteLater()
    # torch makes Python note a thread of Qt's, which it never forgets; such threads are daemons.
    qtbot.waitUntil(
        lambda: not {each for each in threading.enumerate() if not each.daemon} - threads
    )


@pytest.fixture
def shell(make_shell: Callable[[], Shell]) -> Shell:
    """A window just opened."""
    return make_shell()


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """A small picture file."""
    return save_noise(tmp_path / "photograph.png", 1)


@pytest.fixture
def painting(tmp_path: Path) -> Path:
    """Another small picture file."""
    return save_noise(tmp_path / "painting.png", 2)


@pytest.fixture
def loaded(shell: Shell, photograph: Path, painting: Path, qtbot: QtBot) -> Shell:
    """A window with a photograph and a painting, opened through the menu."""
    shell.dialogs.files = (photograph,)
    act(shell, Action.OPEN_CONTENT)
    qtbot.waitUntil(lambda: shell.session.content is not None)
    shell.dialogs.files = (painting,)
    act(shell, Action.ADD_STYLE)
    qtbot.waitUntil(lambda: len(shell.session.styles) == 1)
    return shell


@pytest.fixture
def rendered(loaded: Shell, qtbot: QtBot) -> Shell:
    """A window with a finished pastiche."""
    act(loaded, Action.RENDER)
    qtbot.waitUntil(lambda: loaded.session.result is not None)
    qtbot.waitUntil(lambda: loaded.session.state is State.IDLE)
    return loaded


@pytest.fixture
def running(loaded: Shell, engine: ScriptedEngine, qtbot: QtBot) -> Shell:
    """A window whose job goes on until it is told otherwise."""
    engine.steps = None
    act(loaded, Action.RENDER)
    qtbot.waitUntil(lambda: loaded.session.state is State.RUNNING)
    return loaded
