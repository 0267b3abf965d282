"""Names the picture the pastiche starts from, and lets the person choose it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget
from superqt import QElidingLabel

from engine.spec.pictures import Picture
from gui.base.words import plain_label


class StartRow(QWidget):
    """One line: "Starts from: sketch.png" and a button.

    Attributes:
        open_requested: The person wants to choose a picture.
    """

    open_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("startRow")
        self._name = QElidingLabel()
        self._name.setTextFormat(Qt.TextFormat.PlainText)
        self._name.setElideMode(Qt.TextElideMode.ElideMiddle)
        self._open = QPushButton("Open…")
        self._open.setObjectName("openStartButton")
        self._open.setAccessibleName("Open a picture to start from")
        self._open.clicked.connect(self.open_requested)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 12)
        row.addWidget(plain_label("Starts from:"))
        row.addWidget(self._name, 1)
        row.addWidget(self._open)
        self.show_picture(None)

    def show_picture(self, picture: Picture | None) -> None:
        """Show another picture's name, or that there is none yet."""
        self._name.setText(picture.name if picture else "no picture yet")

    def set_running(self, running: bool) -> None:
        """Leave the picture to a running job, or to the person again."""
        self._open.setEnabled(not running)
