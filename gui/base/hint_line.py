"""A quiet line above the canvas: something that could be better, and a way to put that away."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from gui.base.words import plain_label, tip_of


class HintLine(QWidget):
    """Says one thing, hidden at first; what is made of its buttons is for who makes it.

    Args:
        subject: What it is about, for screen readers.
        offers: A word and a tooltip for each thing that can be done.

    Attributes:
        buttons: One for each offer.
        dismissed: The person has read it.
    """

    dismissed = Signal()

    def __init__(
        self, subject: str, *offers: tuple[str, str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._words = plain_label()
        self._words.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._words.setWordWrap(True)
        self.buttons = tuple(_button(subject, *offer) for offer in offers)
        put_away = _button(subject, "✕", "Do not show this again")
        put_away.clicked.connect(self.dismissed)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 8, 2)
        row.addWidget(self._words, 1)
        for button in (*self.buttons, put_away):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    def say(self, text: str, tip: str) -> None:
        """Say this from now on; the tooltip says more, or all where the line is too short."""
        self._words.setText(text)
        self._words.setToolTip(tip_of(tip))


def _button(subject: str, text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setAccessibleName(f"{subject}: {tip}")
    button.setAutoRaise(True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
