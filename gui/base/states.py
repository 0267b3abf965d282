"""What a person may do in which state: one table, from which every button is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum


class State(Enum):
    """Where the one job stands; finished, stopped and failed are outcomes and end in `IDLE`."""

    IDLE = "idle"
    PREPARING = "preparing"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"


class Action(StrEnum):
    """What a person can ask for; each value is the object name of its `QAction`."""

    OPEN_CONTENT = "openContentAction"
    ADD_STYLE = "addStyleAction"
    OPEN_START = "openStartAction"
    SAVE = "saveAction"
    SAVE_AS = "saveAsAction"
    QUIT = "quitAction"
    COPY_IMAGE = "copyImageAction"
    PASTE_CONTENT = "pasteContentAction"
    PASTE_STYLE = "pasteStyleAction"
    FIT = "fitAction"
    ACTUAL_SIZE = "actualSizeAction"
    ZOOM_IN = "zoomInAction"
    ZOOM_OUT = "zoomOutAction"
    COMPARE_RESULT = "compareResultAction"
    COMPARE_SLIDER = "compareSliderAction"
    COMPARE_SIDE_BY_SIDE = "compareSideBySideAction"
    LOSS_CURVES = "lossCurvesAction"
    THEME_SYSTEM = "themeSystemAction"
    THEME_LIGHT = "themeLightAction"
    THEME_DARK = "themeDarkAction"
    RENDER = "renderAction"
    DRAFT = "draftAction"
    PAUSE = "pauseAction"
    STOP = "stopAction"
    DISCARD = "discardAction"
    NETWORK = "networkAction"
    SHORTCUTS = "shortcutsAction"
    SYSTEM_INFORMATION = "systemInformationAction"
    OPEN_LOGS = "openLogsAction"
    ABOUT = "aboutAction"


PICTURES = frozenset(
    {
        Action.OPEN_CONTENT,
        Action.ADD_STYLE,
        Action.OPEN_START,
        Action.PASTE_CONTENT,
        Action.PASTE_STYLE,
    }
)
"""What changes the pictures of the next job."""

NEEDS_PASTICHE = frozenset({Action.SAVE, Action.SAVE_AS, Action.COPY_IMAGE})

JOB = frozenset({Action.RENDER, Action.DRAFT, Action.PAUSE, Action.STOP, Action.DISCARD})

ALLOWED: Mapping[State, frozenset[Action]] = {
    State.IDLE: PICTURES | NEEDS_PASTICHE | {Action.RENDER, Action.DRAFT},
    State.PREPARING: frozenset({Action.DISCARD}),
    State.RUNNING: frozenset({Action.PAUSE, Action.STOP, Action.DISCARD}),
    State.PAUSED: frozenset({Action.PAUSE, Action.STOP, Action.DISCARD}),
    State.STOPPING: frozenset({Action.DISCARD}),
}
"""Of the actions that depend on the job, those allowed in each state; all others always are."""


def allowed(state: State, *, pastiche: bool, unsaved: bool) -> frozenset[Action]:
    """The actions a person may take now.

    Args:
        state: Of the job.
        pastiche: Whether there is a finished pastiche.
        unsaved: Whether it has not been saved yet.
    """
    always = frozenset(Action) - JOB - PICTURES - NEEDS_PASTICHE
    actions = always | ALLOWED[state]
    if not pastiche:
        actions -= NEEDS_PASTICHE
    if not unsaved:
        actions -= {Action.SAVE}
    return actions
