"""Every action of the window, declared once: one row says all there is to know about it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from PySide6.QtGui import QKeySequence

from engine.spec.choices import Start
from gui.app.parts import Parts
from gui.base.states import State
from gui.canvas.compare import CompareMode
from gui.canvas.copying import copy_image
from gui.inputs.opening import Role
from gui.session.preferences import Theme

Key = QKeySequence.StandardKey


class Menu(Enum):
    """A menu, from left to right; the value is its title."""

    FILE = "&File"
    EDIT = "&Edit"
    VIEW = "&View"
    THEME = "&Theme"
    RENDER = "&Render"
    HELP = "&Help"


class Bar(Enum):
    """A stretch of the tool bar, from left to right."""

    RENDER = auto()
    DRAFT = auto()
    JOB = auto()
    RESULT = auto()
    COMPARE = auto()
    ZOOM = auto()


@dataclass(frozen=True)
class When:
    """When an action can be taken.

    Attributes:
        states: Of the job.
        pastiche: Whether there must be one.
    """

    states: frozenset[State] = frozenset(State)
    pastiche: bool = False

    def allows(self, state: State, *, pastiche: bool) -> bool:
        """Whether it can be taken now."""
        return state in self.states and (pastiche or not self.pastiche)


ALWAYS = When()
IDLE = When(frozenset({State.IDLE}))
DONE = When(IDLE.states, pastiche=True)
AT_WORK = When(frozenset({State.RUNNING, State.PAUSED}))
BUSY = When(ALWAYS.states - IDLE.states)


@dataclass(frozen=True)
class Row:
    """One action.

    Attributes:
        text: For the menu, with its mnemonic.
        tip: What it does, one sentence.
        menu: Where it is found.
        when: When it can be taken.
        do: What happens at once.
        begin: Or else the story that begins.
        keys: In words, a standard key, or nothing.
        icon: The name of its drawing; empty for none.
        short: For its button, where the menu's text is too long.
        bar: Where its button stands, if it has one.
        checked: Whether it is on, for an action that stays on or off.
        choice: Whether of the actions with a check mark in its menu only one is on.
        lined: Whether a line in the menu parts it from what stands above.
        on_canvas: Whether its keys work on the canvas alone.
    """

    text: str
    tip: str
    menu: Menu
    when: When = ALWAYS
    do: Callable[[Parts], object] | None = None
    begin: Callable[[Parts], Coroutine[Any, Any, object]] | None = None
    keys: str | Key = ""
    icon: str = ""
    short: str = ""
    bar: Bar | None = None
    checked: Callable[[Parts], bool] | None = None
    choice: bool = False
    lined: bool = False
    on_canvas: bool = False


async def _render(parts: Parts) -> None:
    """Render, once there is a picture to start from and the last pastiche is settled."""
    parts.settings.panel.commit()
    session = parts.session
    if session.settings.start is Start.PICTURE and session.start is None:
        await parts.opening.choose(Role.START)
        if session.start is None:
            return
    if await parts.saving.may_replace("Rendering again will replace it."):
        await session.render()


async def _copy(parts: Parts) -> None:
    if await copy_image(parts.session, parts.tasks):
        parts.notice("The pastiche is in the clipboard.")


def _compare(text: str, tip: str, keys: str, icon: str, mode: CompareMode) -> Row:
    return Row(
        text, tip, Menu.VIEW, keys=keys, icon=icon, bar=Bar.COMPARE, choice=True,
        lined=mode is CompareMode.RESULT,
        do=lambda parts: parts.canvas.pane.set_mode(mode),
        checked=lambda parts: parts.canvas.pane.mode is mode,
    )  # fmt: skip


def _theme(text: str, tip: str, theme: Theme) -> Row:
    return Row(
        text, tip, Menu.THEME, choice=True,
        do=lambda parts: parts.theme.choose(theme),
        checked=lambda parts: parts.memory.now.theme is theme,
    )  # fmt: skip


class Action(Enum):
    """What a person can ask for, in the order of the menus."""

    # fmt: off
    OPEN_CONTENT = Row(
        "&Open content…", "Open the photograph to paint.", Menu.FILE, IDLE,
        keys=Key.Open, icon="open", begin=lambda parts: parts.opening.choose(Role.CONTENT),
    )
    ADD_STYLE = Row(
        "&Add style…", "Add paintings to borrow the style from.", Menu.FILE, IDLE,
        keys="Ctrl+Shift+O", icon="add-style",
        begin=lambda parts: parts.opening.choose(Role.STYLE),
    )
    OPEN_START = Row(
        "Open &picture to start from…", "Open a picture to begin painting on.", Menu.FILE, IDLE,
        icon="open", begin=lambda parts: parts.opening.choose(Role.START),
    )
    SAVE = Row(
        "&Save…", "Save the pastiche.", Menu.FILE, DONE,
        keys=Key.Save, icon="save", short="Save", bar=Bar.RESULT, lined=True,
        begin=lambda parts: parts.saving.save_as(),
    )
    QUIT = Row(
        "&Quit", "Leave Gramarye.", Menu.FILE,
        keys="Ctrl+Q", lined=True, begin=lambda parts: parts.leaving.close(),
    )
    COPY_IMAGE = Row(
        "&Copy image", "Copy the pastiche.", Menu.EDIT, DONE,
        keys=Key.Copy, icon="copy", begin=_copy,
    )
    PASTE_CONTENT = Row(
        "&Paste as content", "Use the picture in the clipboard as the photograph.",
        Menu.EDIT, IDLE,
        keys=Key.Paste, icon="paste", begin=lambda parts: parts.opening.paste(Role.CONTENT),
    )
    PASTE_STYLE = Row(
        "Paste as &style", "Add the picture in the clipboard as a painting.", Menu.EDIT, IDLE,
        keys="Ctrl+Shift+V", icon="paste", begin=lambda parts: parts.opening.paste(Role.STYLE),
    )
    FIT = Row(
        "&Fit", "Show the whole picture.", Menu.VIEW,
        keys="Ctrl+0", icon="fit", bar=Bar.ZOOM, do=lambda parts: parts.canvas.pane.fit(),
    )
    ACTUAL_SIZE = Row(
        "&100 %", "Show one pixel of the picture on one of the screen.", Menu.VIEW,
        keys="Ctrl+1", icon="actual-size", bar=Bar.ZOOM,
        do=lambda parts: parts.canvas.pane.actual_size(),
    )
    ZOOM_IN = Row(
        "Zoom &in", "Show less, larger.", Menu.VIEW,
        keys=Key.ZoomIn, icon="zoom-in", do=lambda parts: parts.canvas.pane.zoom_in(),
    )
    ZOOM_OUT = Row(
        "Zoom &out", "Show more, smaller.", Menu.VIEW,
        keys=Key.ZoomOut, icon="zoom-out", do=lambda parts: parts.canvas.pane.zoom_out(),
    )
    COMPARE_RESULT = _compare(
        "&Result alone", "Show the pastiche alone.",
        "Ctrl+2", "compare-single", CompareMode.RESULT,
    )
    COMPARE_SLIDER = _compare(
        "&Before and after", "Compare photograph and pastiche with a divider to drag.",
        "Ctrl+3", "compare-slider", CompareMode.SLIDER,
    )
    COMPARE_SIDE_BY_SIDE = _compare(
        "&Side by side", "Show photograph and pastiche next to each other.",
        "Ctrl+4", "compare-side-by-side", CompareMode.SIDE_BY_SIDE,
    )
    LOSS_CURVES = Row(
        "&Loss curves", "Show how each part of the objective falls.", Menu.VIEW,
        keys="Ctrl+L", lined=True,
        do=lambda parts: parts.canvas.show_curves(not parts.memory.now.loss_curves),
        checked=lambda parts: parts.memory.now.loss_curves,
    )
    THEME_SYSTEM = _theme("As the s&ystem", "Light or dark as the system is.", Theme.SYSTEM)
    THEME_LIGHT = _theme("&Light", "Dark words on light grey.", Theme.LIGHT)
    THEME_DARK = _theme("&Dark", "Light words on dark grey.", Theme.DARK)
    RENDER = Row(
        "&Render", "Paint the photograph in the style of the paintings.", Menu.RENDER, IDLE,
        keys="Ctrl+Return", icon="render", bar=Bar.RENDER, begin=_render,
    )
    DRAFT = Row(
        "D&raft", "Paint with the draft network: coarser, and done in a fraction of the time.",
        Menu.RENDER, IDLE,
        keys="Ctrl+D", bar=Bar.DRAFT,
        do=lambda parts: parts.session.set_draft(not parts.session.draft),
        checked=lambda parts: parts.session.draft,
    )
    PAUSE = Row(
        "&Pause", "Hold the work, and go on with it later.", Menu.RENDER, AT_WORK,
        # The space bar presses buttons everywhere else.
        keys="Space", on_canvas=True, icon="pause", bar=Bar.JOB,
        do=lambda parts: parts.session.pause(),
    )
    STOP = Row(
        "&Stop and keep", "End now and keep the pastiche as it is.", Menu.RENDER, AT_WORK,
        keys="Esc", icon="stop", short="Stop", bar=Bar.JOB, do=lambda parts: parts.session.stop(),
    )
    DISCARD = Row(
        "&Discard", "End now and keep nothing.", Menu.RENDER, BUSY,
        icon="discard", bar=Bar.JOB, do=lambda parts: parts.session.discard(),
    )
    NETWORK = Row(
        "&Network weights…", "See where the network's weights are, download or locate them.",
        Menu.RENDER,
        icon="download", lined=True, begin=lambda parts: parts.weights.show(),
    )
    SHORTCUTS = Row(
        "&Keyboard shortcuts", "List all shortcuts.", Menu.HELP,
        keys="F1", begin=lambda parts: parts.helping.show_shortcuts(),
    )
    LOOKS = Row(
        "&What presets and settings do", "Pictures of every preset and of the main settings.",
        Menu.HELP, begin=lambda parts: parts.helping.show_looks(),
    )
    SYSTEM_INFORMATION = Row(
        "System &information", "Versions, devices and folders, to copy into a report.", Menu.HELP,
        begin=lambda parts: parts.helping.show_system_information(),
    )
    OPEN_LOGS = Row(
        "Open &log folder", "Where Gramarye writes down what went wrong.", Menu.HELP,
        do=lambda parts: parts.helping.open_logs(),
    )
    ABOUT = Row(
        "&About Gramarye", "What this program is.", Menu.HELP,
        lined=True, begin=lambda parts: parts.helping.show_about(),
    )
    # fmt: on

    @property
    def row(self) -> Row:
        """All there is to know about it."""
        return self.value

    @property
    def object_name(self) -> str:
        """The name of its `QAction`: `openContentAction`."""
        first, *others = self.name.lower().split("_")
        return f"{first}{''.join(map(str.capitalize, others))}Action"
