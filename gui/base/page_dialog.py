"""A page that comes with the program, with its pictures, in a window of its own."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QTextCursor, QTextDocument, QTextTable
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

WIDTH = 800
"""Pixels of a page without its margins: three pictures of 256 side by side."""


class PageDialog(QDialog):
    """A page of Markdown to scroll through; it follows no link out of its folder."""

    def __init__(self, title: str, page: Path, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        view = QTextBrowser()
        view.setAccessibleName(title)
        view.setOpenLinks(False)
        # Text as wide as a window would let pictures overlap in a narrow one.
        view.setLineWrapMode(QTextBrowser.LineWrapMode.FixedPixelWidth)
        margins = 2 * self.fontMetrics().height()
        view.setLineWrapColumnOrWidth(WIDTH + margins)
        view.setSource(QUrl.fromLocalFile(str(page)))
        _space_out(view.document(), self.fontMetrics().height())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(view)
        column.addWidget(buttons)
        self.resize(WIDTH + margins + 60, 720)  # with the scroll bar and what is around it


def _space_out(document: QTextDocument, height: int) -> None:
    """Room above headings and around the page, of lines' height, and no lines around pictures."""
    document.setDocumentMargin(height)
    cursor = QTextCursor(document)
    block = document.begin()
    while block.isValid():
        form = block.blockFormat()
        if form.headingLevel() > 1:
            form.setTopMargin(1.5 * height)
            cursor.setPosition(block.position())
            cursor.setBlockFormat(form)
        block = block.next()
    for frame in document.rootFrame().childFrames():
        if isinstance(frame, QTextTable):
            table = frame.format().toTableFormat()
            table.setBorder(0)
            frame.setFormat(table)
