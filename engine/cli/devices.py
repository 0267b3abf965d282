"""`devices`: what there is to compute on, what was proven of it, and why a card is not used."""

from __future__ import annotations

from collections.abc import Iterator

from engine.cli.options import DevicesOptions
from engine.cli.printing import print_json, print_text
from engine.plan.loading import refuse_unless_loadable
from engine.plan.machine import DeviceHere, Inventory
from engine.spec.computing import Computing, Rung
from engine.spec.wording import gigabytes

_NO_MEANS = (Rung.PRECISION, Rung.TF32, Rung.DEVICE)
"""What the device and its numbers say already."""


def tell_devices(options: DevicesOptions) -> int:
    """Print the devices of this machine, in words or as JSON; returns the exit code."""
    refuse_unless_loadable()
    from engine.run.machines import Trials, inventory

    found = inventory(Trials.ALL if options.check else Trials.NONE)
    if options.json:
        print_json(_report(found))
    else:
        print_text("\n\n".join(_paragraphs(found)))
    return 0


def _report(found: Inventory) -> dict[str, object]:
    first, *_ = found.devices
    return {
        "auto": first.device.value,
        "devices": [_values(each) for each in found.devices],
        "remark": found.remark,
    }


def _values(each: DeviceHere) -> dict[str, object]:
    computing = each.computing
    return {
        "device": each.device.value,
        "name": each.name,
        "usable": not each.fault,
        "fault": each.fault,
        "memory": each.total,
        "free": each.free,
        "computes": computing.words if computing else None,
        "tried": each.tried,
        "proven": list(_proven(computing)) if computing and each.tried and not each.fault else [],
        "given_up": [
            {"what": lost.instead_of, "reason": lost.reason}
            for lost in (computing.given_up if computing else ())
        ],
    }


def _paragraphs(found: Inventory) -> Iterator[str]:
    first, *_ = found.devices
    for each in found.devices:
        yield "\n".join(_lines(each, taken=each is first))
    if found.remark:
        yield found.remark


def _lines(each: DeviceHere, *, taken: bool) -> Iterator[str]:
    yield f"{each.device}: {each.name}" + (", which auto takes" if taken else "")
    yield f"  Memory:   {gigabytes(each.total)}" + (
        "" if each.fault else f", {gigabytes(each.free)} free"
    )
    computing = each.computing
    if each.fault or computing is None:
        yield f"  Not used: {each.fault}"
    else:
        yield f"  Computes: {computing.numbers}"
        yield "  Proven:   " + (", ".join(_proven(computing)) if each.tried else "not yet tried")
    for lost in computing.given_up if computing else ():
        yield f"  Given up: {lost}"


def _proven(computing: Computing) -> Iterator[str]:
    """The numbers and the means that a trial has left."""
    yield computing.numbers
    for rung in computing.rungs:
        if rung not in _NO_MEANS:
            yield rung.value
