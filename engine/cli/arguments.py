"""From words on the command line to settings and a job, for every command that takes pictures."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from engine.spec.choices import Start
from engine.spec.errors import InputError
from engine.spec.job import Job, StyleImage
from engine.spec.pictures import Picture
from engine.spec.settings import DEFAULTS, Settings
from engine.storage.presets import Preset

_SHORTCUTS = ("output_size", "network", "device", "seed")
"""Settings with an option of their own, which wins over presets and `--set`; so does `--start`."""

Opened = Callable[[Path], Picture]
"""How a command opens a picture."""


def settings_asked_for(arguments: argparse.Namespace, preset: Preset | None) -> Settings:
    """The preset's settings or the defaults, with what was named over them.

    Raises:
        InputError: A name is unknown or a value is out of its range.
    """
    settings = preset.applied_to(DEFAULTS) if preset else DEFAULTS
    named: dict[str, object] = dict(_assignment(text) for text in arguments.assignments)
    for name in _SHORTCUTS:
        if (value := getattr(arguments, name)) is not None:
            named[name] = value
    if arguments.start is not None:
        named["start"] = Start.PICTURE
    elif is_texture(arguments) and settings.start in (Start.CONTENT, Start.MIX):
        # Without a photograph these starts do not exist; the painting's own colours come closest.
        named.setdefault("start", Start.STYLE_NOISE)
    settings = settings.changed(**named)
    if settings.start is Start.PICTURE and arguments.start is None:
        raise InputError("There is no picture to start from.", "Give one with --start FILE.")
    return settings


def job_asked_for(arguments: argparse.Namespace, settings: Settings, opened: Opened) -> Job:
    """The job that the pictures named make; its network weights are still to be found.

    Raises:
        InputError: A picture cannot be used, or the parts do not fit together.
    """
    styles = tuple(_file_and_weight(text) for text in arguments.style)
    return Job(
        content=None if is_texture(arguments) else opened(Path(arguments.content)),
        styles=tuple(StyleImage(opened(path), weight) for path, weight in styles),
        settings=settings,
        network_weights=Path(),
        start=opened(arguments.start) if arguments.start else None,
    )


def is_texture(arguments: argparse.Namespace) -> bool:
    """Whether there is to be no photograph."""
    return bool(arguments.content == "none")


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--set {text} has no value.", "Write --set NAME=VALUE.")
    return name.strip(), value.strip()


def _file_and_weight(text: str) -> tuple[Path, float]:
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
            f"The weight of {name} cannot be {weight!r}.", "Give a number, as in FILE:0.5."
        ) from error
