"""`plan`: what a pastiche would take, said before it is made."""

from __future__ import annotations

import argparse
import functools
import sys

from engine.cli.arguments import is_texture, job_asked_for, settings_asked_for
from engine.cli.console import print_json, print_text
from engine.plan.planning import Plan, plan
from engine.spec.job import Job
from engine.spec.tiles import WHOLE
from engine.spec.wording import about_text, gigabytes
from engine.storage.images import open_picture
from engine.storage.preset_store import preset_named
from engine.weights.installed import network_title, resolve_network


def tell_plan(arguments: argparse.Namespace) -> int:
    """Print the plan of the pastiche asked for, in words or as JSON; returns the exit code.

    Raises:
        InputError: A picture, setting or preset cannot be used.
        EngineError: The device asked for is not here.
    """
    job = _job(arguments)
    planned = _planned(job)
    if arguments.json:
        print_json({**_report(planned), "network": job.settings.network.value})
    else:
        print_text(f"{_words(planned)}\nNetwork:  {network_title(job.settings.network)}")
    return 0


def _job(arguments: argparse.Namespace) -> Job:
    preset, notes = (None, ()) if arguments.preset is None else preset_named(arguments.preset)
    for note in notes:
        print(note, file=sys.stderr)
    settings = settings_asked_for(arguments, preset)
    settings = settings.on(resolve_network(settings.network))
    if not arguments.style and not is_texture(arguments):
        # Only its size counts: that of the photograph is as long as the canvas.
        arguments.style = [arguments.content]
    return job_asked_for(arguments, settings, functools.cache(open_picture))


def _planned(job: Job) -> Plan:
    # Torch takes seconds to load; bad input has been refused before that.
    from engine.run import devices
    from engine.run.speed import measure_speed

    machine = devices.machine_for(job.settings)
    speed = measure_speed(job.settings, devices.choose_arithmetic(job.settings))
    return plan(job, machine, speed)


def _report(planned: Plan) -> dict[str, object]:
    width, height = planned.size
    return {
        "size": f"{width}x{height}",
        "bytes": planned.bytes,
        "available": planned.available,
        "fits": planned.fits,
        "seconds": None if planned.seconds is None else round(planned.seconds, 1),
        "tile": planned.tiling.side,
        "remembered": planned.tiling.remembered,
        "largest_size": planned.largest,
        "device": planned.device,
    }


def _words(planned: Plan) -> str:
    width, height = planned.size
    fits = "it fits" if planned.fits else "it does not fit"
    lines = [
        f"Size:     {width} × {height} px, {fits}",
        f"Memory:   about {gigabytes(planned.bytes)}; {gigabytes(planned.available)} is free",
        f"Computed: {planned.tiling if planned.cut else WHOLE}",
        f"Largest:  {planned.largest} px would fit",
        f"Device:   {planned.device}",
    ]
    if planned.seconds is not None:
        lines.insert(2, f"Time:     {about_text(planned.seconds)}")
    return "\n".join(lines)
