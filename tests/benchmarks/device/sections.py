"""What is measured, in which order, and what share of the time each part may take."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Section:
    """One part of the whole, measured in a process of its own.

    Attributes:
        name: Of the section.
        module: Beside this one; its `measure` adds what is to be done to a `Bench`.
        share: Of all the time.
        needs_card: Whether a CPU has nothing to show here.
    """

    name: str
    module: str
    share: float
    needs_card: bool = False

    def load(self) -> Callable[[Any], None]:
        """What adds its work to a bench; imports torch."""
        found: Callable[[Any], None] = importlib.import_module(
            f"tests.benchmarks.device.{self.module}"
        ).measure
        return found


SECTIONS = (
    Section("facts", "facts", 0.05),
    Section("correctness", "correctness", 0.19),
    Section("syncs", "syncs", 0.1),
    Section("speed", "speed", 0.23),
    Section("latency", "latency", 0.05),
    Section("memory", "memory", 0.18, needs_card=True),
    Section("small card", "scarcity", 0.07, needs_card=True),
    Section("quality", "quality", 0.07),
    Section("end to end", "rendering", 0.06),
)


def deadlines(sections: Sequence[Section], seconds: float, *, card: bool) -> list[float]:
    """Seconds from the beginning at which each section has to end.

    What an earlier one leaves over goes to those that follow.
    """
    shares = [0.0 if section.needs_card and not card else section.share for section in sections]
    return [seconds * end / sum(shares) for end in itertools.accumulate(shares)]
