"""A job's own time: when to look, how fast it goes, and when it will end."""

from __future__ import annotations

import time

from engine.spec.plan import Plan

_SECONDS_BETWEEN_LOOKS = 0.1
"""Looking at a value waits for the device; more often than a person can see is waste."""


class Clock:
    """The job's own time: what passes while it is held by its caller does not count.

    Args:
        before: Seconds of work that an earlier run has done.
    """

    def __init__(self, before: float = 0.0) -> None:
        self._before = before
        self._away = 0.0
        self._began = self._held = time.monotonic()

    def seconds(self) -> float:
        """Of work, without what was held."""
        return self._before + time.monotonic() - self._began - self._away

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
    """How fast one scale's steps go, and from that when the job will end.

    Args:
        clock: The job's.
        step: At this scale, where the counting begins.
    """

    def __init__(self, clock: Clock, step: int) -> None:
        self._clock = clock
        self._first = step
        self._began = clock.seconds()

    def steps_per_second(self, step: int) -> float:
        """The mean since the counting began."""
        return (step - self._first) / max(self._clock.seconds() - self._began, 1e-9)

    def remaining(self, plan: Plan, level: int, step: int) -> float | None:
        """Seconds to the end, a step's time growing with its pixels; None after a single step.

        Args:
            plan: The job's.
            level: Of the scale in the plan, from 0.
            step: Done at this scale.
        """
        if step - self._first < 2:  # the first step also pays for warming up
            return None
        scale, *later = plan.scales[level:]
        per_step = 1 / self.steps_per_second(step)
        area = scale.canvas[0] * scale.canvas[1]
        ahead = sum(other.steps * other.canvas[0] * other.canvas[1] / area for other in later)
        return per_step * (scale.steps - step + ahead)
