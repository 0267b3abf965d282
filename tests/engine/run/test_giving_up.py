"""A running job goes down the ladder, keeps the device's queue short, and outlives the device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from running import plan_of, run, small_job
from torch._subclasses.fake_tensor import FakeTensorMode

from engine.objective import losses
from engine.objective.evaluation import Evaluation
from engine.objective.graphs import RecordingError, Reel
from engine.objective.objective import Objective
from engine.run import cards, leash
from engine.run.control import Stop
from engine.run.optimizers import beginning, placed
from engine.run.state import Snapshot
from engine.run.tensors import to_pixels
from engine.spec.choices import Precision
from engine.spec.computing import Computing, Rung
from engine.spec.errors import EngineError
from engine.spec.events import GaveUp, RolledBack
from engine.spec.job import Job
from engine.spec.outcome import Ending
from engine.spec.progress import Progress

pytestmark = pytest.mark.usefixtures("one_thread")


def job_with(steps: int = 4, **changes: object) -> Job:
    """A job of one scale that is computed in a way that this machine would not choose."""
    job = small_job(None, output_size=32, coarsest_size=32, steps=steps, style_loss="wasserstein")
    plan = plan_of(job)
    computing = plan.computing.model_copy(update={"winograd": False, "fused": False, **changes})
    return replace(job, plan=plan.model_copy(update={"computing": computing}))


def spoil_evaluations(monkeypatch: pytest.MonkeyPatch, broken: Callable[[Objective], bool]) -> None:
    whole = Objective.evaluate

    def evaluate(self: Objective, image: torch.Tensor) -> Evaluation:
        found = whole(self, image)
        bad = float("nan") if broken(self) else 1.0
        return Evaluation(found.total * bad, found.terms * bad, found.gradient * bad)

    monkeypatch.setattr(Objective, "evaluate", evaluate)


def lost(event: object) -> Rung:
    assert isinstance(event, GaveUp)
    return event.computing.given_up[-1].rung


def test_roots_that_break_are_taken_by_eigenvalues_from_there_on(
    monkeypatch: pytest.MonkeyPatch, every_step_shows: None
) -> None:
    right = losses.transport_by_products

    def broken(*arguments: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        overlap, moves = right(*arguments)
        return overlap * float("nan"), moves

    monkeypatch.setattr(losses, "transport_by_products", broken)
    outcome, seen = run(job_with(products=True))
    assert outcome.ending is Ending.FINISHED, outcome.error
    back, gave_up = outcome.events
    assert isinstance(back, RolledBack)
    assert lost(gave_up) is Rung.PRODUCTS
    assert "roots by products gave no numbers" in seen[-1].device
    assert any("went back" in one.message and "Went on" in one.message for one in seen)
    assert len(outcome.notes) == 2


def test_numbers_that_break_in_half_precision_go_on_in_float32(
    monkeypatch: pytest.MonkeyPatch, every_step_shows: None
) -> None:
    def in_half(objective: Objective) -> bool:
        return objective._network.arithmetic.dtype is torch.bfloat16

    spoil_evaluations(monkeypatch, in_half)
    outcome, seen = run(job_with(precision=Precision.BFLOAT16))
    assert outcome.ending is Ending.FINISHED, outcome.error
    assert [lost(event) for event in outcome.events if isinstance(event, GaveUp)] == [
        Rung.PRECISION
    ]
    assert "float32 (bfloat16 gave no numbers)" in seen[-1].device


def test_at_the_end_of_the_ladder_what_is_asked_is_to_blame(
    monkeypatch: pytest.MonkeyPatch, every_step_shows: None
) -> None:
    spoil_evaluations(monkeypatch, lambda _: True)
    outcome, _ = run(job_with(steps=40, precision=Precision.BFLOAT16, products=True))
    assert outcome.ending is Ending.FAILED
    assert isinstance(outcome.error, EngineError)
    assert "learning rate" in outcome.error.remedy
    gave_up = [lost(event) for event in outcome.events if isinstance(event, GaveUp)]
    assert gave_up == [Rung.PRODUCTS, Rung.PRECISION]


def test_recordings_that_fail_are_given_up_without_going_back(
    monkeypatch: pytest.MonkeyPatch, every_step_shows: None
) -> None:
    asked = []

    def refuse(*_: object) -> None:
        asked.append(1)
        raise RecordingError("operation not permitted when stream is capturing")

    wanted, _ = run(job_with(steps=20))
    monkeypatch.setattr(Reel, "record", refuse)
    outcome, _ = run(job_with(steps=20, recordings=True))
    assert outcome.ending is Ending.FINISHED, outcome.error
    assert [lost(event) for event in outcome.events] == [Rung.RECORDINGS]
    assert asked == [1]
    # Nothing was done twice or left out.
    assert outcome.pastiche is not None
    assert wanted.pastiche is not None
    assert np.array_equal(outcome.pastiche.pixels, wanted.pastiche.pixels)


def test_what_was_given_up_stays_so_in_a_job_that_is_taken_up_again(
    monkeypatch: pytest.MonkeyPatch, every_step_shows: None
) -> None:
    kept: list[Computing] = []

    def keep(snapshot: Snapshot) -> None:
        kept.append(snapshot.state.computing)

    spoil_evaluations(monkeypatch, lambda one: one._network.arithmetic.dtype is torch.bfloat16)
    run(job_with(precision=Precision.BFLOAT16), keep=keep)
    assert (kept[0].numbers, kept[-1].numbers) == ("bfloat16", "float32")


class Queued:
    """An event of a device that does nothing until somebody waits for it."""

    waiting: ClassVar[list[Queued]] = []
    most: ClassVar[int] = 0

    def record(self) -> None:
        Queued.waiting.append(self)
        Queued.most = max(Queued.most, len(Queued.waiting))

    def synchronize(self) -> None:
        while self in Queued.waiting:
            Queued.waiting.pop(0)


def test_no_more_than_two_steps_are_in_flight_when_stop_is_heard(
    monkeypatch: pytest.MonkeyPatch, every_step_shows: None
) -> None:
    monkeypatch.setattr(leash, "_new_event", lambda _: Queued())
    Queued.waiting, Queued.most = [], 0
    in_flight: list[int] = []

    def stop(progress: Progress) -> Stop | None:
        in_flight.append(len(Queued.waiting))
        return Stop() if progress.step == 9 else None

    outcome, _ = run(job_with(steps=30), stop)
    assert outcome.ending is Ending.STOPPED
    assert outcome.pastiche is not None
    assert outcome.pastiche.progress.step == 9
    assert max(in_flight) == Queued.most == 2


def test_a_device_that_fails_leaves_the_last_good_picture(
    monkeypatch: pytest.MonkeyPatch, every_step_shows: None
) -> None:
    whole, count = Objective.evaluate, iter(range(1, 1000))
    good: list[np.ndarray] = []

    def evaluate(self: Objective, image: torch.Tensor) -> Evaluation:
        if next(count) == 6:
            raise torch.AcceleratorError("CUDA error: unspecified launch failure")
        return whole(self, image)

    def keep(snapshot: Snapshot) -> None:
        if snapshot.state.descent is not None:
            good.append(to_pixels(snapshot.state.descent.good))

    def gone(*_: object) -> None:
        raise torch.AcceleratorError("CUDA error: unspecified launch failure")

    lost_devices: list[torch.device] = []
    monkeypatch.setattr(Objective, "evaluate", evaluate)
    monkeypatch.setattr("engine.run.telling.result", gone)
    monkeypatch.setattr("engine.run.trouble.mark_lost", lost_devices.append)
    outcome, _ = run(job_with(steps=20), keep=keep)
    assert outcome.ending is Ending.FAILED
    assert isinstance(outcome.error, EngineError)
    assert "stopped working" in outcome.error.message
    assert outcome.pastiche is not None
    assert np.array_equal(outcome.pastiche.pixels, good[-1])
    assert not np.array_equal(good[-1], good[0])
    assert lost_devices == [torch.device("cpu")]


def test_the_last_good_images_lie_on_the_host() -> None:
    with FakeTensorMode():
        begun = beginning(torch.empty(1, 3, 8, 8, device="cuda"))
        taken_up = placed(beginning(torch.empty(1, 3, 8, 8)), torch.device("cuda"))
    for descent in (begun, taken_up):
        assert descent.image.device.type == descent.average.device.type == "cuda"
        assert descent.good.device.type == descent.candidate.device.type == "cpu"


def test_a_card_that_was_lost_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "_lost", set())
    cards.mark_lost(torch.device("cuda", 1))
    cards.mark_lost(torch.device("cpu"))
    assert cards._lost == {1}
