"""The menu bar, where every action is found, and the tool bar with those needed most."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QPalette
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QMenu,
    QMenuBar,
    QSizePolicy,
    QToolBar,
    QToolButton,
    QWidget,
)

from gui.app.actions import Action, Bar, Menu
from gui.app.qactions import Actions
from gui.app.theme import as_primary


def fill_menus(bar: QMenuBar, actions: Actions, pictures: Iterable[QMenu]) -> None:
    """Put every action into its menu, and the menus that offer pictures behind those that open."""
    menus: dict[Menu, QMenu] = {}
    for action, made in actions.items():
        row = action.row
        if row.menu not in menus:
            menus[row.menu] = (menus[Menu.VIEW] if row.menu is Menu.THEME else bar).addMenu(
                row.menu.value
            )
            menus[row.menu].setToolTipsVisible(True)
        if row.lined:
            menus[row.menu].addSeparator()
        menus[row.menu].addAction(made)
        if action is Action.OPEN_START:
            for menu in pictures:
                menus[row.menu].addMenu(menu)


class ToolBar(QToolBar):
    """The job on the left, the view on the right."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.setObjectName("canvasToolBar")
        self.setAccessibleName("Render and view")
        self.setIconSize(QSize(20, 20))
        for stretch in Bar:
            if stretch is Bar.COMPARE:
                self._add_space()
            elif stretch is Bar.ZOOM:
                self.addSeparator()
            for action, made in actions.items():
                if action.row.bar is stretch:
                    self._add(stretch, made)

    def colour(self, palette: QPalette) -> None:
        """Draw in another palette what the palette alone does not colour."""
        self._render.setPalette(as_primary(palette))

    def _add(self, stretch: Bar, action: QAction) -> None:
        style = Qt.ToolButtonStyle
        match stretch:
            case Bar.RENDER:
                self._render = self._add_button(action, style.ToolButtonTextOnly)
                self._render.setAutoRaise(False)
                font = self._render.font()
                font.setBold(True)
                self._render.setFont(font)
                self._render.setMinimumSize(11 * font.pointSize(), 3 * font.pointSize())
            case Bar.DRAFT:
                self.addWidget(_switch(action))
            case Bar.JOB | Bar.RESULT:
                self._add_button(action, style.ToolButtonTextBesideIcon)
            case Bar.COMPARE | Bar.ZOOM:
                self._add_button(action, style.ToolButtonIconOnly)

    def _add_button(self, action: QAction, style: Qt.ToolButtonStyle) -> QToolButton:
        # Not the bar's own button: the bar itself would then take the actions' shortcuts.
        button = QToolButton()
        button.setDefaultAction(action)
        button.setObjectName(action.objectName().replace("Action", "Button"))
        button.setToolButtonStyle(style)
        button.setIconSize(self.iconSize())
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.addWidget(button)
        return button

    def _add_space(self) -> None:
        space = QWidget()
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(space)


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
