"""One parameter as the panel shows it: label, editor, slider, reset, and what was refused."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QToolButton, QWidget

from engine.spec.parameters import Kind, Parameter
from engine.spec.settings import PARAMETER, Settings
from gui.base.words import plain_label
from gui.settings.layers_editor import LayersEditor
from gui.settings.parameter_widgets import (
    ChoiceBox,
    ParameterField,
    ParameterSlider,
    number_text,
    readable,
)
from gui.settings.tile_box import TileBox, tile_text


def facts_of(row: Parameter) -> tuple[str, ...]:
    """What a tooltip says after the help: range, relevance, and when a change takes effect."""
    facts = []
    if row.low is not None and row.high is not None:
        facts.append(f"{number_text(row.low)} to {number_text(row.high)} {row.unit}".strip() + ".")
    if row.relevant is not None:
        other, values = row.relevant
        words = ", ".join(readable(value) for value in values)
        facts.append(f"Only matters for {PARAMETER[other].label}: {words}.")
    facts.append("Takes effect while rendering." if row.live else "Needs a new render.")
    return tuple(facts)


def tooltip_of(row: Parameter) -> str:
    """Help, term and facts as the small rich text of a tooltip."""
    term = f"<p><i>{escape(row.term)}</i></p>" if row.term else ""
    return f"<p>{escape(row.help)}</p>{term}<p>{escape(' '.join(facts_of(row)))}</p>"


class ParameterRow(QWidget):
    """Shows one parameter of whole settings; `edited` carries a new value nobody has judged yet."""

    edited = Signal(object)

    def __init__(self, row: Parameter) -> None:
        super().__init__()
        self.row = row
        self._locked = False
        self._editor = _editor_of(row)
        self._editor.setObjectName(f"setting_{row.name}")
        self._editor.setAccessibleName(row.label)
        self._editor.setAccessibleDescription(row.help)
        self._editor.edited.connect(self.edited)
        self._slider = self._make_slider() if row.slider else None
        self._reset = self._make_reset()
        self._label = plain_label(row.label)
        self._label.setBuddy(self._editor)
        self._refusal = plain_label()
        self._refusal.setObjectName(f"setting_{row.name}_refusal")
        self._refusal.setWordWrap(True)
        self._refusal.hide()
        for widget in (self._label, self._editor, self._slider):
            if widget is not None:
                widget.setToolTip(tooltip_of(row))
        self._lay_out()

    def show_settings(self, settings: Settings) -> None:
        """Show this parameter's value among the others without emitting `edited`."""
        value = getattr(settings, self.row.name)
        if isinstance(self._editor, LayersEditor):
            self._editor.set_network(settings.network)
        self._editor.set_value(value)
        if self._slider is not None:
            self._slider.set_value(value)
        self._refusal.hide()
        self.setEnabled(self.row.matters(settings) and not self._locked)
        self._reset.setEnabled(value != self.row.default)
        self._reset.setVisible(value != self.row.default)

    def offer(self, words: Mapping[StrEnum, str]) -> None:
        """Offer these choices, in these words, in place of all that are declared.

        Words that are wider than the fields make the editor as wide as the row.
        """
        assert isinstance(self._editor, ChoiceBox), f"{self.row.name} is not chosen from words"
        self._editor.offer(words)
        if self._editor.sizeHint().width() > self._editor.maximumWidth():
            self._take_own_line()

    def set_running(self, running: bool) -> None:
        """Lock what cannot change while a job runs, from the next `show_settings` on."""
        self._locked = running and not self.row.live

    def field_width(self) -> int:
        """The width in pixels that shows every value; 0 where the editor takes the whole row."""
        return 0 if self.row.kind is Kind.LAYERS else self._editor.sizeHint().width()

    def set_field_width(self, width: int) -> None:
        """Give the editor the width that all fields share, so that they stand in one column."""
        if self.row.kind is not Kind.LAYERS:
            self._editor.setFixedWidth(width)

    def show_refusal(self, text: str) -> None:
        """Say below the editor why a value was not taken."""
        self._refusal.setText(f"⚠ {text}")
        self._refusal.show()

    def _take_own_line(self) -> None:
        """Put the editor below the label, over the whole row."""
        grid = self.layout()
        assert isinstance(grid, QGridLayout)
        grid.addWidget(self._editor, 1, 0, 1, 2)
        self._editor.setMaximumWidth(self.maximumWidth())

    def _make_slider(self) -> ParameterSlider:
        slider = ParameterSlider(self.row)
        slider.setObjectName(f"setting_{self.row.name}_slider")
        slider.setAccessibleName(f"{self.row.label}, slider")
        slider.edited.connect(self.edited)
        return slider

    def _make_reset(self) -> QToolButton:
        reset = QToolButton()
        reset.setObjectName(f"setting_{self.row.name}_reset")
        reset.setText("↺")
        reset.setAutoRaise(True)
        policy = reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        reset.setSizePolicy(policy)
        reset.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        reset.setToolTip(f"Back to {_default_text(self.row)}")
        reset.setAccessibleName(f"Reset {self.row.label}")
        reset.clicked.connect(self._take_default)
        return reset

    def _take_default(self) -> None:
        self._editor.setFocus(Qt.FocusReason.OtherFocusReason)
        self.edited.emit(self.row.default)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(0, 1)
        grid.addWidget(self._label, 0, 0)
        if self.row.kind is Kind.LAYERS:
            grid.addWidget(self._editor, 1, 0, 1, 3)
        else:
            grid.addWidget(self._editor, 0, 1)
        if self._slider is not None:
            grid.addWidget(self._slider, 1, 0, 1, 2)
        grid.addWidget(self._reset, 0, 2)
        grid.addWidget(self._refusal, 2, 0, 1, 3)


def _editor_of(row: Parameter) -> ParameterField | ChoiceBox | LayersEditor | TileBox:
    match row.kind:
        case Kind.CHOICE:
            return ChoiceBox(row)
        case Kind.LAYERS:
            return LayersEditor(row.name)
        case Kind.TILE:
            return TileBox(row)
    return ParameterField(row)


def _default_text(row: Parameter) -> str:
    match row.kind:
        case Kind.CHOICE:
            return readable(row.default)
        case Kind.LAYERS:
            return ", ".join(f"{layer} × {number_text(weight)}" for layer, weight in row.default)
        case Kind.TILE:
            return tile_text(row.default, row.unit)
    return number_text(row.default)
