"""Generators whose steps do not matter, only what they return."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

_Result = TypeVar("_Result")


def returned(work: Generator[Any, Any, _Result]) -> _Result:
    """Run a generator to its end; what it returns."""
    while True:
        try:
            next(work)
        except StopIteration as finished:
            result: _Result = finished.value
            return result
