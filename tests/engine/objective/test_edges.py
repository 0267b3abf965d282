"""The edges term beside a plain reference: what it holds, how it tiles, turns and adds up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from flowing import FLOWING
from generators import returned
from running import measurer_of, painted, plan_of, run
from torch import Tensor

from engine.objective.terms.edges import EdgesTerm, measure_edges
from engine.run.tensors import to_tensor
from engine.spec.choices import NetworkName
from engine.spec.job import Job, Retune, job_of
from engine.spec.layers import measured_layers
from engine.spec.pictures import StyleImage
from engine.spec.scales import Scale
from engine.spec.tiles import Tiling
from engine.storage.images import open_picture
from resources import SAMPLES

pytestmark = pytest.mark.usefixtures("one_thread")

SIZES = [(16, 16), (17, 30), (1, 23), (34, 4), (21, 43)]
DRAFT = FLOWING.on(NetworkName.DRAFT)


def drawn(seed: int, size: tuple[int, int], channels: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, channels, *size, generator=generator, dtype=torch.float64)


def blocks(image: Tensor) -> Tensor:
    """Means of 4 x 4 pixels, one after another."""
    height, width = image.shape[2:]
    rows = [
        torch.stack(
            [image[0, :, y : y + 4, x : x + 4].flatten(1).mean(1) for x in range(0, width, 4)], 1
        )
        for y in range(0, height, 4)
    ]
    return torch.stack(rows, 1)


def laplacian(image: Tensor) -> Tensor:
    """Position by position: what the neighbours that there are differ from it by."""
    _, height, width = image.shape

    def neighbours(y: int, x: int) -> Iterator[Tensor]:
        for down, across in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            if 0 <= y + down < height and 0 <= x + across < width:
                yield image[:, y + down, x + across] - image[:, y, x]

    zero = image.new_zeros(len(image))
    found = [sum(neighbours(y, x), zero) for y in range(height) for x in range(width)]
    return torch.stack(found, 1).view_as(image)


def reference(image: Tensor, photograph: Tensor, weights: Tensor | None) -> Tensor:
    """2.5 * mean w |D A (x - c)|^2 / (mean |D A c|^2 + 1e-6), means over positions and channels."""
    mask = torch.ones(1, 1, *image.shape[2:], dtype=image.dtype) if weights is None else weights
    wanted = laplacian(blocks(photograph))
    error = blocks(mask) * (laplacian(blocks(image)) - wanted).square()
    return 2.5 * error.mean() / (wanted.square().mean() + 1e-6)


def evaluated(
    image: Tensor, photograph: Tensor, weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    gradient = torch.zeros_like(image)
    term = EdgesTerm(measure_edges(photograph), 2.5)
    return term.add_gradient(image, gradient, weights), gradient


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_value_and_gradient_are_those_of_the_formula(
    size: tuple[int, int], weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.objective.terms.edges._BAND", 2)
    image, photograph = drawn(1, size).requires_grad_(), drawn(2, size)
    weights = drawn(3, size, 1) if weighted else None
    wanted = reference(image, photograph, weights)
    (gradient,) = torch.autograd.grad(wanted, image)
    found = evaluated(image.detach(), photograph, weights)
    torch.testing.assert_close(found[0], wanted.detach(), rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(found[1], gradient, rtol=1e-12, atol=1e-14)


def test_the_gradient_is_added_to_what_is_there() -> None:
    image, photograph = drawn(1, (17, 30)), drawn(2, (17, 30))
    gradient = drawn(4, (17, 30))
    before = gradient.clone()
    EdgesTerm(measure_edges(photograph), 2.5).add_gradient(image, gradient)
    torch.testing.assert_close(gradient - before, evaluated(image, photograph)[1])


def test_it_has_the_gradient_that_central_differences_have() -> None:
    at, photograph, direction = (drawn(seed, (21, 43)) for seed in (1, 2, 5))
    ahead, behind = (evaluated(at + sign * 1e-4 * direction, photograph)[0] for sign in (1, -1))
    slope = (evaluated(at, photograph)[1] * direction).sum()
    torch.testing.assert_close((ahead - behind) / 2e-4, slope, rtol=1e-8, atol=0)


def test_complementary_masks_ask_together_what_the_whole_asks() -> None:
    image, photograph, mask = drawn(1, (21, 43)), drawn(2, (21, 43)), drawn(3, (21, 43), 1)
    whole = evaluated(image, photograph)
    parts = [evaluated(image, photograph, weights) for weights in (mask, 1 - mask)]
    for found, wanted in zip(map(sum, zip(*parts, strict=True)), whole, strict=True):
        torch.testing.assert_close(found, wanted)
    assert not torch.allclose(parts[0][1], whole[1])


def test_the_photograph_itself_and_brighter_costs_nothing_a_flat_picture_the_weight() -> None:
    photograph = drawn(2, (21, 43))
    for kept in (photograph, photograph + 0.25):
        value, gradient = evaluated(kept, photograph)
        assert float(value) < 1e-25
        assert float(gradient.abs().max()) < 1e-12
    assert float(evaluated(torch.zeros_like(photograph), photograph)[0]) == pytest.approx(
        2.5, rel=1e-3
    )


def test_a_photograph_without_edges_stays_finite() -> None:
    flat = torch.full((1, 3, 16, 16), 0.5)
    value, gradient = evaluated(drawn(1, (16, 16)).float(), flat)
    assert bool(value.isfinite())
    assert bool(gradient.isfinite().all())


def sample_job(**values: object) -> Job:
    content, style = (open_picture(SAMPLES / f"{name}.jpg") for name in ("photograph", "painting"))
    small = {"output_size": 64, "coarsest_size": 32, "steps": 20, **values}
    return job_of(content, [StyleImage(style)], DRAFT.changed(**small))


def test_the_target_is_turned_with_the_photograph() -> None:
    """In each of the draft network's orientations, as a job has its pictures measured."""
    job = sample_job(style_weight=0.0, content_weight=0.0, keep_edges=2.5)
    settings, content = job.request.settings, open_picture(SAMPLES / "photograph.jpg")
    scale = Scale(canvas=(50, 37), styles=((40, 40),), steps=8)
    measurer = measurer_of(job, plan_of(job, tiling=Tiling()))
    measuring = measurer.measure(scale, measured_layers(settings), settings, [1.0])
    made = returned(measuring).objective
    assert made.term_names == ("edges",)
    photograph = to_tensor(content.pixels, (50, 37), torch.device("cpu")).double()
    image = drawn(1, (37, 50))
    for step in range(4):
        leaf = image.rot90(step, (2, 3)).clone().requires_grad_()
        wanted = reference(leaf, photograph.rot90(step, (2, 3)), None)
        (gradient,) = torch.autograd.grad(wanted, leaf)
        found = made.evaluate(image.float(), step)
        torch.testing.assert_close(found.total.double(), wanted.detach(), rtol=1e-4, atol=0)
        upright = gradient.rot90(-step, (2, 3))
        assert (found.gradient - upright).norm() / upright.norm() < 1e-4


