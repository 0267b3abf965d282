"""Settings out of files, which outlive the program's version: a value is lost alone, with a note.

What people type is read by `engine.spec.settings.settings_from`, which refuses instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.spec.errors import InputError
from engine.spec.parameters import Kind
from engine.spec.settings import (
    DEFAULTS,
    FORMER_NAMES,
    PARAMETER,
    Settings,
    present_name,
    settings_from,
)


def usable_values(values: object) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What can be used of a file's settings, and a sentence on each value that cannot.

    The values taken make a whole: `settings_from` accepts them together.

    Args:
        values: Names and values as JSON has them, former names included; trusted in nothing.
    """
    if not isinstance(values, Mapping):
        return {}, ("The settings are not names with values, so all are at their defaults.",)
    given = with_present_names({"settings": values})["settings"]
    taken: dict[str, Any] = {}
    notes = [_unknown(name) for name in given if name not in PARAMETER]
    # Layers last: they have to suit the network, and not the other way round.
    for name in sorted(PARAMETER.keys() & given, key=_order):
        try:
            settings_from({**taken, name: given[name]})
        except InputError as error:
            notes.append(f"{error.message.rstrip('.')}, so {name} is at its default.")
        else:
            taken[name] = given[name]
    return taken, tuple(notes)


def settings_and_notes(values: object) -> tuple[Settings, tuple[str, ...]]:
    """Settings from a file's names and values, and a sentence on each value that cannot be used.

    Never fails: what is unknown or does not fit is left out, and its parameter takes its default.
    """
    taken, notes = usable_values(values)
    return (settings_from(taken) if taken else DEFAULTS), notes


def with_present_names(values: dict[str, Any]) -> dict[str, Any]:
    """A file's migration: its `settings` by the names they have today.

    A value under a former name stays where it is if there is one under the present name too.
    """
    settings = values.get("settings")
    if not isinstance(settings, Mapping):
        return values
    renamed = {
        name if present_name(name) in settings else present_name(name): value
        for name, value in settings.items()
    }
    return {**values, "settings": renamed}


def _order(name: str) -> tuple[bool, str]:
    return PARAMETER[name].kind is Kind.LAYERS, name


def _unknown(name: object) -> str:
    if isinstance(name, str) and name in FORMER_NAMES:
        return f"The setting {name} is ignored beside {FORMER_NAMES[name]}, its present name."
    return f"There is no setting {str(name)[:40]!r}, so it is ignored."
