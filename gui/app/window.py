"""The main window: where everything stands; what it shows is decided elsewhere."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QSettings, QSize, Qt, Signal
from PySide6.QtGui import QAction, QCloseEvent, QPalette
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.storage.preset_store import PresetStore
from gui.app.actions import create_actions, draw_icons
from gui.app.menus import COMPARE, Menus
from gui.base.icons import application_icon
from gui.base.states import Action
from gui.base.theme import as_primary
from gui.canvas.loss_plot import LossPlot
from gui.canvas.progress_strip import ProgressStrip
from gui.canvas.result_pane import ResultPane
from gui.inputs.content_pane import ContentPane
from gui.inputs.dropping import DropTarget
from gui.inputs.start_row import StartRow
from gui.inputs.styles_pane import StylesPane
from gui.settings.parameter_panel import ParameterPanel
from gui.settings.preset_bar import PresetBar
from gui.weights.network_line import NetworkLine
from gui.weights.network_page import NetworkPage

FIRST_SIZE = QSize(1280, 800)
COLUMNS = (270, 670, 340)
"""Widths at first: the pictures that go in, the one that comes out, how it is made."""


class MainWindow(QMainWindow):
    """Holds every pane as an attribute for those who fill and read them.

    Attributes:
        close_requested: The person wants to leave; the window stays until `close_now`.
        dropped: Carries the `Dropped` that landed beside the panes.
        icons_drawn: The icons were drawn anew, in the colours of another theme.
    """

    close_requested = Signal()
    dropped = Signal(object)
    icons_drawn = Signal()

    def __init__(self, presets: PresetStore) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setWindowIcon(application_icon())
        self._may_close = False
        self.actions_by_name = create_actions(self)
        pause = self.actions_by_name[Action.PAUSE]
        self.addActions([action for action in self.actions_by_name.values() if action is not pause])
        self.content_pane = ContentPane()
        self.styles_pane = StylesPane()
        self.start_row = StartRow()
        self.result_pane = ResultPane()
        self.network_line = NetworkLine()
        self.network_page = NetworkPage()
        self.progress_strip = ProgressStrip()
        self.loss_plot = LossPlot()
        self.preset_bar = PresetBar(presets)
        self.parameter_panel = ParameterPanel()
        self.network_label = QLabel()
        self.network_label.setObjectName("networkLabel")
        self.device_label = QLabel()
        self.device_label.setObjectName("deviceLabel")
        self.memory_label = QLabel()
        self.memory_label.setObjectName("memoryLabel")
        for label in self._labels():
            label.setContentsMargins(8, 0, 8, 0)
        self.menus = Menus(self, self.actions_by_name)
        self._splitters = self._lay_out()
        self.result_pane.addAction(pause)
        self._colour()
        self._drops = DropTarget(self)
        self._drops.dropped.connect(self.dropped)

    def set_running(self, running: bool) -> None:
        """Close every way in for pictures while a job uses them, or open it again."""
        for part in (self.content_pane, self.styles_pane, self.start_row, self.menus):
            part.set_running(running)
        self._drops.set_enabled(not running)

    def show_network_page(self, shown: bool) -> None:
        """Put the network page or the result in the middle."""
        self._middle.setCurrentWidget(self.network_page if shown else self.result_pane)

    def save_geometry(self, path: Path) -> None:
        """Remember size, place and splitters in an INI file."""
        store = QSettings(str(path), QSettings.Format.IniFormat)
        store.setValue("geometry", self.saveGeometry())
        for splitter in self._splitters:
            store.setValue(splitter.objectName(), splitter.saveState())
        store.sync()

    def restore_geometry(self, path: Path) -> None:
        """Take size, place and splitters from an INI file; what is missing or damaged is left."""
        store = QSettings(str(path), QSettings.Format.IniFormat)
        self.restoreGeometry(store.value("geometry", b"", type=bytes))
        for splitter in self._splitters:
            splitter.restoreState(store.value(splitter.objectName(), b"", type=bytes))

    def close_now(self) -> None:
        """Close without asking."""
        self._may_close = True
        self.close()

    def _labels(self) -> tuple[QLabel, ...]:
        return self.network_label, self.device_label, self.memory_label

    def _lay_out(self) -> tuple[QSplitter, ...]:
        self._middle = QStackedWidget()
        self._middle.addWidget(self.result_pane)
        self._middle.addWidget(self.network_page)
        inputs = _splitter(
            "inputsSplitter", Qt.Orientation.Vertical, self.content_pane, self.styles_pane
        )
        inputs.setSizes([340, 400])
        canvas = _stacked(self._tool_bar(), self.network_line, self._middle, self.progress_strip)
        centre = _splitter("centreSplitter", Qt.Orientation.Vertical, canvas, self.loss_plot)
        centre.setStretchFactor(0, 1)
        centre.setSizes([560, 170])
        columns = _splitter(
            "columnsSplitter",
            Qt.Orientation.Horizontal,
            _stacked(inputs, self.start_row),
            centre,
            _stacked(self.preset_bar, self.parameter_panel),
        )
        columns.setStretchFactor(1, 1)
        columns.setSizes(list(COLUMNS))
        self.setCentralWidget(columns)
        for label in self._labels():
            self.statusBar().addPermanentWidget(label)
        self.resize(FIRST_SIZE)
        return inputs, centre, columns

    def _tool_bar(self) -> QToolBar:
        bar = QToolBar()
        bar.setObjectName("canvasToolBar")
        bar.setAccessibleName("Render and view")
        bar.setIconSize(QSize(20, 20))
        self._render_button = self._add_button(
            bar, Action.RENDER, Qt.ToolButtonStyle.ToolButtonTextOnly
        )
        self._render_button.setAutoRaise(False)
        font = self._render_button.font()
        font.setBold(True)
        self._render_button.setFont(font)
        self._render_button.setMinimumSize(11 * font.pointSize(), 3 * font.pointSize())
        bar.addWidget(_switch(self.actions_by_name[Action.DRAFT]))
        for action in (Action.PAUSE, Action.STOP, Action.DISCARD, Action.SAVE):
            self._add_button(bar, action, Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        space = QWidget()
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(space)
        for action in COMPARE:
            self._add_button(bar, action, Qt.ToolButtonStyle.ToolButtonIconOnly)
        bar.addSeparator()
        for action in (Action.FIT, Action.ACTUAL_SIZE):
            self._add_button(bar, action, Qt.ToolButtonStyle.ToolButtonIconOnly)
        return bar

    def _add_button(self, bar: QToolBar, name: Action, style: Qt.ToolButtonStyle) -> QToolButton:
        # Not the bar's own button: the bar itself would then take the actions' shortcuts.
        button = QToolButton()
        button.setDefaultAction(self.actions_by_name[name])
        button.setObjectName(name.value.replace("Action", "Button"))
        button.setToolButtonStyle(style)
        button.setIconSize(bar.iconSize())
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        bar.addWidget(button)
        return button

    def _colour(self) -> None:
        """Draw what the palette alone does not colour."""
        draw_icons(self.actions_by_name, self.palette())
        self._render_button.setPalette(as_primary(self.palette()))
        self.icons_drawn.emit()

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icons in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._colour()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stay until everything a person might lose is settled."""
        if self._may_close:
            event.accept()
        else:
            event.ignore()
            self.close_requested.emit()


