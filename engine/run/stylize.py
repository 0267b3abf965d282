"""The algorithm, coarse to fine: a plain generator from a job to its outcome.

    plan = resolve(request, machine)
    until all scales are done:
        what happened here in an earlier run happens again; what was retuned is taken over
        at the end of a scale: measure the pictures at the next one, and enlarge the image
        else: state = advance(plan, state, objective)
        a few times a second: yield progress; take a command (retune, stop, discard)

There is no thread, pause or window in here: whoever iterates decides when the next step happens.
All that a job needs to go on is in one `Snapshot`; the rest is had again from it and the pictures.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from engine.objective.oriented import OrientedObjective
from engine.plan.memory import look_out, ran_out_of_memory, refuse_if_too_large, smaller
from engine.plan.resolve import resolve
from engine.run import devices
from engine.run.advance import (
    advance,
    beginning_of,
    entered,
    is_done,
    is_due_to_be_checked,
    is_sound,
)
from engine.run.control import Command, Discard, Held, Stop, Work
from engine.run.initialisation import first_image
from engine.run.optimizers import (
    Descent,
    for_changed_objective,
    marked_good,
    result,
    rolled_back,
)
from engine.run.state import Snapshot, State
from engine.run.targets import Targets
from engine.run.telling import Teller
from engine.run.tensors import to_pixels
from engine.spec import events as happened
from engine.spec.errors import EngineError, InputError
from engine.spec.events import Event, Paused, Retuned, RolledBack, SmallerTiles, Stopped, Unmeasured
from engine.spec.job import Job, Retune
from engine.spec.outcome import Ending, Outcome, Pastiche
from engine.spec.plan import Plan
from engine.spec.progress import Progress
from engine.spec.request import Request
from engine.spec.layers import measured_layers
from engine.spec.tiles import Tiling
from engine.weights.installed import find_weights, networks_here

_ROLLBACKS = 3
"""After this many in one job the numbers will not come right by trying again."""

_Result = TypeVar("_Result")
_Talk = Generator[Progress, Command | None, _Result]
"""A part of the job that speaks and listens on the way to its result."""


def _never() -> bool:
    return False


def _keep_nothing(_snapshot: Snapshot) -> None:
    pass


def stylize(
    job: Job,
    frame_due: Callable[[], bool] = _never,
    *,
    snapshot: Snapshot | None = None,
    keep: Callable[[Snapshot], None] = _keep_nothing,
) -> Work:
    """Make the pastiche of a job.

    Args:
        job: What to make it from.
        frame_due: Asked before each progress; when true, the progress carries a frame.
        snapshot: Of the same job, to go on from; its tensors are used up.
        keep: Shown where the job stands after each step and event. The tensors change once it
            returns, so it writes them down or leaves them.

    Yields:
        Progress, at most ten times a second; accepts a command in return.

    Returns:
        How the job ended. An error is part of that, and never costs the picture so far.
    """
    run = _Run(job, Teller(frame_due), snapshot, keep)
    try:
        ending, error = yield from _to_the_end(run)
        return run.outcome(ending, error)
    finally:
        run.release()
        devices.release_memory()


class _Ended(Exception):  # noqa: N818 - carries a decision out of the loops, not an error
    """The person asked to end early."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending)
        self.ending = ending


def _to_the_end(run: _Run) -> _Talk[tuple[Ending, Exception | None]]:
    """Do all the work; how it ended, and of what it failed."""
    try:
        yield from run.work()
    except _Ended as ended:
        return ended.ending, None
    except Exception as error:
        if not devices.is_out_of_memory(error):
            return Ending.FAILED, error
    else:
        return Ending.FINISHED, None
    # Outside the `except`: the traceback held every tensor of what failed. Collecting holds up
    # the window for a moment; only here is there something to collect.
    gc.collect()
    devices.release_memory()
    return Ending.FAILED, ran_out_of_memory(run.asked.settings.output_size)


