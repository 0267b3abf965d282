"""What a job does when numbers overflow, memory runs out or the machine lacks something."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from running import failure, painted, run

from engine.objective.evaluation import Evaluation
from engine.objective.objective import Objective, OrientedObjectives
from engine.plan.memory import choose_tiling, job_bytes
from engine.run import device_memory, devices
from engine.run.machines import machine_for
from engine.run.targets import Measured, TargetMeasurer
from engine.run.telling import Teller
from engine.spec.errors import EngineError, NetworkMissingError
from engine.spec.events import RolledBack, SmallerTiles, Unmeasured
from engine.spec.job import Job
from engine.spec.outcome import Ending
from engine.spec.scales import plan_scales
from engine.storage.recipes import recipe_of

pytestmark = pytest.mark.usefixtures("one_thread")


def break_evaluations(monkeypatch: pytest.MonkeyPatch, broken: Callable[[int], bool]) -> None:
    whole, count = Objective.evaluate, iter(range(1, 1000))

    def evaluate(self: Objective, image: torch.Tensor) -> Evaluation:
        found = whole(self, image)
        bad = float("nan") if broken(next(count)) else 1.0
        return Evaluation(found.total * bad, found.terms * bad, found.gradient * bad)

    monkeypatch.setattr(Objective, "evaluate", evaluate)


def test_numbers_that_overflow_once_are_rolled_back_told_and_recorded(
    make_job: Callable[..., Job], every_step_shows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_evaluations(monkeypatch, lambda count: count == 3)
    outcome, seen = run(make_job())
    assert outcome.ending is Ending.FINISHED
    assert outcome.pastiche is not None
    assert np.isfinite(outcome.pastiche.progress.total)
    assert ["overflowed" in p.message for p in seen].count(True) == 1
    (event,) = outcome.events
    assert isinstance(event, RolledBack)
    assert (event.at.scale, event.at.step) == (1, 3)
    assert len(outcome.notes) == 1


def test_a_job_goes_back_to_the_same_image_however_often_it_is_looked_at(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for seconds in (0, 1000):
        with monkeypatch.context() as patched:
            patched.setattr("engine.run.timing._SECONDS_BETWEEN_LOOKS", seconds)
            break_evaluations(patched, lambda count: count == 3)
            found.append(painted(make_job()))
    assert np.array_equal(*found)


def test_numbers_that_keep_overflowing_end_the_job_with_a_remedy(
    make_job: Callable[..., Job], every_step_shows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_evaluations(monkeypatch, lambda count: count > 2)
    outcome, _ = run(make_job(steps=50))
    assert outcome.ending is Ending.FAILED
    assert isinstance(outcome.error, EngineError)
    assert "learning rate" in outcome.error.remedy
    assert outcome.pastiche is not None


def test_running_out_of_memory_names_the_size_that_fits(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_memory, "memory_available", lambda _: 100_000_000)
    error = failure(make_job(output_size=4096))
    assert isinstance(error, EngineError)
    assert "Set the output size to" in error.remedy


def fail_at(monkeypatch: pytest.MonkeyPatch, number: int, error: Exception) -> None:
    whole, count = Objective.evaluate, iter(range(1, 1000))

    def evaluate(self: Objective, image: torch.Tensor) -> Evaluation:
        if next(count) == number:
            raise error
        return whole(self, image)

    monkeypatch.setattr(Objective, "evaluate", evaluate)


OUT_OF_MEMORY = (
    torch.OutOfMemoryError("CUDA out of memory"),
    RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes."),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes."),
)


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=lambda error: str(error)[:20])
def test_running_out_of_memory_midway_is_told_and_keeps_the_picture(
    error: Exception,
    make_job: Callable[..., Job],
    every_step_shows: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fail_at(monkeypatch, 3, error)
    outcome, _ = run(make_job())
    assert outcome.ending is Ending.FAILED
    assert isinstance(outcome.error, EngineError)
    assert "ran out" in outcome.error.message
    assert "set the output size to" in outcome.error.remedy
    assert outcome.error.__context__ is None  # no traceback that would hold tensors
    assert outcome.pastiche is not None
    assert outcome.pastiche.pixels.shape == (18, 24, 3)


def test_running_out_of_memory_once_goes_on_in_smaller_tiles_and_is_recorded(
    make_job: Callable[..., Job], every_step_shows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(monkeypatch, 5, torch.OutOfMemoryError("CUDA out of memory"))
    outcome, seen = run(make_job())
    assert outcome.ending is Ending.FINISHED
    assert outcome.pastiche is not None
    assert outcome.pastiche.progress.step == outcome.pastiche.progress.steps
    assert outcome.notes == ("Memory ran out; went on with tiles of 32 px.",)
    assert outcome.notes[0] in [progress.message for progress in seen]
    assert seen[-1].device.endswith("tiles of 32 px")
    (event,) = recipe_of(outcome).events
    assert isinstance(event, SmallerTiles)
    assert event.tiling.side == 32


def test_a_device_that_is_full_from_the_start_is_told(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise RuntimeError("CUDA error: out of memory")

    monkeypatch.setattr(devices, "choose_computing", full)
    outcome, _ = run(make_job())
    assert isinstance(outcome.error, EngineError)
    assert "Close other programs" in outcome.error.remedy
    assert (outcome.pastiche, outcome.plan) == (None, None)


def test_a_finished_picture_outlives_a_failure_in_its_last_evaluation(
    make_job: Callable[..., Job], every_step_shows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(monkeypatch, 7, torch.OutOfMemoryError("CUDA out of memory"))
    outcome, _ = run(make_job())
    assert outcome.ending is Ending.FINISHED
    assert outcome.pastiche is not None
    assert isinstance(outcome.events[0], Unmeasured)


def test_a_device_that_is_not_here_is_refused(make_job: Callable[..., Job]) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a graphics card")
    assert "cuda" in failure(make_job(device="cuda")).message


def test_network_weights_that_are_missing_are_named(
    make_job: Callable[..., Job], random_network: Path
) -> None:
    job = replace(make_job(), network_weights=None)
    assert isinstance(failure(job), NetworkMissingError)


def test_memory_that_runs_out_between_scales_leaves_the_finished_scale_as_it_is(
    make_job: Callable[..., Job], every_step_shows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Smaller tiles give the same picture, so a failure before the second scale changes nothing.
    settings = {"tile": "32", "output_size": 64, "coarsest_size": 32}
    wanted = painted(make_job(**settings))
    whole, failures = TargetMeasurer.measure, iter([False, True])

    def measure(
        self: TargetMeasurer, *arguments: object, **named: object
    ) -> Generator[str, None, Measured]:
        if next(failures, False):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(self, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(TargetMeasurer, "measure", measure)
    outcome, _ = run(make_job(**settings))
    assert outcome.notes
    assert outcome.pastiche is not None
    assert np.abs(outcome.pastiche.pixels.astype(int) - wanted).max() <= 1


def test_what_is_free_at_the_moment_does_not_change_a_pixel_unless_it_is_said(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tiles are chosen from the memory there is; what is short of it is an event."""
    job = make_job(output_size=320, coarsest_size=320, steps=2)
    outcomes = {}
    for free in (16_000_000_000, 4_000_000_000):
        monkeypatch.setattr(device_memory, "memory_available", lambda _, free=free: free)
        outcomes[free], _ = run(job)
    much, less = outcomes.values()
    assert much.pastiche is not None
    assert less.pastiche is not None
    assert much.events == less.events == ()
    assert much.plan == less.plan
    assert np.array_equal(much.pastiche.pixels, less.pastiche.pixels)


