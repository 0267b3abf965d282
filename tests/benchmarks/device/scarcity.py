"""Jobs on a card that is smaller than it looks, or that another program fills meanwhile."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.run.state import Snapshot
from engine.run.stylize import stylize
from engine.spec.job import Job
from engine.spec.outcome import Ending, Outcome
from tests.benchmarks.common import returned
from tests.benchmarks.device.bench import Bench

_SMALL, _LEFT = 8 * 10**9, 10**9
"""Bytes of a small card, and what a neighbour leaves of a large one."""


def measure(bench: Bench) -> None:
    """Each job has to finish, and to say how it was cut."""
    bench.add("8 GB, 4096 px", _on_small_card, bench, needs=6)
    bench.add("1 GB left before", _filled_before, bench, needs=4)
    bench.add("1 GB left meanwhile", _filled_meanwhile, bench, needs=4)


def _on_small_card(bench: Bench) -> dict[str, object]:
    """The allocator stops at 8 GB, which the plan does not know."""
    _, total = torch.cuda.mem_get_info()
    torch.cuda.set_per_process_memory_fraction(_SMALL / total)
    try:
        return _told(returned(stylize(_job(bench, 4096, 4096))))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


def _filled_before(bench: Bench) -> dict[str, object]:
    """A neighbour has filled the card before the job begins."""
    filler = _fill()
    told = _told(returned(stylize(_job(bench, 2048, 2048))))
    del filler
    return told


def _filled_meanwhile(bench: Bench) -> dict[str, object]:
    """A neighbour fills the card at the first, small scale."""
    fillers: list[Tensor] = []

    def fill(snapshot: Snapshot) -> None:
        if snapshot.state.steps == 2 and not fillers:
            fillers.append(_fill())

    told = _told(returned(stylize(_job(bench, 2048, 1024), keep=fill)))
    return {**told, "filled": bool(fillers)}


def _job(bench: Bench, size: int, coarsest: int) -> Job:
    return bench.job(bench.settings(output_size=size, coarsest_size=coarsest, steps=4))


def _fill() -> Tensor:
    """All memory of the card but 1 GB, cached blocks included."""
    torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info()
    return torch.empty(max(0, free - _LEFT), dtype=torch.uint8, device="cuda")


def _told(outcome: Outcome) -> dict[str, object]:
    plan = outcome.plan
    return {
        "ending": outcome.ending.value,
        "error": None if outcome.error is None else str(outcome.error),
        "planned": None if plan is None else str(plan.tiling),
        "notes": list(outcome.notes),
        "events": [event.model_dump(mode="json") for event in outcome.events],
        "finished": outcome.ending is Ending.FINISHED,
    }
