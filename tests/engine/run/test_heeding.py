"""A job that is told to end does so in the middle of a step, and does half of nothing."""

from __future__ import annotations

import gc
import weakref
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from live import LiveBytes
from running import run, small_job

from engine.network.convolutions import Convolution
from engine.objective.objective import Objective
from engine.run.control import Stop
from engine.run.optimizers import result
from engine.run.state import Snapshot
from engine.run.telling import Teller
from engine.run.tensors import to_pixels
from engine.spec.events import Stopped, Unmeasured
from engine.spec.job import Job
from engine.spec.outcome import Ending, Outcome, Pastiche

pytestmark = pytest.mark.usefixtures("one_thread")

TINY = {"output_size": 48, "coarsest_size": 24, "steps": 3, "tile": "16"}
"""Two scales of the draft network, of three steps and of two, in four tiles and twelve."""

WAYS = {
    "adam": {"averaging": 0.9, "smoothness": 1.0},
    "lbfgs": {"optimizer": "lbfgs", "lbfgs_history": 3},
    "descent": {"optimizer": "gradient-descent"},
    "pyramid": {"canvas": "pyramid"},
}


@dataclass
class Asked:
    """Says at one call, and from there on, that the job is to end.

    Attributes:
        at: Which call.
        answer: How it is to end.
        calls: How often it was asked.
    """

    at: int
    answer: Ending
    calls: int = 0

    def __call__(self) -> Ending | None:
        self.calls += 1
        return self.answer if self.calls >= self.at else None


@dataclass(frozen=True, eq=False)
class Kept:
    """A job as it stood after a step: what a person sees of it, and every number that is in it.

    Attributes:
        calls: How often the job had been asked by then.
        snapshot: Where it stood.
        pixels: What a person would have had.
        tensors: Copies of all that is in the snapshot.
    """

    calls: int
    snapshot: Snapshot
    pixels: np.ndarray
    tensors: dict[str, torch.Tensor]


class Keeper:
    """Keeps a job after each step."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.all: list[Kept] = []

    def __call__(self, snapshot: Snapshot) -> None:
        descent = snapshot.state.descent
        if descent is None:
            return
        pixels = to_pixels(result(descent, snapshot.plan.settings))
        tensors = {name: tensor.clone() for name, tensor in descent.tensors().items()}
        self.all.append(Kept(self.asked.calls, snapshot, pixels, tensors))


def ended(job: Job, at: int, answer: Ending) -> tuple[Outcome, Asked, list[Kept]]:
    """A job that is to end at a call, and how it stood after each step."""
    asked = Asked(at, answer)
    keeper = Keeper(asked)
    outcome, _ = run(job, ending=asked, keep=keeper)
    return outcome, asked, keeper.all


def whole(job: Job) -> tuple[Outcome, Asked, list[Kept]]:
    """A job that is asked and goes on to its end."""
    return ended(job, 1_000_000, Ending.DISCARDED)


@pytest.fixture(scope="module")
def job() -> Job:
    return small_job(None, **{**TINY, "optimizer": "lbfgs"})


def test_discard_ends_a_job_at_the_very_call_that_hears_of_it_and_keeps_nothing(job: Job) -> None:
    _, complete, _ = whole(job)
    assert complete.calls > 300
    for at in range(1, complete.calls + 1, 13):
        outcome, asked, _ = ended(job, at, Ending.DISCARDED)
        assert asked.calls == at
        assert (outcome.ending, outcome.pastiche, outcome.error) == (Ending.DISCARDED, None, None)


def test_stop_ends_a_job_at_the_very_call_that_hears_of_it_and_keeps_the_picture_of_before(
    job: Job,
) -> None:
    _, complete, steps = whole(job)
    seen = set()
    for at in range(3, complete.calls + 1, 13):
        outcome, asked, _ = ended(job, at, Ending.STOPPED)
        assert asked.calls == at
        assert outcome.error is None
        seen.add(outcome.ending)
        before = [step for step in steps if step.calls < at]
        if not before:
            assert (outcome.ending, outcome.pastiche) == (Ending.DISCARDED, None)
            continue
        assert outcome.pastiche is not None
        assert np.array_equal(outcome.pastiche.pixels, before[-1].pixels)
        (event,) = outcome.events
        assert event.at == before[-1].snapshot.place
        finished = before[-1].snapshot.finished
        assert outcome.ending is (Ending.FINISHED if finished else Ending.STOPPED)
        assert isinstance(event, Unmeasured if finished else Stopped)
    assert seen == {Ending.DISCARDED, Ending.STOPPED, Ending.FINISHED}


def calls_of_step(steps: list[Kept], number: int) -> list[int]:
    """Some calls of the step that begins where a job stood; the optimiser's are the last."""
    first, last = steps[number].calls + 1, steps[number + 1].calls
    return [*range(first, last - 6, 19), *range(last - 6, last + 1)]


