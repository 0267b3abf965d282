"""The list of presets with a menu of what can be done with them, and the dialog that names one."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QToolButton,
    QWidget,
)

from engine.storage.presets import Preset
from gui.base.wheel import FocusedWheel
from gui.base.words import tip_of


class _PresetCombo(FocusedWheel, QComboBox):
    """The list of presets."""


class PresetBar(QWidget):
    """Shows the presets there are and which one counts as chosen.

    Attributes:
        chosen: Carries the `Preset` the person picked.
        save_requested, import_requested: The person wants one more preset, from here or a file.
        rename_requested, delete_requested, export_requested: The same for the chosen preset.
    """

    chosen = Signal(object)
    save_requested = Signal()
    rename_requested = Signal()
    delete_requested = Signal()
    import_requested = Signal()
    export_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("presetBar")
        self._combo = _PresetCombo()
        self._combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._combo.setObjectName("presetCombo")
        self._combo.setAccessibleName("Preset")
        self._combo.setPlaceholderText("Choose a preset")
        self._combo.activated.connect(lambda index: self.chosen.emit(self._combo.itemData(index)))
        self._menu = QMenu(self)
        self._action("Save", "Save as preset…", self.save_requested)
        self._rename = self._action("Rename", "Rename…", self.rename_requested)
        self._delete = self._action("Delete", "Delete…", self.delete_requested)
        self._menu.addSeparator()
        self._action("Import", "Import…", self.import_requested)
        self._export = self._action("Export", "Export…", self.export_requested)
        self._lay_out()
        self.show_choice(None, modified=False, own=False)

    def show_presets(self, shipped: Iterable[Preset], own: Iterable[Preset]) -> None:
        """Show another list, with none of it chosen."""
        self._combo.clear()
        for preset in shipped:
            self._add_item(preset)
        first_own = self._combo.count()
        for preset in own:
            self._add_item(preset)
        if self._combo.count() > first_own:
            self._combo.insertSeparator(first_own)

    def show_choice(self, preset: Preset | None, *, modified: bool, own: bool) -> None:
        """Show which of the presets counts as chosen.

        Args:
            preset: One of those shown; None for none of them.
            modified: Whether the settings differ from it.
            own: Whether it is the person's own.
        """
        current = -1
        for index in range(self._combo.count()):
            each = self._combo.itemData(index)
            if each is not None:
                chosen = each == preset
                self._combo.setItemText(index, each.name + " (modified)" * (chosen and modified))
                current = index if chosen else current
        self._combo.setCurrentIndex(current)
        self._combo.setToolTip(self._combo.itemData(current, Qt.ItemDataRole.ToolTipRole) or "")
        self._rename.setEnabled(own)
        self._delete.setEnabled(own)
        self._export.setEnabled(current >= 0)

    def _action(self, word: str, text: str, asked: SignalInstance) -> QAction:
        action = self._menu.addAction(text)
        action.setObjectName(f"preset{word}Action")
        action.triggered.connect(lambda: asked.emit())
        return action

    def _lay_out(self) -> None:
        more = QToolButton()
        more.setObjectName("presetMenuButton")
        more.setText("⋯")
        more.setAccessibleName("Preset actions")
        more.setToolTip("Save, rename, delete, import and export presets")
        more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        more.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        more.setMenu(self._menu)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.addWidget(self._combo, 1)
        row.addWidget(more)

    def _add_item(self, preset: Preset) -> None:
        self._combo.addItem(preset.name, preset)
        tooltip = tip_of(preset.description or preset.name)
        self._combo.setItemData(self._combo.count() - 1, tooltip, Qt.ItemDataRole.ToolTipRole)


class PresetDialog(QDialog):
    """Asks for a preset's name, and for a description where there is one to give.

    Args:
        title: What the dialog is for.
        parent: The widget it stands before.
        name: To start from.
        described: Whether a description is asked for too.
    """

    def __init__(
        self, title: str, parent: QWidget, *, name: str = "", described: bool = False
    ) -> None:
        super().__init__(parent)
        self.setObjectName("presetDialog")
        self.setWindowTitle(title)
        self._name = QLineEdit(name)
        self._name.setObjectName("presetNameEdit")
        self._name.textChanged.connect(self._allow)
        self._description = QLineEdit()
        self._description.setObjectName("presetDescriptionEdit")
        self._buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        form = QFormLayout(self)
        form.addRow("Name", self._name)
        if described:
            form.addRow("Description", self._description)
        form.addRow(self._buttons)
        self.setMinimumWidth(48 * self.fontMetrics().averageCharWidth())
        self._name.selectAll()
        self._allow(name)

    @property
    def name(self) -> str:
        """What was typed, without blanks around it."""
        return self._name.text().strip()

    @property
    def description(self) -> str:
        """What was typed, without blanks around it; empty where none was asked for."""
        return self._description.text().strip()

    def _allow(self, name: str) -> None:
        ok = self._buttons.button(QDialogButtonBox.StandardButton.Ok)
        ok.setEnabled(bool(name.strip()))