def _switch(action: QAction) -> QWidget:
    """A box to check an action, which shows more clearly than a button whether it is on."""
    box = QCheckBox(action.iconText())
    box.setObjectName(action.objectName().replace("Action", "Box"))
    box.setToolTip(action.toolTip())
    box.clicked.connect(action.trigger)
    action.toggled.connect(box.setChecked)
    action.enabledChanged.connect(box.setEnabled)
    spaced = QWidget()
    row = QHBoxLayout(spaced)
    row.setContentsMargins(8, 0, 8, 0)
    row.addWidget(box)
    return spaced


def _splitter(name: str, orientation: Qt.Orientation, *widgets: QWidget) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setObjectName(name)
    splitter.setHandleWidth(1)
    splitter.setChildrenCollapsible(False)
    for widget in widgets:
        splitter.addWidget(widget)
        handle = splitter.handle(splitter.count() - 1)
        handle.setBackgroundRole(QPalette.ColorRole.Mid)
        handle.setAutoFillBackground(True)
    return splitter


def _stacked(*widgets: QWidget) -> QWidget:
    stack = QWidget()
    column = QVBoxLayout(stack)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    for widget in widgets:
        stretch = isinstance(widget, QSplitter | QStackedWidget | ParameterPanel)
        column.addWidget(widget, 1 if stretch else 0)
    return stack
