"""What the draft network saves: one evaluation beside VGG-19's, whole and as `auto` cuts them.

    python -m tests.benchmarks.draft [--size 512] [--device cpu] [--weights FILE] [--json]

Both are measured in one run, alternating; each peak of memory in a process of its own.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from engine.spec.choices import NetworkName, StyleLoss
from engine.spec.settings import Settings
from engine.spec.tiles import WHOLE
from resources import DRAFT_NETWORK
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
    weights_file,
)


@dataclass(frozen=True)
class Row:
    """What was measured of one network.

    Attributes:
        path: Network and tiling in words.
        seconds: The median of all rounds.
        ratio: The first row's seconds, those of VGG-19 with the image whole, over these.
        peak_bytes: Above the idle process.
        memory: These bytes over the first row's.
    """

    path: str
    seconds: float
    ratio: float
    peak_bytes: int
    memory: float


def main() -> None:
    """Measure and print."""
    parser = base_parser(__doc__, 512)
    add = parser.add_argument
    add("--style-loss", choices=tuple(StyleLoss), default=FLOWING.style_loss, metavar="NAME")
    add("--rounds", type=int, default=5, metavar="N", help="evaluations of each network (5)")
    options = parser.parse_args()
    usual = FLOWING.changed(device=options.device, style_loss=options.style_loss)
    with weights_file(options.network, options.weights) as weights:
        files = {options.network: weights, NetworkName.DRAFT: DRAFT_NETWORK}
        rows = measure(usual, files, options.size, options.rounds)
    if options.json:
        print_object({"size": options.size, "rows": [asdict(row) for row in rows]})
    else:
        head = ("path", "seconds", "ratio", "peak MB", "share")
        cells = [
            (r.path, f"{r.seconds:.3f}", f"{r.ratio:.2f}", f"{r.peak_bytes / 1e6:.0f}",
             f"{r.memory:.2f}")
            for r in rows
        ]  # fmt: skip
        print_table(head, cells)


def measure(usual: Settings, files: dict[NetworkName, Path], size: int, rounds: int) -> list[Row]:
    """Whole and as `auto` cuts it, if it does; what comes first the others are compared with."""
    given = []
    for network, weights in files.items():
        settings = usual.on(network).changed(output_size=size)
        planned = planned_tiling(settings, weights)
        for tiling in (WHOLE,) if planned.takes_whole((size, size)) else (WHOLE, planned):
            given.append((Way(f"{network}, {tiling}", settings, tiling), weights))
    device = device_of(usual)
    ready = [evaluations(way, weights)(size) for way, weights in given]
    for evaluate in ready:  # warms up
        evaluate()
    medians = alternating(ready, rounds, device)
    del ready, evaluate
    peaks = [apart(peak, way, weights, size) for way, weights in given]
    return [
        Row(way.path, median, medians[0] / median, most, most / peaks[0])
        for (way, _), median, most in zip(given, medians, peaks, strict=True)
    ]


if __name__ == "__main__":
    main()
