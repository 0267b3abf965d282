"""What made this picture: everything needed to make it again, as text that travels inside it.

A recipe has what was asked, what was decided and what happened. Where the pictures lay is left out:
that is nobody else's business.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pydantic_core
from pydantic import BeforeValidator, Field, PlainSerializer

from engine import __version__
from engine.spec import events as happened
from engine.spec.earlier_settings import with_former_retunes
from engine.spec.errors import InputError
from engine.spec.events import Count, Events
from engine.spec.outcome import Ending, Outcome
from engine.spec.pictures import Length, Sha256
from engine.spec.plan import Plan
from engine.spec.request import Request
from engine.spec.stored_settings import usable_values, with_present_names
from engine.spec.values import Versioned
from engine.spec.versions import Migration, migrated, numbered
from engine.storage.embedding import fits
from engine.storage.images import text_of
from engine.storage.naming import shown_name

_WHAT = "The recipe"
_TOO_OFTEN = "It was steered too often for all of that to be kept; these are the last settings."

KeptRequest = Annotated[
    Request,
    BeforeValidator(lambda value: _kept(Request, value)),
    PlainSerializer(Request.to_values),
]
KeptPlan = Annotated[
    Plan,
    BeforeValidator(lambda value: _kept(Plan, value)),
    PlainSerializer(Plan.to_values),
]


def _kept(kind: type[Versioned], value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    try:
        return kind.from_values(value, "it")
    except InputError as error:
        raise ValueError(error.message.rstrip(".")) from error


def _request_apart(values: dict[str, Any]) -> dict[str, Any]:
    """Format 1 -> 2: ingredients and settings become a request; nothing was decided as data.

    What the settings were at the end is all that is known of what was asked.
    """
    asked = ("settings", "content", "styles", "start")
    request = {name: values[name] for name in asked if name in values}
    kept = {name: value for name, value in values.items() if name not in asked}
    return {**kept, "request": with_present_names(request)}


def _retunes_as_meant(values: dict[str, Any]) -> dict[str, Any]:
    """Format 2 -> 3: what a retune changed of the style strength of its day is said as it was."""
    return with_former_retunes(values, "events")


class Recipe(Versioned):
    """Everything needed to make the same picture again, given the pictures and the network.

    Attributes:
        program: The version of Gramarye that made the picture.
        request: What was asked, pictures without their folders.
        plan: What was decided; None in recipes of format 1.
        events: What happened on the way.
        size: Width and height, pixels.
        steps, evaluations, seconds: What it took.
        complete: False when it was stopped early.
        preset: The name of the preset that was chosen; empty for none.
        network_sha256, device, notes: Of format 1, where there is neither a plan nor events: the
            hash of the network's file, what it was made on, and what nobody asked for, in words.
    """

    chain: ClassVar[tuple[Migration, ...]] = (_request_apart, _retunes_as_meant)

    program: str = __version__
    request: KeptRequest
    plan: KeptPlan | None = None
    events: Events = ()
    size: tuple[Length, Length]
    steps: Count
    evaluations: Count
    seconds: float = Field(ge=0)
    complete: bool
    preset: str = ""
    network_sha256: Sha256 | None = None
    device: str = ""
    notes: tuple[str, ...] = ()

    @property
    def final(self) -> Request:
        """The request as it was at the end, after every retune."""
        return happened.retuned(self.request, self.events)

    def to_json(self) -> str:
        """The recipe as JSON in ASCII, which survives every kind of metadata."""
        return json.dumps(self.to_values())


def recipe_of(outcome: Outcome, preset: str = "") -> Recipe:
    """The recipe of a job that has left a pastiche.

    Where a job was steered so often that a file cannot hold all of it, the recipe has what was
    asked at the end instead, and says so.
    """
    pastiche, plan = outcome.pastiche, outcome.plan
    assert pastiche is not None, "a recipe goes with a picture"
    assert plan is not None, "what made a picture has been decided"
    height, width = pastiche.pixels.shape[:2]
    recipe = Recipe(
        request=outcome.request.without_folders(),
        plan=plan.without_folders(),
        events=outcome.events,
        size=(width, height),
        steps=pastiche.progress.step,
        evaluations=pastiche.progress.evaluations,
        seconds=pastiche.progress.seconds,
        complete=outcome.ending is Ending.FINISHED,
        preset=preset,
    )
    if fits(recipe.to_json()):
        return recipe
    short = {"request": outcome.final.without_folders(), "events": (), "notes": (_TOO_OFTEN,)}
    return recipe.model_copy(update=short)


@dataclass(frozen=True)
class Reading:
    """A recipe as it was read, and a sentence on each part of it that cannot be used."""

    recipe: Recipe
    notes: tuple[str, ...] = ()


def parse_recipe(text: str | bytes, source: str) -> Reading:
    """A recipe from JSON.

    Args:
        text: Trusted in nothing.
        source: What messages call the place it came from.

    Raises:
        NewerFormatError: It was made by a newer version.
        InputError: The text is no recipe.
    """
    what = f"{_WHAT} in {source}"
    try:
        values = pydantic_core.from_json(text)
    except ValueError as error:
        raise InputError(f"{what} is damaged: {error}.") from error
    if not isinstance(values, Mapping):
        raise InputError(f"{what} is damaged: it holds something else.")
    current = migrated(values, Recipe.chain, what)
    notes = _without_unusable(current, what)
    return Reading(Recipe.from_values(numbered(current, Recipe.chain), what), notes)


def read_recipe(path: Path) -> Reading | None:
    """The recipe inside a picture file; None where there is none.

    Raises:
        InputError: The file cannot be read or is no picture, or its recipe cannot be used.
    """
    text = text_of(path)
    return None if text is None else parse_recipe(text, shown_name(path))


def _without_unusable(values: dict[str, Any], what: str) -> tuple[str, ...]:
    """Take out what this version cannot use but can do without; a sentence on each part.

    Raises:
        NewerFormatError, InputError: The request is of no format that is known.
    """
    notes: list[str] = []
    request = values.get("request")
    if isinstance(request, Mapping):
        current = migrated(request, Request.chain, what)
        settings, unusable = usable_values(current.get("settings"))
        values["request"] = numbered({**current, "settings": settings}, Request.chain)
        notes += unusable
    events = values.get("events")
    if isinstance(events, list):
        values["events"] = [_usable_event(event, notes) for event in events]
    plan = values.get("plan")
    if isinstance(plan, Mapping):
        try:
            Plan.from_values(plan, "What was decided for it")
        except InputError as error:
            values["plan"] = None
            notes.append(f"{error.message} It is decided anew.")
    return tuple(notes)


def _usable_event(event: object, notes: list[str]) -> object:
    if not isinstance(event, Mapping) or "settings" not in event:
        return event
    settings, unusable = usable_values(event["settings"])
    notes += unusable
    return {**event, "settings": settings}
