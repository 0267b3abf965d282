"""Which preset a person means: by its whole name, a former one, or the beginning of one."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from engine.spec.errors import InputError
from engine.spec.wording import plain

RENAMED: Final[Mapping[str, str]] = MappingProxyType({"Painterly": "Flowing"})
"""Presets that ship, by a former name, and what each is called today; both names answer."""


def name_key(name: str) -> str:
    """What makes two names the same; file systems may ignore case, and people do."""
    return unicodedata.normalize("NFC", name.strip()).casefold()


def found_by_name(
    asked: str, names: Sequence[str], renamed: Mapping[str, str] = RENAMED
) -> int | None:
    """Where the name that is meant stands among others.

    A whole name wins over all else. Then, without punctuation and with or without what stands in
    parentheses: a whole name, the other name of a renamed preset, the beginning of one name alone.

    Args:
        asked: As a person types it, in upper or lower case.
        names: Of the presets there are.
        renamed: Present names by former ones; the one of the two that there is answers to both.

    Returns:
        Its place; None if none is meant.

    Raises:
        InputError: Several may be meant; the message names them.
    """
    key, short = name_key(asked), _letters(asked)
    pairs = (pair for old, new in renamed.items() for pair in ((old, new), (new, old)))
    others = {name_key(other) for name, other in pairs if short and short in _spellings(name)}
    ways = (
        [name_key(name) == key for name in names],
        [bool(short) and short in _spellings(name) for name in names],
        [name_key(name) in others for name in names],
        [bool(short) and any(s.startswith(short) for s in _spellings(name)) for name in names],
    )
    for meant in ways:
        places = [place for place, is_meant in enumerate(meant) if is_meant]
        if len(places) > 1:
            candidates = ", ".join(names[place] for place in places)
            raise InputError(
                f"Several presets may be meant by {plain(asked, 80)}: {candidates}.",
                "Write more of the name.",
            )
        if places:
            return places[0]
    return None


def near_names(asked: str, names: Sequence[str]) -> tuple[str, ...]:
    """Names that look like one that there is not, the nearest first; at most three."""
    spelled = {spelling: name for name in reversed(names) for spelling in _spellings(name)}
    near = difflib.get_close_matches(_letters(asked), spelled, n=6)
    return tuple(dict.fromkeys(spelled[spelling] for spelling in near))[:3]


def _spellings(name: str) -> set[str]:
    """A name's letters, and those outside its parentheses; none that are empty."""
    return {_letters(name), _letters(re.sub(r"\([^()]*\)", "", name))} - {""}


def _letters(name: str) -> str:
    """A name without case, spaces, punctuation and symbols."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(char for char in folded if unicodedata.category(char)[0] in "LMN")