def test_a_render_keeps_more_of_the_drawing_the_more_it_weighs() -> None:
    photograph = to_tensor(
        open_picture(SAMPLES / "photograph.jpg").pixels, (64, 43), torch.device("cpu")
    )

    def lost(weight: float) -> float:
        pixels = painted(sample_job(keep_edges=weight))
        found = torch.from_numpy(pixels).permute(2, 0, 1)[None].double() / 255
        return float(reference(found, photograph.double(), None))

    without, some, much = (lost(weight) for weight in (0.0, 3.0, 50.0))
    assert some < 0.8 * without
    assert much < 0.8 * some


def test_it_can_be_had_while_a_job_runs_that_began_without() -> None:
    job = sample_job()
    told = iter([Retune(job.request.settings.changed(keep_edges=7.0), job.request.shares)])
    _, progress = run(job, lambda seen: next(told, None) if seen.step else None)
    assert "edges" in {term.name for seen in progress for term in seen.terms}


def test_without_a_photograph_it_does_nothing() -> None:
    settings = sample_job(keep_edges=7.0, start="noise").request.settings
    job = job_of(None, [StyleImage(open_picture(SAMPLES / "painting.jpg"))], settings)
    outcome, progress = run(job)
    assert outcome.error is None
    assert not {term.name for seen in progress for term in seen.terms} & {"edges"}
