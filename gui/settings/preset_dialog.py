"""Asks for a preset's name, and for a description where there is one to give."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QWidget


class PresetDialog(QDialog):
    """A dialog that deletes itself when closed; `named` carries name and description.

    Args:
        title: What the dialog is for.
        parent: The widget it stands before.
        name: To start from.
        description: To start from; None asks for no description.
    """

    named = Signal(str, str)

    def __init__(
        self, title: str, parent: QWidget, *, name: str = "", description: str | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("presetDialog")
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._name = QLineEdit(name)
        self._name.setObjectName("presetNameEdit")
        self._name.textChanged.connect(self._allow)
        self._description = QLineEdit(description or "")
        self._description.setObjectName("presetDescriptionEdit")
        self._buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        form = QFormLayout(self)
        form.addRow("Name", self._name)
        if description is not None:
            form.addRow("Description", self._description)
        form.addRow(self._buttons)
        self.setMinimumWidth(48 * self.fontMetrics().averageCharWidth())
        self._name.selectAll()
        self._allow(name)

    def _allow(self, name: str) -> None:
        ok = self._buttons.button(QDialogButtonBox.StandardButton.Ok)
        ok.setEnabled(bool(name.strip()))

    def accept(self) -> None:
        """Tell the name and close."""
        self.named.emit(self._name.text().strip(), self._description.text().strip())
        super().accept()
