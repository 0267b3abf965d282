"""Whether the device computes what the formulas say: against plain float64, tiles, and replays."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.objective.evaluation import Evaluation
from engine.run.tensors import to_tensor
from engine.spec.choices import NetworkName, Pooling, StyleLoss
from engine.spec.settings import Settings
from engine.spec.tiles import WHOLE, Tiling
from engine.storage.images import open_picture
from engine.weights.checkpoints import read_weights
from tests.benchmarks.device import hazards
from tests.benchmarks.device.bench import RECORDED, Bench, distance, float32_as, unrecorded
from tests.benchmarks.reference import FORMULAS
from tests.engine import reference


@dataclass(frozen=True)
class Bound:
    """How far numbers of some kind may be from float64.

    Attributes:
        terms: Each term's error, of the total.
        cosine: Of the angle between the gradients, at least.
        norm: The ratio of the gradients' lengths less 1, either way.
    """

    terms: float
    cosine: float
    norm: float


BOUNDS: Mapping[str, Bound] = {
    "ieee": Bound(1e-3, 0.9999, 0.002),
    "tf32": Bound(5e-3, 0.998, 0.01),
    "bfloat16": Bound(2e-2, 0.97, 0.08),
    "float16": Bound(2e-2, 0.97, 0.08),
}

_TILED = {
    StyleLoss.GRAM: 1e-3,
    StyleLoss.WASSERSTEIN: 1e-2,
    StyleLoss.SLICED: 1e-2,
    StyleLoss.HISTOGRAM: 1e-2,
}
"""How far the gradient of tiles in float32 may be from that of the whole image: the roots of
covariances make more of what is lost in sums."""

_REPLAYED = {"total": 1e-3, "gradient": 1e-2}
"""How far a replay may be from the same evaluation kernel by kernel."""


def measure(bench: Bench) -> None:
    """Hold evaluations against the plain formulas, then against each other."""
    for settings in _combinations(bench):
        name = f"{settings.network} {settings.style_loss} {settings.pooling}"
        bench.add(f"formula, {name}", against_formula, bench, settings)
    for loss in _TILED:
        for numbers in ("ieee", "bfloat16") if bench.card else ("ieee",):
            bench.add(f"tiles, {loss} {numbers}", tiles_against_whole, bench, loss, numbers)
    if bench.card:
        for network in (NetworkName.DRAFT, NetworkName.VGG19):
            bench.add(f"replay, {network}", replay_against_eager, bench, network)
    hazards.measure(bench)


def _combinations(bench: Bench) -> Iterator[Settings]:
    """Networks, losses and poolings; the draft network's pooling is its own."""
    for loss in FORMULAS:
        yield bench.settings(network="draft", style_loss=loss)
    for loss, pooling in itertools.product(FORMULAS, Pooling):
        if bench.card or pooling is Pooling.MAX or loss is StyleLoss.GRAM:
            yield bench.settings(style_loss=loss, pooling=pooling)


def against_formula(bench: Bench, settings: Settings) -> dict[str, object]:
    """Errors of terms and gradient beside plain float64 autograd on the CPU, in all numbers."""
    size = (96, 64) if bench.card else (48, 32)
    image = bench.image(size)
    wanted, slope = _by_formula(bench, settings, image)
    found: dict[str, object] = {}
    for numbers in BOUNDS if bench.card else ("ieee",):
        evaluation, names = _evaluated(bench, settings, image, numbers)
        found[numbers] = _row(evaluation, names, wanted, slope, BOUNDS[numbers])
    return found


def _by_formula(bench: Bench, settings: Settings, image: Tensor) -> tuple[dict[str, float], Tensor]:
    """The terms by their names and the gradient, in float64."""
    host, size = torch.device("cpu"), (image.shape[3], image.shape[2])
    content, style = (
        to_tensor(open_picture(path).pixels, size, host).double()
        for path in (bench.content_file, bench.style_file)
    )
    read = read_weights(bench.weights_of(settings), settings.network)
    leaf = image.cpu().double().requires_grad_()
    terms = reference.terms(leaf, content, style, read.tensors, settings)
    (slope,) = torch.autograd.grad(sum(terms.values(), leaf.new_zeros(())), leaf)
    return {name: float(value.detach()) for name, value in terms.items()}, slope


