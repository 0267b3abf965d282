"""How soon a running job hears of Stop: steps in flight, gaps between progress, Stop to return."""

from __future__ import annotations

import collections
import itertools
import threading
import time
from dataclasses import dataclass, field

import torch

from engine.run.control import Control, steer
from engine.run.state import Snapshot
from engine.run.stylize import stylize
from engine.spec.job import Job
from engine.spec.outcome import Outcome
from engine.spec.progress import Stage
from tests.benchmarks.device.bench import Bench

_MANY = 100_000
"""Steps that no job comes to the end of before it is stopped."""


def measure(bench: Bench) -> None:
    """Stop jobs in the middle of a scale."""
    side, after = (512, (1.5, 2.2)) if bench.card else (48, (0.5,))
    for optimizer in ("adam", "lbfgs"):
        settings = bench.settings(
            network="draft",
            output_size=side,
            coarsest_size=side,
            steps=_MANY,
            optimizer=optimizer,
        )
        job = bench.job(settings)
        for seconds in after:
            bench.add(f"{optimizer}, stopped after {seconds} s", _stopped, bench, job, seconds)


@dataclass
class _Watch:
    """Looks at a job after each step, without waiting for the device.

    Attributes:
        card: Whether there is a device that can lag behind.
        steps: That the host has asked for.
        most: Steps that were asked for and not yet done, at most.
    """

    card: bool
    steps: int = 0
    most: int = 0
    _pending: collections.deque[torch.cuda.Event] = field(default_factory=collections.deque)

    def look(self, snapshot: Snapshot) -> None:
        """Called by the job after each step and event."""
        stepped = snapshot.state.steps > self.steps
        self.steps = snapshot.state.steps
        if not (self.card and stepped):
            return
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record()
        self._pending.append(event)
        while self._pending and self._pending[0].query():  # type: ignore[no-untyped-call]
            self._pending.popleft()
        self.most = max(self.most, len(self._pending))


def _stopped(bench: Bench, job: Job, seconds: float) -> dict[str, object]:
    """Stop a job some seconds after its first step, from another thread as the window does."""
    watch, control = _Watch(bench.card), Control()
    work = steer(stylize(job, keep=watch.look), control)
    told: list[float] = []
    asked: dict[str, float] = {}

    def stop() -> None:
        asked["at"], asked["steps"] = time.perf_counter(), watch.steps
        control.stop()

    timer = threading.Timer(seconds, stop)
    while True:
        try:
            progress = next(work)
        except StopIteration as finished:
            outcome: Outcome = finished.value
            break
        if progress.stage is Stage.RUNNING:
            told.append(time.perf_counter())
            if len(told) == 1:
                timer.start()
    returned = time.perf_counter()
    assert asked, outcome.error or "it ended before it was stopped"
    before = [moment for moment in told if moment <= asked["at"]]
    gaps = [after - moment for moment, after in itertools.pairwise(before)]
    return {
        "ending": outcome.ending.value,
        "steps in flight": watch.most,
        "steps after Stop": watch.steps - asked["steps"],
        "Stop to return, seconds": returned - asked["at"],
        "longest gap between progress, seconds": max(gaps, default=None),
        "steps per second": asked["steps"] / seconds,
    }
