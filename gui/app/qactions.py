"""Turns the rows of actions into Qt's: made with the window, connected once the parts are there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence, QPalette
from PySide6.QtWidgets import QWidget

from gui.app.actions import Action, Key, Menu
from gui.app.parts import Parts
from gui.base.icons import icon
from gui.base.states import State

Actions = Mapping[Action, QAction]


def create_actions(parent: QWidget) -> Actions:
    """All actions, children of the window, with shortcuts but without icons."""
    actions = {action: _create(action, parent) for action in Action}
    groups: dict[Menu, QActionGroup] = {}
    for action in Action:
        if action.row.choice:
            group = groups.setdefault(action.row.menu, QActionGroup(parent))
            group.addAction(actions[action])
    return actions


def connect_actions(actions: Actions, parts: Parts) -> None:
    """Have every action do what its row says."""
    for action, made in actions.items():
        made.triggered.connect(partial(_take, action, parts))


def show_actions(actions: Actions, parts: Parts) -> None:
    """Allow what can be done now, and check what is on."""
    session = parts.session
    for action, made in actions.items():
        row = action.row
        made.setEnabled(row.when.allows(session.state, pastiche=session.result is not None))
        if row.checked is not None:
            made.setChecked(row.checked(parts))


def draw_icons(actions: Actions, palette: QPalette) -> None:
    """Give every action its icon in a palette's colours."""
    for action, made in actions.items():
        if action.row.icon:
            made.setIcon(icon(action.row.icon, palette))


def show_pause(actions: Actions, state: State, palette: QPalette) -> None:
    """Have the pause action offer to go on while the job is held."""
    paused = state is State.PAUSED
    made = actions[Action.PAUSE]
    made.setText("&Resume" if paused else Action.PAUSE.row.text)
    made.setIconText("Resume" if paused else "Pause")
    made.setIcon(icon("resume" if paused else "pause", palette))


def _take(action: Action, parts: Parts) -> None:
    row = action.row
    if row.do is not None:
        row.do(parts)
    if row.begin is not None:
        parts.tasks.start(row.begin, parts)


def _create(action: Action, parent: QWidget) -> QAction:
    row = action.row
    made = QAction(row.text, parent)
    made.setObjectName(action.object_name)
    made.setIconText(row.short or row.text.replace("&", "").rstrip("…"))
    made.setCheckable(row.checked is not None)
    if isinstance(row.keys, Key):
        made.setShortcuts(row.keys)
    else:
        made.setShortcut(row.keys)
    keys = made.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    made.setToolTip(f"{row.tip} ({keys})" if keys else row.tip)
    if row.on_canvas:
        made.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
    return made