class _Run:
    """One job under way: the snapshot that it moves on, and what can be had again from it.

    Attributes:
        asked: The request as it stands after all that was retuned.
    """

    def __init__(
        self,
        job: Job,
        teller: Teller,
        snapshot: Snapshot | None,
        keep: Callable[[Snapshot], None],
    ) -> None:
        self._job = job
        self._now = snapshot
        self._keep = keep
        self._teller = teller
        self._loaded: Targets | None = None
        self._objective: OrientedObjective | None = None
        self._wanted: Request | None = None
        self.asked = job.request

    def work(self) -> _Talk[None]:
        """Load, then go on from where the job stands until all scales are done."""
        yield from self._speak("Loading the network")
        self._load()
        while not self._finished:
            exhausted, message = False, None
            try:
                message = yield from self._go_on()
            except Exception as error:
                if not devices.is_out_of_memory(error):
                    raise
                exhausted = True
            # Outside the `except`: the traceback held every tensor of the failed evaluation.
            if exhausted:
                message = self._make_room()
            self._keep(self.now)
            if message is not None:
                yield from self._speak(message)
        self._evaluate_result()

    @property
    def now(self) -> Snapshot:
        """Where the job stands."""
        assert self._now is not None, "loading made it"
        return self._now

    @property
    def _targets(self) -> Targets:
        assert self._loaded is not None, "loading made them"
        return self._loaded

    @property
    def _plan(self) -> Plan:
        return self.now.plan

    @property
    def _state(self) -> State:
        return self.now.state

    @property
    def _scale_is_done(self) -> bool:
        return is_done(self._plan, self._state)

    @property
    def _finished(self) -> bool:
        return self._state.scale == len(self._plan.scales) and self._scale_is_done

    def outcome(self, ending: Ending, error: Exception | None) -> Outcome:
        """How the job ended, with the picture so far unless that was not wanted."""
        pastiche = None
        if ending is not Ending.DISCARDED:
            pastiche = self._pastiche()
            if ending is Ending.STOPPED and pastiche is None:
                ending = Ending.DISCARDED  # there was nothing to keep
        plan, events = (self._now.plan, self._now.events) if self._now else (None, ())
        return Outcome(ending, self._job.request, plan, events, pastiche, error)

    def release(self) -> None:
        """Let go of every tensor."""
        self._now = self._objective = None
        if self._loaded is not None:
            self._loaded.release()

    def _load(self) -> None:
        """Decide how the job is done, refuse what cannot be, and read the network."""
        job = self._job
        before = self._now
        decided = before.plan if before is not None else job.plan
        settings = decided.settings if decided is not None else job.request.settings
        networks = networks_here(settings.network, job.network_weights)
        machine = devices.machine_for(settings, networks)
        plan = decided or resolve(job.request, machine)
        outlook = look_out(job.request, plan, machine)
        refuse_if_too_large(outlook)
        devices.forget_peak(torch.device(plan.kind))
        file = find_weights(plan.network, machine.networks.get(plan.network))
        self._loaded = targets = Targets(job, plan, file)
        if plan.network_sha256 not in (None, targets.network_sha256):
            raise InputError(
                f"{file.name} is not the file that the picture was begun with.",
                "Give the same network weights, or begin anew.",
            )
        plan = plan.model_copy(
            update={"network_file": str(file), "network_sha256": targets.network_sha256}
        )
        if before is None:
            script = happened.causes(job.script)
            self._now = Snapshot(job.request, plan, beginning_of(plan), script=script)
            if outlook.tiling != plan.tiling:
                self._cut(outlook.tiling, ran_out=False)
        else:
            self._now = replace(before, plan=plan)
            self.asked = happened.retuned(before.request, before.events)
            targets.tiling = before.state.tiling
        self._teller.begin(self._state)

    def _go_on(self) -> _Talk[str | None]:
        """Do what comes next; a message if something is to be told of it."""
        again = self._due_again()
        if again is not None:
            return self._repeat(again)
        if self._wanted is not None:
            self._retune(self._wanted)
            return None
        if self._scale_is_done:
            yield from self._enter_next_scale()
            return None
        if self._objective is None:
            self._objective = yield from self._measured(self._state, self._state.scale)
            return None
        return self._step(self._objective)

    def _step(self, objective: OrientedObjective) -> str | None:
        """One step downhill, and a look at what came of it."""
        before = self._state
        state, evaluation = advance(self._plan, before, objective)
        self._is_now(replace(state, seconds=self._teller.clock.seconds()))
        self._teller.take(evaluation, before.step % objective.orientations)
        if is_due_to_be_checked(self._plan, state):
            if not is_sound(state, evaluation):
                return self._roll_back()
            self._change(descent=marked_good(_descent(state)))
        if self._scale_is_done or self._teller.clock.look_due():
            self._teller.read(objective)
            return ""
        return None

    def _roll_back(self) -> str:
        """Back to the last good image; too often, and it is not worth trying again."""
        state = self._state
        self._teller.forget()
        self._change(descent=rolled_back(_descent(state)), rollbacks=state.rollbacks + 1)
        event = RolledBack(**self._place())
        self._note(event)
        if self._state.rollbacks > _ROLLBACKS:
            raise EngineError(
                "The numbers keep overflowing, so the picture cannot be improved further.",
                "Lower the learning rate, the descent step or the loss weights.",
            )
        return happened.note(event)

    def _enter_next_scale(self) -> _Talk[None]:
        """Measure the pictures at the next scale, and put the image on its canvas."""
        state, settings = self._state, self._plan.applied_to(self.asked.settings)
        # Held on to, the old targets would lie beside the new ones while these are measured.
        self._objective = None
        self._teller.forget()
        state = replace(state, measured=measured_layers(settings))
        objective = yield from self._measured(state, state.scale + 1)
        self._is_now(entered(self._plan, state, self._first_image))
        self._objective = objective
        self._teller.enter(self._state)

    def _measured(self, state: State, scale: int) -> _Talk[OrientedObjective]:
        """The objective at a scale, as it is asked for now."""
        work = self._targets.measure(
            self._plan.scales[scale - 1],
            state.measured,
            self._plan.applied_to(self.asked.settings),
            self.asked.shares,
        )
        while True:
            try:
                message = next(work)
            except StopIteration as measured:
                objective: OrientedObjective = measured.value
                return objective
            yield from self._speak(message)

    def _first_image(self, generator: torch.Generator) -> Tensor:
        return first_image(self._job, self._plan, self._targets.device, generator)

    def _make_room(self) -> str:
        """After memory ran out: let go, go back to the last good image, and cut smaller tiles."""
        self._objective = None
        gc.collect()
        devices.release_memory()
        state = self._state
        canvas = self._plan.scales[state.scale - (not self._scale_is_done)].canvas
        tiling = smaller(state.tiling, canvas)
        if tiling is None:
            raise ran_out_of_memory(max(canvas))
        return self._cut(tiling, ran_out=True)

    def _cut(self, tiling: Tiling, *, ran_out: bool) -> str:
        """Go on in smaller tiles; a scale that has begun returns to its last good image."""
        state = self._state
        self._objective = None
        self._targets.tiling = tiling
        if state.descent is not None and not self._scale_is_done:
            self._change(descent=rolled_back(state.descent))
        self._change(tiling=tiling)
        event = SmallerTiles(**self._place(), tiling=tiling, ran_out=ran_out)
        self._note(event)
        return happened.note(event)

    def _retune(self, wanted: Request) -> None:
        """Take over changed settings, from the next step on."""
        before, state = self.asked, self._state
        changes = happened.live_changes(before.settings, wanted.settings)
        if not changes and wanted.shares == before.shares:
            return
        self.asked = wanted
        self._note(Retuned(**self._place(), settings=changes, shares=wanted.shares))
        self._teller.forget()
        if state.descent is not None:
            self._change(descent=for_changed_objective(state.descent))
        settings = self._plan.applied_to(wanted.settings)
        objective = self._objective
        if objective is not None and objective.measures(settings):
            self._objective = objective.retuned(settings, wanted.shares)
        else:
            self._objective = None
            self._change(measured=measured_layers(settings))

    def _due_again(self) -> Event | None:
        """What happened here in an earlier run; taken off what is still to be repeated."""
        here = self._state.scale, self._state.steps
        script = self.now.script
        while script and (script[0].scale, script[0].step) < here:
            script = script[1:]
        if not script or (script[0].scale, script[0].step) > here:
            return None
        self._now = replace(self.now, script=script[1:])
        return script[0]

    def _repeat(self, event: Event) -> str | None:
        match event:
            case Retuned(settings=changes, shares=shares):
                settings = self.asked.settings.changed(**changes)
                self._retune(self.asked.asking(settings, shares))
            case SmallerTiles(tiling=tiling, ran_out=ran_out):
                return self._cut(tiling, ran_out=ran_out)
            case Stopped():
                self._stop()
        return None

    def _speak(self, message: str) -> _Talk[None]:
        """Yield where the job stands and do as told; raises `_Ended` where that is to end."""
        command = yield self._teller.tell(message, self._now)
        while isinstance(command, Held):
            if self._now is not None:
                self._note(Paused(**self._place()))
            command = yield self._teller.tell("", self._now)
        self._teller.clock.go_on()
        match command:
            case Stop():
                self._stop()
            case Discard():
                raise _Ended(Ending.DISCARDED)
            case Retune():
                yield from self._take(command)

    def _take(self, change: Retune) -> _Talk[None]:
        """Note changed settings for the next step; what cannot be is told and left as it was."""
        try:
            settings = self.asked.settings.retuned(change.settings)
            self._wanted = self.asked.asking(settings, change.shares)
        except InputError as error:
            yield from self._speak(error.message)

    def _stop(self) -> None:
        if self._now is not None:
            self._note(Stopped(**self._place()))
        raise _Ended(Ending.STOPPED)

    def _evaluate_result(self) -> None:
        """Let the final terms be those of the result itself, which is no iterate.

        The picture is finished: whatever fails here costs the terms, not the picture.
        """
        state, objective = self._state, self._objective
        if objective is None:  # a finished job was taken up again
            return
        image = result(_descent(state), self._plan.settings)
        try:
            for orientation in range(objective.orientations):
                evaluation = objective.evaluate(image, orientation)
                self._teller.take(evaluation, orientation)
            self._teller.read(objective)
        except (RuntimeError, MemoryError):
            self._note(Unmeasured(**self._place()))
            return
        self._change(evaluations=state.evaluations + objective.orientations)

    def _pastiche(self) -> Pastiche | None:
        """The picture so far; None where there is none, or no memory left to make it."""
        if self._now is None or self._state.descent is None:
            return None
        try:
            return Pastiche(
                pixels=to_pixels(result(self._state.descent, self._plan.settings)),
                progress=self._teller.last(self.now),
                peak_memory=devices.peak_memory(self._targets.device),
            )
        except (RuntimeError, MemoryError):
            return None

    def _is_now(self, state: State) -> None:
        self._now = replace(self.now, state=state)

    def _change(self, **values: Any) -> None:
        self._is_now(replace(self._state, **values))

    def _note(self, event: Event) -> None:
        self._now = replace(self.now, events=(*self.now.events, event))

    def _place(self) -> dict[str, int]:
        """Where an event happens."""
        return {"scale": self._state.scale, "step": self._state.steps}


def _descent(state: State) -> Descent:
    assert state.descent is not None, "a scale has begun"
    return state.descent
