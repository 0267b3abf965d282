"""The rows of the actions: when each can be taken, and where it is found."""

import pytest
from PySide6.QtWidgets import QAbstractButton, QToolBar
from scripted import act

from gui.app.actions import Action, Bar, Menu
from gui.base.states import State

TABLE = """
                     IDLE PREPARING RUNNING PAUSED STOPPING
OPEN_CONTENT         x    -         -       -      -
ADD_STYLE            x    -         -       -      -
OPEN_START           x    -         -       -      -
SAVE                 p    -         -       -      -
QUIT                 x    x         x       x      x
COPY_IMAGE           p    -         -       -      -
PASTE_CONTENT        x    -         -       -      -
PASTE_STYLE          x    -         -       -      -
FIT                  x    x         x       x      x
ACTUAL_SIZE          x    x         x       x      x
ZOOM_IN              x    x         x       x      x
ZOOM_OUT             x    x         x       x      x
COMPARE_RESULT       x    x         x       x      x
COMPARE_SLIDER       x    x         x       x      x
COMPARE_SIDE_BY_SIDE x    x         x       x      x
LOSS_CURVES          x    x         x       x      x
THEME_SYSTEM         x    x         x       x      x
THEME_LIGHT          x    x         x       x      x
THEME_DARK           x    x         x       x      x
RENDER               x    -         -       -      -
DRAFT                x    -         -       -      -
PAUSE                -    -         x       x      -
STOP                 -    -         x       x      -
DISCARD              -    x         x       x      x
NETWORK              x    x         x       x      x
SHORTCUTS            x    x         x       x      x
LOOKS                x    x         x       x      x
SYSTEM_INFORMATION   x    x         x       x      x
OPEN_LOGS            x    x         x       x      x
ABOUT                x    x         x       x      x
"""
"""x: can be taken; p: with a pastiche; -: cannot."""

HEAD, *LINES = [line.split() for line in TABLE.split("\n") if line]
ALLOWED = {
    (Action[name], State[state]): mark
    for name, *marks in LINES
    for state, mark in zip(HEAD, marks, strict=True)
}


def test_the_table_tells_of_every_action_in_every_state():
    assert set(ALLOWED) == {(action, state) for action in Action for state in State}


@pytest.mark.parametrize(("action", "state"), ALLOWED, ids=lambda value: value.name)
def test_an_action_can_be_taken_when_the_table_says_so(action, state):
    when, mark = action.row.when, ALLOWED[action, state]
    assert when.allows(state, pastiche=True) == (mark != "-")
    assert when.allows(state, pastiche=False) == (mark == "x")


@pytest.mark.parametrize("action", Action, ids=lambda action: action.name)
def test_an_action_does_something_at_once_or_begins_a_story(action):
    assert (action.row.do is None) != (action.row.begin is None)


def test_no_two_actions_have_the_same_keys(shell):
    keys = [
        key.toString()
        for action in shell.window.actions_by_name.values()
        for key in action.shortcuts()
    ]
    assert len(keys) == len(set(keys))


def test_every_action_is_named_says_what_it_does_and_sits_in_its_menu(shell):
    in_menus = {action: title for title, action in walk(shell.window.menuBar())}
    for action, made in shell.window.actions_by_name.items():
        assert made.objectName().lower() == action.name.replace("_", "").lower() + "action"
        assert made.toolTip()
        assert in_menus[made] == action.row.menu.value


def test_the_menus_stand_in_order_and_offer_pictures_behind_those_that_open(shell):
    titles = [entry.text() for entry in shell.window.menuBar().actions()]
    assert titles == [menu.value for menu in Menu if menu is not Menu.THEME]
    file = shell.window.menuBar().actions()[0].menu()
    assert [entry.text() for entry in file.actions()] == [
        "&Open content…", "&Add style…", "Open &picture to start from…",
        "Open &recent content", "Add recent st&yle", "Open sa&mple pair",
        "", "&Save…", "", "&Quit",
    ]  # fmt: skip


def test_the_tool_bar_has_the_buttons_of_the_rows(shell):
    bar = shell.window.findChild(QToolBar)
    for action in Action:
        names = [action.object_name.replace("Action", kind) for kind in ("Button", "Box")]
        buttons = [bar.findChild(QAbstractButton, name) for name in names]
        assert any(buttons) == (action.row.bar is not None)
    assert {action.row.bar for action in Action} == {None, *Bar}


def test_what_is_on_is_checked_from_the_first(shell):
    on = {name for name, action in shell.window.actions_by_name.items() if action.isChecked()}
    assert on == {Action.COMPARE_RESULT, Action.LOSS_CURVES, Action.THEME_SYSTEM}


def test_of_the_themes_and_of_the_ways_to_compare_one_is_on_and_the_curves_go_their_own_way(shell):
    for action in (Action.COMPARE_SLIDER, Action.THEME_DARK, Action.LOSS_CURVES):
        act(shell, action)
    on = {name for name, action in shell.window.actions_by_name.items() if action.isChecked()}
    assert on == {Action.COMPARE_SLIDER, Action.THEME_DARK}
    assert not shell.canvas.plot.isVisible()
    act(shell, Action.LOSS_CURVES)
    assert shell.canvas.plot.isVisible()
    act(shell, Action.THEME_SYSTEM)


def walk(menu, title=""):
    """Every entry below a menu with the title of the menu it stands in."""
    for entry in menu.actions():
        inner = entry.menu()
        yield from walk(inner, inner.title()) if inner else [(title, entry)]
