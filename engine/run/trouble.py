"""What becomes of a job when its numbers break, memory runs out or the device fails.

From where it stands to where it goes on: back at the last good image, and with less that could have
been to blame. What happened is noted.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from engine.plan.memory import choose_tiling, ran_out_of_memory, smaller
from engine.run import devices
from engine.run.cards import mark_lost
from engine.run.machines import machine_of
from engine.run.optimizers import placed, rolled_back
from engine.run.state import Snapshot, State
from engine.spec.choices import Device
from engine.spec.computing import Rung
from engine.spec.errors import EngineError
from engine.spec.events import GaveUp, RolledBack, SmallerTiles
from engine.spec.tiles import Tiling

_ROLLBACKS = 3
"""After this many in one job, and with nothing left to give up, the numbers will not come right by
trying again."""

_NEVER_TO_BLAME = (Rung.WINOGRAD, Rung.FUSED)
"""float32 on the CPU is what all else is held against, however it convolves."""


def gone_back(now: Snapshot) -> Snapshot:
    """After the numbers broke: at the last good image, and one rung lower."""
    state = now.state
    descent = rolled_back(state.begun)
    back = now.at(replace(state, descent=descent, rollbacks=state.rollbacks + 1))
    back = back.noting(RolledBack(at=back.place))
    suspects = _suspects(state)
    return without(back, suspects[0], "gave no numbers") if suspects else back


def is_beyond_help(state: State) -> bool:
    """Whether numbers that have just broken will not come right by going back once more."""
    return not _suspects(state) and state.rollbacks >= _ROLLBACKS


def numbers_keep_breaking() -> EngineError:
    """The error where nothing that could be given up is to blame."""
    return EngineError(
        "The numbers keep overflowing, so the picture cannot be improved further.",
        "Lower the learning rate, the descent step or the loss weights.",
    )


def _suspects(state: State) -> list[Rung]:
    computing = state.computing
    innocent = _NEVER_TO_BLAME if computing.kind is Device.CPU else ()
    return [rung for rung in computing.rungs if rung not in innocent]


def without(now: Snapshot, rung: Rung, reason: str) -> Snapshot:
    """The job with one of its means given up; on another device it is cut anew."""
    state = now.state
    computing = state.computing.without(rung, reason, devices.host())
    state = replace(state, computing=computing)
    if computing.kind is not now.state.computing.kind:
        machine, plan = machine_of(computing, {}), now.plan
        state = replace(state, tiling=choose_tiling(plan.settings, machine, plan.scales[-1]))
        if state.descent is not None:
            descent = placed(state.descent, torch.device(computing.device))
            state = replace(state, descent=descent)
    return now.at(state).noting(GaveUp(at=now.place, computing=computing))


def cut(now: Snapshot, tiling: Tiling, *, ran_out: bool) -> Snapshot:
    """In smaller tiles; a scale that has begun returns to its last good image."""
    state = replace(now.state, tiling=tiling)
    if state.descent is not None and not now.scale_is_done:
        state = replace(state, descent=rolled_back(state.descent))
    return now.at(state).noting(SmallerTiles(at=now.place, tiling=tiling, ran_out=ran_out))


def with_room(now: Snapshot) -> Snapshot:
    """After memory ran out: in tiles that take less.

    Raises:
        EngineError: Nothing takes less.
    """
    state, scales = now.state, now.plan.scales
    scale = scales[min(state.scale - (not now.scale_is_done), len(scales) - 1)]
    tiling = smaller(now.plan, state.computing, scale, state.tiling)
    if tiling is None:
        raise ran_out_of_memory(max(scale.canvas))
    return cut(now, tiling, ran_out=True)


def device_lost(now: Snapshot) -> EngineError:
    """The error for a device that has failed; it is not used again in this process."""
    computing = now.state.computing
    mark_lost(torch.device(computing.device))
    return EngineError(
        f"{computing.name} stopped working.",
        "The last good picture is kept. The device is used again once Gramarye is restarted.",
    )
