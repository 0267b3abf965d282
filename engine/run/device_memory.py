"""How much memory a device has, what this program takes of it, and what says that it ran out."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import re
import sys
from pathlib import Path

import psutil
import torch

from engine.system import memory

_OUT_OF_MEMORY = ("out of memory", "allocate memory", "not enough memory")
"""How CUDA, Linux, Metal and Windows say in words that memory ran out."""

_PERHAPS_OUT_OF_MEMORY = re.compile(
    r"unable to find an engine to execute"
    r"|(CUDNN|CUBLAS|CUSOLVER)_STATUS_"
    r"(\w*NOT_INITIALIZED|ALLOC_FAILED|\w*INTERNAL_ERROR\w*|EXECUTION_FAILED\w*)"
)
"""What cuDNN, cuBLAS and cuSOLVER say where they find no room for a workspace or for themselves,
and where a driver is broken."""

_NEARLY_FULL = 0.1
"""The share of a card's memory that is left when such words are taken to mean memory."""

_UNSPILLED = 0.95
"""The share of a card's free memory that Windows leaves on the card; what else is on the screen
grows and shrinks."""

_STATUS, _FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
"""Where Linux tells a process's peak, and where it is told to begin a new one."""


def memory_used(device: torch.device) -> int:
    """Bytes in use by this program.

    On a graphics card what torch holds of it, recordings and gaps between tensors included, which
    is what a plan foretells. The driver's own share is neither: it is gone from what is free before
    anything is planned. Elsewhere what the process holds.
    """
    if device.type == "cuda":
        return int(torch.cuda.memory_reserved(device))
    if device.type == "mps":
        return int(torch.mps.driver_allocated_memory())
    return int(psutil.Process().memory_info().rss)


def forget_peak(device: torch.device) -> None:
    """Begin a new peak where the system can; elsewhere a process's is counted from its start."""
    if device.type == "cuda":
        # What an earlier job left unused is not this one's.
        release_memory()
        torch.cuda.reset_peak_memory_stats(device)
    elif device.type == "mps":
        release_memory()
    elif _FORGET.exists():
        with contextlib.suppress(OSError):
            _FORGET.write_text("5")


def peak_memory(device: torch.device) -> int:
    """The most bytes that were in use, as `memory_used` counts them, since `forget_peak`.

    On a CPU since the process began, where the system forgets no peak. Metal tells none: there it
    is what torch holds, which keeps what it once took until it is released.
    """
    if device.type == "cuda":
        return int(torch.cuda.max_memory_reserved(device))
    if device.type == "mps":
        return memory_used(device)
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
    """Bytes a new job could take: what is free, and what torch holds without using it."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free + cached)
    available = memory.memory_available()
    if device.type == "mps":
        # Metal's limit is on memory that all programs share.
        used = torch.mps.current_allocated_memory()
        cached = torch.mps.driver_allocated_memory() - used
        return int(max(0, min(memory_total(device) - used, available + cached)))
    return available


def memory_total(device: torch.device) -> int:
    """Bytes there are, whoever uses them: the same whatever else the machine is doing."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory())
    return memory.memory_total()


def cap_memory(device: torch.device) -> None:
    """Have a job on a card end for want of memory where Windows would go on in the host's.

    That is many times slower, and nothing says so. Called before a job takes any memory.
    """
    if sys.platform != "win32" or device.type != "cuda":
        return
    free, total = torch.cuda.mem_get_info(device)
    share = (torch.cuda.memory_reserved(device) + free * _UNSPILLED) / total
    torch.cuda.set_per_process_memory_fraction(min(1.0, share), _index(device))


def let_memory_grow() -> None:
    """Have what a card's memory is taken in grow in place: gaps would take a quarter on top.

    Before anything is taken. Left alone where a person has settings of their own, and where torch
    cannot (Windows, and Linux inside it).
    """
    named = os.environ.keys() & {"PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"}
    if sys.platform == "linux" and not named and "microsoft" not in platform.release().lower():
        # The public way, up to the versions of torch that call it old.
        older = torch.cuda.memory._set_allocator_settings
        getattr(torch._C, "_accelerator_setAllocatorSettings", older)("expandable_segments:True")


def release_memory() -> None:
    """Give back to the devices what no tensor holds any more; never raises, however they fail."""
    try:
        if torch.cuda.is_available():
            torch._C._cuda_clearCublasWorkspaces()
            torch.cuda.empty_cache()
            torch._C._host_emptyCache()
        if torch.backends.mps.is_available():
            torch.mps.empty_cache()
    except Exception:
        # A device that is lost or was left in the middle of a recording says so here, where a
        # finished picture would be lost with it.
        logging.getLogger(__name__).exception("Memory could not be given back")


def is_out_of_memory(error: BaseException, device: torch.device | None = None) -> bool:
    """Whether an error says that memory ran out; most allocators say so in words only.

    Args:
        error: While it is handled: what its traceback holds fills the device.
        device: Where it was raised, if that is known. What may mean a full card means it only
            where this one is nearly full.
    """
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    if not isinstance(error, RuntimeError):
        return False
    words = str(error)
    if any(said in words for said in _OUT_OF_MEMORY):
        return True
    return bool(_PERHAPS_OUT_OF_MEMORY.search(words)) and _is_nearly_full(device)


def _is_nearly_full(device: torch.device | None) -> bool:
    """Whether there is hardly room left on a card; a lost one does not say."""
    if device is None or device.type != "cuda":
        return False
    try:
        free, total = torch.cuda.mem_get_info(device)
        allowed = torch.cuda.get_per_process_memory_fraction(_index(device)) * total
        left = min(free, allowed - torch.cuda.memory_reserved(device))
    except RuntimeError:
        return False
    return bool(left < _NEARLY_FULL * total)


def _index(device: torch.device) -> int:
    """A card's number: some of torch's functions take no device without one."""
    return torch.cuda.current_device() if device.index is None else device.index
