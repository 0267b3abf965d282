"""What the next job will take, told before anyone presses Render."""

from __future__ import annotations

import logging

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from engine.plan.machine import Inventory
from engine.plan.memory import Outlook
from engine.spec.errors import GramaryeError
from engine.spec.request import Request
from engine.spec.wording import about_text, gigabytes
from gui.base.states import State
from gui.base.tasks import Tasks
from gui.session.engine_thread import EngineThread
from gui.session.network_choice import network_of
from gui.session.session import Session

logger = logging.getLogger(__name__)

LOOK_MILLISECONDS = 150
"""A setting being dragged is let run for this long before anyone looks ahead."""


def outlook_text(outlook: Outlook) -> str:
    """In one line: size, time, memory and tiles; or that it does not fit, and what would."""
    plan = outlook.plan
    width, height = plan.size
    free = gigabytes(outlook.available)
    if not outlook.fits:
        way_out = f"the largest that fits is {outlook.largest} px"
        return (
            f"⚠ {width} × {height} px would take {gigabytes(outlook.bytes)} of memory and {free} "
            f"is free; {way_out if outlook.largest else 'close other programs'}"
        )
    parts = (
        "Ready to render",
        f"{width} × {height} px",
        "" if plan.seconds is None else about_text(plan.seconds),
        f"{gigabytes(outlook.bytes)} of {free} free",
        str(outlook.tiling) if plan.cuts(outlook.tiling) else "",
        "cut smaller, memory is short" if outlook.tiling != plan.tiling else "",
    )
    return " · ".join(part for part in parts if part)


class Forecaster(QObject):
    """Looks ahead whenever something changes that the next job depends on.

    Attributes:
        network_chosen: Carries the `NetworkChoice` of the next job.
        foreseen: Carries one line on the next job, or why there can be none; empty if unknown.
        looked: It was time to look ahead, whether or not there was anything to see.
    """

    network_chosen = Signal(object)
    foreseen = Signal(str)
    looked = Signal()

    def __init__(
        self, session: Session, engine: EngineThread, tasks: Tasks, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._engine = engine
        self._tasks = tasks
        self._engine_loaded = False
        self._looks = 0
        self._timer = QTimer(self, interval=LOOK_MILLISECONDS, singleShot=True)
        self._timer.timeout.connect(self._look)
        for changed in (
            session.content_changed,
            session.start_changed,
            session.styles_changed,
            session.weights_changed,
            session.settings_changed,
            session.draft_changed,
            session.state_changed,
        ):
            changed.connect(self.look_soon)
        engine.warmed.connect(self._note_engine)

    @Slot()
    def look_soon(self) -> None:
        """Look ahead again, once no more changes come."""
        self._timer.start()

    @Slot(object)
    def _note_engine(self, inventory: Inventory) -> None:
        self._engine_loaded = bool(inventory.devices)
        self.look_soon()

    @Slot()
    def _look(self) -> None:
        # The job itself tells more than a forecast, and has the engine to itself.
        if self._session.state is State.IDLE:
            self._looks += 1
            self._tasks.start(self._foresee, self._looks)
        self.looked.emit()

    async def _foresee(self, look: int) -> None:
        request = self._session.asked
        choice = await self._tasks.in_background(network_of, request)
        if look == self._looks:
            self.network_chosen.emit(choice)
        text = await self._text_for(request)
        if look == self._looks:
            self.foreseen.emit(text)

    async def _text_for(self, request: Request) -> str:
        if not self._engine_loaded:
            return ""
        try:
            return outlook_text(await self._engine.foresee(request))
        except GramaryeError as error:
            return str(error)
        except Exception:
            # The job meets the same error, and tells of it.
            logger.exception("The next job could not be planned")
            return ""
