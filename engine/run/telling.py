"""What a running job says of itself: its progress, from where it stands and the latest terms."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from statistics import fmean

import torch
from torch import Tensor

from engine.objective.evaluation import Evaluation
from engine.objective.objective import OrientedObjectives
from engine.run import device_memory
from engine.run.optimizers import result
from engine.run.state import Snapshot, State
from engine.run.tensors import preview, to_pixels
from engine.run.timing import Clock, Pace
from engine.spec.outcome import Pastiche
from engine.spec.pictures import Pixels
from engine.spec.progress import Progress, Stage, Term


class Teller:
    """Makes the progress that a job yields. Nothing in here changes the picture.

    Args:
        frame_due: Asked before each progress; when true, it carries a frame.

    Attributes:
        clock: The job's own time.
    """

    def __init__(self, frame_due: Callable[[], bool]) -> None:
        self.clock = Clock()
        self._frame_due = frame_due
        self._pace = Pace(self.clock, 0)
        self._stepped = False
        # What is minimised is the mean over the orientations; the latest terms of each, on the
        # device.
        self._latest: dict[int, Tensor] = {}
        self._terms: tuple[Term, ...] = ()
        self._total = float("nan")

    def begin(self, state: State) -> None:
        """A job has been loaded, and stands here."""
        self.clock = Clock(state.seconds)
        self.enter(state)

    def enter(self, state: State) -> None:
        """A scale begins, or goes on."""
        self._pace = Pace(self.clock, state.step)

    def take(self, evaluation: Evaluation | None, orientation: int) -> None:
        """Remember the terms seen one way."""
        self._stepped = True
        if evaluation is not None:
            self._latest[orientation] = evaluation.terms

    def forget(self) -> None:
        """The terms belong to another objective, or to a picture that was given up."""
        self._latest.clear()

    def read(self, objective: OrientedObjectives) -> None:
        """Read the latest terms off the device; waits for it."""
        if not self._latest:  # the numbers have just broken
            return
        seen = torch.stack([*self._latest.values()]).tolist()
        values = [fmean(terms) for terms in zip(*seen, strict=True)]
        if not all(abs(value) < float("inf") for value in values):
            return  # between two checks; the next one sees to it
        self._terms = tuple(map(Term, objective.term_names, values))
        self._total = sum(values)

    def tell(self, message: str, now: Snapshot | None) -> Progress:
        """Where the job stands, for its caller, whose time does not count."""
        progress = self._progress(message, now, self._frame(now))
        self.clock.hold()
        return progress

    def _frame(self, now: Snapshot | None) -> Pixels | None:
        """The picture for a screen, where it is wanted; it is not worth running out of memory."""
        if now is None or now.state.descent is None or not self._frame_due():
            return None
        try:
            return to_pixels(preview(result(now.state.descent, now.plan.settings)))
        except (RuntimeError, MemoryError):
            return None

    def pastiche(self, now: Snapshot) -> Pastiche | None:
        """The picture so far; None where there is none, or no memory left to make it.

        Of a device that has failed, it is the last good one.
        """
        state, plan = now.state, now.plan
        if state.descent is None:
            return None
        images = (lambda descent: result(descent, plan.settings), lambda descent: descent.good)
        for image in images:
            with contextlib.suppress(RuntimeError, MemoryError):
                return Pastiche(
                    pixels=to_pixels(image(state.descent)),
                    progress=self._progress("", now, None),
                    peak_memory=device_memory.peak_memory(torch.device(state.computing.device)),
                )
        return None

    def _progress(self, message: str, now: Snapshot | None, frame: Pixels | None) -> Progress:
        if now is None:
            return Progress(Stage.PREPARING, message, seconds=self.clock.seconds())
        plan, state = now.plan, now.state
        begun = state.scale > 0
        level = max(state.scale, 1) - 1
        remaining = 0.0 if now.finished else self._pace.remaining(plan, level, state.step)
        return Progress(
            stage=Stage.RUNNING if self._stepped else Stage.PREPARING,
            message=message,
            step=state.steps,
            steps=plan.steps,
            scale=state.scale,
            scales=len(plan.scales),
            size=plan.scales[level].canvas if begun else (0, 0),
            terms=self._terms,
            total=self._total,
            seconds=self.clock.seconds(),
            remaining=remaining,
            steps_per_second=self._pace.steps_per_second(state.step),
            evaluations=state.evaluations,
            memory=device_memory.memory_used(torch.device(state.computing.device)),
            device=plan.way(state.computing, state.tiling),
            frame=frame,
        )
