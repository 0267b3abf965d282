"""A job under way: what is done next, from where it stands and from what it is told.

All that it needs to go on is in one `Snapshot`; the rest is had again from that and the pictures.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn

import torch

from engine.objective.graphs import RecordingError, is_recording
from engine.objective.objective import OrientedObjectives
from engine.plan.memory import ran_out_of_memory
from engine.run import device_memory, trouble
from engine.run.advance import advance, entered, is_due_to_be_checked, is_sound
from engine.run.control import Discard, Ended, Held, Stop, Talk
from engine.run.initialisation import first_image
from engine.run.leash import Leash
from engine.run.optimizers import for_changed_objective, marked_good, result
from engine.run.preparation import prepare
from engine.run.state import Snapshot, State, is_to_be_matched
from engine.run.targets import Measured, TargetMeasurer
from engine.run.telling import Teller
from engine.spec import events as happened
from engine.spec.computing import Rung
from engine.spec.errors import EngineError, InputError
from engine.spec.events import Event, Failed, Paused, Retuned, SmallerTiles, Stopped, Unmeasured
from engine.spec.job import Job, Retune
from engine.spec.layers import measured_layers
from engine.spec.outcome import Ending, Outcome
from engine.spec.plan import Plan
from engine.spec.request import Request


class Walk:
    """One job under way: the snapshot that it moves on, and what can be had again from it.

    Attributes:
        asked: The request as it stands after all that was retuned.
    """

    def __init__(
        self,
        job: Job,
        teller: Teller,
        ending: Callable[[], Ending | None],
        snapshot: Snapshot | None,
        keep: Callable[[Snapshot], None],
    ) -> None:
        self._job = job
        self._now = snapshot
        self._keep = keep
        self._ending = ending
        self._teller = teller
        self._loaded: TargetMeasurer | None = None
        self._objective: OrientedObjectives | None = None
        self._wanted: Request | None = None
        self._leash = Leash(torch.device("cpu"))
        self.asked = job.request

    def work(self) -> Talk[None]:
        """Load, then go on from where the job stands until all scales are done."""
        yield from self._speak("Loading the network")
        message: str | None
        for message in self._load():
            yield from self._speak(message)
        while not self.now.finished:
            exhausted, message = False, None
            try:
                message = yield from self._go_on()
            except RecordingError:
                message = self._go_on_from(trouble.without(self.now, Rung.RECORDINGS, "failed"))
            except Exception as error:
                if not device_memory.is_out_of_memory(error, self.device):
                    raise
                exhausted = True
            # Outside the `except`: the traceback held every tensor of the failed evaluation.
            if exhausted:
                message = self._make_room()
            self._keep(self.now)
            if message is not None:
                yield from self._speak(message)
        yield from self._evaluate_result()

    @property
    def begun(self) -> bool:
        """Whether the job has been loaded."""
        return self._now is not None

    @property
    def now(self) -> Snapshot:
        """Where the job stands."""
        assert self._now is not None, "loading made it"
        return self._now

    @property
    def device(self) -> torch.device | None:
        """Where it is computed, once it has been loaded."""
        return None if self._loaded is None else self._loaded.device

    @property
    def _targets(self) -> TargetMeasurer:
        assert self._loaded is not None, "loading made them"
        return self._loaded

    @property
    def _plan(self) -> Plan:
        return self.now.plan

    @property
    def _state(self) -> State:
        return self.now.state

    def outcome(self, ending: Ending, error: Exception | None) -> Outcome:
        """How the job ended, with the picture so far unless that was not wanted."""
        pastiche, self._objective = None, None  # what is evaluated no more makes room
        if ending is not Ending.DISCARDED and self._now is not None:
            pastiche = self._teller.pastiche(self._now)
            if pastiche is None and self._state.descent is not None:
                ending, error = Ending.FAILED, error or ran_out_of_memory(max(self._plan.size))
        if ending is Ending.STOPPED and pastiche is None:
            ending = Ending.DISCARDED  # there was nothing to keep
        plan, events = (self._now.plan, self._now.events) if self._now else (None, ())
        return Outcome(ending, self._job.request, plan, events, pastiche, error)

    def device_lost(self) -> EngineError:
        """The error for a device that has failed."""
        return trouble.device_lost(self.now)

    def note(self, event: Event) -> None:
        """Record what has happened."""
        self._now = self.now.noting(event)

    def release(self) -> None:
        """Let go of every tensor."""
        targets, self._now, self._objective, self._loaded = self._loaded, None, None, None
        if targets is not None:
            targets.release()

    def _load(self) -> tuple[str, ...]:
        """Have the job ready; where memory is short, cut it smaller at once; what to tell of it."""
        prepared = prepare(self._job, self._now, self._heed)
        self._now, self._loaded = prepared.snapshot, prepared.targets
        self._leash = Leash(prepared.targets.device)
        self.asked = happened.retuned(self.now.request, self.now.events)
        self._teller.begin(self._state)
        if prepared.tiling != self._state.tiling:
            return *self._plan.notes, self._go_on_from(
                trouble.cut(self.now, prepared.tiling, ran_out=False)
            )
        return self._plan.notes

    def _go_on(self) -> Talk[str | None]:
        """Do what comes next; a message if something is to be told of it."""
        again, self._now = self.now.due()
        if again is not None:
            return self._repeat(again)
        if self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            self._retune(wanted)
            return None
        if self.now.scale_is_done:
            yield from self._enter_next_scale()
            return None
        if is_to_be_matched(self._plan, self._state):
            self._objective = None
            self._change(matches=None, matched=self._state.step)
        if self._objective is None:
            measured = yield from self._measured(self._state)
            self._objective = measured.objective
            self._change(matches=measured.matches)
            return None
        return self._step(self._objective)

    def _step(self, objective: OrientedObjectives) -> str | None:
        """One step downhill, and a look at what came of it."""
        before = self._state
        self._leash.hold()
        state, evaluation = advance(self._plan, before, objective, self._heed)
        self._leash.mark()
        state = replace(state, seconds=self._teller.clock.seconds())
        self._teller.take(evaluation, before.step % objective.period)
        due = is_due_to_be_checked(self._plan, state)
        sound = not due or is_sound(state, evaluation)
        if due and sound:
            state = replace(state, descent=marked_good(state.begun))
        # Only now: where memory runs out in the step, a repeat goes back from before it too.
        self._is_now(state)
        if not sound:
            return self._roll_back()
        if self.now.scale_is_done or self._teller.clock.look_due():
            self._teller.read(objective)
            return ""
        return None

    def _roll_back(self) -> str:
        """Back to the last good image, and one rung lower."""
        self._teller.forget()
        beyond_help = trouble.is_beyond_help(self._state)
        message = self._go_on_from(trouble.gone_back(self.now))
        if beyond_help:
            raise trouble.numbers_keep_breaking()
        return message

    def _enter_next_scale(self) -> Talk[None]:
        """Measure the pictures at the next scale, and put the image on its canvas."""
        state, settings = self._state, self._plan.applied_to(self.asked.settings)
        # Held on to, the old targets would lie beside the new ones while these are measured.
        self._objective = None
        self._teller.forget()
        state = replace(state, measured=measured_layers(settings), matches=None, matched=0)
        device = self._targets.device
        first = partial(first_image, self._job, self._plan, device, heed=self._heed)
        state = entered(self._plan, state, first, self._heed)
        measured = yield from self._measured(state)
        self._is_now(replace(state, matches=measured.matches))
        self._objective = measured.objective
        self._teller.enter(self._state)

    def _measured(self, state: State) -> Talk[Measured]:
        """The objective at a state's scale, as it is asked for now."""
        settings = self._plan.applied_to(self.asked.settings)
        work = self._targets.measure_at(state, settings, self.asked.shares)
        while True:
            try:
                message = next(work)
            except StopIteration as measured:
                found: Measured = measured.value
                return found
            yield from self._speak(message)

    def _make_room(self) -> str:
        """After memory ran out: let go, go back to the last good image, and cut smaller tiles."""
        self._objective = None
        gc.collect()
        device_memory.release_memory()
        return self._go_on_from(trouble.with_room(self.now))

    def _go_on_from(self, now: Snapshot) -> str:
        """Go on after some trouble; in words what was done about it."""
        before, self._now = self.now, now
        computing, tiling = now.state.computing, now.state.tiling
        if (computing, tiling) != (before.state.computing, before.state.tiling):
            self._objective = None
            self._targets.compute(computing, tiling)
            self._leash = Leash(self._targets.device)
        return " ".join(happened.notes(now.events[len(before.events) :]))

    def _retune(self, wanted: Request) -> None:
        """Take over changed settings, from the next step on."""
        before, state = self.asked, self._state
        changes = happened.live_changes(before.settings, wanted.settings)
        if not changes and wanted.shares == before.shares:
            return
        self.asked = wanted
        self.note(Retuned(at=self.now.place, settings=changes, shares=wanted.shares))
        self._teller.forget()
        if state.descent is not None:
            self._change(descent=for_changed_objective(state.descent))
        settings = self._plan.applied_to(wanted.settings)
        if not state.measured.cover(measured_layers(settings)):
            self._objective = None
            self._change(measured=measured_layers(settings), matches=None, matched=state.step)
        elif self._objective is not None:
            self._objective = self._objective.retuned(settings, wanted.shares)

    def _repeat(self, event: Event) -> str | None:
        match event:
            case Retuned(settings=changes, shares=shares):
                settings = self.asked.settings.changed(**changes)
                self._retune(self.asked.asking(settings, shares))
            case SmallerTiles(tiling=tiling, ran_out=ran_out):
                if tiling.is_smaller_than(self._state.tiling):
                    return self._go_on_from(trouble.cut(self.now, tiling, ran_out=ran_out))
            case Stopped() | Failed():
                self._end(Ending.STOPPED)
        return None

    def _speak(self, message: str) -> Talk[None]:
        """Yield where the job stands and do as told; raises `Ended` where that is to end."""
        command = yield self._teller.tell(message, self._now)
        while isinstance(command, Held):
            if self._now is not None:
                self.note(Paused(at=self.now.place))
            self._teller.clock.go_on()
            command = yield self._teller.tell("", self._now)
        self._teller.clock.go_on()
        match command:
            case Stop():
                self._end(Ending.STOPPED)
            case Discard():
                self._end(Ending.DISCARDED)
            case Retune():
                yield from self._take(command)

    def _take(self, change: Retune) -> Talk[None]:
        """Note changed settings for the next step; what cannot be is told and left as it was."""
        try:
            settings = self.asked.settings.retuned(change.settings)
            self._wanted = self.asked.asking(settings, change.shares)
        except InputError as error:
            yield from self._speak(error.message)

    def _heed(self) -> None:
        """End in the middle of something, where that is asked for."""
        ending = self._ending()
        # An error would spoil a recording, which is over in a moment.
        if ending is not None and not is_recording():
            self._end(ending)

    def _end(self, ending: Ending) -> NoReturn:
        """End as asked, wherever the job stands; a finished picture is not stopped any more."""
        if ending is Ending.STOPPED and self._now is not None:
            if self._now.finished:
                ending = Ending.FINISHED
                self.note(Unmeasured(at=self.now.place))
            else:
                self.note(Stopped(at=self.now.place))
        raise Ended(ending)

    def _evaluate_result(self) -> Talk[None]:
        """Let the final terms be those of the result itself, which is no iterate.

        The picture is finished: whatever fails here costs the terms, not the picture.
        """
        state = self._state
        try:
            objective = self._objective
            if objective is None:  # a finished job was taken up again
                objective = (yield from self._measured(state)).objective
            image = result(state.begun, self._plan.settings)
            for orientation in range(objective.period):
                evaluation = objective.evaluate(image, orientation)
                self._teller.take(evaluation, orientation)
            self._teller.read(objective)
        except (RuntimeError, MemoryError):
            self.note(Unmeasured(at=self.now.place))
            return
        self._change(evaluations=state.evaluations + objective.period)

    def _is_now(self, state: State) -> None:
        self._now = self.now.at(state)

    def _change(self, **values: Any) -> None:
        self._is_now(replace(self._state, **values))
