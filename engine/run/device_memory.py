"""How much memory a device has, what is in use of it, and what says that it ran out."""

from __future__ import annotations

import contextlib
import re
import sys
from pathlib import Path

import psutil
import torch

_OUT_OF_MEMORY = ("out of memory", "allocate memory", "not enough memory", "ALLOC_FAILED")
"""How CUDA, Linux, Metal, Windows and cuBLAS say in words that memory ran out."""

_STATUS, _FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
"""Where Linux tells a process's peak, and where it is told to begin a new one."""


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
