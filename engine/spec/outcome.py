"""How a job ended, and what there is of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.spec import events as happened
from engine.spec.events import Events
from engine.spec.pictures import Pixels
from engine.spec.plan import Plan
from engine.spec.progress import Progress
from engine.spec.request import Request


class Ending(StrEnum):
    """The ways a job ends."""

    FINISHED = "finished"
    STOPPED = "stopped"
    DISCARDED = "discarded"
    FAILED = "failed"


@dataclass(frozen=True, eq=False)
class Pastiche:
    """The picture a job made.

    Attributes:
        pixels: Shape (H, W, 3), uint8, sRGB.
        progress: The last word on steps, terms, seconds and evaluations.
        peak_memory: Bytes, on the device or by the process.
    """

    pixels: Pixels
    progress: Progress
    peak_memory: int


@dataclass(frozen=True, eq=False)
class Outcome:
    """How a job ended. Nothing of it travels on an exception.

    Attributes:
        ending: Which way.
        request: What was asked at the beginning; `final` is what was asked at the end.
        plan: What was decided; None where the job failed before.
        events: What happened, in order.
        pastiche: The picture so far; None where there is none, or it was discarded.
        error: What a failed job failed of; None for the other endings.
    """

    ending: Ending
    request: Request
    plan: Plan | None = None
    events: Events = ()
    pastiche: Pastiche | None = None
    error: BaseException | None = None

    @property
    def final(self) -> Request:
        """The request as it was at the end, after every retune."""
        return happened.retuned(self.request, self.events)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done that nobody asked for, one sentence each."""
        return (self.plan.notes if self.plan else ()) + happened.notes(self.events)
