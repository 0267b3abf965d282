"""The panel of all settings, built from their declaration: plain words first, terms behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import partial

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QFrame,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.spec.errors import InputError
from engine.spec.parameters import Group, Kind
from engine.spec.settings import DEFAULTS, PARAMETERS, Settings
from gui.base.words import plain_label
from gui.settings.parameter_row import ParameterRow
from gui.settings.tile_box import TileBox


class ParameterPanel(QScrollArea):
    """Holds the settings a person is choosing.

    Attributes:
        changed: Carries the whole, valid `Settings`.
        advanced_unfolded: Whether a person has just unfolded the field's own terms, or folded them.
    """

    changed = Signal(object)
    advanced_unfolded = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("parameterPanel")
        self.setAccessibleName("Settings")
        self._settings = DEFAULTS
        self._rows = {row.name: ParameterRow(row) for row in PARAMETERS}
        for name, row in self._rows.items():
            row.edited.connect(partial(self._edit, name))
        self._affected = {name: _affected_by(name) for name in self._rows}
        self._refused = ""
        self._align_fields()
        self._advanced = Disclosure("Advanced", self._advanced_groups())
        self._advanced.button.setObjectName("advancedButton")
        self._advanced.clicked.connect(self.advanced_unfolded)
        content = self._content()
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        bar = self.verticalScrollBar().sizeHint().width()
        self.setMinimumWidth(content.minimumSizeHint().width() + bar)
        self._show(self._rows)

    def set_settings(self, settings: Settings) -> None:
        """Show other settings without emitting `changed`."""
        # What was chosen here comes back as it is.
        if settings is not self._settings:
            before, self._settings = self._settings, settings
            self._show(
                name for name in self._rows if getattr(before, name) != getattr(settings, name)
            )

    def offer(self, name: str, words: Mapping[StrEnum, str]) -> None:
        """Offer these choices of a parameter, in these words; one that is set is kept."""
        self._rows[name].offer(words)

    def commit(self) -> None:
        """Take over what stands in a field that is still being edited, as leaving it would."""
        field = self.focusWidget()
        if isinstance(field, QAbstractSpinBox):
            field.interpretText()
        elif isinstance(field, TileBox):
            field.commit()

    def set_running(self, running: bool) -> None:
        """Lock the settings that a running job cannot take over."""
        for row in self._rows.values():
            row.set_running(running)
        self._show(self._rows)

    def show_advanced(self, shown: bool) -> None:
        """Unfold or fold the field's own terms."""
        self._advanced.unfold(shown)

    def _edit(self, name: str, value: object) -> None:
        try:
            settings = self._settings.changed(**{name: value})
        except InputError as error:
            self._show((name,))
            self._rows[name].show_refusal(str(error))
            self._refused = name
            return
        changed = getattr(settings, name) != getattr(self._settings, name)
        self._settings = settings
        self._show((name,))
        if changed:
            self.changed.emit(settings)

    def _show(self, changed: Iterable[str]) -> None:
        """Show the parameters whose value is another, and those on which that has an effect.

        What was refused last is forgotten with the first change that is not.
        """
        names = {row for name in changed for row in self._affected[name]}
        if self._refused:
            names.add(self._refused)
            self._refused = ""
        for name in names:
            self._rows[name].show_settings(self._settings)

    def _align_fields(self) -> None:
        width = max(row.field_width() for row in self._rows.values())
        for row in self._rows.values():
            row.set_field_width(width)

    def _content(self) -> QWidget:
        content = QWidget()
        column = _column(content)
        column.setContentsMargins(12, 12, 12, 12)
        for row in self._rows_of(Group.BASIC):
            column.addWidget(row)
        column.addWidget(self._advanced)
        column.addStretch()
        return content

    def _rows_of(self, group: Group) -> list[ParameterRow]:
        return [row for row in self._rows.values() if row.row.group is group]

    def _advanced_groups(self) -> QWidget:
        groups = QWidget()
        column = _column(groups)
        for group in Group:
            if group is not Group.BASIC:
                title = plain_label(group.value)
                bold = title.font()
                bold.setBold(True)
                title.setFont(bold)
                title.setContentsMargins(0, 8, 0, 0)
                column.addWidget(title)
                for row in self._rows_of(group):
                    column.addWidget(row)
        return groups


def _affected_by(name: str) -> tuple[str, ...]:
    """The parameters that look different where one is another: itself, and what depends on it."""
    return tuple(
        row.name
        for row in PARAMETERS
        if row.name == name
        or (row.relevant is not None and row.relevant[0] == name)
        or (row.kind is Kind.LAYERS and name == "network")
    )


class Disclosure(QWidget):
    """A heading that folds what is below it away.

    Attributes:
        clicked: Whether a click has just unfolded it.
    """

    clicked = Signal(bool)

    def __init__(self, title: str, content: QWidget) -> None:
        super().__init__()
        self.button = QToolButton()
        self.button.setText(title)
        self.button.setAutoRaise(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.button.clicked.connect(self._turn)
        self._content = content
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.button)
        column.addWidget(content)
        self.unfold(False)

    def unfold(self, shown: bool) -> None:
        """Show or fold away the content."""
        if self._content.isHidden() != shown:
            return
        self._content.setVisible(shown)
        self.button.setArrowType(Qt.ArrowType.DownArrow if shown else Qt.ArrowType.RightArrow)
        self.button.setAccessibleDescription("unfolded" if shown else "folded")

    @Slot()
    def _turn(self) -> None:
        shown = self._content.isHidden()
        self.unfold(shown)
        self.clicked.emit(shown)


def _column(widget: QWidget) -> QVBoxLayout:
    column = QVBoxLayout(widget)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(12)
    return column
