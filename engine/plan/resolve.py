"""From what was asked to what is done: the one place where network, tiles and scales are decided.

    plan = resolve(request, machine)

The same request on the same machine gives the same plan, whatever else the machine is doing: how
evaluations are cut depends on the memory there is, not on what happens to be free.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine.plan.machine import Machine, Speed
from engine.plan.memory import choose_tiling, job_bytes
from engine.plan.timing import job_seconds
from engine.spec.choices import NetworkName, Start
from engine.spec.orientations import orientations
from engine.spec.pictures import Size, written
from engine.spec.plan import Plan
from engine.spec.request import Request, size_of
from engine.spec.scales import plan_scales
from engine.spec.tiles import Box


def resolve(request: Request, machine: Machine, speed: Speed | None = None) -> Plan:
    """Decide how a request is done on a machine.

    Args:
        request: Complete but for the network weights, which need not be there yet.
        machine: Where the request's settings put it.
        speed: How fast that is; None where it has not been measured.

    Raises:
        InputError: A picture would be too narrow at the output size.
    """
    network = choose_network(request.settings.network, machine.networks)
    settings = request.settings.on(network).changed(
        device=machine.computing.device, precision=machine.computing.precision
    )
    scales = plan_scales(request)
    tiling = choose_tiling(settings, machine, scales[-1])
    return Plan(
        settings=settings,
        network_file=written(machine.networks.get(network)),
        computing=machine.computing,
        orientations=orientations(settings),
        tiling=tiling,
        scales=scales,
        start=_start_box(request),
        bytes=job_bytes(settings, machine, scales[-1], tiling),
        seconds=None if speed is None else job_seconds(settings, speed, scales, tiling),
    )


def choose_network(wanted: NetworkName, here: Mapping[NetworkName, Path]) -> NetworkName:
    """The network that is used: for `auto` VGG-19 if its weights are here, else the draft one."""
    if wanted is not NetworkName.AUTO:
        return wanted
    return NetworkName.VGG19 if NetworkName.VGG19 in here else NetworkName.DRAFT


def _start_box(request: Request) -> Box | None:
    """The middle of the start picture in the canvas's proportions; None where that is all of it."""
    if request.settings.start is not Start.PICTURE or request.start is None:
        return None
    size, shape = size_of(request.start), request.canvas_shape
    width, height = _inscribed(shape, size)
    if (width, height) == size:
        return None
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return Box(top, left, top + height, left + width)


def _inscribed(shape: Size, size: Size) -> Size:
    """The largest size of a shape's proportions within another size, in whole pixels."""
    factor = min(size[0] / shape[0], size[1] / shape[1])
    width, height = (max(1, round(side * factor)) for side in shape)
    return min(width, size[0]), min(height, size[1])
