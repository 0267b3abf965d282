"""From what was typed to a request and its pictures, for every command that takes pictures."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from engine.cli.options import Asked
from engine.spec.choices import Start
from engine.spec.errors import InputError
from engine.spec.job import Job, job_of
from engine.spec.pictures import Picture, StyleImage
from engine.spec.settings import DEFAULTS, Settings
from engine.spec.wording import plain
from engine.storage.naming import shown_name
from engine.storage.preset_store import preset_named

Opened = Callable[[Path], Picture]
"""How a command opens a picture."""


def settings_asked_for(asked: Asked, say: Callable[[str], None]) -> tuple[Settings, str]:
    """The preset's settings or the defaults, with what was named over them; and the preset's name.

    Args:
        asked: What was typed.
        say: Tells a sentence on each part of the preset that cannot be used.

    Raises:
        InputError: A name is unknown or a value is out of its range.
    """
    preset, notes = (None, ()) if asked.preset is None else preset_named(asked.preset)[:2]
    for note in notes:
        say(note)
    settings = preset.applied_to(DEFAULTS) if preset else DEFAULTS
    named: dict[str, object] = dict(asked.settings)
    if asked.start is not None:
        named["start"] = Start.PICTURE
    elif asked.texture and settings.start in (Start.CONTENT, Start.MIX):
        # Without a photograph these starts do not exist; the painting's own colours come closest.
        named.setdefault("start", Start.STYLE_NOISE)
    settings = settings.changed(**named)
    if settings.start is Start.PICTURE and asked.start is None:
        raise InputError("There is no picture to start from.", "Give one with --start FILE.")
    return settings, preset.name if preset else ""


def job_asked_for(
    asked: Asked, settings: Settings, opened: Opened, network_weights: Path | None = None
) -> Job:
    """The job that the pictures named make.

    Raises:
        InputError: A picture cannot be used, or the parts do not fit together.
    """
    return job_of(
        None if asked.content is None else opened(asked.content),
        [StyleImage(opened(path), weight) for path, weight in map(file_and_weight, asked.styles)],
        settings,
        start=opened(asked.start) if asked.start else None,
        network_weights=network_weights,
    )


def file_and_weight(text: str) -> tuple[Path, float]:
    """Understand `FILE` or `FILE:WEIGHT`; a file whose own name ends like that wins."""
    name, colon, weight = text.rpartition(":")
    if not colon or os.path.exists(text):
        return Path(text), 1.0
    try:
        return Path(name), float(weight)
    except ValueError as error:
        if not os.path.exists(name):
            return Path(text), 1.0
        raise InputError(
            f"The weight of {shown_name(Path(name))} cannot be {plain(repr(weight), 40)}.",
            "Give a number, as in FILE:0.5.",
        ) from error
