"""How a file outlives the version that wrote it: a format number and small steps to the next."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from engine.spec.errors import InputError, NewerFormatError

Migration = Callable[[dict[str, Any]], dict[str, Any]]
"""Makes a file's values in one format into those in the next; pure, and never fails."""

_KEY = "format"

_DEEPEST = 20
"""Levels of values in values that are written again; nothing of ours has half as many."""


def newest(chain: Sequence[Migration]) -> int:
    """The number of the format that a chain of migrations ends in: formats count from 1."""
    return len(chain) + 1


def migrated(values: Mapping[str, Any], chain: Sequence[Migration], what: str) -> dict[str, Any]:
    """A file's values as its newest format has them, without the number of the format.

        _CHAIN = (with_present_names,)  # format 1 -> 2: settings by their present names

        values = migrated(json.loads(data), _CHAIN, "The recipe in picture.png")
        path.write_text(json.dumps(numbered(recipe.model_dump(mode="json"), _CHAIN)))

    Args:
        values: As they stand in the file; a file without a number is of the first format.
        chain: `chain[0]` leads from format 1 to 2, `chain[1]` from 2 to 3, and so on.
        what: What messages call the file, as a sentence begins: "The preset dusk.json".

    Raises:
        NewerFormatError: The file is of a format that this program does not know yet. Whoever
            catches it leaves the file as it is.
        InputError: What stands for the number is none.
    """
    number = values.get(_KEY, 1)
    if type(number) is not int or number < 1:
        raise InputError(f"{what} is damaged: {str(number)[:80]!r} is no format.")
    if number > newest(chain):
        raise NewerFormatError(
            f"{what} was made by a newer version of Gramarye (format {str(number)[:12]}, where "
            f"this one knows {newest(chain)}); it is left as it is.",
            "Update Gramarye to use it.",
        )
    current = {key: value for key, value in values.items() if key != _KEY}
    for migrate in chain[number - 1 :]:
        current = migrate(current)
    return current


def numbered(values: Mapping[str, Any], chain: Sequence[Migration]) -> dict[str, Any]:
    """Values with the number of the newest format in front, as a file is written."""
    return {_KEY: newest(chain), **values}


def unknown_in(values: Mapping[str, Any], known: Container[str]) -> dict[str, Any]:
    """What a version has no use for in a file of its own format, to be written again as it is.

    Another version knows what it is. What JSON could not hold is left out.

    Args:
        values: As they stand in the file; trusted in nothing.
        known: The names that have a use.
    """
    return {
        name: value
        for name, value in values.items()
        if name not in known and _is_json({name: value}, _DEEPEST)
    }


def _is_json(value: object, levels: int) -> bool:
    """Whether a value that was read can be written, by whatever writes JSON, and read again."""
    if isinstance(value, dict):
        return levels > 0 and all(
            _is_json(each, levels - 1) for pair in value.items() for each in pair
        )
    if isinstance(value, list):
        return levels > 0 and all(_is_json(each, levels - 1) for each in value)
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:  # half a character, or no finite number
        return False
    return True
