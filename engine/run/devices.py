"""Where the arithmetic happens, in which numbers, and how much memory there is."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil
import torch

from engine.network.convolutions import Arithmetic, fused_available, winograd_available
from engine.plan.machine import Machine
from engine.spec.choices import Device, NetworkName, Precision
from engine.spec.errors import EngineError
from engine.spec.plan import Plan
from engine.spec.settings import DEFAULTS, Settings

_DTYPES = {
    Precision.FLOAT32: torch.float32,
    Precision.BFLOAT16: torch.bfloat16,
    Precision.FLOAT16: torch.float16,
}

_OUT_OF_MEMORY = ("out of memory", "allocate memory", "not enough memory", "ALLOC_FAILED")
"""How CUDA, Linux, Metal, Windows and cuBLAS say in words that memory ran out."""

_STATUS, _FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
"""Where Linux tells a process's peak, and where it is told to begin a new one."""


def choose_arithmetic(settings: Settings) -> Arithmetic:
    """The device and numbers the settings ask for, or the best this machine has.

    Raises:
        EngineError: The device asked for by name is not here.
    """
    device = _choose_device(settings.device)
    dtype = _choose_dtype(device, settings.precision)
    cpu = device.type == "cpu"
    winograd = cpu and dtype is torch.float32 and winograd_available()
    fused = cpu and not winograd and fused_available(dtype)
    return Arithmetic(device, dtype, winograd, fused, products=not cpu)


def _choose_device(wanted: Device) -> torch.device:
    present = {
        Device.CUDA: torch.cuda.is_available(),
        Device.MPS: torch.backends.mps.is_available(),
        Device.CPU: True,
    }
    if wanted is Device.AUTO:
        return torch.device(next(device for device, here in present.items() if here))
    if not present[wanted]:
        here = ", ".join(device for device, is_here in present.items() if is_here)
        raise EngineError(
            f"There is no usable {wanted} device on this machine.",
            f"Choose auto or one of: {here}.",
        )
    return torch.device(wanted)


def _choose_dtype(device: torch.device, precision: Precision) -> torch.dtype:
    if precision is Precision.AUTO:
        return torch.bfloat16 if _has_fast_bfloat16(device) else torch.float32
    return _DTYPES[precision]


def machine_for(settings: Settings, networks: Mapping[NetworkName, Path]) -> Machine:
    """What a plan must know of the place where these settings put a job.

    Args:
        settings: Their device and precision are looked at.
        networks: The files with network weights that are here.

    Raises:
        EngineError: The device asked for by name is not here.
    """
    arithmetic = choose_arithmetic(settings)
    return Machine(
        device=Device(arithmetic.device.type),
        precision=next(name for name, dtype in _DTYPES.items() if dtype is arithmetic.dtype),
        winograd=arithmetic.winograd,
        fused=arithmetic.fused,
        total=memory_total(arithmetic.device),
        available=memory_available(arithmetic.device),
        words=describe(arithmetic),
        networks=networks,
    )


def arithmetic_of(plan: Plan) -> Arithmetic:
    """How a plan has convolutions computed."""
    return Arithmetic(
        torch.device(plan.kind),
        _DTYPES[plan.precision],
        winograd=plan.winograd,
        fused=plan.fused,
        products=plan.kind is not Device.CPU,
    )


def _has_fast_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is computed by the hardware; emulated, it is a hundred times slower."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        supported = (torch.cpu._is_amx_tile_supported, torch.cpu._is_avx512_bf16_supported)
        return any(ask() for ask in supported)
    return False


def describe(arithmetic: Arithmetic) -> str:
    """The device in words: `CPU, 2 threads, float32` or the graphics card's name."""
    numbers = str(arithmetic.dtype).removeprefix("torch.")
    match arithmetic.device.type:
        case "cuda":
            return f"{torch.cuda.get_device_name(arithmetic.device)}, {numbers}"
        case "mps":
            return f"Apple GPU, {numbers}"
    return f"CPU, {torch.get_num_threads()} threads, {numbers}"


def describe_devices() -> tuple[str, ...]:
    """What a job could run on here, in words, the one that `auto` takes first."""
    best = choose_arithmetic(DEFAULTS)
    fallback = choose_arithmetic(DEFAULTS.changed(device=Device.CPU))
    return tuple(dict.fromkeys((describe(best), describe(fallback))))


def memory_used(device: torch.device) -> int:
    """Bytes in use: by our tensors on a graphics card, by the process elsewhere."""
    if device.type == "cuda":
        return int(torch.cuda.memory_allocated(device))
    return int(psutil.Process().memory_info().rss)


def forget_peak(device: torch.device) -> None:
    """Begin a new peak where the system can; elsewhere a process's is counted from its start."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif _FORGET.exists():
        with contextlib.suppress(OSError):
            _FORGET.write_text("5")


def peak_memory(device: torch.device) -> int:
    """The most bytes in use since `forget_peak`; off a graphics card, since the process began."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    if _STATUS.exists():
        found = re.search(r"VmHWM:\s*(\d+) kB", _STATUS.read_text())
        if found:
            return int(found[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)


def memory_available(device: torch.device) -> int:
    """Bytes a new job could take."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free + cached)
    return int(psutil.virtual_memory().available)


def memory_total(device: torch.device) -> int:
    """Bytes there are, whoever uses them: the same whatever else the machine is doing."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return int(psutil.virtual_memory().total)


def release_memory() -> None:
    """Give back to the device what no tensor holds any more."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out; most allocators say so in words only."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in _OUT_OF_MEMORY)
    )