def _evaluated(
    bench: Bench, settings: Settings, image: Tensor, numbers: str, tiling: Tiling = WHOLE
) -> tuple[Evaluation, tuple[str, ...]]:
    """An evaluation in some numbers, and the names of its terms."""
    precision = {"ieee": "float32", "tf32": "float32"}.get(numbers, numbers)
    size = (image.shape[3], image.shape[2])
    with float32_as("tf32" if numbers == "tf32" else "ieee", "ieee"):
        objective = bench.objective(settings.changed(precision=precision), size, tiling)
        return objective.evaluate(image), tuple(objective.term_names)


def _row(
    found: Evaluation,
    names: tuple[str, ...],
    wanted: Mapping[str, float],
    slope: Tensor,
    bound: Bound,
) -> dict[str, object]:
    total = sum(wanted.values())
    terms = dict(zip(names, found.terms.tolist(), strict=True))
    errors = {name: abs(value - wanted[name]) / total for name, value in terms.items()}
    gradient, slope = found.gradient.double().cpu().flatten(), slope.flatten()
    cosine = float(gradient.dot(slope) / gradient.norm() / slope.norm())
    norm = float(gradient.norm() / slope.norm())
    within = (
        all(error <= bound.terms for error in errors.values())
        and cosine >= bound.cosine
        and abs(norm - 1) <= bound.norm
    )
    return {
        "total": float(found.total) / total - 1,
        "terms": errors,
        "cosine": cosine,
        "norm": norm,
        "within": within,
    }


def tiles_against_whole(bench: Bench, loss: StyleLoss, numbers: str) -> dict[str, object]:
    """How far total and gradient of tiles are from those of the whole image."""
    size, sides = ((384, 256), (64, 128)) if bench.card else ((80, 64), (16, 32))
    image = bench.image(size)
    settings = bench.settings(style_loss=loss)
    whole, _ = _evaluated(bench, settings, image, numbers)
    bound = _TILED[loss] if numbers == "ieee" else BOUNDS[numbers].norm
    found: dict[str, object] = {}
    for side in sides:
        cut, _ = _evaluated(bench, settings, image, numbers, Tiling(side))
        away = distance(cut.gradient, whole.gradient)
        total = float(cut.total) / float(whole.total) - 1
        found[str(side)] = {"total": total, "gradient": away, "within": away <= bound}
    return found


def replay_against_eager(bench: Bench, network: NetworkName) -> dict[str, object]:
    """A recording at another image than it was made of, the orientations in another order."""
    settings, size = bench.settings(network=network), (256, 192)
    recorded, other = bench.image(size), bench.image(size, seed=1)
    replayed, eager = (bench.objective(settings, size) for _ in range(2))
    period = replayed.period
    for step in range(RECORDED * period):
        replayed.evaluate(recorded, step)
    order = [*range(period - 1, -1, -1), *range(period)]
    with unrecorded():
        wanted = [eager.evaluate(other, step) for step in order]
    found = [replayed.evaluate(other, step) for step in order]
    old = replayed.evaluate(recorded, 0)
    totals = [
        abs(float(one.total) / float(two.total) - 1) for one, two in zip(found, wanted, strict=True)
    ]
    gradients = [
        distance(one.gradient, two.gradient) for one, two in zip(found, wanted, strict=True)
    ]
    within = all(total <= _REPLAYED["total"] for total in totals) and all(
        gradient <= _REPLAYED["gradient"] for gradient in gradients
    )
    return {
        "totals": totals,
        "gradients": gradients,
        "of the recorded image": distance(old.gradient, wanted[-period].gradient),
        "within": within,
    }
