"""The field for a tile's side: a word or a number of pixels, picked from a list or typed."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QLineEdit

from engine.spec.parameters import Parameter
from gui.base.wheel import FocusedWheel

OFFERED = ("auto", "none", "128", "256", "512", "1024")


def tile_text(tile: str, unit: str) -> str:
    """A tile as the field shows it: "Auto", "256 px"."""
    return f"{tile} {unit}" if tile.isdigit() else tile.capitalize()


class TileBox(FocusedWheel, QComboBox):
    """A tile of the settings; `edited` carries what was picked or typed, not judged yet."""

    edited = Signal(object)

    def __init__(self, row: Parameter) -> None:
        super().__init__()
        self._unit = row.unit
        self._value = ""
        self._line = QLineEdit()
        self.setEditable(True)
        self.setLineEdit(self._line)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        # Completion would turn a typed 12 into 128.
        self.setCompleter(None)  # type: ignore[arg-type] # the stubs forget that it may be None
        self.addItems([tile_text(tile, row.unit) for tile in OFFERED])
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.currentIndexChanged.connect(self._take_picked)
        self._line.editingFinished.connect(self.commit)

    def set_value(self, value: str) -> None:
        """Show a tile without emitting `edited`; typing that has not ended is left alone."""
        if value == self._value and self._line.isModified():
            return
        self._value = value
        with QSignalBlocker(self):
            self.setCurrentIndex(OFFERED.index(value) if value in OFFERED else -1)
            self.setEditText(tile_text(value, self._unit))

    def commit(self) -> None:
        """Take over what stands in the field, as leaving it does."""
        self._line.setModified(False)
        typed = self.currentText().strip().lower().removesuffix(self._unit).strip()
        if typed != self._value:
            self.edited.emit(typed)

    def _take_picked(self, index: int) -> None:
        if index >= 0:
            self.commit()
