"""The algorithm end to end, on a random network and small canvases."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
import torch

from engine.objective.evaluation import Evaluation
from engine.objective.objective import Objective
from engine.run import devices
from engine.run.control import Command, Stop
from engine.run.stylize import stylize
from engine.run.targets import TargetMeasurer
from engine.run.timing import Clock
from engine.spec.choices import NetworkName
from engine.spec.errors import Cancelled, EngineError, InputError
from engine.spec.job import Job, Retune, StyleImage
from engine.spec.outcome import Pastiche
from engine.spec.pictures import Picture
from engine.spec.progress import Progress, Stage
from engine.spec.settings import DEFAULTS
from engine.storage.images import picture_from_pixels
from engine.storage.recipes import recipe_of
from resources import DRAFT_NETWORK

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = {
    "output_size": 48,
    "coarsest_size": 24,
    "steps": 4,
    "style_layers": "relu1_1, relu2_1",
    "content_layers": "relu2_1",
}


def picture(seed: int, width: int = 40, height: int = 30) -> Picture:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return picture_from_pixels(pixels, f"picture {seed}")


@pytest.fixture
def make_job(random_network: Path) -> Callable[..., Job]:
    def make(styles: int = 1, **values: object) -> Job:
        settings = DEFAULTS.changed(**{**SMALL, **values})
        images = tuple(StyleImage(picture(10 + number)) for number in range(styles))
        return Job(picture(1), images, settings, random_network)

    return make


def run(
    job: Job,
    command: Callable[[Progress], Command | None] = lambda _: None,
    *,
    frames: bool = False,
) -> tuple[Pastiche, list[Progress]]:
    """Run a job to its end, answering each progress with a command."""
    work = stylize(job, lambda: frames)
    seen = [next(work)]
    while True:
        try:
            seen.append(work.send(command(seen[-1])))
        except StopIteration as finished:
            return finished.value, seen


@pytest.fixture
def every_step_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.run.timing._SECONDS_BETWEEN_LOOKS", 0)


def test_a_job_ends_at_the_output_size_having_done_its_steps(
    make_job: Callable[..., Job], every_step_shows: None
) -> None:
    pastiche, seen = run(make_job())
    assert pastiche.pixels.shape == (36, 48, 3)
    assert pastiche.pixels.dtype == np.uint8
    assert pastiche.complete
    assert pastiche.progress.step == pastiche.progress.steps == 4 + 2
    assert pastiche.progress.evaluations == 6 + 1  # the last one is of the result itself
    assert [p.step for p in seen if not p.message] == [1, 2, 3, 4, 5, 6]
    assert {p.size for p in seen if p.stage is Stage.RUNNING} == {(24, 18), (48, 36)}
    assert pastiche.peak_memory > 1e6


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
    pastiche, seen = run(job)
    totals = [p.total for p in seen if p.stage is Stage.RUNNING]
    assert pastiche.progress.total < totals[0]
    assert sum(t.value for t in pastiche.progress.terms) == pytest.approx(pastiche.progress.total)


def test_the_terms_are_named_and_the_final_ones_belong_to_the_result(
    make_job: Callable[..., Job],
) -> None:
    pastiche, _ = run(make_job(smoothness=1.0))
    names = [term.name for term in pastiche.progress.terms]
    assert names == ["content relu2_1", "style relu1_1", "style relu2_1", "smoothness"]


def test_the_same_seed_gives_the_same_pixels(make_job: Callable[..., Job]) -> None:
    one, _ = run(make_job(start="noise", seed=3))
    again, _ = run(make_job(start="noise", seed=3))
    other, _ = run(make_job(start="noise", seed=4))
    assert np.array_equal(one.pixels, again.pixels)
    assert not np.array_equal(one.pixels, other.pixels)


def test_a_texture_needs_no_content(make_job: Callable[..., Job], random_network: Path) -> None:
    settings = DEFAULTS.changed(**{**SMALL, "start": "style-noise"})
    job = Job(None, (StyleImage(picture(2)),), settings, random_network)
    pastiche, _ = run(job)
    assert pastiche.pixels.shape == (48, 48, 3)
    assert all(term.name.startswith("style") for term in pastiche.progress.terms)


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
    pastiche, seen = run(make_job(), lambda p: Stop() if p.step == 2 else None)
    assert not pastiche.complete
    assert pastiche.progress.step == seen[-1].step == 2
    assert pastiche.pixels.shape == (18, 24, 3)


def test_stop_before_there_is_a_picture_keeps_nothing(make_job: Callable[..., Job]) -> None:
    with pytest.raises(Cancelled):
        run(make_job(), lambda _: Stop())


def test_a_retune_takes_effect_at_the_next_step(
    make_job: Callable[..., Job], every_step_shows: None
) -> None:
    job = make_job(styles=2, coarsest_size=48)
    changed = job.settings.changed(content_weight=0.0, style_layers="relu1_1", smoothness=2.0)
    pastiche, seen = run(
        job, lambda p: Retune(changed, (1.0, 0.0)) if p.step == 2 and p.terms else None
    )
    names = {p.step: [t.name for t in p.terms] for p in seen if p.stage is Stage.RUNNING}
    assert names[2] == ["content relu2_1", "style relu1_1", "style relu2_1"]
    assert names[3] == ["style relu1_1", "smoothness"]
    assert pastiche.settings == changed
    assert pastiche.style_weights == (1.0, 0.0)


def test_a_retune_to_a_new_layer_measures_it(
    make_job: Callable[..., Job], every_step_shows: None
) -> None:
    job = make_job()
    changed = job.settings.changed(style_layers="conv1_2", content_layers="relu3_1")
    pastiche, _ = run(job, lambda p: Retune(changed, (1.0,)) if p.step == 1 else None)
    assert [t.name for t in pastiche.progress.terms] == ["content relu3_1", "style conv1_2"]


def test_a_retune_that_cannot_be_is_told_and_the_job_goes_on(
    make_job: Callable[..., Job], every_step_shows: None
) -> None:
    job = make_job()
    other = job.settings.changed(network="vgg16")
    for wrong in (Retune(other, (0.0,)), Retune(job.settings, (1.0, 1.0))):
        pastiche, seen = run(
            job, lambda p, wrong=wrong: wrong if p.step == 1 and not p.message else None
        )
        assert pastiche.complete
        assert pastiche.settings == job.settings
        assert any("weight" in p.message for p in seen)


def test_every_live_weight_may_stand_at_zero_for_a_while(
    make_job: Callable[..., Job], every_step_shows: None
) -> None:
    job = make_job()
    nothing = job.settings.changed(content_weight=0.0, style_strength=0.0)
    pastiche, _ = run(job, lambda p: Retune(nothing, (1.0,)) if p.step == 2 else None)
    assert pastiche.complete
    assert pastiche.progress.total == 0


def test_a_job_that_asks_nothing_is_refused(make_job: Callable[..., Job]) -> None:
    with pytest.raises(InputError, match="every weight is 0"):
        make_job(content_weight=0.0, style_weight=0.0)


def test_a_content_layer_may_be_added_to_none(
    make_job: Callable[..., Job], every_step_shows: None
) -> None:
    job = make_job(content_layers="")
    changed = job.settings.changed(content_layers="relu1_2")
    pastiche, _ = run(job, lambda p: Retune(changed, (1.0,)) if p.step == 1 else None)
    assert "content relu1_2" in [term.name for term in pastiche.progress.terms]


def test_a_retune_leaves_the_fixed_settings_alone(
    make_job: Callable[..., Job], every_step_shows: None
) -> None:
    job = make_job()
    wanted = job.settings.changed(steps=500, output_size=512, content_weight=2.0)
    pastiche, _ = run(job, lambda p: Retune(wanted, (1.0,)) if p.step == 1 else None)
    assert pastiche.settings == job.settings.changed(content_weight=2.0)


def break_evaluations(monkeypatch: pytest.MonkeyPatch, broken: Callable[[int], bool]) -> None:
    whole, count = Objective.evaluate, iter(range(1, 1000))

    def evaluate(self: Objective, image: torch.Tensor) -> Evaluation:
        found = whole(self, image)
        bad = float("nan") if broken(next(count)) else 1.0
        return Evaluation(found.total * bad, found.terms * bad, found.gradient * bad)

    monkeypatch.setattr(Objective, "evaluate", evaluate)


def test_numbers_that_overflow_once_are_rolled_back_and_told(
    make_job: Callable[..., Job], every_step_shows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_evaluations(monkeypatch, lambda count: count == 3)
    pastiche, seen = run(make_job())
    assert pastiche.complete
    assert np.isfinite(pastiche.progress.total)
    assert ["overflowed" in p.message for p in seen].count(True) == 1
    assert len(pastiche.notes) == 1


def test_numbers_that_keep_overflowing_end_the_job_with_a_remedy(
    make_job: Callable[..., Job], every_step_shows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_evaluations(monkeypatch, lambda count: count > 2)
    with pytest.raises(EngineError, match="learning rate") as failure:
        run(make_job(steps=50))
    assert failure.value.pastiche is not None


def test_running_out_of_memory_names_the_size_that_fits(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "memory_available", lambda _: 100_000_000)
    with pytest.raises(EngineError, match=r"Set the output size to \d+ px"):
        run(make_job(output_size=4096))


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
    with pytest.raises(EngineError, match=r"ran out.* set the output size to \d+ px") as failure:
        run(make_job())
    assert failure.value.__context__ is None  # no traceback that would hold tensors
    assert failure.value.pastiche is not None
    assert failure.value.pastiche.pixels.shape == (18, 24, 3)
    assert not failure.value.pastiche.complete


def test_running_out_of_memory_once_goes_on_in_smaller_tiles(
    make_job: Callable[..., Job], every_step_shows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(monkeypatch, 5, torch.OutOfMemoryError("CUDA out of memory"))
    pastiche, seen = run(make_job())
    assert pastiche.complete
    assert pastiche.progress.step == pastiche.progress.steps
    assert pastiche.notes == ("Memory ran out; went on with tiles of 24 px.",)
    assert pastiche.notes[0] in [progress.message for progress in seen]
    assert recipe_of(make_job(), pastiche).notes == pastiche.notes


def test_a_device_that_is_full_from_the_start_is_told(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise RuntimeError("CUDA error: out of memory")

    monkeypatch.setattr(devices, "choose_arithmetic", full)
    with pytest.raises(EngineError, match="Close other programs") as failure:
        run(make_job())
    assert failure.value.pastiche is None


def test_a_finished_picture_outlives_a_failure_in_its_last_evaluation(
    make_job: Callable[..., Job], every_step_shows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(monkeypatch, 7, torch.OutOfMemoryError("CUDA out of memory"))
    pastiche, _ = run(make_job())
    assert pastiche.complete
    assert pastiche.notes


def test_a_device_that_is_not_here_is_refused(make_job: Callable[..., Job]) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a graphics card")
    with pytest.raises(EngineError, match="cuda"):
        run(make_job(device="cuda"))


def test_closing_a_job_midway_leaves_no_gradient_mode_behind(
    make_job: Callable[..., Job], every_step_shows: None
) -> None:
    work = stylize(make_job())
    for _ in range(4):
        next(work)
        assert torch.is_grad_enabled()
    work.close()
    assert torch.is_grad_enabled()


def test_memory_that_runs_out_between_scales_leaves_the_finished_scale_as_it_is(
    make_job: Callable[..., Job], every_step_shows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Smaller tiles give the same picture, so a failure before the second scale changes nothing.
    settings = {"tile": "32", "output_size": 64, "coarsest_size": 32}
    wanted, _ = run(make_job(**settings))
    whole, failures = TargetMeasurer.measure, iter([False, True])

    def measure(self: TargetMeasurer, *arguments: object) -> Iterator[str]:
        if next(failures, False):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(self, *arguments)

    monkeypatch.setattr(TargetMeasurer, "measure", measure)
    found, _ = run(make_job(**settings))
    assert found.notes
    assert np.abs(found.pixels.astype(int) - wanted.pixels).max() <= 1


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
    one_scale = DEFAULTS.changed(output_size=48, coarsest_size=48, steps=8)
    settings = one_scale.on(NetworkName.DRAFT)
    pastiche, seen = run(Job(picture(1), (StyleImage(picture(10)),), settings, DRAFT_NETWORK))
    told = [progress.total for progress in seen if progress.stage is Stage.RUNNING]
    assert len(set(found[:4])) == 4
    expected = [fmean(found[max(0, step - 4) : step]) for step in range(every, 9, every)]
    assert told == pytest.approx(expected)
    assert pastiche.progress.total == pytest.approx(fmean(found[8:]))
    assert pastiche.progress.evaluations == len(found) == 8 + 4