def test_memory_too_short_for_the_plan_is_an_event_before_the_first_step(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch, every_step_shows: None
) -> None:
    job = make_job(output_size=320, coarsest_size=320, steps=2)
    machine = machine_for(job.request.settings, {})
    scale = plan_scales(job.request)[-1]
    planned = choose_tiling(job.request.settings, machine, scale)
    needed = job_bytes(job.request.settings, machine, scale, planned)
    monkeypatch.setattr(device_memory, "memory_available", lambda _: int(needed / 0.9) - 1_000_000)
    outcome, seen = run(job)
    assert outcome.error is None, outcome.error
    (event,) = outcome.events
    assert isinstance(event, SmallerTiles)
    assert (event.at.scale, event.at.step, event.ran_out) == (0, 0, False)
    assert outcome.plan is not None
    assert outcome.plan.tiling == planned != event.tiling
    assert outcome.notes[0].startswith("Memory is short; cut into ")
    assert any(outcome.notes[0] == progress.message for progress in seen)


def test_a_picture_there_is_no_memory_for_is_a_failure_and_not_silence(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("engine.run.telling.to_pixels", full)
    outcome, _ = run(make_job())
    assert outcome.ending is Ending.FAILED
    assert isinstance(outcome.error, EngineError)


def test_a_preview_there_is_no_memory_for_costs_only_itself(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch, every_step_shows: None
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("engine.run.telling.preview", full)
    outcome, seen = run(make_job(), frames=True)
    assert outcome.ending is Ending.FINISHED
    assert all(progress.frame is None for progress in seen)


def test_memory_that_runs_out_after_the_last_step_keeps_the_finished_picture(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Teller.read

    def read(self: Teller, objective: OrientedObjectives) -> None:
        if self._now_at_the_end:
            monkeypatch.setattr(Teller, "read", whole)
            raise torch.OutOfMemoryError("CUDA out of memory")
        whole(self, objective)

    steps = iter([False, True])
    monkeypatch.setattr(Teller, "_now_at_the_end", property(lambda _: next(steps)), raising=False)
    monkeypatch.setattr(Teller, "read", read)
    monkeypatch.setattr("engine.run.timing._SECONDS_BETWEEN_LOOKS", 1000)
    outcome, _ = run(make_job())
    assert outcome.ending is Ending.FINISHED, outcome.error
    assert outcome.pastiche is not None


def test_a_failed_job_is_repeated_up_to_where_it_failed(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        fail_at(patched, 3, RuntimeError("the driver is gone"))
        outcome, _ = run(make_job())
    assert outcome.ending is Ending.FAILED
    assert outcome.pastiche is not None
    again, _ = run(replace(make_job(), plan=outcome.plan, script=outcome.events))
    assert again.pastiche is not None
    assert np.array_equal(again.pastiche.pixels, outcome.pastiche.pixels)
