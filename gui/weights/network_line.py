"""One line above the canvas while the draft network stands in: what it is, and how to better it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

WORDS = "Painting with the draft network. VGG-19 paints finer."


class NetworkLine(QWidget):
    """Offers to download or locate VGG-19, and goes away for good when asked to.

    Attributes:
        download_requested, locate_requested: The person wants the weights to come this way.
        dismissed: The person has read it.
    """

    download_requested = Signal()
    locate_requested = Signal()
    dismissed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("networkLine")
        words = QLabel(WORDS)
        words.setToolTip(WORDS)
        words.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 8, 2)
        row.addWidget(words, 1)
        self._locate = _button("Locate file…", "Use a file you have", self.locate_requested)
        row.addWidget(_button("Download…", "See what would be fetched", self.download_requested))
        row.addWidget(self._locate)
        row.addWidget(_button("✕", "Do not show this again", self.dismissed))
        self.hide()

    def set_busy(self, busy: bool) -> None:
        """Take no file while weights are on their way; how they come can be looked at."""
        self._locate.setEnabled(not busy)


def _button(text: str, tip: str, clicked: SignalInstance) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setAccessibleName(f"VGG-19: {tip}")
    button.setAutoRaise(True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.clicked.connect(clicked)
    return button
