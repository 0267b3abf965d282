"""A job's own time: when to look, how fast it goes, and when it will end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.spec.scales import Scale

_SECONDS_BETWEEN_LOOKS = 0.1
"""Looking at a value waits for the device; more often than a person can see is waste."""


class Clock:
    """The job's own time: what passes while it is held by its caller does not count."""

    def __init__(self) -> None:
        self._away = 0.0
        self._began = self._held = time.monotonic()

    def seconds(self) -> float:
        """Since the clock was made, without what was held."""
        return time.monotonic() - self._began - self._away

    def look_due(self) -> bool:
        """Whether it is time again to read the terms off the device."""
        return time.monotonic() - self._held >= _SECONDS_BETWEEN_LOOKS

    def hold(self) -> None:
        """Stop counting: the caller has its turn."""
        self._held = time.monotonic()

    def go_on(self) -> None:
        """Count again."""
        self._away += time.monotonic() - self._held


class Pace:
    """How fast one scale's steps go, and from that when the job will end."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.seconds()

    def steps_per_second(self, step: int) -> float:
        """The mean over the scale's first `step` steps."""
        return step / max(self._clock.seconds() - self._began, 1e-9)

    def remaining(self, step: int, scale: Scale, later: Sequence[Scale]) -> float | None:
        """Seconds to the end, a step's time growing with its pixels; None after a single step."""
        if step < 2:  # the first step also pays for warming up
            return None
        per_step = 1 / self.steps_per_second(step)
        area = scale.canvas[0] * scale.canvas[1]
        ahead = sum(other.steps * other.canvas[0] * other.canvas[1] / area for other in later)
        return per_step * (scale.steps - step + ahead)
