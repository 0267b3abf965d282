"""Whether the engine can be loaded at all, said before it is tried."""

from __future__ import annotations

from engine.spec.errors import EngineError
from engine.spec.wording import gigabytes
from engine.system.memory import memory_available

_ENGINE = 300_000_000
"""Bytes that torch takes before it has computed anything."""


def refuse_unless_loadable() -> None:
    """Say that torch does not fit into memory, where the system would end the process for it.

    Raises:
        EngineError: It does not.
    """
    free = memory_available()
    if free < _ENGINE:
        raise EngineError(
            f"The engine needs about {gigabytes(_ENGINE)} of memory before it begins, and "
            f"{gigabytes(free)} is free.",
            "Close other programs, or raise the limit that Gramarye runs under.",
        )
