"""Where a job stands between two steps: all that it needs, but the pictures, to go on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from engine.run.optimizers import Descent
from engine.spec.computing import Computing
from engine.spec.events import Event, Events, Place
from engine.spec.layers import MeasuredLayers
from engine.spec.plan import Plan
from engine.spec.request import Request
from engine.spec.tiles import Tiling


@dataclass(frozen=True, eq=False)
class State:
    """Where a job stands; its tensors live on in the state that the next step returns.

    Attributes:
        scale: Of `Plan.scales`, from 1; 0 before there is anything on the canvas.
        step: Steps done at this scale.
        steps, evaluations: Done in all.
        rollbacks: How many times the numbers have overflowed.
        seconds: Of work so far.
        computing: How numbers are computed.
        tiling: How evaluations are cut.
        measured: The layers that the targets were measured at, and the network built for.
        random: The state of the generator that noise is drawn from.
        descent: The image and the optimiser's memory; None before there is an image.
        matches: The index map found at this scale, (h, w), int32; None where there is none.
        matched: The step at which it was found.
    """

    scale: int
    step: int
    steps: int
    evaluations: int
    rollbacks: int
    seconds: float
    computing: Computing
    tiling: Tiling
    measured: MeasuredLayers
    random: Tensor
    descent: Descent | None
    matches: Tensor | None = None
    matched: int = 0

    @property
    def begun(self) -> Descent:
        """The descent of a scale that has begun."""
        assert self.descent is not None, "a scale has begun"
        return self.descent


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A running job as it stands: all that another process needs, but the pictures, to go on.

    Attributes:
        request: What was asked at the beginning.
        plan: What was decided.
        state: Where it stands.
        events: What has happened.
        script: What happened in an earlier run and is still to be repeated.
    """

    request: Request
    plan: Plan
    state: State
    events: Events = ()
    script: Events = ()

    @property
    def place(self) -> Place:
        """Where an event happens that happens now."""
        return Place(scale=self.state.scale, step=self.state.steps)

    @property
    def scale_is_done(self) -> bool:
        """Whether all steps of the scale are done, as they are before the first one begins."""
        return is_done(self.plan, self.state)

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self.state.scale == len(self.plan.scales) and self.scale_is_done

    def at(self, state: State) -> Snapshot:
        """The same job in another state."""
        return replace(self, state=state)

    def noting(self, event: Event) -> Snapshot:
        """The same job, to which something has happened."""
        return replace(self, events=(*self.events, event))

    def due(self) -> tuple[Event | None, Snapshot]:
        """What happened here in an earlier run, and the job with that no longer before it."""
        here, script = self.place, self.script
        while script and script[0].at < here:
            script = script[1:]
        if not script or here < script[0].at:
            return None, replace(self, script=script)
        return script[0], replace(self, script=script[1:])


def is_done(plan: Plan, state: State) -> bool:
    """Whether all steps of a state's scale are done; there are none before the first."""
    return state.scale == 0 or state.step >= plan.scales[state.scale - 1].steps


def is_to_be_matched(plan: Plan, state: State) -> bool:
    """Whether it is time to find anew what the canvas is matched with."""
    every = plan.settings.match_refresh
    due = bool(every) and state.step % every == 0 and state.step != state.matched
    return due and state.matches is not None
