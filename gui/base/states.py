"""Where the one job stands, as everyone in the window speaks of it."""

from __future__ import annotations

from enum import Enum, auto


class State(Enum):
    """Where the one job stands; finished, stopped and failed are outcomes and end in `IDLE`."""

    IDLE = auto()
    PREPARING = auto()
    RUNNING = auto()
    PAUSED = auto()
    STOPPING = auto()
