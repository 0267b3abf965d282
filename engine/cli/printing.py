"""What commands print on stdout, which is what they were asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping

from engine.system.streams import check_printed


def print_text(text: str) -> None:
    """Print a text.

    Raises:
        EngineError: It could not be printed; a reader that has left is no error.
    """
    print(text)
    check_printed()


def print_json(values: Mapping[str, object]) -> None:
    """Print one JSON object in ASCII; numbers that are not finite become null.

    Raises:
        EngineError: As `print_text` says.
    """
    print_text(json.dumps(_finite(values)))


def _finite(value: object) -> object:
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    return value
