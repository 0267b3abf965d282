"""The algorithm end to end, on a random network and small canvases."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
import torch
from flowing import FLOWING
from running import painted, picture, run, small_job

from engine.objective.evaluation import Evaluation
from engine.objective.objective import Objective
from engine.run.control import Discard, Stop
from engine.run.stylize import stylize
from engine.run.timing import Clock
from engine.spec.errors import InputError
from engine.spec.events import Retuned, Stopped
from engine.spec.job import Job, Retune, job_of
from engine.spec.outcome import Ending
from engine.spec.pictures import StyleImage
from engine.spec.progress import Stage

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_job_ends_at_the_output_size_having_done_its_steps(
    make_job: Callable[..., Job], every_step_shows: None
) -> None:
    outcome, seen = run(make_job())
    assert outcome.ending is Ending.FINISHED
    assert outcome.error is None
    assert outcome.events == ()
    assert outcome.pastiche is not None
    pastiche = outcome.pastiche
    assert pastiche.pixels.shape == (36, 48, 3)
    assert pastiche.pixels.dtype == np.uint8
    assert pastiche.progress.step == pastiche.progress.steps == 4 + 2
    assert pastiche.progress.evaluations == 6 + 1  # the last one is of the result itself
    assert pastiche.progress.remaining == 0
    assert [p.step for p in seen if not p.message] == [1, 2, 3, 4, 5, 6]
    assert {p.size for p in seen if p.stage is Stage.RUNNING} == {(24, 18), (48, 36)}
    assert pastiche.peak_memory > 1e6


def test_what_was_decided_comes_back_beside_what_was_asked(
    make_job: Callable[..., Job], random_network: Path
) -> None:
    job = make_job(device="auto", precision="auto")
    outcome, seen = run(job)
    assert outcome.request == job.request
    assert outcome.plan is not None
    assert outcome.plan.network_file == str(random_network)
    assert outcome.plan.network_sha256 is not None
    assert {outcome.plan.settings.device, outcome.plan.settings.precision}.isdisjoint({"auto"})
    assert seen[-1].device == outcome.plan.way(outcome.plan.computing, outcome.plan.tiling)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "gradient-descent"])
@pytest.mark.parametrize("loss", ["gram", "gram+mean+std", "wasserstein"])
def test_the_objective_falls(
    make_job: Callable[..., Job], every_step_shows: None, optimizer: str, loss: str
) -> None:
    job = make_job(
        optimizer=optimizer,
        style_loss=loss,
        step_size=1e-4,
        steps=12,
        coarsest_size=48,
        averaging=0.5,
    )
    outcome, seen = run(job)
    assert outcome.pastiche is not None
    last = outcome.pastiche.progress
    totals = [p.total for p in seen if p.stage is Stage.RUNNING]
    assert last.total < totals[0]
    assert sum(term.value for term in last.terms) == pytest.approx(last.total)


def test_the_terms_are_named(make_job: Callable[..., Job]) -> None:
    outcome, _ = run(make_job(smoothness=1.0))
    assert outcome.pastiche is not None
    names = [term.name for term in outcome.pastiche.progress.terms]
    assert names == ["content relu2_1", "style relu1_1", "style relu2_1", "smoothness"]


def test_the_final_terms_belong_to_the_result_and_not_to_the_last_iterate(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    images: list[torch.Tensor] = []
    whole = Objective.evaluate

    def evaluate(self: Objective, image: torch.Tensor) -> Evaluation:
        images.append(image.clone())
        return whole(self, image)

    monkeypatch.setattr(Objective, "evaluate", evaluate)
    outcome, _ = run(make_job(averaging=0.9, learning_rate=0.1))
    assert outcome.pastiche is not None
    shown = torch.from_numpy(outcome.pastiche.pixels).permute(2, 0, 1)[None] / 255
    # What was evaluated last is the averaged picture that is handed over, to a level of 255.
    torch.testing.assert_close(images[-1], shown, atol=0.51 / 255, rtol=0)
    assert float((images[-2] - images[-1]).abs().max()) > 0.02


def test_the_same_seed_gives_the_same_pixels(make_job: Callable[..., Job]) -> None:
    one, again, other = (run(make_job(start="noise", seed=seed))[0].pastiche for seed in (3, 3, 4))
    assert one is not None
    assert again is not None
    assert other is not None
    assert np.array_equal(one.pixels, again.pixels)
    assert not np.array_equal(one.pixels, other.pixels)


def test_a_texture_needs_no_content(random_network: Path) -> None:
    outcome, _ = run(small_job(random_network, content=False, start="style-noise"))
    assert outcome.pastiche is not None
    assert outcome.pastiche.pixels.shape == (48, 48, 3)
    assert all(term.name.startswith("style") for term in outcome.pastiche.progress.terms)


def test_frames_come_only_when_asked_for(
    make_job: Callable[..., Job], every_step_shows: None
) -> None:
    _, without = run(make_job())
    _, with_frames = run(make_job(), frames=True)
    assert all(p.frame is None for p in without)
    running = [p for p in with_frames if p.stage is Stage.RUNNING]
    assert all(p.frame is not None and p.frame.shape[:2] == p.size[::-1] for p in running)


def test_stop_keeps_the_pastiche_so_far(
    make_job: Callable[..., Job], every_step_shows: None
) -> None:
    outcome, seen = run(make_job(), lambda p: Stop() if p.step == 2 else None)
    assert outcome.ending is Ending.STOPPED
    assert outcome.pastiche is not None
    assert outcome.pastiche.progress.step == seen[-1].step == 2
    assert outcome.pastiche.pixels.shape == (18, 24, 3)
    (stopped,) = outcome.events
    assert isinstance(stopped, Stopped)
    assert (stopped.at.scale, stopped.at.step) == (1, 2)


def test_stop_before_there_is_a_picture_keeps_nothing(make_job: Callable[..., Job]) -> None:
    outcome, _ = run(make_job(), lambda _: Stop())
    assert outcome.ending is Ending.DISCARDED
    assert outcome.pastiche is None


def test_discard_keeps_nothing(make_job: Callable[..., Job], every_step_shows: None) -> None:
    outcome, _ = run(make_job(), lambda p: Discard() if p.step == 2 else None)
    assert outcome.ending is Ending.DISCARDED
    assert outcome.pastiche is None
    assert outcome.error is None


def test_a_retune_takes_effect_at_the_next_step_and_is_recorded_there(
    make_job: Callable[..., Job], every_step_shows: None
) -> None:
    job = make_job(styles=2, coarsest_size=48)
    settings = job.request.settings
    changed = settings.changed(content_weight=0.0, style_layers="relu1_1", smoothness=2.0)
    outcome, seen = run(
        job, lambda p: Retune(changed, (1.0, 0.0)) if p.step == 2 and p.terms else None
    )
    names = {p.step: [t.name for t in p.terms] for p in seen if p.stage is Stage.RUNNING}
    assert names[2] == ["content relu2_1", "style relu1_1", "style relu2_1"]
    assert names[3] == ["style relu1_1", "smoothness"]
    assert outcome.request == job.request
    assert outcome.final.settings == changed
    assert outcome.final.shares == (1.0, 0.0)
    (event,) = outcome.events
    assert isinstance(event, Retuned)
    assert event.at.step == 2
    assert event.settings == {
        "content_weight": 0.0, "style_layers": {"relu1_1": 1.0}, "smoothness": 2.0,
    }  # fmt: skip


def test_a_retune_to_a_new_layer_measures_it(
    make_job: Callable[..., Job], every_step_shows: None
) -> None:
    job = make_job()
    changed = job.request.settings.changed(style_layers="conv1_2", content_layers="relu3_1")
    outcome, _ = run(job, lambda p: Retune(changed, (1.0,)) if p.step == 1 else None)
    assert outcome.pastiche is not None
    names = [term.name for term in outcome.pastiche.progress.terms]
    assert names == ["content relu3_1", "style conv1_2"]


def test_a_retune_that_never_took_effect_is_not_recorded(
    make_job: Callable[..., Job], every_step_shows: None
) -> None:
    job = make_job()
    changed = job.request.settings.changed(content_weight=5.0)
    outcome, seen = run(job, lambda p: Retune(changed, (1.0,)) if p.step == 6 else None)
    assert seen[-1].step == 6
    assert outcome.events == ()
    assert outcome.final == job.request


def test_a_retune_that_changes_nothing_is_not_recorded(
    make_job: Callable[..., Job], every_step_shows: None
) -> None:
    job = make_job()
    same = Retune(job.request.settings, job.request.shares)
    outcome, _ = run(job, lambda p: same if p.step == 2 else None)
    assert outcome.events == ()


def test_a_retune_that_cannot_be_is_told_and_the_job_goes_on(
    make_job: Callable[..., Job], every_step_shows: None
) -> None:
    job = make_job()
    settings = job.request.settings
    for wrong in (Retune(settings, (0.0,)), Retune(settings, (1.0, 1.0))):
        outcome, seen = run(
            job, lambda p, wrong=wrong: wrong if p.step == 1 and not p.message else None
        )
        assert outcome.ending is Ending.FINISHED
        assert outcome.final == job.request
        assert any("weight" in p.message for p in seen)


def test_every_live_weight_may_stand_at_zero_for_a_while(
    make_job: Callable[..., Job], every_step_shows: None
) -> None:
    job = make_job()
    nothing = job.request.settings.changed(content_weight=0.0, style_strength=0.0)
    outcome, _ = run(job, lambda p: Retune(nothing, (1.0,)) if p.step == 2 else None)
    assert outcome.ending is Ending.FINISHED
    assert outcome.pastiche is not None
    assert outcome.pastiche.progress.total == 0


def test_a_job_that_asks_nothing_is_refused(make_job: Callable[..., Job]) -> None:
    with pytest.raises(InputError, match="every weight is 0"):
        make_job(content_weight=0.0, style_weight=0.0)


def test_a_job_that_asks_for_matched_content_alone_asks_something(
    make_job: Callable[..., Job],
) -> None:
    nothing = {"content_weight": 0, "style_weight": 0, "matched_layers": "relu1_1"}
    assert painted(make_job(**nothing, matched_weight=1)).any()
    with pytest.raises(InputError, match="every weight is 0"):
        make_job(**nothing)


def test_a_content_layer_may_be_added_to_none(
    make_job: Callable[..., Job], every_step_shows: None
) -> None:
    job = make_job(content_layers="")
    changed = job.request.settings.changed(content_layers="relu1_2")
    outcome, _ = run(job, lambda p: Retune(changed, (1.0,)) if p.step == 1 else None)
    assert outcome.pastiche is not None
    assert "content relu1_2" in [term.name for term in outcome.pastiche.progress.terms]


def test_a_retune_leaves_the_fixed_settings_alone(
    make_job: Callable[..., Job], every_step_shows: None
) -> None:
    job = make_job()
    settings = job.request.settings
    wanted = settings.changed(steps=500, output_size=512, content_weight=2.0)
    outcome, _ = run(job, lambda p: Retune(wanted, (1.0,)) if p.step == 1 else None)
    assert outcome.final.settings == settings.changed(content_weight=2.0)


def test_closing_a_job_midway_leaves_no_gradient_mode_behind(
    make_job: Callable[..., Job], every_step_shows: None
) -> None:
    work = stylize(make_job())
    for _ in range(4):
        next(work)
        assert torch.is_grad_enabled()
    work.close()
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("every", [1, 4])
def test_the_terms_told_are_means_over_the_orientations_that_the_draft_network_looks_in(
    every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often they are looked at: at every fourth step it is always the same one's turn."""
    calls = itertools.count(1)
    monkeypatch.setattr(Clock, "look_due", lambda _clock: next(calls) % every == 0)
    whole, found = Objective.evaluate, []

    def evaluate(self: Objective, image: torch.Tensor) -> Evaluation:
        evaluation = whole(self, image)
        found.append(float(evaluation.total))
        return evaluation

    monkeypatch.setattr(Objective, "evaluate", evaluate)
    settings = FLOWING.changed(output_size=48, coarsest_size=48, steps=8, network="draft")
    outcome, seen = run(job_of(picture(1), [StyleImage(picture(10))], settings))
    assert outcome.pastiche is not None
    told = [progress.total for progress in seen if progress.stage is Stage.RUNNING]
    assert len(set(found[:4])) == 4
    expected = [fmean(found[max(0, step - 4) : step]) for step in range(every, 9, every)]
    assert told == pytest.approx(expected)
    assert outcome.pastiche.progress.total == pytest.approx(fmean(found[8:]))
    assert outcome.pastiche.progress.evaluations == len(found) == 8 + 4
