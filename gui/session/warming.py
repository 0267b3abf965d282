"""What the engine's thread does besides jobs: loads torch behind the open window, and asks it."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from pathlib import Path

from engine.plan.costs import Machine, Speed
from engine.spec.settings import Settings

LIBRARIES = ("libtorch_global_deps.so", "libtorch_cpu.so", "libtorch.so", "libtorch_python.so")


def warm_up() -> tuple[str, ...]:
    """Load what the engine needs and say which devices there are; takes seconds."""
    if sys.platform == "linux":
        _preload_libraries()
    import engine.run.stylize  # noqa: F401 - the first job finds everything loaded
    from engine.run.devices import describe_devices

    return describe_devices()


def examine(settings: Settings) -> tuple[Machine, Speed]:
    """Where these settings put a job, and how fast that is; a second when first asked.

    Raises:
        EngineError: The device asked for by name is not here.
    """
    from engine.run.devices import choose_arithmetic, machine_for
    from engine.run.speed import measure_speed

    return machine_for(settings), measure_speed(settings, choose_arithmetic(settings))


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
