"""What comes before the first step: decide how the job is done, refuse what cannot be, and load."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from engine.plan.memory import look_out, refuse_if_too_large
from engine.plan.resolve import resolve
from engine.run import device_memory
from engine.run.advance import beginning_of
from engine.run.machines import machine_for
from engine.run.optimizers import placed
from engine.run.state import Snapshot
from engine.run.targets import TargetMeasurer
from engine.spec.errors import InputError
from engine.spec.events import causes
from engine.spec.heeding import Heed
from engine.spec.job import Job
from engine.spec.pictures import written
from engine.spec.tiles import Tiling
from engine.weights.installed import find_weights, networks_here


@dataclass(frozen=True, eq=False)
class Prepared:
    """A job that is ready to go on.

    Attributes:
        snapshot: Where it stands.
        targets: What measures its pictures, with the network loaded.
        tiling: How evaluations are cut with the memory that is free now.
    """

    snapshot: Snapshot
    targets: TargetMeasurer
    tiling: Tiling


def prepare(job: Job, before: Snapshot | None, heed: Heed) -> Prepared:
    """Make a job ready, from its beginning or from where it stood before.

    Args:
        job: Which.
        before: Where it stood; None to begin.
        heed: Called in between, and by all that is measured and evaluated afterwards.

    Raises:
        InputError: A picture is too narrow, the network weights are not there, are none, or are
            not those that were decided on.
        EngineError: The device is not here, or the job does not fit into its memory.
    """
    decided = before.plan if before is not None else job.plan
    settings = decided.settings if decided is not None else job.request.settings
    machine = machine_for(settings, networks_here(settings.network, job.network_weights))
    plan = decided or resolve(job.request, machine)
    outlook = look_out(job.request, plan, machine)
    refuse_if_too_large(outlook)
    device = torch.device(plan.computing.device)
    device_memory.cap_memory(device)
    device_memory.forget_peak(device)
    file = find_weights(plan.network, machine.networks.get(plan.network))
    heed()
    targets = TargetMeasurer(job, plan, file, heed)
    if plan.network_sha256 not in (None, targets.network_sha256):
        raise InputError(
            f"{file.name} is not the file that the picture was begun with.",
            "Give the same network weights, or begin anew.",
        )
    plan = plan.model_copy(
        update={"network_file": written(file), "network_sha256": targets.network_sha256}
    )
    if before is not None:
        state = before.state
        targets.compute(state.computing, state.tiling)
        if state.descent is not None:
            state = replace(state, descent=placed(state.descent, targets.device))
        return Prepared(replace(before, plan=plan, state=state), targets, state.tiling)
    snapshot = Snapshot(job.request, plan, beginning_of(plan), script=causes(job.script))
    return Prepared(snapshot, targets, outlook.tiling)
