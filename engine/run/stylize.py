"""The algorithm, coarse to fine: a plain generator from a job to a pastiche.

    load the network
    for each scale, from the coarsest to the output size:
        measure the content and style images at this scale
        start from the first image, or from the last scale's result enlarged
        for each step:
            evaluation = objective at the image
            the optimiser moves the image
            a few times a second: yield progress; take a command (stop, retune)

There is no thread, pause or window in here. Whoever iterates decides when the next step happens.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from statistics import fmean
from typing import TypeVar

import torch
from torch import Tensor

from engine.objective.evaluation import Evaluation
from engine.objective.objective import OrientedObjectives
from engine.plan.planning import plan, ran_out_of_memory, refuse_if_too_large, smaller
from engine.run import devices
from engine.run.canvas import preview, resized, to_pixels
from engine.run.control import Command, Stop, Work
from engine.run.optimizers import Descent
from engine.run.targets import TargetMeasurer
from engine.run.timing import Clock, Pace
from engine.spec.errors import Cancelled, EngineError, InputError
from engine.spec.job import Job, Pastiche, Progress, Retune, Stage, Term, check_mix
from engine.spec.layers import measured_layers
from engine.spec.scales import Scale, plan_scales

_ROLLBACKS = 3
"""After this many in one job the numbers will not come right by trying again."""


_Result = TypeVar("_Result")
_Talk = Generator[Progress, Command | None, _Result]
"""A part of the job that speaks and listens on the way to its result."""


def _never() -> bool:
    return False


def stylize(job: Job, frame_due: Callable[[], bool] = _never) -> Work:
    """Make the pastiche of a job.

    Args:
        job: What to make it from.
        frame_due: Asked before each progress; when true, the progress carries a frame.

    Yields:
        Progress, at most ten times a second; accepts a `Retune` or `Stop` in return.

    Returns:
        The pastiche.

    Raises:
        InputError: A picture or the network file cannot be used.
        EngineError: Memory ran out, the device is missing, or the numbers will not stay finite.
        Cancelled: Stopped before there was anything to keep.
    """
    run = _Run(job, frame_due)
    try:
        try:
            return (yield from run.work())
        except EngineError as error:
            error.pastiche = run.kept()
            raise
        except Exception as error:
            if not devices.is_out_of_memory(error):
                raise
        # Outside the `except`: the traceback held every tensor of what failed. Collecting holds up
        # the window for a moment; only here is there something to collect.
        gc.collect()
        devices.release_memory()
        failure = ran_out_of_memory(job.settings.output_size)
        failure.pastiche = run.kept()
        raise failure
    finally:
        run.release()
        devices.release_memory()


class _Stopped(Exception):  # noqa: N818 - carries a decision out of the loops, not an error
    """The person asked to stop and keep."""


class _Run:
    """The state of one job under way: the canvas, what was retuned, what is counted."""

    def __init__(self, job: Job, frame_due: Callable[[], bool]) -> None:
        self._job = job
        self._settings = job.settings
        self._shares = tuple(style.weight for style in job.styles)
        self._retuned = False
        self._frame_due = frame_due
        self._clock = Clock()
        self._progress = Progress(Stage.PREPARING)
        self._rollbacks = 0
        self._notes: list[str] = []
        # What is minimised is the mean over the orientations; the latest terms in each.
        self._seen: dict[int, Tensor] = {}
        self._measurer: TargetMeasurer | None = None
        self._objective: OrientedObjectives | None = None
        self._descent: Descent | None = None
        self._device = torch.device("cpu")

    def work(self) -> Work:
        """Load, then walk through the scales."""
        try:
            yield from self._speak("Loading the network")
            scales, measurer = self._load()
            for level, scale in enumerate(scales):
                yield from self._work_on(scale, scales[level + 1 :], measurer)
        except _Stopped:
            return self._pastiche(complete=False)
        return self._pastiche(complete=True)

    def kept(self) -> Pastiche | None:
        """The picture so far, for an error to carry; None where there is none."""
        try:
            return self._pastiche(complete=False)
        except (Cancelled, RuntimeError, MemoryError):
            return None

    def release(self) -> None:
        """Let go of every tensor."""
        self._descent = self._objective = None
        if self._measurer is not None:
            self._measurer.release()

    def _load(self) -> tuple[tuple[Scale, ...], TargetMeasurer]:
        """Plan the job; refuse what cannot fit; read the network."""
        scales = plan_scales(self._job)
        machine = devices.machine_for(self._settings)
        self._device = torch.device(machine.device)
        devices.forget_peak(self._device)
        planned = plan(self._job, machine)
        refuse_if_too_large(planned)
        measurer = self._measurer = TargetMeasurer(self._job, planned.tiling)
        self._progress = replace(
            self._progress,
            device=planned.way,
            steps=sum(scale.steps for scale in scales),
            scales=len(scales),
        )
        return scales, measurer

    def _work_on(
        self, scale: Scale, later: Sequence[Scale], measurer: TargetMeasurer
    ) -> _Talk[None]:
        """Measure the pictures at one scale and walk its steps."""
        self._objective = None
        descent: Descent | None = None
        pace = Pace(self._clock)
        step = 0
        while step < scale.steps:
            exhausted = False
            # Held on to, the old targets would lie beside the new ones while these are measured.
            objective = evaluation = message = None
            try:
                objective = yield from self._current(scale, measurer)
                if descent is None:
                    descent = self._descent = self._enter(scale, measurer, later)
                    pace = Pace(self._clock)
                evaluation = self._step(descent, objective, step)
                if self._clock.look_due() or step + 1 == scale.steps:
                    message = self._look(descent, objective, evaluation)
            except Exception as error:
                if not devices.is_out_of_memory(error):
                    raise
                exhausted = True
            # Outside the `except`: the traceback held every tensor of the failed evaluation.
            if exhausted:
                objective = evaluation = None
                yield from self._make_room(scale, measurer, descent)
                continue
            step += 1
            self._progress = replace(
                self._progress,
                step=self._progress.step + 1,
                evaluations=self._progress.evaluations + 1,
            )
            if message is None:
                continue
            self._progress = replace(
                self._progress,
                stage=Stage.RUNNING,
                steps_per_second=pace.steps_per_second(step),
                remaining=pace.remaining(step, scale, later),
            )
            yield from self._speak(message)
        if not later and descent is not None and self._objective is not None:
            self._evaluate_result(self._objective, descent)

    def _current(self, scale: Scale, measurer: TargetMeasurer) -> _Talk[OrientedObjectives]:
        """The objective as it is to be now: measured, or retuned, or as it was."""
        objective = self._objective
        if objective is not None and not self._retuned:
            return objective
        if objective is not None and self._descent is not None:
            self._descent.objective_changed()
        self._retuned = False
        self._seen.clear()
        settings, shares = self._settings, self._shares
        if objective is not None and objective.measures(settings):
            self._objective = objective = objective.retuned(settings, shares)
            return objective
        self._objective = objective = None
        layers = measured_layers(settings)
        measuring = measurer.measure(scale, layers, settings, shares)
        while self._objective is None:
            try:
                message = next(measuring)
            except StopIteration as finished:
                self._objective = finished.value
            else:
                yield from self._speak(message)
        return self._objective

    def _enter(self, scale: Scale, measurer: TargetMeasurer, later: Sequence[Scale]) -> Descent:
        """Put the first image, or the last scale's result enlarged, on the canvas."""
        number = self._progress.scales - len(later)
        self._progress = replace(self._progress, scale=number, size=scale.canvas)
        if self._descent is None:
            return Descent(measurer.first_image(scale), self._settings)
        result = resized(self._descent.result(), scale.canvas).clamp_(0, 1)
        return self._descent.carried(result, lambda moment: resized(moment, scale.canvas))

    def _make_room(
        self, scale: Scale, measurer: TargetMeasurer, descent: Descent | None
    ) -> _Talk[None]:
        """After memory ran out: let go, go back to the last good image, and cut smaller tiles."""
        self._objective = None
        gc.collect()
        devices.release_memory()
        before, tiling = measurer.tiling, smaller(measurer.tiling, scale.canvas)
        if tiling is None:
            raise ran_out_of_memory(max(scale.canvas))
        measurer.tiling = tiling
        words = f"{self._progress.device.removesuffix(f', {before}')}, {tiling}"
        self._progress = replace(self._progress, device=words)
        if descent is not None:  # else this scale has not begun, and the last one's result stands
            descent.roll_back()
        message = f"Memory ran out; went on with {tiling}."
        self._notes.append(message)
        yield from self._speak(message)

    def _speak(self, message: str) -> _Talk[None]:
        """Yield where the job stands and do as told; raises `_Stopped` on a stop."""
        frame = None
        if self._descent is not None and self._frame_due():
            frame = to_pixels(preview(self._descent.result()))
        self._progress = replace(self._progress, message=message, seconds=self._clock.seconds())
        memory = devices.memory_used(self._device)
        self._clock.hold()
        command = yield replace(self._progress, memory=memory, frame=frame)
        self._clock.go_on()
        if isinstance(command, Stop):
            raise _Stopped
        if isinstance(command, Retune):
            yield from self._take(command)

    def _take(self, change: Retune) -> _Talk[None]:
        """Note changed settings for the next step; what cannot be is told and left as it was."""
        try:
            check_mix(change.style_weights)
            if len(change.style_weights) != len(self._shares):
                raise InputError("There are more or fewer style weights than style images.")
            settings = self._settings.retuned(change.settings)
        except InputError as error:
            yield from self._speak(error.message)
            return
        self._settings, self._shares = settings, change.style_weights
        self._retuned = True

    def _step(
        self, descent: Descent, objective: OrientedObjectives, step: int
    ) -> Evaluation | None:
        """One optimiser step; None where the numbers broke an eigendecomposition."""
        try:
            evaluation = descent.step(lambda image: objective.evaluate(image, step))
        except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
            return None
        self._seen[step % objective.period] = evaluation.terms
        return evaluation

    def _look(
        self, descent: Descent, objective: OrientedObjectives, evaluation: Evaluation | None
    ) -> str:
        """Read the terms off the device; roll back if the numbers are not finite, and say so."""
        if evaluation is not None and descent.is_finite() and bool(evaluation.total.isfinite()):
            descent.mark_good()
            self._note_terms(objective)
            return ""
        self._seen.clear()
        self._rollbacks += 1
        descent.roll_back()
        if self._rollbacks > _ROLLBACKS:
            raise EngineError(
                "The numbers keep overflowing, so the picture cannot be improved further.",
                "Lower the learning rate, the descent step or the loss weights.",
            )
        message = "The numbers overflowed; went back to the last good picture."
        self._notes.append(message)
        return message

    def _evaluate_result(self, objective: OrientedObjectives, descent: Descent) -> None:
        """Let the final terms be those of the result itself, which is no iterate.

        The picture is finished: whatever fails here costs the terms, not the picture.
        """
        self._progress = replace(self._progress, remaining=0.0)
        result = descent.result()
        try:
            for step in range(objective.period):
                self._seen[step] = objective.evaluate(result, step).terms
            self._note_terms(objective)
        except (RuntimeError, MemoryError):
            self._notes.append("The final losses are those of the last step.")
            return
        evaluations = self._progress.evaluations + objective.period
        self._progress = replace(self._progress, evaluations=evaluations)

    def _note_terms(self, objective: OrientedObjectives) -> None:
        seen = torch.stack([*self._seen.values()]).tolist()
        values = [fmean(terms) for terms in zip(*seen, strict=True)]
        terms = tuple(map(Term, objective.term_names, values))
        self._progress = replace(self._progress, terms=terms, total=sum(values))

    def _pastiche(self, *, complete: bool) -> Pastiche:
        if self._descent is None:
            raise Cancelled
        return Pastiche(
            pixels=to_pixels(self._descent.result()),
            progress=replace(self._progress, seconds=self._clock.seconds()),
            complete=complete,
            peak_memory=devices.peak_memory(self._device),
            settings=self._settings,
            style_weights=self._shares,
            notes=tuple(self._notes),
        )
