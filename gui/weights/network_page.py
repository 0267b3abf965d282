"""A friendly page in place of the result while the network a render needs is missing."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gui.base.words import plain_label

BAR_PARTS = 1000
"""A progress bar counts in 32 bits, which bytes may exceed."""


def megabytes(count: int) -> str:
    """Bytes in words: "548 MB"."""
    return f"{count / 1e6:.0f} MB"


class NetworkPage(QWidget):
    """Tells what is missing and offers to download or locate it; shows how a download goes.

    Attributes:
        download_requested, locate_requested: The person wants the weights to come this way.
        cancel_requested: The person wants the download to end; what has arrived is kept.
        dismissed: The person wants to see the result again.
    """

    download_requested = Signal()
    locate_requested = Signal()
    cancel_requested = Signal()
    dismissed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("networkPage")
        self.setBackgroundRole(QPalette.ColorRole.Window)
        self._title = plain_label()
        self._title.setAccessibleName("Network weights")
        self._text = plain_label()
        self._details = plain_label()
        self._details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._details.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        for label in (self._title, self._text, self._details):
            label.setWordWrap(True)
            label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        font = self._title.font()
        font.setPointSizeF(font.pointSizeF() * 1.5)
        self._title.setFont(font)
        self._bar = QProgressBar()
        self._bar.setAccessibleName("Download")
        self._download = _button("Download", "downloadNetworkButton", self.download_requested)
        self._locate = _button("Locate a file…", "locateNetworkButton", self.locate_requested)
        self._cancel = _button("Cancel", "cancelDownloadButton", self.cancel_requested)
        self._later = _button("Not now", "dismissNetworkButton", self.dismissed)
        self._lay_out()
        self.show_busy(None)

    def show_missing(self, title: str, *, needed: bool) -> None:
        """Say that a network ("VGG-19") is missing and why that matters.

        Args:
            title: Of the network.
            needed: Whether nothing can be painted without it; else the draft network stands in.
        """
        if needed:
            self._title.setText(f"One thing is missing: {title}")
            purpose = (
                f"Gramarye looks at pictures through the eyes of {title}, a network trained on "
                "photographs."
            )
        else:
            self._title.setText(f"{title} paints finer")
            purpose = (
                "Gramarye has a small network of its own for drafts. To see every nuance of a "
                f"painting it needs the eyes of {title}, a large network trained on photographs."
            )
        self._text.setText(
            f"{purpose} Its weights are a separate file, fetched once; after that everything works "
            "without a connection."
        )
        self._details.setText("Looking up where it is published…")
        self._later.setText("Not now")
        self._offer(download="Download", locate="Locate a file…")
        self._download.setEnabled(False)

    def show_offer(self, url: str, size: int, destination: str) -> None:
        """Say what a download would fetch and where it would go."""
        self._details.setText(f"{megabytes(size)} from {url}\nKept as {destination}")
        self._download.setText(f"Download {megabytes(size)}")
        self._download.setEnabled(True)

    def show_found(self, title: str, path: str) -> None:
        """Say where a network is."""
        self._title.setText(f"{title} is ready")
        self._text.setText("Its weights are on this machine; nothing needs to be downloaded.")
        self._details.setText(path)
        self._later.setText("Close")
        self._offer(download="", locate="Use another file…")

    def show_busy(self, text: str | None, *, cancellable: bool = False) -> None:
        """Show a busy bar with words while something is under way, or neither."""
        busy = text is not None
        self._bar.setVisible(busy)
        self._bar.setRange(0, 0)
        self._cancel.setVisible(cancellable)
        self._download.setEnabled(not busy)
        self._locate.setEnabled(not busy)
        if text is not None:
            self._details.setText(text)

    def show_download(self, done: int, total: int) -> None:
        """Show how many bytes of a download have arrived."""
        if done >= total:
            self.show_busy("Checking the file…")
            return
        self._bar.setVisible(True)
        self._cancel.setVisible(True)
        self._bar.setRange(0, BAR_PARTS)
        self._bar.setValue(BAR_PARTS * done // total)
        self._details.setText(f"{megabytes(done)} of {megabytes(total)} have arrived")

    def _offer(self, *, download: str, locate: str) -> None:
        self._download.setVisible(bool(download))
        self._download.setText(download)
        self._locate.setText(locate)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        for button in (self._download, self._locate, self._cancel, self._later):
            buttons.addWidget(button)
        buttons.addStretch()
        card = QWidget()
        card.setMaximumWidth(self.fontMetrics().averageCharWidth() * 90)
        column = QVBoxLayout(card)
        column.setSpacing(12)
        for widget in (self._title, self._text, self._details, self._bar):
            column.addWidget(widget)
        column.addLayout(buttons)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(card, 8)
        row.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(24, 24, 24, 24)
        whole.addStretch(1)
        whole.addLayout(row)
        whole.addStretch(2)


def _button(text: str, name: str, clicked: SignalInstance) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.clicked.connect(clicked)
    return button
