"""What happened to a job happens again when it is repeated, and the pixels are the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from running import run

from engine.objective.evaluation import Evaluation
from engine.objective.objective import Objective
from engine.run.control import Command, Held, Stop
from engine.run.state import Snapshot
from engine.spec.events import Paused, Retuned, RolledBack, SmallerTiles, Stopped
from engine.spec.job import Job, Retune
from engine.spec.outcome import Ending, Outcome
from engine.spec.progress import Progress

pytestmark = pytest.mark.usefixtures("one_thread", "every_step_shows")


def repeated(job: Job, outcome: Outcome) -> Outcome:
    """The same job again, as it was decided and with what happened."""
    again, _ = run(replace(job, plan=outcome.plan, script=outcome.events))
    return again


def same_pixels(one: Outcome, other: Outcome) -> bool:
    assert one.pastiche is not None
    assert other.pastiche is not None
    return np.array_equal(one.pastiche.pixels, other.pastiche.pixels)


def at_steps(wishes: dict[int, Command]) -> Callable[[Progress], Command | None]:
    """Says each wish once, at its step."""
    left = dict(wishes)
    return lambda progress: left.pop(progress.step, None) if not progress.message else None


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "gradient-descent"])
def test_a_job_steered_at_three_steps_is_repeated(
    optimizer: str, make_job: Callable[..., Job]
) -> None:
    job = make_job(optimizer=optimizer, styles=2)
    settings = job.request.settings
    stronger = settings.changed(style_strength=3.0)
    other = stronger.changed(style_layers="relu1_2, relu3_1", content_weight=0.5)
    wishes = {1: Retune(stronger, (1.0, 1.0)), 3: Retune(other, (1.0, 0.2)),
              5: Retune(settings, (0.0, 1.0))}  # fmt: skip
    first, _ = run(job, at_steps(wishes))
    assert [(event.at.scale, event.at.step) for event in first.events] == [(1, 1), (1, 3), (2, 5)]
    again = repeated(job, first)
    assert same_pixels(first, again)
    assert again.events == first.events
    plain, _ = run(job)
    assert not same_pixels(first, plain)


def test_a_retune_between_two_scales_is_repeated_there(make_job: Callable[..., Job]) -> None:
    """It is told while the pictures are measured, after the fourth and before the fifth step."""
    job = make_job()
    changed = job.request.settings.changed(style_strength=4.0, style_layers="relu1_2")
    told: list[Progress] = []

    def once(progress: Progress) -> Command | None:
        if progress.step != 4 or "Measuring" not in progress.message or told:
            return None
        told.append(progress)
        return Retune(changed, (1.0,))

    first, _ = run(job, once)
    (event,) = first.events
    assert isinstance(event, Retuned)
    assert (event.at.scale, event.at.step) == (2, 4)
    assert same_pixels(first, repeated(job, first))


def test_a_stopped_job_stops_again(make_job: Callable[..., Job]) -> None:
    job = make_job()
    first, _ = run(job, at_steps({3: Stop()}))
    again = repeated(job, first)
    assert again.ending is Ending.STOPPED
    assert isinstance(again.events[-1], Stopped)
    assert same_pixels(first, again)


def test_a_pause_is_recorded_and_changes_nothing(make_job: Callable[..., Job]) -> None:
    job = make_job()
    held, _ = run(job, at_steps({2: Held()}))
    assert [type(event) for event in held.events] == [Paused]
    assert same_pixels(held, run(job)[0])
    assert repeated(job, held).events == ()


def test_smaller_tiles_are_cut_again_at_the_same_step(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(output_size=128, coarsest_size=64, style_layers="relu1_1, relu3_1")
    for failing in (3, 5):  # in the middle of a scale, and at the first step of the next
        with monkeypatch.context() as patched:
            whole, count = Objective.evaluate, iter(range(1, 1000))

            def evaluate(
                self: Objective,
                image: torch.Tensor,
                whole: Callable[..., Evaluation] = whole,
                count: object = count,
                failing: int = failing,
            ) -> Evaluation:
                if next(count) == failing:  # type: ignore[call-overload]
                    raise torch.OutOfMemoryError("CUDA out of memory")
                return whole(self, image)

            patched.setattr(Objective, "evaluate", evaluate)
            first, _ = run(job)
        assert [type(event) for event in first.events] == [SmallerTiles]
        again = repeated(job, first)
        assert again.events == first.events
        assert same_pixels(first, again)


def test_a_rollback_comes_again_by_itself_and_not_twice(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job()
    whole = Objective.evaluate
    for attempt in range(2):
        count = iter(range(1, 1000))

        def evaluate(self: Objective, image: torch.Tensor, count: object = count) -> Evaluation:
            found = whole(self, image)
            bad = float("nan") if next(count) == 3 else 1.0  # type: ignore[call-overload]
            return Evaluation(found.total * bad, found.terms * bad, found.gradient * bad)

        monkeypatch.setattr(Objective, "evaluate", evaluate)
        if attempt == 0:
            first, _ = run(job)
        else:
            again = repeated(job, first)
    assert [type(event) for event in first.events] == [RolledBack]
    assert again.events == first.events
    assert same_pixels(first, again)


def test_a_repeat_that_is_interrupted_knows_what_is_still_to_come(
    make_job: Callable[..., Job],
) -> None:
    job = make_job()
    changed = job.request.settings.changed(style_strength=3.0)
    first, _ = run(job, at_steps({2: Retune(changed, (1.0,)), 5: Stop()}))
    snapshots: list[Snapshot] = []

    def keep(snapshot: Snapshot) -> None:
        if snapshot.state.steps == 1 and not snapshots:
            snapshots.append(snapshot)

    repeat = replace(job, plan=first.plan, script=first.events)
    left: dict[int, Command] = {}
    work, _ = run(repeat, at_steps(left), keep=keep)
    assert same_pixels(first, work)
    assert [type(event) for event in snapshots[0].script] == [Retuned, Stopped]
