"""One line above the canvas while the draft network stands in: what it is, and how to better it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from gui.base.hint_line import HintLine

WORDS = "Painting with the draft network. VGG-19 paints finer."


class NetworkLine(HintLine):
    """Offers to download or locate VGG-19, and goes away for good when asked to.

    Attributes:
        download_requested, locate_requested: The person wants the weights to come this way.
    """

    download_requested = Signal()
    locate_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            "VGG-19",
            ("Download…", "See what would be fetched"),
            ("Locate file…", "Use a file you have"),
            parent=parent,
        )
        self.setObjectName("networkLine")
        self.say(WORDS, WORDS)
        download, self._locate = self.buttons
        download.clicked.connect(self.download_requested)
        self._locate.clicked.connect(self.locate_requested)

    def set_busy(self, busy: bool) -> None:
        """Take no file while weights are on their way; how they come can be looked at."""
        self._locate.setEnabled(not busy)
