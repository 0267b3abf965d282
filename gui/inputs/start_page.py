"""The canvas before the first pastiche: what to do, sample pairs to begin with, recent pictures."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from engine.storage.naming import shown_name
from gui.base.words import plain_label, tip_of, unmarked
from gui.inputs.sample_card import SampleCard
from gui.inputs.samples import SAMPLE_PAIRS

RECENT = 3
"""Files of each kind; the menu has more."""

NAME_WIDTH = 130
"""Logical pixels that a recent file's name may take."""


class StartPage(QWidget):
    """Says what comes next; while nothing is open, offers pictures.

    Attributes:
        sample_chosen: Carries the `SamplePair`.
        content_chosen, style_chosen: Carry the `Path` of a recent file.
    """

    sample_chosen = Signal(object)
    content_chosen = Signal(object)
    style_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("startPage")
        self._title = _label("Your pastiche will form here")
        font = self._title.font()
        font.setPointSizeF(font.pointSizeF() * 1.4)
        self._title.setFont(font)
        self._hint = _label(muted=True)
        self._hint.setObjectName("startHint")
        self._cards = [SampleCard(pair) for pair in SAMPLE_PAIRS]
        self._contents = RecentRow("Recent photographs", "recentContents")
        self._styles = RecentRow("Recent paintings", "recentStyles")
        for card in self._cards:
            card.chosen.connect(self.sample_chosen)
        self._contents.chosen.connect(self.content_chosen)
        self._styles.chosen.connect(self.style_chosen)
        self._lay_out()
        self.show_step(content=False, styles=False)

    def show_step(self, *, content: bool, styles: bool) -> None:
        """Say what comes next, given whether there are a photograph and paintings."""
        if content and styles:
            hint = "Press Render"
        elif content:
            hint = "Add a painting, then press Render"
        elif styles:
            hint = "Open a photograph, then press Render"
        else:
            hint = "Open a photograph, add a painting, then press Render"
        self._hint.setText(hint)
        self._offers.setVisible(not content and not styles)

    def show_samples(self, pictures: Mapping[Path, QImage]) -> None:
        """Show the sample pictures, given small copies of their files."""
        for card in self._cards:
            card.show_pictures(pictures[card.pair.painting], pictures[card.pair.photograph])

    def show_recent(self, contents: tuple[str, ...], styles: tuple[str, ...]) -> None:
        """Offer files that were open lately."""
        self._contents.show_files(contents)
        self._styles.show_files(styles)

    def _lay_out(self) -> None:
        cards = QHBoxLayout()
        cards.setSpacing(12)
        cards.addStretch()
        for card in self._cards:
            cards.addWidget(card)
        cards.addStretch()
        self._offers = QWidget()
        offers = QVBoxLayout(self._offers)
        offers.setContentsMargins(0, 20, 0, 0)
        offers.setSpacing(12)
        offers.addWidget(_label("Or begin with one of these", muted=True))
        offers.addLayout(cards)
        offers.addWidget(self._contents)
        offers.addWidget(self._styles)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 12, 24, 12)
        column.setSpacing(6)
        column.addStretch(1)
        column.addWidget(self._title)
        column.addWidget(self._hint)
        column.addWidget(self._offers)
        column.addStretch(1)


class RecentRow(QWidget):
    """A few recent files in one line; not there while there are none.

    Attributes:
        chosen: Carries the `Path`.
    """

    chosen = Signal(object)

    def __init__(self, title: str, name: str) -> None:
        super().__init__()
        self._title = title
        self._files: tuple[str, ...] = ()
        self.setObjectName(name)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)
        self._row.addStretch()
        self._row.addWidget(_label(f"{title}:", muted=True))
        self._row.addStretch()
        self._buttons: list[QToolButton] = []
        self.hide()

    def show_files(self, files: tuple[str, ...]) -> None:
        """Offer the first of these."""
        files = files[:RECENT]
        if files == self._files:
            return
        self._files = files
        for button in self._buttons:
            self._row.removeWidget(button)
            button.deleteLater()
        self._buttons = [self._button(file) for file in files]
        for button in self._buttons:
            self._row.insertWidget(self._row.count() - 1, button)
        self.setVisible(bool(files))

    def _button(self, file: str) -> QToolButton:
        button = QToolButton()
        name = shown_name(Path(file))
        text = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, NAME_WIDTH)
        button.setText(unmarked(text))
        button.setToolTip(tip_of(file))
        button.setAccessibleName(f"{self._title}: {name}")
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(partial(self.chosen.emit, Path(file)))
        return button


def _label(text: str = "", *, muted: bool = False) -> QLabel:
    label = plain_label(text)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    if muted:
        label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    return label
