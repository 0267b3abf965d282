"""What evaluations take of a card's memory, beside what was planned for them."""

from __future__ import annotations

import torch

from engine.plan.memory import evaluating_bytes
from engine.run.stylize import stylize
from engine.spec.outcome import Ending
from engine.spec.scales import Scale
from tests.benchmarks.common import (
    machine_of,
    measured,
    measurer_of,
    plan_of,
    random_image,
    returned,
    square_job,
)
from tests.benchmarks.device.bench import RECORDED, Bench

_WHOLE = (("vgg19", 1024), ("vgg19", 2048), ("vgg19", 4096), ("draft", 4096))
_AUTO = (("vgg19", 8192, 15), ("vgg19", 16384, 30))
"""Network, side, and the seconds it takes, about."""

_LARGEST_PAINTING = 1024
"""Paintings are measured no larger: what is looked at is the evaluation."""


def measure(bench: Bench) -> None:
    """From small to large, then a whole job."""
    for network, size in _WHOLE:
        bench.add(f"{network} {size} whole", evaluated, bench, network, size, "none", needs=4)
    bench.add("job, vgg19 2048", _whole_job, bench, needs=8)
    for network, size, needs in _AUTO:
        bench.add(f"{network} {size} auto", evaluated, bench, network, size, "auto", needs=needs)


def evaluated(bench: Bench, network: str, size: int, tile: str) -> dict[str, object]:
    """Bytes at the peak of some evaluations; of a whole image until it has been recorded."""
    settings = bench.settings(
        network=network, output_size=size, coarsest_size=size, tile=tile, steps=1
    )
    job = square_job(settings, bench.weights_of(settings))
    plan = plan_of(job)
    painting = min(size, _LARGEST_PAINTING)
    scale = Scale(canvas=(size, size), styles=((painting, painting),), steps=1)
    predicted = evaluating_bytes(plan.settings, machine_of(job), scale, plan.tiling)
    bench.clear()
    held, (free, _) = torch.cuda.memory_allocated(), torch.cuda.mem_get_info()
    objective = measured(measurer_of(job, plan), settings, scale)
    bench.clear()
    torch.cuda.reset_peak_memory_stats()
    image = random_image(size, bench.device)
    whole = plan.tiling.side is None
    for step in range(RECORDED * objective.period if whole else 1):
        evaluation = objective.evaluate(image, step)
    torch.cuda.synchronize()
    reserved = torch.cuda.max_memory_reserved()
    return {
        "grows": any(one["is_expandable"] for one in torch.cuda.memory_snapshot()),
        "tiling": str(plan.tiling),
        "remembered": plan.tiling.remembered,
        "predicted": predicted,
        "allocated": torch.cuda.max_memory_allocated() - held,
        "reserved": reserved,
        "taken from the card": free - torch.cuda.mem_get_info()[0],
        "predicted over reserved": predicted / reserved,
        "finite": bool(evaluation.gradient.isfinite().all()),
    }


def _whole_job(bench: Bench) -> dict[str, object]:
    """A job of some steps, from the pictures to the pastiche."""
    settings = bench.settings(output_size=2048, coarsest_size=2048, steps=12)
    job = bench.job(settings)
    bench.clear()
    torch.cuda.reset_peak_memory_stats()
    outcome = returned(stylize(job))
    assert outcome.ending is Ending.FINISHED, outcome.error
    assert outcome.plan is not None
    reserved = torch.cuda.max_memory_reserved()
    return {
        "predicted": outcome.plan.bytes,
        "allocated": torch.cuda.max_memory_allocated(),
        "reserved": reserved,
        "predicted over reserved": outcome.plan.bytes / reserved,
    }
