"""What happened to a running job, in order: its steering, its history, and what a repeat obeys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from engine.spec.computing import Computing
from engine.spec.request import Request
from engine.spec.settings import PARAMETERS, Settings
from engine.spec.tiles import Tiling
from engine.spec.values import Value

Count = Annotated[int, Field(ge=0)]


class Place(Value):
    """A place between two steps of a job.

    Attributes:
        scale: The scale, from 1; 0 before there is anything on the canvas.
        step: How many steps have been done in all.
    """

    scale: Count
    step: Count

    def __lt__(self, other: Place) -> bool:
        """Whether it comes before another."""
        return (self.scale, self.step) < (other.scale, other.step)


class _Happened(Value):
    """Something that happened to a job, and where."""

    at: Place


class Retuned(_Happened):
    """Live settings or shares changed; `settings` has those that did, by name, as they were set."""

    kind: Literal["retuned"] = "retuned"
    settings: Mapping[str, Any]
    shares: tuple[float, ...]


class RolledBack(_Happened):
    """The numbers overflowed, and the job went back to the last good image."""

    kind: Literal["rolled back"] = "rolled back"


class GaveUp(_Happened):
    """The device got something wrong, and is used without it from here on.

    Attributes:
        computing: How numbers are computed now.
    """

    kind: Literal["gave up"] = "gave up"
    computing: Computing


class SmallerTiles(_Happened):
    """Memory was short, and the evaluations were cut smaller.

    Attributes:
        tiling: How they are cut from here on.
        ran_out: Whether memory ran out in the middle; else it was seen beforehand.
    """

    kind: Literal["smaller tiles"] = "smaller tiles"
    tiling: Tiling
    ran_out: bool


class Paused(_Happened):
    """The job was held for a while."""

    kind: Literal["paused"] = "paused"


class Stopped(_Happened):
    """The person ended the job early and kept what there was."""

    kind: Literal["stopped"] = "stopped"


class Failed(_Happened):
    """The job could not go on; the picture is as it was then."""

    kind: Literal["failed"] = "failed"


class Unmeasured(_Happened):
    """The finished picture could not be evaluated; the terms told are those of the last step."""

    kind: Literal["unmeasured"] = "unmeasured"


Event = Annotated[
    Retuned | RolledBack | GaveUp | SmallerTiles | Paused | Stopped | Failed | Unmeasured,
    Field(discriminator="kind"),
]
Events = tuple[Event, ...]

EVENTS: TypeAdapter[Events] = TypeAdapter(Events, config=ConfigDict(defer_build=True))
"""Writes and reads a list of events."""


def retuned(request: Request, events: Sequence[Event]) -> Request:
    """The request as it stood after these events."""
    for event in events:
        if isinstance(event, Retuned):
            request = request.asking(request.settings.changed(**event.settings), event.shares)
    return request


def live_changes(before: Settings, after: Settings) -> Mapping[str, Any]:
    """The live settings that differ, as JSON has them, for `Retuned`."""
    values = after.model_dump(mode="json")
    return {
        row.name: values[row.name]
        for row in PARAMETERS
        if row.live and getattr(before, row.name) != getattr(after, row.name)
    }


def causes(events: Sequence[Event]) -> Events:
    """Those that a repeat has to bring about.

    The others happen again by themselves, or change nothing in the picture.
    """
    kinds = Retuned | SmallerTiles | Stopped | Failed
    return tuple(event for event in events if isinstance(event, kinds))


def notes(events: Sequence[Event]) -> tuple[str, ...]:
    """What nobody asked for, one sentence each."""
    return tuple(text for event in events if (text := note(event)))


def note(event: Event) -> str:
    """What happened in one sentence, where nobody asked for it; else nothing."""
    match event:
        case RolledBack():
            return "The numbers overflowed; went back to the last good picture."
        case GaveUp(computing=computing):
            return f"Went on with {computing.words}."
        case SmallerTiles(tiling=tiling, ran_out=True):
            return f"Memory ran out; went on with {tiling}."
        case SmallerTiles(tiling=tiling):
            return f"Memory is short; cut into {tiling}."
        case Unmeasured():
            return "The final losses are those of the last step."
    return ""
