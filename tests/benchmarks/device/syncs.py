"""How often the host waits for the device within a step, and what a step asks of the device."""

from __future__ import annotations

import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode

from engine.spec.choices import OptimizerName
from engine.spec.tiles import WHOLE, Tiling
from tests.benchmarks.device.bench import RECORDED, Bench, stepper

_STEPS = 8

_PROFILED, _PROFILED_TILED = 20, 2
"""Steps; one of many tiles is thousands of events."""

_READS = ("_local_scalar_dense", "is_nonzero", "equal", "nonzero")
"""Operations whose answer the host waits for."""

_WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize")


def measure(bench: Bench) -> None:
    """Each optimiser, whole (replayed on a card) and in tiles."""
    ways = {"whole": WHOLE, "tiled": Tiling(128 if bench.card else 32)}
    for network in ("draft", "vgg19"):
        for way, tiling in ways.items():
            if bench.card or network == "draft":
                for optimizer in OptimizerName:
                    name = f"{network} {way} {optimizer}"
                    bench.add(name, _waits, bench, network, tiling, optimizer)


def _waits(
    bench: Bench, network: str, tiling: Tiling, optimizer: OptimizerName
) -> dict[str, object]:
    """How often the host waits in eight steps; on a card also what twenty ask of it."""
    settings = bench.settings(network=network, optimizer=optimizer)
    size = (384, 320) if bench.card else (64, 48)
    objective = bench.objective(settings, size, tiling)
    step = stepper(objective, settings, bench.image(size))
    # Its memory is full, and all is recorded that will be replayed.
    for _ in range(RECORDED * objective.period if bench.card else 2):
        step()
    if not bench.card:
        return {"waits": _reads(step)}
    torch.cuda.synchronize()
    return {
        **_refused(step),
        "profile": _profiled(step, _PROFILED_TILED if tiling.side else _PROFILED),
    }


def _reads(step: Callable[[], object]) -> int:
    """How many of the host's questions need the device's answer."""
    found = 0

    class Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]
        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            nonlocal found
            found += func.overloadpacket.__name__ in _READS
            return func(*args, **(kwargs or {}))

    with Counting():  # type: ignore[no-untyped-call]
        for _ in range(_STEPS):
            step()
    return found


def _refused(step: Callable[[], None]) -> dict[str, object]:
    """Where the host first waits, as torch refuses it, and how often it does so after all."""
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(_STEPS):
            step()
    except RuntimeError:
        where = traceback.format_exc(limit=-3)
    else:
        return {"waits": 0}
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            for _ in range(_STEPS):
                step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return {"waits": max(1, len(warned)), "where": where}


def _profiled(step: Callable[[], None], count: int) -> dict[str, float]:
    """Kernels, copies, launches and waits of one step, on the mean of some."""
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiler:
        for _ in range(count):
            step()
    counts: Counter[str] = Counter()
    for event in profiler.key_averages():
        counts[_kind(event)] += event.count
    counts.pop("", None)
    return {kind: seen / count for kind, seen in sorted(counts.items())}


def _kind(event: Any) -> str:
    """What an event of the profiler counts as; nothing where it is an operation of torch."""
    name: str = event.key
    if name in _WAITS:
        return "waits"  # one of them is the profiler's own, at its end
    if name.startswith("cuda") and "Launch" in name:
        return name
    if name.startswith(("Memcpy", "Memset")):
        return name
    return "kernels" if event.device_type.name == "CUDA" else ""
