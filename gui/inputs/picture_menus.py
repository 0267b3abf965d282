"""The menus that offer pictures: those opened lately, and the pairs that come with the program."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from engine.storage.naming import shown_name
from gui.base.words import tip_of, unmarked
from gui.inputs.samples import SAMPLE_PAIRS


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
            entry = self.addAction(unmarked(shown_name(Path(file))))
            entry.setToolTip(tip_of(file))
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

    def set_running(self, running: bool) -> None:
        """Offer nothing while a job uses the pictures."""
        self.setEnabled(not running)
