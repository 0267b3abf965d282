"""Steering a job between two steps, from another thread as the window does."""

from __future__ import annotations

import threading

import pytest
from flowing import FLOWING

from engine.run.control import Command, Control, Discard, Held, Stop, Work, steer
from engine.spec.job import Retune
from engine.spec.outcome import Ending, Outcome
from engine.spec.progress import Progress, Stage
from engine.spec.request import Request


class Job:
    """Work that counts its steps and remembers what it was sent."""

    def __init__(self, steps: int = 5) -> None:
        self.steps = steps
        self.heard: list[Command] = []
        self.done = 0
        self.closed = False
        self.held = threading.Event()

    def work(self) -> Work:
        try:
            for step in range(1, self.steps + 1):
                self.done = step
                command = yield Progress(Stage.RUNNING, step=self.done)
                if command is not None:
                    self.heard.append(command)
                while isinstance(command, Held):
                    self.held.set()
                    command = yield Progress(Stage.RUNNING, step=self.done)
                    if command is not None:
                        self.heard.append(command)
                if isinstance(command, Stop):
                    return Outcome(Ending.STOPPED, Request())
                if isinstance(command, Discard):
                    return Outcome(Ending.DISCARDED, Request())
            return Outcome(Ending.FINISHED, Request())
        finally:
            self.closed = True


def finish(job: Job, control: Control) -> Outcome:
    work = steer(job.work(), control)
    while True:
        try:
            next(work)
        except StopIteration as finished:
            outcome: Outcome = finished.value
            return outcome


def test_without_commands_a_job_runs_to_its_end() -> None:
    assert finish(Job(), Control()).ending is Ending.FINISHED


def test_stop_keeps_what_there_is() -> None:
    control, job = Control(), Job()
    work = steer(job.work(), control)
    next(work)
    control.stop()
    with pytest.raises(StopIteration) as finished:
        next(work)
    assert finished.value.value.ending is Ending.STOPPED
    assert job.done == 1


def test_discard_releases_the_job_before_it_is_told() -> None:
    control, job = Control(), Job()
    work = steer(job.work(), control)
    next(work)
    control.discard()
    with pytest.raises(StopIteration) as finished:
        next(work)
    assert finished.value.value.ending is Ending.DISCARDED
    assert job.closed


def test_the_latest_retune_wins_and_is_told_once() -> None:
    control, job = Control(), Job()
    work = steer(job.work(), control)
    next(work)
    control.retune(Retune(FLOWING, (1.0,)))
    latest = Retune(FLOWING, (2.0,))
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
        outcome.append(finish(job, control).ending)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert job.held.wait(5)
    assert job.done == 1
    getattr(control, ending)()
    thread.join(5)
    expected = {
        "resume": Ending.FINISHED, "stop": Ending.STOPPED, "discard": Ending.DISCARDED,
    }  # fmt: skip
    assert outcome == [expected[ending]]
    assert [isinstance(command, Held) for command in job.heard].count(True) == 1


def test_discard_outranks_stop_and_retune() -> None:
    control = Control()
    control.retune(Retune(FLOWING, (1.0,)))
    control.stop()
    control.discard()
    assert isinstance(control.next_command(), Discard)


def test_whoever_asks_hears_at_once_how_a_job_is_to_end() -> None:
    control = Control()
    assert control.ending() is None
    control.pause()
    assert control.ending() is None
    control.stop()
    assert control.ending() is Ending.STOPPED
    control.discard()
    assert control.ending() is Ending.DISCARDED
