"""Pause, resume, stop, discard and retune a running job; the one object two threads share."""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import TypeVar

from engine.spec.job import Retune
from engine.spec.outcome import Ending, Outcome
from engine.spec.progress import Progress


class Stop:
    """Sent into a running job: finish with what there is."""


class Discard:
    """Sent into a running job: finish with nothing."""


class Held:
    """Sent into a running job: it is being held; another command follows."""


Command = Retune | Stop | Discard | Held
_Result = TypeVar("_Result")
Talk = Generator[Progress, Command | None, _Result]
"""A part of a job that speaks and listens on the way to its result."""

Work = Talk[Outcome]
"""A job under way: yields progress, is sent commands, returns how it ended."""


class Ended(Exception):  # noqa: N818 - carries a decision out of the loops, not an error
    """The person asked to end here."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending)
        self.ending = ending


class Control:
    """The steering wheel of one job; every method may be called from any thread.

    The thread that runs the job calls only `next_command` and `ending`.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._paused = False
        self._stop = False
        self._discard = False
        self._retune: Retune | None = None

    def pause(self) -> None:
        """Hold the job before its next step."""
        with self._changed:
            self._paused = True

    def resume(self) -> None:
        """Let a paused job go on."""
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def stop(self) -> None:
        """Finish now and keep the pastiche so far; ends a pause."""
        with self._changed:
            self._stop = True
            self._changed.notify_all()

    def discard(self) -> None:
        """Finish now and keep nothing; ends a pause and outranks everything else."""
        with self._changed:
            self._discard = True
            self._changed.notify_all()

    def ending(self) -> Ending | None:
        """How the job is to end, if it is to; discarding outranks stopping.

        It waits for nothing, so it can be asked thousands of times in a step.
        """
        if self._discard:
            return Ending.DISCARDED
        return Ending.STOPPED if self._stop else None

    @property
    def discarded(self) -> bool:
        """Whether the job was discarded; it may have ended before it heard of that."""
        return self._discard

    @property
    def holding(self) -> bool:
        """Whether the job is held before its next step."""
        return self._paused and self.ending() is None

    def retune(self, change: Retune) -> None:
        """Use changed settings from the next step on; the latest change wins."""
        with self._changed:
            self._retune = change
            self._changed.notify_all()

    def next_command(self) -> Command | None:
        """Wait out a pause, then say what the job should do before its next step.

        A retune during a pause waits for the end of the pause.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self.holding)
            match self.ending():
                case Ending.DISCARDED:
                    return Discard()
                case Ending.STOPPED:
                    return Stop()
            change, self._retune = self._retune, None
            return change


def steer(work: Work, control: Control) -> Generator[Progress, None, Outcome]:
    """Run a job under a control, yielding its progress and returning how it ended.

    When it returns, the job's resources are released.
    """
    try:
        progress = next(work)
        while True:
            yield progress
            if control.holding:
                work.send(Held())
            progress = work.send(control.next_command())
    except StopIteration as finished:
        outcome: Outcome = finished.value
        return outcome
    finally:
        work.close()