def test_a_job_is_asked_between_any_two_convolutions(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the way there, on the way back, and while pictures are measured."""
    since, most = [0], [0]

    def counted(whole: Any) -> Any:
        def convolve(convolution: Convolution, image: torch.Tensor) -> torch.Tensor:
            since[0] += 1
            most[0] = max(most[0], since[0])
            found: torch.Tensor = whole(convolution, image)
            return found

        return convolve

    ways = [way for way in vars(Convolution) if way.startswith(("forward", "transpose"))]
    for way in ways:
        monkeypatch.setattr(Convolution, way, counted(getattr(Convolution, way)))
    outcome, _ = run(job, ending=lambda: since.__setitem__(0, 0))
    assert outcome.ending is Ending.FINISHED
    assert most[0] == 1


@pytest.mark.parametrize("way", WAYS)
def test_what_was_given_up_has_changed_nothing(way: str) -> None:
    """Neither the image nor the optimiser's memory, in a scale and on the way to the next."""
    job = small_job(None, **{**TINY, **WAYS[way]})
    _, _, steps = whole(job)
    assert [step.snapshot.state.scale for step in steps] == [1, 1, 1, 1, 2, 2, 2]
    for number in (2, 3):
        for at in calls_of_step(steps, number):
            _, _, kept = ended(job, at, Ending.STOPPED)
            last = kept[-1]
            tensors = last.snapshot.state.begun.tensors()
            assert tensors.keys() == last.tensors.keys() == steps[number].tensors.keys()
            for name, tensor in tensors.items():
                assert torch.equal(tensor, steps[number].tensors[name]), (at, name)


@pytest.mark.parametrize("way", WAYS)
def test_a_job_goes_on_from_before_what_was_given_up_to_the_same_pixels(way: str) -> None:
    job = small_job(None, **{**TINY, **WAYS[way]})
    wanted, _, steps = whole(job)
    assert wanted.pastiche is not None
    for number in (2, 3, 4):
        at = (steps[number].calls + steps[number + 1].calls) // 2
        _, _, kept = ended(job, at, Ending.DISCARDED)
        went_on, _ = run(job, snapshot=kept[-1].snapshot)
        assert went_on.pastiche is not None
        assert np.array_equal(went_on.pastiche.pixels, wanted.pastiche.pixels)


@pytest.mark.parametrize("way", WAYS)
def test_a_job_stopped_in_the_middle_of_a_step_is_repeated_to_the_pixel(way: str) -> None:
    job = small_job(None, **{**TINY, **WAYS[way]})
    _, _, steps = whole(job)
    for number in range(1, len(steps) - 1):
        at = (steps[number].calls + steps[number + 1].calls) // 2
        first, _, _ = ended(job, at, Ending.STOPPED)
        again, _ = run(replace(job, plan=first.plan, script=first.events))
        assert first.pastiche is not None
        assert again.pastiche is not None
        assert again.events == first.events
        assert np.array_equal(again.pastiche.pixels, first.pastiche.pixels)
        assert again.pastiche.progress.step == first.pastiche.progress.step


def test_what_was_given_up_is_let_go_before_the_picture_is_made(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopped job must not hold the features of half an evaluation beside its result."""
    _, _, steps = whole(job)
    alive: list[int] = []
    pastiche = Teller.pastiche

    def look(teller: Teller, now: Snapshot) -> Pastiche | None:
        alive.append(live.now)
        return pastiche(teller, now)

    monkeypatch.setattr(Teller, "pastiche", look)
    gc.disable()
    try:
        for at in (steps[1].calls + 1, steps[2].calls - 1, (steps[1].calls + steps[2].calls) // 2):
            with LiveBytes() as live:
                run(job, ending=Asked(at, Ending.STOPPED))
    finally:
        gc.enable()
    # As much as where the evaluation had hardly begun.
    assert len(alive) == 3
    assert max(alive) == alive[0]


@pytest.mark.parametrize("answer", [Ending.STOPPED, Ending.DISCARDED])
def test_a_job_that_has_ended_is_let_go_at_once(answer: Ending) -> None:
    job = small_job(None, **TINY)
    held = weakref.ref(job)
    gc.collect()
    gc.disable()
    try:
        run(job, ending=Asked(200, answer))
        del job
        assert held() is None
    finally:
        gc.enable()


def test_stop_after_the_last_step_leaves_the_job_finished(job: Job, every_step_shows: None) -> None:
    complete, _, _ = whole(job)
    outcome, _ = run(job, lambda p: Stop() if p.step == p.steps > 0 else None)
    assert outcome.ending is Ending.FINISHED
    assert [type(event) for event in outcome.events] == [Unmeasured]
    assert outcome.pastiche is not None
    assert complete.pastiche is not None
    assert np.array_equal(outcome.pastiche.pixels, complete.pastiche.pixels)
    assert outcome.pastiche.progress.terms


def test_what_is_being_recorded_is_not_given_up(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate, recording = Objective.evaluate, []

    def recorded(objective: Objective, image: torch.Tensor) -> object:
        recording.append(True)
        try:
            return evaluate(objective, image)
        finally:
            recording.pop()

    monkeypatch.setattr(Objective, "evaluate", recorded)
    monkeypatch.setattr("engine.run.walk.is_recording", lambda: bool(recording))
    _, _, steps = whole(job)
    outcome, asked, _ = ended(job, steps[1].calls + 1, Ending.STOPPED)
    assert outcome.ending is Ending.STOPPED
    assert steps[1].calls + 10 < asked.calls < steps[2].calls
    assert outcome.events[0].at == steps[1].snapshot.place
