"""Steering a job between two steps, from another thread as the window does."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from engine.run.control import Command, Control, Stop, Work, steer
from engine.spec.errors import Cancelled
from engine.spec.job import Retune
from engine.spec.outcome import Pastiche
from engine.spec.progress import Progress, Stage
from engine.spec.settings import DEFAULTS


class Job:
    """Work that counts its steps and remembers what it was sent."""

    def __init__(self, steps: int = 5) -> None:
        self.steps = steps
        self.heard: list[Command] = []
        self.done = 0
        self.closed = False

    def work(self) -> Work:
        try:
            for step in range(1, self.steps + 1):
                self.done = step
                command = yield Progress(Stage.RUNNING, step=self.done)
                if command is not None:
                    self.heard.append(command)
                if isinstance(command, Stop):
                    break
        finally:
            self.closed = True
        pixels = np.zeros((1, 1, 3), np.uint8)
        complete = self.done == self.steps
        return Pastiche(pixels, Progress(Stage.RUNNING), complete, 0, DEFAULTS, (1.0,))


def finish(job: Job, control: Control) -> Pastiche:
    work = steer(job.work(), control)
    while True:
        try:
            next(work)
        except StopIteration as finished:
            return finished.value


def test_without_commands_a_job_runs_to_its_end() -> None:
    assert finish(Job(), Control()).complete


def test_stop_keeps_what_there_is() -> None:
    control, job = Control(), Job()
    work = steer(job.work(), control)
    next(work)
    control.stop()
    with pytest.raises(StopIteration) as finished:
        next(work)
    assert not finished.value.value.complete
    assert job.done == 1


def test_discard_releases_the_job_before_it_is_told() -> None:
    control, job = Control(), Job()
    work = steer(job.work(), control)
    next(work)
    control.discard()
    with pytest.raises(Cancelled):
        next(work)
    assert job.closed


def test_the_latest_retune_wins_and_is_told_once() -> None:
    control, job = Control(), Job()
    work = steer(job.work(), control)
    next(work)
    control.retune(Retune(DEFAULTS, (1.0,)))
    latest = Retune(DEFAULTS, (2.0,))
    control.retune(latest)
    next(work)
    next(work)
    assert job.heard == [latest]


@pytest.mark.parametrize("ending", ["resume", "stop", "discard"])
def test_a_paused_job_waits_and_ends_its_pause_promptly(ending: str) -> None:
    control, job = Control(), Job()
    control.pause()
    outcome: list[object] = []

    def run() -> None:
        try:
            outcome.append(finish(job, control).complete)
        except Cancelled:
            outcome.append("cancelled")

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()
    assert job.done == 1
    getattr(control, ending)()
    thread.join(5)
    assert outcome == [{"resume": True, "stop": False, "discard": "cancelled"}[ending]]


def test_discard_outranks_stop_and_retune() -> None:
    control = Control()
    control.retune(Retune(DEFAULTS, (1.0,)))
    control.stop()
    control.discard()
    with pytest.raises(Cancelled):
        control.next_command()
