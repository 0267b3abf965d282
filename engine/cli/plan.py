"""`plan`: what a pastiche would take, said before it is made."""

from __future__ import annotations

import functools
import sys
from dataclasses import replace

from engine.cli.asking import job_asked_for, settings_asked_for
from engine.cli.options import PlanOptions
from engine.cli.printing import print_json, print_text
from engine.plan.loading import refuse_unless_loadable
from engine.plan.memory import Outlook, largest_size, look_out
from engine.plan.resolve import resolve
from engine.spec.job import Job
from engine.spec.layers import network_title
from engine.spec.tiles import WHOLE
from engine.spec.wording import about_text, gigabytes
from engine.storage.images import open_picture
from engine.weights.installed import networks_here


def tell_plan(options: PlanOptions) -> int:
    """Print the plan of the pastiche asked for, in words or as JSON; returns the exit code.

    Raises:
        InputError: A picture, setting or preset cannot be used.
        EngineError: The device asked for is not here.
    """
    outlook, largest = _outlook(_job(options))
    if options.json:
        print_json(_report(outlook, largest))
    else:
        print_text(_words(outlook, largest))
    return 0


def _job(options: PlanOptions) -> Job:
    asked = options.asked
    settings, _ = settings_asked_for(asked, functools.partial(print, file=sys.stderr))
    if not asked.styles and asked.content is not None:
        # Only its size counts: that of the photograph is as long as the canvas.
        asked = replace(asked, styles=(str(asked.content),))
    return job_asked_for(asked, settings, functools.cache(open_picture))


def _outlook(job: Job) -> tuple[Outlook, int]:
    """What the job would take, and the largest size that fits."""
    # Torch takes seconds to load; bad input has been refused before that.
    refuse_unless_loadable()
    from engine.run.devices import set_up
    from engine.run.machines import machine_for
    from engine.run.speed import measure_speed

    request = job.request
    machine = machine_for(request.settings, networks_here(request.settings.network))
    plan = resolve(request, machine)
    speed = measure_speed(plan.settings, set_up(plan.computing))
    outlook = look_out(request, resolve(request, machine, speed), machine)
    return outlook, largest_size(request, plan, machine)


def _report(outlook: Outlook, largest: int) -> dict[str, object]:
    plan = outlook.plan
    width, height = plan.size
    return {
        "size": f"{width}x{height}",
        "bytes": outlook.bytes,
        "available": outlook.available,
        "fits": outlook.fits,
        "seconds": None if plan.seconds is None else round(plan.seconds, 1),
        "tile": outlook.tiling.side,
        "remembered": outlook.tiling.remembered,
        "largest_size": largest,
        "device": plan.computing.words,
        "network": plan.network.value,
    }


def _words(outlook: Outlook, largest: int) -> str:
    plan = outlook.plan
    width, height = plan.size
    fits = "it fits" if outlook.fits else "it does not fit"
    short = " because memory is short" if outlook.tiling != plan.tiling else ""
    computed = outlook.tiling if plan.cuts(outlook.tiling) else WHOLE
    lines = [
        f"Size:     {width} × {height} px, {fits}",
        f"Memory:   about {gigabytes(outlook.bytes)}; {gigabytes(outlook.available)} is free",
        f"Computed: {computed}{short}",
        f"Largest:  {largest} px would fit",
        f"Device:   {plan.computing.words}",
        f"Network:  {network_title(plan.network)}",
    ]
    if plan.seconds is not None:
        lines.insert(2, f"Time:     {about_text(plan.seconds)}")
    return "\n".join(lines)
