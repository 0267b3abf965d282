"""Jobs small enough for a test, and running them to their end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from flowing import FLOWING

from engine.plan.resolve import resolve
from engine.run.control import Command
from engine.run.machines import machine_for
from engine.run.state import Snapshot
from engine.run.stylize import stylize
from engine.run.targets import TargetMeasurer
from engine.spec.errors import GramaryeError
from engine.spec.job import Job, job_of
from engine.spec.outcome import Ending, Outcome
from engine.spec.pictures import Picture, StyleImage
from engine.spec.plan import Plan
from engine.spec.progress import Progress
from engine.storage.images import picture_from_pixels
from engine.weights.installed import networks_here

SMALL = {
    "network": "vgg19",
    "output_size": 48,
    "coarsest_size": 24,
    "steps": 4,
    "style_layers": "relu1_1, relu2_1",
    "content_layers": "relu2_1",
}
"""Two scales, of four steps and of two."""

DRAFT = {"network": "draft", "output_size": 64, "coarsest_size": 32, "steps": 8}
"""Two scales of the draft network, of eight steps and of five."""


def picture(seed: int, width: int = 40, height: int = 30) -> Picture:
    """Random pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return picture_from_pixels(pixels, f"picture {seed}")


def small_job(
    network: Path | None, *, styles: int = 1, content: bool = True, **values: object
) -> Job:
    """A job of random pictures; `SMALL` but for what is named."""
    base = SMALL if network is not None else DRAFT
    return job_of(
        picture(1) if content else None,
        [StyleImage(picture(10 + number)) for number in range(styles)],
        FLOWING.changed(**{**base, **values}),
        network_weights=network,
    )


def run(
    job: Job,
    command: Callable[[Progress], Command | None] = lambda _: None,
    *,
    frames: bool = False,
    snapshot: Snapshot | None = None,
    keep: Callable[[Snapshot], None] = lambda _: None,
    ending: Callable[[], Ending | None] = lambda: None,
) -> tuple[Outcome, list[Progress]]:
    """Run a job to its end, answering each progress with a command."""
    work = stylize(job, lambda: frames, ending, snapshot=snapshot, keep=keep)
    seen = [next(work)]
    while True:
        try:
            seen.append(work.send(command(seen[-1])))
        except StopIteration as finished:
            return finished.value, seen


def plan_of(job: Job, **decided: object) -> Plan:
    """What is decided for a job on this machine, but for what is named."""
    settings = job.request.settings
    machine = machine_for(settings, networks_here(settings.network, job.network_weights))
    return resolve(job.request, machine).model_copy(update=decided)


def measurer_of(job: Job, plan: Plan) -> TargetMeasurer:
    """What measures a job's pictures, with the network it is planned with."""
    return TargetMeasurer(job, plan, Path(plan.network_file))


def failure(job: Job) -> GramaryeError:
    """What a job fails of."""
    outcome, _ = run(job)
    assert isinstance(outcome.error, GramaryeError), outcome
    return outcome.error


def painted(job: Job, **options: object) -> np.ndarray:
    """The pixels of a job, which must leave some."""
    outcome, _ = run(job, **options)  # type: ignore[arg-type]
    assert outcome.error is None, outcome.error
    assert outcome.pastiche is not None
    return outcome.pastiche.pixels
