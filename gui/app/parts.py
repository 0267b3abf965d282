"""What the actions of the window act upon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gui.app.helping import Helping
from gui.app.leaving import Leaving
from gui.app.theme import Theming
from gui.base.tasks import Tasks
from gui.canvas.controller import CanvasController
from gui.canvas.saving import Saving
from gui.inputs.opening import Opening
from gui.session.preferences import Memory
from gui.session.session import Session
from gui.settings.controller import SettingsController
from gui.weights.controller import WeightsController


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of one window.

    Attributes:
        notice: Shows a sentence for a while.
    """

    session: Session
    memory: Memory
    tasks: Tasks
    opening: Opening
    saving: Saving
    canvas: CanvasController
    settings: SettingsController
    weights: WeightsController
    theme: Theming
    helping: Helping
    leaving: Leaving
    notice: Callable[[str], None]
