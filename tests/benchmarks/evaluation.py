"""How fast one evaluation of the objective is, and how much memory it takes, beside the plain way.

    python -m tests.benchmarks.evaluation [--size 512] [--device cpu] [--weights FILE] [--json]

The plain way (`reference`) is float32, (N, C, H, W) in memory, and autograd through the whole
network. All are measured in one run, alternating, and the ratio is what counts: times alone say
more about the machine and its other work. Each peak of memory is measured in a process of its own.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.network.convolutions import Arithmetic, Convolution
from engine.network.costs import NetworkCosts
from engine.run import devices
from engine.spec.choices import Precision, StyleLoss
from engine.spec.settings import Settings
from engine.spec.tiles import WHOLE
from tests.benchmarks.common import (
    FLOWING,
    Way,
    alternating,
    apart,
    base_parser,
    device_of,
    evaluations,
    peak,
    planned_tiling,
    print_object,
    print_table,
    seconds,
    weights_file,
)
from tests.benchmarks.reference import FORMULAS

_FASTEST_FIRST = (Precision.BFLOAT16, Precision.FLOAT16, Precision.FLOAT32)


@dataclass(frozen=True)
class Row:
    """What was measured of one path.

    Attributes:
        path: `reference`, `tiled`, or the precision of an untiled path.
        seconds: The median of all rounds.
        ratio: The reference's seconds over these.
        peak_bytes: Above the idle process.
        tile: The tile's side; None where the image is not cut.
        remembered: Segments that keep what the way back needs; None where the image is not cut.
        precision: The numbers inside the network.
        ceiling_share: The network's arithmetic in a second, over the ceiling.
        gradient_error: Distance from the reference's gradient, over its length.
    """

    path: str
    seconds: float
    ratio: float
    peak_bytes: int
    tile: int | None
    remembered: int | None
    precision: str
    ceiling_share: float
    gradient_error: float


def main() -> None:
    """Measure and print."""
    options = _options()
    settings = FLOWING.changed(
        network=options.network, device=options.device, style_loss=options.style_loss
    )
    computing = devices.choose_computing(settings)
    arithmetic = devices.set_up(computing)
    here, skipped = precisions(settings)
    with weights_file(settings.network, options.weights) as weights:
        ways = list(_ways(settings, here, options, weights))
        ceiling = convolution_ceiling(arithmetic)
        rows = measure(ways, weights, options, ceiling)
    facts = {
        "size": options.size,
        "device": computing.words,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "network": settings.network.value,
        "style_loss": settings.style_loss.value,
        "weights": weights.name,
        "ceiling_flops": ceiling,
        "skipped": skipped,
    }
    if options.json:
        print_object({**facts, "rows": [asdict(row) for row in rows]})
    else:
        _print(facts, rows)


def _options() -> argparse.Namespace:
    parser = base_parser(__doc__, 512)
    add = parser.add_argument
    add("--style-loss", choices=FORMULAS, default=StyleLoss.GRAM, metavar="NAME")
    add("--tile", default="256", help="of the tiled path: auto, none or pixels (256)")
    add("--rounds", type=int, default=5, metavar="N", help="evaluations of each path (5)")
    return parser.parse_args()


def precisions(settings: Settings) -> tuple[list[Precision], dict[str, str]]:
    """The precisions this device computes in hardware, the fastest first, and why not the others.

    Emulated ones are left out: they are a hundred times slower.
    """
    best = devices.arithmetic_of(devices.choose_computing(settings.changed(precision="auto")))
    skipped = {}
    if best.dtype is not torch.bfloat16:
        skipped["bfloat16"] = "not computed in hardware here"
    if best.device.type == "cpu":
        skipped["float16"] = "not computed in hardware here"
    return [precision for precision in _FASTEST_FIRST if precision not in skipped], skipped


def _ways(
    settings: Settings, here: list[Precision], options: argparse.Namespace, weights: Path
) -> Iterator[Way]:
    """The reference, every precision untiled, and tiles; what `auto` takes, if it is none."""
    yield Way("reference", settings.changed(precision="float32"), None)
    shown = set()
    for precision in reversed(here):
        shown.add((precision, WHOLE))
        yield Way(precision, settings.changed(precision=precision), WHOLE)
    for tile in (options.tile, "auto"):
        chosen = settings.changed(precision=here[0], tile=tile, output_size=options.size)
        tiling = planned_tiling(chosen, weights)
        if (here[0], tiling) not in shown:
            shown.add((here[0], tiling))
            yield Way("tiled", chosen, tiling)


def measure(
    ways: list[Way], weights: Path, options: argparse.Namespace, ceiling: float
) -> list[Row]:
    """One row for each way; the first is the reference."""
    device = device_of(ways[0].settings)
    ready = [evaluations(way, weights)(options.size) for way in ways]
    gradients = [evaluate() for evaluate in ready]  # also warms up
    errors = [_distance(gradient, gradients[0]) for gradient in gradients]
    del gradients
    medians = alternating(ready, options.rounds, device)
    del ready
    rows = []
    for way, median, error in zip(ways, medians, errors, strict=True):
        tiling = way.tiling or WHOLE
        network = NetworkCosts.of(way.settings, 4, winograd=False)
        operations = network.operations((options.size, options.size), WHOLE)
        rows.append(
            Row(
                path=way.path,
                seconds=median,
                ratio=medians[0] / median,
                peak_bytes=apart(peak, way, weights, options.size),
                tile=tiling.side,
                remembered=tiling.remembered if tiling.side else None,
                precision=way.settings.precision.value,
                ceiling_share=operations / median / ceiling,
                gradient_error=error,
            )
        )
    return rows


def convolution_ceiling(arithmetic: Arithmetic) -> float:
    """The most floating-point operations a second of large 3x3 convolutions, any way we know."""
    larger = 1 if arithmetic.device.type == "cpu" else 4
    found = []
    for channels, side in ((64, 512), (128, 256), (256, 128), (512, 64)):
        side *= larger
        image = arithmetic.tensor(torch.rand(1, channels, side, side))
        last = image.contiguous(memory_format=torch.channels_last)
        weight = torch.rand(channels, channels, 3, 3) - 0.5
        ours = Convolution(weight, torch.zeros(channels), arithmetic)
        direct = weight.to(last).contiguous(memory_format=torch.channels_last)
        operations = 18 * channels**2 * side**2
        for work in (
            lambda image=image, ours=ours: ours.forward(image),
            lambda image=last, weight=direct: F.conv2d(image, weight, padding=1),
        ):
            taken = [seconds(work, arithmetic.device) for _ in range(4)]
            found.append(operations / min(taken))
    return max(found)


@torch.no_grad()
def _distance(gradient: Tensor, other: Tensor) -> float:
    return float((gradient - other).norm() / other.norm())


def _print(facts: dict[str, object], rows: list[Row]) -> None:
    size = facts["size"]
    print(f"{size} x {size} px, {facts['network']} ({facts['weights']}), {facts['style_loss']}")
    print(f"{facts['device']}, torch {facts['torch']}")
    print(f"Convolution ceiling: {facts['ceiling_flops'] / 1e9:.0f} GFLOP/s")
    head = ("path", "tile", "numbers", "seconds", "ratio", "peak MB", "of ceiling", "error")
    print_table(
        head,
        [
            (
                row.path,
                "-" if row.tile is None else f"{row.tile} ({row.remembered} kept)",
                row.precision,
                f"{row.seconds:.4f}",
                f"{row.ratio:.2f}",
                f"{row.peak_bytes / 1e6:.0f}",
                f"{row.ceiling_share:.0%}",
                f"{row.gradient_error:.1e}",
            )
            for row in rows
        ],
    )
    for precision, reason in facts["skipped"].items():
        print(f"{precision}: {reason}")


if __name__ == "__main__":
    main()
