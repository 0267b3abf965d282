"""What the engine's thread does besides jobs: loads torch behind the open window, and asks it."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from pathlib import Path

from engine.plan.loading import refuse_unless_loadable
from engine.plan.machine import Inventory
from engine.plan.memory import Outlook, look_out
from engine.plan.resolve import resolve
from engine.spec.request import Request
from engine.weights.installed import networks_here

LIBRARIES = ("libtorch_global_deps.so", "libtorch_cpu.so", "libtorch.so", "libtorch_python.so")


def warm_up() -> Inventory:
    """Load what the engine needs and say which devices there are; takes seconds."""
    refuse_unless_loadable()
    if sys.platform == "linux":
        _preload_libraries()
    import engine.run.stylize  # noqa: F401 - the first job finds everything loaded
    from engine.run.machines import Trials, inventory

    return inventory(Trials.FIRST)


def foresee(request: Request) -> Outlook:
    """What a request would take, and whether it fits; a second when first asked.

    Raises:
        InputError: The request lacks something, or a picture would be too narrow.
        EngineError: The device asked for by name is not here.
    """
    from engine.run.devices import set_up
    from engine.run.machines import machine_for
    from engine.run.speed import measure_speed

    request.refuse_unless_complete()
    machine = machine_for(request.settings, networks_here())
    plan = resolve(request, machine)
    speed = measure_speed(plan.settings, set_up(plan.computing))
    return look_out(request, resolve(request, machine, speed), machine)


def _preload_libraries() -> None:
    """Map torch's libraries before the import does, which would hold Python still meanwhile.

    The interpreter keeps its lock while an extension module is loaded: half a second warm, many
    when read from disk for the first time. A foreign function call lets go of it.
    """
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        return
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.argtypes = (ctypes.c_char_p, ctypes.c_int)
    dlopen.restype = ctypes.c_void_p
    for name in LIBRARIES:
        dlopen(os.fsencode(Path(found.origin).parent / "lib" / name), os.RTLD_LAZY)
