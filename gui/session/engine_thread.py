"""The one long-lived thread that owns the device, and what the window asks of it."""

from __future__ import annotations

import asyncio
import logging
import queue
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QThread, QTimer, Signal, Slot

from engine.plan.machine import Inventory
from engine.plan.memory import Outlook
from engine.run.control import Control, Work, steer
from engine.spec.job import Job
from engine.spec.outcome import Ending, Outcome
from engine.spec.request import Request
from gui.session.mailbox import Mailbox
from gui.session.warming import foresee, warm_up

logger = logging.getLogger(__name__)

FRAME_MILLISECONDS = 100
"""How often the window looks for progress; hence at most ten frames a second."""

T = TypeVar("T")
Stylize = Callable[[Job, Callable[[], bool], Callable[[], Ending | None]], Work]


def _stylize(job: Job, frame_due: Callable[[], bool], ending: Callable[[], Ending | None]) -> Work:
    from engine.run.stylize import stylize

    return stylize(job, frame_due, ending)


@dataclass(frozen=True, eq=False)
class _Order:
    work: Callable[[], Any]
    ended: asyncio.Future[Any]


class EngineThread(QObject):
    """Runs one job after the other on a thread of its own, from `start` to `close`.

    Attributes:
        warmed: The engine is loaded; carries the `Inventory`, without devices if loading failed.
        progressed: Carries an `Update`, at most ten times a second, in the window's thread.
    """

    warmed = Signal(object)
    progressed = Signal(object)

    def __init__(
        self,
        stylize: Stylize = _stylize,
        warm_up: Callable[[], Inventory] = warm_up,
        foresee: Callable[[Request], Outlook] = foresee,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._stylize = stylize
        self._foresee = foresee
        self._mailbox = Mailbox()
        self._finished: asyncio.Future[None] | None = None
        self._worker = _Worker(warm_up, self)
        self._worker.warmed.connect(self.warmed)
        self._worker.ended.connect(self._end)
        self._worker.finished.connect(self._finish)
        self._clock = QTimer(self, interval=FRAME_MILLISECONDS)
        self._clock.timeout.connect(self._deliver)

    def start(self) -> None:
        """Start the thread, which first loads the engine."""
        self._worker.start()

    async def run(self, job: Job, control: Control) -> Outcome:
        """Run one job to its end; `progressed` tells of it meanwhile."""
        self._mailbox = mailbox = Mailbox()
        self._clock.start()
        try:
            return await self._order(partial(_paint, self._stylize, job, control, mailbox))
        finally:
            self._clock.stop()

    async def foresee(self, request: Request) -> Outlook:
        """What a request would take, and whether it fits; waits while a job runs.

        Raises:
            InputError: The request lacks something, or a picture would be too narrow.
            EngineError: The device asked for by name is not here.
        """
        return await self._order(partial(self._foresee, request))

    async def close(self) -> None:
        """End the thread once its job has ended; the job is not asked to, so discard it before."""
        if self._worker.isRunning():
            self._finished = asyncio.get_running_loop().create_future()
            self._worker.orders.put(None)
            await self._finished
            self._worker.wait()

    async def _order(self, work: Callable[[], T]) -> T:
        ended: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._worker.orders.put(_Order(work, ended))
        try:
            return await ended
        finally:
            # An error would hold this frame, and the frame the error, with the job between them.
            del ended, work

    @Slot()
    def _deliver(self) -> None:
        update = self._mailbox.take()
        if update is not None:
            self.progressed.emit(update)

    @Slot(object, object)
    def _end(self, order: _Order, outcome: Any) -> None:
        self._deliver()
        if order.ended.cancelled():
            return
        if isinstance(outcome, BaseException):
            order.ended.set_exception(outcome)
        else:
            order.ended.set_result(outcome)

    @Slot()
    def _finish(self) -> None:
        if self._finished is not None:
            self._finished.set_result(None)


class _Worker(QThread):
    warmed = Signal(object)
    ended = Signal(object, object)

    def __init__(self, warm_up: Callable[[], Inventory], parent: QObject) -> None:
        super().__init__(parent)
        self.setObjectName("engine")
        self.orders: queue.SimpleQueue[_Order | None] = queue.SimpleQueue()
        self._warm_up = warm_up

    def run(self) -> None:
        try:
            self.warmed.emit(self._warm_up())
        except Exception:
            # The first job meets the same error, and tells of it.
            logger.exception("The engine could not be loaded")
            self.warmed.emit(Inventory())
        while (order := self.orders.get()) is not None:
            outcome = _outcome(order.work)
            if isinstance(outcome, BaseException):
                _let_go(outcome)
            self.ended.emit(order, outcome)
            # Pictures and pastiche are large; nothing here may hold them until the next order.
            del order, outcome


def _outcome(work: Callable[[], Any]) -> Any:
    """What work returns, or what it raises."""
    try:
        return work()
    except BaseException as error:
        return error


def _paint(stylize: Stylize, job: Job, control: Control, mailbox: Mailbox) -> Outcome:
    work = steer(stylize(job, mailbox.frame_due, control.ending), control)
    while True:
        try:
            mailbox.put(next(work))
        except StopIteration as finished:
            outcome: Outcome = finished.value
            _let_go(outcome.error)
            return outcome


def _let_go(error: BaseException | None) -> None:
    """Free what the traceback's frames hold, tensors above all; the lines stay readable."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
