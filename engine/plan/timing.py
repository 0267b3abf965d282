"""How long a job will take, from how much it computes and how fast the machine is."""

from __future__ import annotations

from collections.abc import Sequence

from engine.objective.costs import evaluation_operations
from engine.plan.machine import Speed
from engine.spec.scales import Scale
from engine.spec.settings import Settings
from engine.spec.tiles import Tiling


def job_seconds(settings: Settings, speed: Speed, scales: Sequence[Scale], tiling: Tiling) -> float:
    """Seconds from the first step to the last."""
    return sum(
        scale.steps
        * (
            speed.overhead
            + evaluation_operations(settings, scale.canvas, tiling) / speed.operations
        )
        for scale in scales
    )
