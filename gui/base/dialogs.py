"""Questions to the person, each awaited; none blocks the window's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QDir, Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QMessageBox,
    QPlainTextEdit,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from engine.spec.wording import plain
from engine.storage.failures import Failure
from engine.storage.formats import FORMATS, QUALITIES, USUAL_QUALITY
from gui.base.page_dialog import PageDialog

Answer = TypeVar("Answer")

LONGEST_QUESTION = 400
"""Characters of a question, which may name a file."""

PRESETS = "Presets (*.json)"
SAVED_AS = {
    f"{each.name} picture ({' '.join(f'*{suffix}' for suffix in each.suffixes)})": each.suffixes[0]
    for each in FORMATS
}
"""The filters of the dialog that saves, and the suffix that each of them adds to a bare name."""


async def finished(dialog: QDialog) -> bool:
    """Open a dialog over its parent and wait; whether it was accepted. It is deleted afterwards."""
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def end(code: int) -> None:
        if not ended.done():
            ended.set_result(code)

    dialog.finished.connect(end)
    try:
        dialog.open()
        return await ended == QDialog.DialogCode.Accepted
    finally:
        dialog.close()
        dialog.deleteLater()


class Dialogs:
    """Everything the program asks or tells in a window of its own; tests answer in its place."""

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent

    async def open_pictures(
        self, title: str, folder: str, suffixes: Iterable[str], *, several: bool = False
    ) -> tuple[Path, ...]:
        """Ask for files to open; empty if the person thought better of it."""
        dialog = QFileDialog(self._parent, title, folder)
        mode = QFileDialog.FileMode
        dialog.setFileMode(mode.ExistingFiles if several else mode.ExistingFile)
        patterns = " ".join(f"*{suffix}" for suffix in suffixes)
        dialog.setNameFilters([f"Pictures ({patterns})", "All files (*)"])
        accepted = await finished(dialog)
        return tuple(map(Path, dialog.selectedFiles())) if accepted else ()

    async def open_network(self, title: str) -> Path | None:
        """Ask for a file with network weights."""
        dialog = QFileDialog(self._parent, title, QDir.homePath())
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(["Network weights (*.pth *.pt *.safetensors)", "All files (*)"])
        return Path(dialog.selectedFiles()[0]) if await finished(dialog) else None

    async def save_picture(self, suggestion: Path) -> Path | None:
        """Ask where to save, but not whether to replace what is there."""
        dialog = QFileDialog(self._parent, "Save pastiche", str(suggestion.parent))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        # The system's dialog would ask about the name before the suffix is added to it.
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        dialog.setNameFilters(list(SAVED_AS))
        dialog.setDefaultSuffix(suggestion.suffix[1:])
        dialog.filterSelected.connect(lambda text: dialog.setDefaultSuffix(SAVED_AS[text][1:]))
        dialog.selectFile(suggestion.name)
        return Path(dialog.selectedFiles()[0]) if await finished(dialog) else None

    async def jpeg_quality(self, quality: int) -> int | None:
        """Ask how finely to keep a JPEG: one of `QUALITIES`."""
        dialog = QualityDialog(quality, self._parent)
        return dialog.quality() if await finished(dialog) else None

    async def open_preset(self) -> Path | None:
        """Ask for a preset's file."""
        dialog = QFileDialog(self._parent, "Import preset", "", PRESETS)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        return Path(dialog.selectedFiles()[0]) if await finished(dialog) else None

    async def save_preset(self, suggestion: str) -> Path | None:
        """Ask where to write a preset, but not whether to replace what is there."""
        dialog = QFileDialog(self._parent, "Export preset", "", PRESETS)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("json")
        dialog.selectFile(suggestion)
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        return Path(dialog.selectedFiles()[0]) if await finished(dialog) else None

    async def choose(
        self, question: str, detail: str, answers: Mapping[str, Answer]
    ) -> Answer | None:
        """Ask for one of a few answers, given by the words on their buttons; None to cancel."""
        box = QMessageBox(self._parent)
        box.setIcon(QMessageBox.Icon.Question)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(plain(question, LONGEST_QUESTION))
        box.setInformativeText(plain(detail, LONGEST_QUESTION))
        role = QMessageBox.ButtonRole
        buttons: dict[QAbstractButton, Answer] = {}
        for words, answer in answers.items():
            button = box.addButton(words, role.ActionRole if buttons else role.AcceptRole)
            if not buttons:
                box.setDefaultButton(button)
            buttons[button] = answer
        box.setEscapeButton(box.addButton(QMessageBox.StandardButton.Cancel))
        await finished(box)
        return buttons.get(box.clickedButton())

    async def report(self, failure: Failure) -> None:
        """Say what went wrong and what to do."""
        box = QMessageBox(self._parent)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(failure.message)
        box.setInformativeText(failure.remedy)
        box.setStandardButtons(QMessageBox.StandardButton.Ok)
        await finished(box)

    async def show_text(self, title: str, text: str) -> None:
        """Show plain text that can be copied as a whole."""
        await finished(TextDialog(title, text, self._parent))

    async def show_page(self, title: str, page: Path) -> None:
        """Show a page of Markdown with the pictures that lie beside it."""
        await finished(PageDialog(title, page, self._parent))

    async def show_about(self, text: str) -> None:
        """Show a few words, as rich text, beside the program's icon."""
        box = QMessageBox(self._parent)
        box.setWindowTitle("About Gramarye")
        box.setIconPixmap(self._parent.windowIcon().pixmap(64, 64))
        box.setTextFormat(Qt.TextFormat.RichText)
        box.setText(text)
        await finished(box)


class QualityDialog(QDialog):
    """A slider and a field for the quality of a JPEG."""

    def __init__(self, quality: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("JPEG quality")
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(QUALITIES[0], QUALITIES[-1])
        slider.setAccessibleName("JPEG quality")
        self._field = QSpinBox()
        self._field.setRange(QUALITIES[0], QUALITIES[-1])
        self._field.setAccessibleName("JPEG quality")
        slider.valueChanged.connect(self._field.setValue)
        self._field.valueChanged.connect(slider.setValue)
        self._field.setValue(quality)
        words = QLabel(
            f"{USUAL_QUALITY} keeps everything the eye can see; less makes smaller files."
        )
        standard = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(standard.Save | standard.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        for widget in (words, slider, self._field, buttons):
            column.addWidget(widget)

    def quality(self) -> int:
        """What was chosen."""
        return self._field.value()


class TextDialog(QDialog):
    """Plain text with a button that copies it."""

    def __init__(self, title: str, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        view = QPlainTextEdit(text)
        view.setReadOnly(True)
        view.setAccessibleName(title)
        view.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(text))
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(view)
        column.addWidget(buttons)
        self.resize(self.fontMetrics().averageCharWidth() * 90, self.fontMetrics().height() * 28)
