"""What speed costs: the objective reached as the program paints, beside exact float32."""

from __future__ import annotations

from dataclasses import asdict

from engine.spec.choices import OptimizerName
from tests.benchmarks import quality
from tests.benchmarks.device.bench import Bench, float32_as


def measure(bench: Bench) -> None:
    """One pair of pictures by two optimisers."""
    for optimizer in (OptimizerName.ADAM, OptimizerName.LBFGS):
        bench.add(optimizer.value, _beside_float32, bench, optimizer, needs=6)


def _beside_float32(bench: Bench, optimizer: OptimizerName) -> dict[str, object]:
    side, steps = (512, 100) if bench.card else (48, 8)
    settings = bench.settings(
        output_size=side, coarsest_size=side, steps=steps, optimizer=optimizer
    )
    # Both results are judged in it, too.
    with float32_as("ieee", "ieee"):
        return asdict(quality.row(bench.job(settings)))
