"""What the fast path costs in quality: the objective it reaches beside the one float32 reaches.

    python -m tests.benchmarks.quality [--size 256] [--steps 100] [--precision auto] [--json]

Three pairs of pictures are painted with Adam and with L-BFGS, once as the settings choose for this
device and once in float32 with nothing cut. Both results are judged by the plain reference in
float32. Exit code 1 says that one of them is worse by more than 2 %.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from engine.run import devices
from engine.run.stylize import stylize
from engine.run.tensors import to_tensor
from engine.spec.choices import OptimizerName, Precision
from engine.spec.job import Job, job_of
from engine.spec.pictures import Pixels, StyleImage
from engine.spec.scales import plan_scales
from engine.spec.settings import Settings
from engine.storage.images import open_picture
from engine.weights.checkpoints import read_weights
from resources import SAMPLES
from tests.benchmarks.common import (
    FLOWING,
    base_parser,
    device_of,
    print_object,
    print_table,
    returned,
    weights_file,
)
from tests.benchmarks.reference import FORMULAS, Reference

_BOUND = 0.02
"""What may be lost to speed, of the objective."""

_PAIRS = 3
_IMAGES = Path(__file__).resolve().parents[3] / "shared" / "images"
_SAMPLES = ("painting.jpg", "woodcut.jpg", "mosaic.jpg")
_OPTIMIZERS = (OptimizerName.ADAM, OptimizerName.LBFGS)


@dataclass(frozen=True)
class Row:
    """The objective after the same steps, judged by the reference in float32.

    Attributes:
        content, style: The pictures' file names.
        optimizer: What walked downhill.
        fast: The objective of the fast path's result.
        float32: That of float32, untiled.
        difference: The first over the second, less 1; above 0 the fast path is worse.
    """

    content: str
    style: str
    optimizer: str
    fast: float
    float32: float
    difference: float


def main() -> int:
    """Paint, judge and print; returns the exit code."""
    options = _options()
    settings = FLOWING.changed(
        network=options.network,
        device=options.device,
        style_loss=options.style_loss,
        output_size=options.size,
        coarsest_size=options.size,
        steps=options.steps,
        precision=options.precision,
    )
    with weights_file(settings.network, options.weights) as weights:
        rows = [
            row(
                job_of(
                    open_picture(content),
                    [StyleImage(open_picture(style))],
                    chosen,
                    network_weights=weights,
                )
            )
            for content, style in pairs(options.images)
            for chosen in (settings.changed(optimizer=name) for name in _OPTIMIZERS)
        ]
    worst = max(row.difference for row in rows)
    device = devices.choose_computing(settings).words
    if options.json:
        facts = {"size": options.size, "steps": options.steps, "device": device, "worst": worst}
        print_object({**facts, "bound": _BOUND, "rows": [asdict(row) for row in rows]})
    else:
        _print(rows)
        print(f"{options.size} px, {options.steps} steps, {device}: worst {worst:+.2%}")
    return 0 if worst <= _BOUND else 1


def _options() -> argparse.Namespace:
    parser = base_parser(__doc__, 256)
    add = parser.add_argument
    add("--steps", type=int, default=100, metavar="N", help="of each optimiser (100)")
    add("--precision", choices=tuple(Precision), default=Precision.AUTO, metavar="NAME")
    loss = FLOWING.style_loss
    add("--style-loss", choices=FORMULAS, default=loss, metavar="NAME")
    add("--images", type=Path, metavar="FOLDER", help="holds content/*.jpg and style/*.jpg")
    return parser.parse_args()


def pairs(folder: Path | None) -> list[tuple[Path, Path]]:
    """Three pairs of a photograph and a painting, no two with a picture in common if possible."""
    folder = folder or _IMAGES
    contents, styles = (sorted(folder.glob(f"{kind}/*.jpg")) for kind in ("content", "style"))
    if not contents or not styles:
        contents, styles = [SAMPLES / "photograph.jpg"], [SAMPLES / name for name in _SAMPLES]
    return list(itertools.islice(_distinct(contents, styles), _PAIRS))


def _distinct(contents: list[Path], styles: list[Path]) -> Iterator[tuple[Path, Path]]:
    """All pairs, those along the diagonals first."""
    for shift in range(len(styles)):
        for number, content in enumerate(contents[: len(styles)]):
            yield content, styles[(number + shift) % len(styles)]


def row(job: Job) -> Row:
    """Paint one pair both ways, and judge."""
    request = job.request
    plain = request.settings.changed(precision="float32", tile="none")
    judge = _judge(job)
    fast, slow = (judge(painted(job, settings)) for settings in (request.settings, plain))
    assert request.content is not None
    names = request.content.name, request.styles[0].name
    return Row(*names, request.settings.optimizer.value, fast, slow, fast / slow - 1)


def painted(job: Job, settings: Settings) -> Pixels:
    """The pixels of a job under other settings."""
    outcome = returned(stylize(replace(job, request=job.request.asking(settings))))
    assert outcome.pastiche is not None, outcome.error
    return outcome.pastiche.pixels


def _judge(job: Job) -> Callable[[Pixels], float]:
    """The reference's objective of a picture, in float32, for the job's own pictures."""
    request = job.request
    assert request.content is not None
    assert job.network_weights is not None
    device = device_of(request.settings)
    read = read_weights(job.network_weights, request.settings.network)
    scale = plan_scales(request)[-1]
    content = to_tensor(job.picture(request.content).pixels, scale.canvas, device)
    style = to_tensor(job.picture(request.styles[0]).pixels, scale.styles[0], device)
    weights = {name: tensor.to(device) for name, tensor in read.tensors.items()}
    reference = Reference(weights, request.settings, content, style)

    @torch.no_grad()
    def judge(pixels: Pixels) -> float:
        return float(reference.total(to_tensor(pixels, scale.canvas, device)))

    return judge


def _print(rows: list[Row]) -> None:
    print_table(
        ("content", "style", "optimiser", "fast", "float32", "difference"),
        [
            (
                row.content,
                row.style,
                row.optimizer,
                f"{row.fast:.4f}",
                f"{row.float32:.4f}",
                f"{row.difference:+.2%}",
            )
            for row in rows
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
