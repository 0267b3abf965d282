"""The menu bar: where every action is found by someone who does not know it yet."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QMenu

from gui.base.states import Action
from gui.inputs.samples import SAMPLE_PAIRS

SEPARATOR = None

COMPARE = (Action.COMPARE_RESULT, Action.COMPARE_SLIDER, Action.COMPARE_SIDE_BY_SIDE)
ZOOM = (Action.FIT, Action.ACTUAL_SIZE, Action.ZOOM_IN, Action.ZOOM_OUT)
JOB = (Action.RENDER, Action.DRAFT, Action.PAUSE, Action.STOP, Action.DISCARD)
THEMES = (Action.THEME_SYSTEM, Action.THEME_LIGHT, Action.THEME_DARK)


class RecentMenu(QMenu):
    """A list of files opened lately.

    Attributes:
        chosen: Carries the `Path`.
    """

    chosen = Signal(object)

    def __init__(self, title: str, name: str) -> None:
        super().__init__(title)
        self.setObjectName(name)
        self.setToolTipsVisible(True)
        self._files: tuple[str, ...] = ()
        self._running = False
        self._enable()
        self.triggered.connect(self._choose)

    def show_files(self, files: tuple[str, ...]) -> None:
        """Show other files; the menu cannot be opened when there are none."""
        if files == self._files:
            return
        self._files = files
        self.clear()
        for file in files:
            entry = self.addAction(Path(file).name.replace("&", "&&"))
            entry.setToolTip(f"<p>{escape(file)}</p>")
            entry.setData(file)
        self._enable()

    def set_running(self, running: bool) -> None:
        """Offer nothing while a job uses the pictures."""
        self._running = running
        self._enable()

    def _enable(self) -> None:
        self.setEnabled(bool(self._files) and not self._running)

    def _choose(self, entry: QAction) -> None:
        self.chosen.emit(Path(entry.data()))


class SampleMenu(QMenu):
    """The pairs of pictures that come with the program.

    Attributes:
        chosen: Carries the `SamplePair`.
    """

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__("Open sa&mple pair")
        self.setObjectName("sampleMenu")
        for pair in SAMPLE_PAIRS:
            self.addAction(pair.title).setData(pair)
        self.triggered.connect(lambda entry: self.chosen.emit(entry.data()))


class Menus:
    """All menus of the window.

    Attributes:
        contents, styles: The recent files.
        samples: The pairs that come with the program.
    """

    def __init__(self, window: QMainWindow, actions: Mapping[Action, QAction]) -> None:
        self._window = window
        self._actions = actions
        self.contents = RecentMenu("Open &recent content", "recentContentsMenu")
        self.styles = RecentMenu("Add recent st&yle", "recentStylesMenu")
        self.samples = SampleMenu()
        file = self._menu("&File", Action.OPEN_CONTENT, Action.ADD_STYLE, Action.OPEN_START)
        for menu in (self.contents, self.styles, self.samples):
            file.addMenu(menu)
        file.addSeparator()
        self._fill(file, Action.SAVE, Action.SAVE_AS, SEPARATOR, Action.QUIT)
        self._menu("&Edit", Action.COPY_IMAGE, Action.PASTE_CONTENT, Action.PASTE_STYLE)
        view = self._menu("&View", *ZOOM, SEPARATOR, *COMPARE, SEPARATOR, Action.LOSS_CURVES)
        self._fill(self._titled(view.addMenu("&Theme")), *THEMES)
        self._menu("&Render", *JOB, SEPARATOR, Action.NETWORK)
        self._menu(
            "&Help",
            Action.SHORTCUTS,
            Action.SYSTEM_INFORMATION,
            Action.OPEN_LOGS,
            SEPARATOR,
            Action.ABOUT,
        )

    def set_running(self, running: bool) -> None:
        """Offer no pictures while a job uses some."""
        self.samples.setEnabled(not running)
        self.contents.set_running(running)
        self.styles.set_running(running)

    def _menu(self, title: str, *actions: Action | None) -> QMenu:
        menu = self._titled(self._window.menuBar().addMenu(title))
        self._fill(menu, *actions)
        return menu

    def _titled(self, menu: QMenu) -> QMenu:
        menu.setToolTipsVisible(True)
        return menu

    def _fill(self, menu: QMenu, *actions: Action | None) -> None:
        for action in actions:
            if action is SEPARATOR:
                menu.addSeparator()
            else:
                menu.addAction(self._actions[action])
