"""Every action of the window, declared once: words, shortcut, drawing and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence, QPalette
from PySide6.QtWidgets import QWidget

from gui.base.icons import icon
from gui.base.states import Action, State

Key = QKeySequence.StandardKey


@dataclass(frozen=True)
class Row:
    """One action.

    Attributes:
        text: For the menu, with its mnemonic.
        tip: What it does, one sentence.
        shortcut: Keys in words, a standard key, or nothing.
        drawing: Of the icon; empty for none.
        choice: Whether it is one of several of which exactly one is checked; the group's name.
        checkable: Whether it is a switch of its own.
        short: For its button, where the menu's text is too long.
    """

    text: str
    tip: str
    shortcut: str | Key = ""
    drawing: str = ""
    choice: str = ""
    checkable: bool = False
    short: str = ""


ROWS: Mapping[Action, Row] = {
    Action.OPEN_CONTENT: Row(
        "&Open content…", "Open the photograph to paint.", Key.Open, "open"
    ),
    Action.ADD_STYLE: Row(
        "&Add style…", "Add paintings to borrow the style from.", "Ctrl+Shift+O", "add-style"
    ),
    Action.OPEN_START: Row(
        "Open &picture to start from…", "Open a picture to begin painting on.", "", "open"
    ),
    Action.SAVE: Row("&Save…", "Save the pastiche.", Key.Save, "save", short="Save"),
    Action.SAVE_AS: Row(
        "Save &as…", "Save the pastiche under another name or in another format.", "Ctrl+Shift+S"
    ),
    Action.QUIT: Row("&Quit", "Leave Gramarye.", "Ctrl+Q"),
    Action.COPY_IMAGE: Row("&Copy image", "Copy the pastiche.", Key.Copy, "copy"),
    Action.PASTE_CONTENT: Row(
        "&Paste as content", "Use the picture in the clipboard as the photograph.",
        Key.Paste, "paste",
    ),
    Action.PASTE_STYLE: Row(
        "Paste as &style", "Add the picture in the clipboard as a painting.",
        "Ctrl+Shift+V", "paste",
    ),
    Action.FIT: Row("&Fit", "Show the whole picture.", "Ctrl+0", "fit"),
    Action.ACTUAL_SIZE: Row(
        "&100 %", "Show one pixel of the picture on one of the screen.", "Ctrl+1", "actual-size"
    ),
    Action.ZOOM_IN: Row("Zoom &in", "Show less, larger.", Key.ZoomIn, "zoom-in"),
    Action.ZOOM_OUT: Row("Zoom &out", "Show more, smaller.", Key.ZoomOut, "zoom-out"),
    Action.COMPARE_RESULT: Row(
        "&Result alone", "Show the pastiche alone.", "Ctrl+2", "compare-single", "compare"
    ),
    Action.COMPARE_SLIDER: Row(
        "&Before and after", "Compare photograph and pastiche with a divider to drag.",
        "Ctrl+3", "compare-slider", "compare",
    ),
    Action.COMPARE_SIDE_BY_SIDE: Row(
        "&Side by side", "Show photograph and pastiche next to each other.",
        "Ctrl+4", "compare-side-by-side", "compare",
    ),
    Action.LOSS_CURVES: Row(
        "&Loss curves", "Show how each part of the objective falls.", "Ctrl+L", checkable=True
    ),
    Action.THEME_SYSTEM: Row("As the s&ystem", "Light or dark as the system is.", choice="theme"),
    Action.THEME_LIGHT: Row("&Light", "Dark words on light grey.", choice="theme"),
    Action.THEME_DARK: Row("&Dark", "Light words on dark grey.", choice="theme"),
    Action.RENDER: Row(
        "&Render", "Paint the photograph in the style of the paintings.", "Ctrl+Return", "render"
    ),
    Action.DRAFT: Row(
        "D&raft", "Paint with the draft network: coarser, and done in a fraction of the time.",
        "Ctrl+D", checkable=True,
    ),
    Action.PAUSE: Row("&Pause", "Hold the work, and go on with it later.", "Space", "pause"),
    Action.STOP: Row(
        "&Stop and keep", "End now and keep the pastiche as it is.", "Esc", "stop", short="Stop"
    ),
    Action.DISCARD: Row("&Discard", "End now and keep nothing.", "", "discard"),
    Action.NETWORK: Row(
        "&Network weights…", "See where the network's weights are, download or locate them.",
        drawing="download",
    ),
    Action.SHORTCUTS: Row("&Keyboard shortcuts", "List all shortcuts.", "F1"),
    Action.SYSTEM_INFORMATION: Row(
        "System &information", "Versions, devices and folders, to copy into a report."
    ),
    Action.OPEN_LOGS: Row("Open &log folder", "Where Gramarye writes down what went wrong."),
    Action.ABOUT: Row("&About Gramarye", "What this program is."),
}  # fmt: skip


def create_actions(parent: QWidget) -> dict[Action, QAction]:
    """All actions, children of the window, with shortcuts but without icons."""
    actions = {name: _create(name, row, parent) for name, row in ROWS.items()}
    groups: dict[str, QActionGroup] = {}
    for name, row in ROWS.items():
        if row.choice:
            group = groups.setdefault(row.choice, QActionGroup(parent))
            group.addAction(actions[name])
    return actions


def draw_icons(actions: Mapping[Action, QAction], palette: QPalette) -> None:
    """Give every action its icon in a palette's colours."""
    for name, row in ROWS.items():
        if row.drawing:
            actions[name].setIcon(icon(row.drawing, palette))


def show_pause(action: QAction, state: State, palette: QPalette) -> None:
    """Have the pause action offer to go on while the job is held."""
    paused = state is State.PAUSED
    action.setText("&Resume" if paused else ROWS[Action.PAUSE].text)
    action.setIconText("Resume" if paused else "Pause")
    action.setIcon(icon("resume" if paused else "pause", palette))


def shortcut_lines(actions: Mapping[Action, QAction]) -> list[tuple[str, str]]:
    """Keys and words of every action that has keys, as the platform writes them."""
    native = QKeySequence.SequenceFormat.NativeText
    return [
        (action.shortcut().toString(native), action.text().replace("&", "").rstrip("…"))
        for action in actions.values()
        if not action.shortcut().isEmpty()
    ]


def _create(name: Action, row: Row, parent: QWidget) -> QAction:
    action = QAction(row.text, parent)
    action.setObjectName(name.value)
    action.setIconText(row.short or row.text.replace("&", "").rstrip("…"))
    action.setCheckable(bool(row.choice) or row.checkable)
    if isinstance(row.shortcut, Key):
        action.setShortcuts(row.shortcut)
    else:
        action.setShortcut(row.shortcut)
    keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    action.setToolTip(f"{row.tip} ({keys})" if keys else row.tip)
    if name is Action.PAUSE:
        # The space bar presses buttons everywhere else.
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
    return action
