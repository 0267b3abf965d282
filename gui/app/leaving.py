"""Leaving the program is a story of its own: ask, let the job end, write down, shut down."""

from __future__ import annotations

import asyncio
from enum import Enum, auto

from PySide6.QtCore import QObject, Signal, Slot

from gui.base.dialogs import Dialogs
from gui.base.states import State
from gui.base.tasks import Tasks
from gui.canvas.saving import Saving
from gui.session.engine_thread import EngineThread
from gui.session.preferences import Memory
from gui.session.session import Session
from gui.weights.controller import WeightsController


class Unfinished(Enum):
    """What to do with a job that runs when the window is closed."""

    SAVE = auto()
    DROP = auto()


class Leaving(QObject):
    """Sees to it that nothing is lost and nothing goes on behind a closed window.

    Attributes:
        decided: Nothing can be lost any more; the window may go while the rest shuts down.
        closed: Everything is settled and shut down; the program may end.
    """

    decided = Signal()
    closed = Signal()

    def __init__(
        self,
        session: Session,
        engine: EngineThread,
        tasks: Tasks,
        dialogs: Dialogs,
        memory: Memory,
        saving: Saving,
        weights: WeightsController,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._engine = engine
        self._tasks = tasks
        self._dialogs = dialogs
        self._memory = memory
        self._saving = saving
        self._weights = weights
        self._under_way = False
        self._idle = asyncio.Event()
        self._idle.set()
        session.state_changed.connect(self._note_state)

    async def close(self) -> None:
        """Leave, unless the person would lose something and thinks better of it."""
        if self._under_way:
            return
        self._under_way = True
        try:
            if await self._may_leave():
                await self._shut_down()
        finally:
            self._under_way = False

    async def _may_leave(self) -> bool:
        session = self._session
        if session.state is not State.IDLE:
            before = session.result
            answer = await self._dialogs.choose(
                "A pastiche is being rendered.",
                "Leaving ends the render.",
                {"Stop and save…": Unfinished.SAVE, "Discard it": Unfinished.DROP},
            )
            if answer is None:
                return False
            if answer is Unfinished.DROP:
                session.discard()
                return True
            session.stop()
            await self._idle.wait()
            if session.result is before:
                return False
            return not session.unsaved or await self._saving.save_as()
        return await self._saving.may_replace("It is not saved yet.")

    async def _shut_down(self) -> None:
        self._weights.cancel()
        await self._idle.wait()
        self.decided.emit()
        await self._memory.save()
        await self._engine.close()
        await self._tasks.close()
        self.closed.emit()

    @Slot(object)
    def _note_state(self, state: State) -> None:
        if state is State.IDLE:
            self._idle.set()
        else:
            self._idle.clear()
