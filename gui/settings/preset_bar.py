"""Chooses among built-in and own presets, and keeps, renames, deletes and exchanges own ones."""

from __future__ import annotations

import os
from collections.abc import Callable
from html import escape
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QMessageBox,
    QToolButton,
    QWidget,
)

from engine.spec.errors import InputError
from engine.spec.settings import DEFAULTS, Settings
from engine.storage.preset_store import PresetStore
from engine.storage.presets import Preset, builtin_presets, read_preset
from gui.settings.parameter_widgets import FocusedWheel
from gui.settings.preset_dialog import PresetDialog

_FILES = "Presets (*.json)"


class _PresetCombo(FocusedWheel, QComboBox):
    """The list of presets."""


class PresetBar(QWidget):
    """The list of presets and a menu of what can be done with them.

    Attributes:
        chosen: Carries the `Preset` the person picked.
        shown: Carries the `Preset` that now counts as chosen, or None; settings are not touched.
        saving: The settings are about to be kept.
        failed: Carries the `InputError` to tell the person of.
    """

    chosen = Signal(object)
    shown = Signal(object)
    saving = Signal()
    failed = Signal(object)

    def __init__(self, store: PresetStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("presetBar")
        self._store = store
        self._settings = DEFAULTS
        self._name = ""
        self._shown: Preset | None = None
        self._own: tuple[Preset, ...] = ()
        self._combo = _PresetCombo()
        self._combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._combo.setObjectName("presetCombo")
        self._combo.setAccessibleName("Preset")
        self._combo.setPlaceholderText("Choose a preset")
        self._combo.activated.connect(self._choose)
        self._menu = QMenu(self)
        self._action("Save", "Save as preset…", self._ask_save)
        self._rename = self._action("Rename", "Rename…", self._ask_rename)
        self._delete = self._action("Delete", "Delete…", self._ask_delete)
        self._menu.addSeparator()
        self._action("Import", "Import…", self._ask_import)
        self._export = self._action("Export", "Export…", self._ask_export)
        self._lay_out()
        self._reload()
        self._problems = len(store.problems)

    def show_settings(self, settings: Settings) -> None:
        """Compare the chosen preset with the panel's settings and mark it when they differ.

        Where none was chosen, the first one that is these very settings counts as chosen.
        """
        self._settings = settings
        if not self._name:
            presets = (preset for _, preset in self._items())
            same = (preset.name for preset in presets if preset.applied_to(settings) == settings)
            self._name = next(same, "")
        self._mark()

    def _action(self, word: str, text: str, ask: Callable[[], None]) -> QAction:
        action = self._menu.addAction(text, ask)
        action.setObjectName(f"preset{word}Action")
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

    def _reload(self) -> None:
        self._own = self._store.presets()
        self._combo.clear()
        for preset in builtin_presets():
            self._add_item(preset)
        if self._own:
            self._combo.insertSeparator(self._combo.count())
        for preset in self._own:
            self._add_item(preset)
        self._mark()

    def _add_item(self, preset: Preset) -> None:
        self._combo.addItem(preset.name, preset)
        tooltip = f"<p>{escape(preset.description or preset.name)}</p>"
        self._combo.setItemData(self._combo.count() - 1, tooltip, Qt.ItemDataRole.ToolTipRole)

    def _mark(self) -> None:
        current, shown = -1, None
        for index, preset in self._items():
            modified = False
            if preset.name == self._name:
                current, shown = index, preset
                modified = preset.applied_to(self._settings) != self._settings
            self._combo.setItemText(index, preset.name + " (modified)" * modified)
        self._combo.setCurrentIndex(current)
        self._combo.setToolTip(self._combo.itemData(current, Qt.ItemDataRole.ToolTipRole) or "")
        own = any(preset.name == self._name for preset in self._own)
        self._rename.setEnabled(own)
        self._delete.setEnabled(own)
        self._export.setEnabled(current >= 0)
        if shown != self._shown:
            self._shown = shown
            self.shown.emit(shown)

    def _items(self) -> list[tuple[int, Preset]]:
        items = [(index, self._combo.itemData(index)) for index in range(self._combo.count())]
        return [(index, preset) for index, preset in items if preset is not None]

    def _choose(self, index: int) -> None:
        preset = self._combo.itemData(index)
        self._name = preset.name
        self._mark()
        self.chosen.emit(preset)

    def _select(self, name: str) -> None:
        self._name = name
        self._reload()
        self._tell_problems()

    def _tell_problems(self) -> None:
        """Tell of files that were sound when the program started and are not any more."""
        problems = self._store.problems
        for problem in problems[self._problems :]:
            self.failed.emit(InputError(problem))
        self._problems = len(problems)

    def _attempt(self, work: Callable[[], object]) -> bool:
        try:
            work()
        except InputError as error:
            self.failed.emit(error)
            return False
        return True

    def _ask_save(self) -> None:
        self.saving.emit()
        dialog = PresetDialog("Save as preset", self, description="")
        dialog.named.connect(self._save_as)
        dialog.open()

    def _save_as(self, name: str, description: str) -> None:
        def keep(overwrite: bool) -> None:
            preset = Preset(name=name, description=description, settings=self._settings)
            self._store.save(preset, overwrite=overwrite)
            self._select(preset.name)

        self._attempt(lambda: self._replacing(name, keep))

    def _replacing(self, name: str, keep: Callable[[bool], None]) -> None:
        """Keep a preset at once, or ask first where it would replace another."""
        if any(own.name.casefold() == name.casefold() for own in self._own):
            question = f"There is a preset “{name}” already. Replace it?"
            self._confirm(question, "Replace", lambda: keep(True))
        else:
            keep(False)

    def _ask_rename(self) -> None:
        old = self._name
        dialog = PresetDialog("Rename preset", self, name=old)
        dialog.named.connect(lambda new: self._rename_to(old, new))
        dialog.open()

    def _rename_to(self, old: str, new: str) -> None:
        if new != old and self._attempt(lambda: self._store.rename(old, new)):
            self._select(new)

    def _ask_delete(self) -> None:
        def delete(name: str = self._name) -> None:
            self._store.delete(name)
            self._select("")

        self._confirm(f"Delete the preset “{self._name}”?", "Delete", delete)

    def _ask_import(self) -> None:
        dialog = QFileDialog(self, "Import preset", "", _FILES)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        self._open(dialog, self._import_from)

    def _import_from(self, path: Path) -> None:
        def keep(overwrite: bool) -> None:
            preset = self._store.import_file(path, overwrite)
            self._select(preset.name)
            self.chosen.emit(preset)

        self._replacing(read_preset(path).preset.name, keep)

    def _ask_export(self) -> None:
        preset = next(preset for _, preset in self._items() if preset.name == self._name)
        dialog = QFileDialog(self, "Export preset", "", _FILES)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("json")
        dialog.selectFile(f"{preset.name}.json")
        # The system's dialog would ask about the name before the suffix is added to it.
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        self._open(dialog, lambda path: self._export_to(path, preset))

    def _export_to(self, path: Path, preset: Preset) -> None:
        def write(overwrite: bool) -> None:
            self._store.export_file(preset, path, overwrite)

        if os.path.lexists(path):
            question = f"{path.name} exists already. Replace it?"
            self._confirm(question, "Replace", lambda: write(True))
        else:
            write(False)

    def _open(self, dialog: QFileDialog, use: Callable[[Path], object]) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self._attempt(lambda: use(Path(name))))
        dialog.open()

    def _confirm(self, question: str, word: str, then: Callable[[], None]) -> None:
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.Question)
        box.setText(question)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.addButton(word, QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.accepted.connect(lambda: self._attempt(then))
        box.open()
