"""The main window: where everything stands; what it shows is decided elsewhere."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QSettings, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QCloseEvent, QPalette
from PySide6.QtWidgets import (
    QMainWindow,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from engine.spec.errors import InputError
from engine.spec.wording import plain
from engine.storage.ordinary import read_ordinary
from engine.storage.paths import set_aside
from gui.app.bars import ToolBar, fill_menus
from gui.app.qactions import create_actions, draw_icons
from gui.base.hint_line import HintLine
from gui.base.icons import application_icon
from gui.base.words import plain_label
from gui.canvas.controller import CanvasController
from gui.inputs.controller import InputsController
from gui.settings.controller import SettingsController
from gui.weights.controller import WeightsController

FIRST_SIZE = QSize(1280, 800)
COLUMNS = (270, 670, 340)
"""Widths at first: the pictures that go in, the one that comes out, how it is made."""

NOTICE_MILLISECONDS = 10_000
LONGEST_NOTICE = 300
"""Characters; the status bar is one line."""


class MainWindow(QMainWindow):
    """The frame around the parts that `arrange` is given.

    Attributes:
        actions_by_name: What a person can ask for.
        network_label, device_label, memory_label: In the status bar.
        card_line: Above the canvas, why no graphics card is used.
        close_requested: The person wants to leave; the window stays until `close_now`.
        icons_drawn: The icons were drawn anew, in the colours of another theme.
    """

    close_requested = Signal()
    icons_drawn = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setWindowIcon(application_icon())
        self._may_close = False
        self.actions_by_name = create_actions(self)
        self.addActions(self._actions(on_canvas=False))
        self.network_label = plain_label()
        self.network_label.setObjectName("networkLabel")
        self.device_label = plain_label()
        self.device_label.setObjectName("deviceLabel")
        self.memory_label = plain_label()
        self.memory_label.setObjectName("memoryLabel")
        for label in (self.network_label, self.device_label, self.memory_label):
            label.setContentsMargins(8, 0, 8, 0)
            self.statusBar().addPermanentWidget(label)
        self.card_line = HintLine("Graphics card")
        self.card_line.setObjectName("cardLine")
        self._tool_bar = ToolBar(self.actions_by_name)
        self._middle = QStackedWidget()
        self._splitters: tuple[QSplitter, ...] = ()
        self._colour()

    def arrange(
        self,
        inputs: InputsController,
        canvas: CanvasController,
        settings: SettingsController,
        weights: WeightsController,
    ) -> None:
        """Put everything in its place, once."""
        fill_menus(self.menuBar(), self.actions_by_name, inputs.menus)
        canvas.pane.addActions(self._actions(on_canvas=True))
        self._middle.addWidget(canvas.pane)
        self._middle.addWidget(weights.page)
        pictures = _splitter(
            "inputsSplitter", Qt.Orientation.Vertical, inputs.content_pane, inputs.styles_pane
        )
        pictures.setSizes([340, 400])
        middle = _stacked(self._tool_bar, weights.line, self.card_line, self._middle, canvas.strip)
        centre = _splitter("centreSplitter", Qt.Orientation.Vertical, middle, canvas.plot)
        centre.setStretchFactor(0, 1)
        centre.setSizes([560, 170])
        columns = _splitter(
            "columnsSplitter",
            Qt.Orientation.Horizontal,
            _stacked(pictures, inputs.start_row),
            centre,
            _stacked(settings.presets.bar, settings.panel),
        )
        columns.setStretchFactor(1, 1)
        columns.setSizes(list(COLUMNS))
        self._splitters = pictures, centre, columns
        self.setCentralWidget(columns)
        self.resize(FIRST_SIZE)

    @Slot(bool)
    def show_network_page(self, shown: bool) -> None:
        """Put the network page or the result in the middle."""
        self._middle.setCurrentIndex(1 if shown else 0)

    @Slot(str)
    def notice(self, text: str) -> None:
        """Show a sentence for a while."""
        self.statusBar().showMessage(plain(text, LONGEST_NOTICE), NOTICE_MILLISECONDS)

    def save_geometry(self, path: Path) -> None:
        """Remember size, place and splitters in an INI file, unless something odd is there."""
        if not _is_sound(path):
            return
        store = QSettings(str(path), QSettings.Format.IniFormat)
        store.setValue("geometry", self.saveGeometry())
        for splitter in self._splitters:
            store.setValue(splitter.objectName(), splitter.saveState())
        store.sync()

    def restore_geometry(self, path: Path) -> None:
        """Take size, place and splitters from an INI file; what is missing or damaged is left."""
        if not _is_sound(path):
            return
        store = QSettings(str(path), QSettings.Format.IniFormat)
        self.restoreGeometry(_stored(store, "geometry"))
        for splitter in self._splitters:
            splitter.restoreState(_stored(store, splitter.objectName()))

    def close_now(self) -> None:
        """Close without asking."""
        self._may_close = True
        self.close()

    def _actions(self, *, on_canvas: bool) -> list[QAction]:
        """Those whose keys work on the canvas alone, or those whose keys work everywhere."""
        return [
            made
            for action, made in self.actions_by_name.items()
            if action.row.on_canvas is on_canvas
        ]

    def _colour(self) -> None:
        """Draw what the palette alone does not colour."""
        draw_icons(self.actions_by_name, self.palette())
        self._tool_bar.colour(self.palette())
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


def _is_sound(path: Path) -> bool:
    """Whether Qt can be given a file, which it would read whole, and wait for without end."""
    try:
        read_ordinary(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    except InputError:
        return set_aside(path) is not None
    return True


def _stored(store: QSettings, key: str) -> bytes:
    value = store.value(key, b"", type=bytes)
    return value if isinstance(value, bytes) else b""


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
        stretch = isinstance(widget, QSplitter | QStackedWidget | QScrollArea)
        column.addWidget(widget, 1 if stretch else 0)
    return stack
