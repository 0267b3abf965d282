"""What one evaluation of a large picture takes, beside what was planned for it.

    python -m tests.benchmarks.large [--size 4096] [--tile auto] [--weights FILE] [--json]

The picture is noise, made where it is evaluated; the photograph and the painting are plain, as
their content does not matter. Memory is counted from before the network is read.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.plan.memory import evaluating_bytes, look_out
from engine.plan.resolve import resolve
from engine.run import device_memory, devices
from engine.run.speed import measure_speed
from engine.spec.choices import Precision, StyleLoss
from engine.spec.scales import plan_scales
from engine.spec.settings import Settings
from tests.benchmarks.common import (
    FLOWING,
    base_parser,
    device_of,
    machine_of,
    measured,
    measurer_of,
    plan_of,
    print_object,
    print_table,
    random_image,
    seconds,
    settled_memory,
    square_job,
    weights_file,
)


@dataclass(frozen=True)
class Result:
    """What was planned for one evaluation, and what it took.

    Attributes:
        size: The side of the square canvas, pixels.
        device: In words.
        tile: The tile's side; None where the image is not cut.
        remembered: Segments that keep what the way back needs.
        predicted_bytes, peak_bytes: At the peak, above the process before the network was read.
        bytes_ratio: The first over the second.
        predicted_seconds, seconds: Of one evaluation.
        seconds_ratio: The first over the second.
        job_bytes: Planned for a whole job, the optimiser included.
        fits: Whether that job fits into what is free.
    """

    size: int
    device: str
    tile: int | None
    remembered: int
    predicted_bytes: int
    peak_bytes: int
    bytes_ratio: float
    predicted_seconds: float
    seconds: float
    seconds_ratio: float
    job_bytes: int
    fits: bool


def main() -> None:
    """Plan, measure and print."""
    options = _options()
    settings = FLOWING.changed(
        network=options.network,
        device=options.device,
        precision=options.precision,
        style_loss=options.style_loss,
        tile=options.tile,
        output_size=options.size,
        coarsest_size=options.size,
        steps=1,
    )
    with weights_file(settings.network, options.weights) as weights:
        result = compared(settings, weights)
    if options.json:
        print_object(asdict(result))
    else:
        _print(result)


def _options() -> argparse.Namespace:
    parser = base_parser(__doc__, 4096)
    add = parser.add_argument
    add("--tile", default="auto", help="auto, none or pixels (auto)")
    add("--precision", choices=tuple(Precision), default=Precision.AUTO, metavar="NAME")
    add("--style-loss", choices=tuple(StyleLoss), default=StyleLoss.GRAM, metavar="NAME")
    return parser.parse_args()


def compared(settings: Settings, weights: Path) -> Result:
    """Plan one evaluation, then run it."""
    job = square_job(settings, weights)
    (scale,) = plan_scales(job.request)
    machine = machine_of(job)
    device = device_of(settings)
    planned = plan_of(job)
    idle = settled_memory(device)
    measurer = measurer_of(job, planned)
    objective = measured(measurer, settings, scale)
    device_memory.forget_peak(device)
    image = random_image(settings.output_size, device)
    taken = seconds(lambda: objective.evaluate(image), device)
    peak = device_memory.peak_memory(device) - idle
    # Afterwards: measuring the speed leaves memory in use.
    speed = measure_speed(planned.settings, devices.set_up(planned.computing))
    planned = resolve(job.request, machine, speed)
    assert planned.seconds is not None
    predicted = evaluating_bytes(settings, machine, scale, planned.tiling)
    return Result(
        size=settings.output_size,
        device=planned.computing.words,
        tile=planned.tiling.side,
        remembered=planned.tiling.remembered,
        predicted_bytes=predicted,
        peak_bytes=peak,
        bytes_ratio=predicted / peak,
        predicted_seconds=planned.seconds,
        seconds=taken,
        seconds_ratio=planned.seconds / taken,
        job_bytes=planned.bytes,
        fits=look_out(job.request, planned, machine).fits,
    )


def _print(result: Result) -> None:
    cut = "whole" if result.tile is None else f"tiles of {result.tile} px"
    print(f"{result.size} x {result.size} px, {result.device}")
    print(f"{cut}, {result.remembered} segments remembered")
    print_table(
        ("", "planned", "measured", "ratio"),
        [
            (
                "peak MB",
                f"{result.predicted_bytes / 1e6:.0f}",
                f"{result.peak_bytes / 1e6:.0f}",
                f"{result.bytes_ratio:.2f}",
            ),
            (
                "seconds",
                f"{result.predicted_seconds:.2f}",
                f"{result.seconds:.2f}",
                f"{result.seconds_ratio:.2f}",
            ),
        ],
    )
    fits = "fits" if result.fits else "does not fit"
    print(f"A whole job would take {result.job_bytes / 1e6:.0f} MB, which {fits}.")


if __name__ == "__main__":
    main()
