"""What walks downhill in a pyramid: it goes where the objective says, and nobody else notices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from flowing import FLOWING
from running import measurer_of, plan_of
from torch import Tensor

from engine.network.convolutions import Arithmetic
from engine.network.networks import Network
from engine.objective.evaluation import Evaluation
from engine.objective.objective import OrientedObjectives
from engine.objective.targets import Targets, encode_content, encode_style
from engine.run.optimizers import (
    Descent,
    beginning,
    carried,
    descent_from,
    fits,
    is_finite,
    marked_good,
    moved,
    result,
    rolled_back,
)
from engine.run.pyramid import analysed, synthesised
from engine.run.tensors import to_tensor
from engine.spec.choices import Canvas, NetworkName
from engine.spec.job import job_of
from engine.spec.pictures import StyleImage
from engine.spec.settings import Settings
from engine.spec.tiles import WHOLE, Tiling
from engine.storage.images import open_picture
from engine.weights.checkpoints import read_weights
from resources import SAMPLES
from tests.benchmarks.common import measured

pytestmark = pytest.mark.usefixtures("one_thread")

HEIGHT, WIDTH = 65, 70
"""A pyramid of three levels, with odd sides."""

BOTTOM = torch.linspace(0.1, 0.9, 3 * HEIGHT * WIDTH).view(1, 3, HEIGHT, WIDTH)

PYRAMID = FLOWING.changed(
    canvas="pyramid",
    network="vgg19",
    content_layers="relu2_1",
    style_layers="relu1_1, relu2_1",
    style_loss="gram",
    smoothness=0.5,
)
DESCENT = PYRAMID.changed(optimizer="gradient-descent", step_size=1e-4)


def image(seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, 3, HEIGHT, WIDTH, generator=generator, dtype=torch.float64)


def exact_objective(network_file: Path, tiling: Tiling = WHOLE) -> OrientedObjectives:
    """Of a random VGG-19 in float64."""
    network = Network(
        NetworkName.VGG19, read_weights(network_file, NetworkName.VGG19).tensors, PYRAMID.layers,
        Arithmetic(torch.device("cpu"), torch.float64), PYRAMID.pooling, PYRAMID.padding, tiling,
    )  # fmt: skip
    content = encode_content(network, image(2), ["relu2_1"])
    targets = Targets(content, (encode_style(network, image(3), ["relu1_1", "relu2_1"]),))
    return OrientedObjectives(network, [targets], PYRAMID, [1.0])


def bowl(image: Tensor) -> Evaluation:
    """Mean squared distance from the bottom."""
    difference = image - BOTTOM
    total = difference.square().mean()
    return Evaluation(total, total.view(1), 2 * difference / difference.numel())


def flat_ground(image: Tensor) -> Evaluation:
    """Nothing slopes."""
    return Evaluation(image.sum(), image.sum().view(1), torch.zeros_like(image))


def walked(settings: Settings, steps: int, start: Tensor | None = None) -> Descent:
    start = torch.full_like(BOTTOM, 0.5) if start is None else start
    return further(beginning(start, settings.canvas), settings, steps)


def further(descent: Descent, settings: Settings, steps: int = 1) -> Descent:
    for _ in range(steps):
        descent = moved(descent, bowl(descent.image), settings)
    return descent


def test_a_pyramid_moves_by_the_slope_of_the_objective_by_finite_differences(
    random_network: Path,
) -> None:
    objective, size = exact_objective(random_network), (WIDTH, HEIGHT)
    descent = beginning(image(1), Canvas.PYRAMID)
    before = descent.held.clone()
    after = moved(descent, objective.evaluate(descent.image, 0), DESCENT).held
    levels = [3 * HEIGHT * WIDTH, 3 * 33 * 35, 3 * 17 * 18]
    # Gradient descent moves a band that is enlarged k times by a share of 4^-k of its slope.
    shares = torch.cat([torch.full((n,), 4.0**-k) for k, n in enumerate(levels)])
    slope = (before - after) / (DESCENT.step_size * image(1).numel()) / shares
    for level, along in enumerate(torch.eye(3, dtype=torch.float64)):
        weights = torch.cat([w.expand(n) for w, n in zip(along, levels, strict=True)])
        direction = torch.randn(len(before), dtype=torch.float64) * weights
        direction *= 1e-5 / direction.norm()
        values = [
            objective.evaluate(synthesised(before + sign * direction, size), 0).total
            for sign in (1, -1)
        ]
        rise = (values[0] - values[1]) / 2
        torch.testing.assert_close(slope.dot(direction), rise, rtol=1e-4, atol=0, msg=str(level))


def test_a_pyramid_in_tiles_goes_where_it_goes_as_a_whole(random_network: Path) -> None:
    ends = []
    for tiling in (WHOLE, Tiling(32), Tiling(32, 2)):
        objective = exact_objective(random_network, tiling)
        descent = beginning(image(1), Canvas.PYRAMID)
        for step in range(4):
            descent = moved(descent, objective.evaluate(descent.image, step), DESCENT)
        ends.append(descent.image)
    assert float((ends[0] - image(1)).abs().max()) > 0.005
    for end in ends[1:]:
        torch.testing.assert_close(end, ends[0], rtol=0, atol=1e-10)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "gradient-descent"])
def test_every_optimiser_gets_as_far_in_a_pyramid_as_in_pixels(optimizer: str) -> None:
    """On the draft network's own objective, from a photograph, in a pyramid of three levels."""
    photograph, painting = (
        open_picture(SAMPLES / f"{name}.jpg") for name in ("photograph", "woodcut")
    )
    reached = {}
    for canvas in Canvas:
        settings = FLOWING.changed(
            network="draft", output_size=112, coarsest_size=112, optimizer=optimizer, canvas=canvas
        )  # fmt: skip
        job = job_of(photograph, [StyleImage(painting)], settings)
        plan = plan_of(job)
        objective = measured(measurer_of(job, plan), plan.settings, plan.scales[-1])
        start = to_tensor(photograph.pixels, plan.scales[-1].canvas, torch.device("cpu"))
        descent, totals = beginning(start, canvas), []
        for step in range(13):
            evaluation = objective.evaluate(descent.image, step)
            if step % 4 == 0:  # one orientation
                totals.append(float(evaluation.total))
            descent = moved(descent, evaluation, plan.settings)
        reached[canvas] = totals[-1] / totals[0]
    assert reached[Canvas.PIXELS] < 0.8
    assert reached[Canvas.PYRAMID] < 1.02 * reached[Canvas.PIXELS]


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "gradient-descent"])
def test_the_image_is_always_that_of_its_pyramid_and_what_is_shown_is_in_range(
    optimizer: str,
) -> None:
    settings = PYRAMID.changed(optimizer=optimizer, learning_rate=0.1, step_size=0.01)
    descent = beginning(torch.rand(1, 3, HEIGHT, WIDTH), settings.canvas)
    for _ in range(6):
        pulled = bowl(descent.image)
        descent = moved(descent, replace(pulled, gradient=pulled.gradient - 1e-4), settings)
        made = synthesised(descent.held, (WIDTH, HEIGHT))
        torch.testing.assert_close(descent.image, made, rtol=0, atol=1e-6)
        shown = result(descent, settings)
        assert 0 <= float(shown.min()) <= float(shown.max()) <= 1
    assert float(descent.image.max()) > 1


def test_pixels_are_held_once() -> None:
    descent = walked(FLOWING, 3)
    assert descent.held is descent.image
    assert "held" not in descent.tensors()
    assert rolled_back(descent).held is descent.image


def test_in_pixels_nothing_is_made_of_the_image_twice() -> None:
    descent = beginning(BOTTOM)
    memory = descent.image.data_ptr()
    descent = further(descent, FLOWING, 3)
    assert descent.image.data_ptr() == descent.held.data_ptr() == memory


def test_rolling_back_makes_the_pyramid_of_the_last_good_image() -> None:
    descent = marked_good(walked(PYRAMID, 10))
    good = descent.image.clone()
    descent = marked_good(further(descent, PYRAMID))
    bad = torch.full_like(good, float("nan"))
    descent = moved(descent, Evaluation(bad.sum(), bad, bad), PYRAMID)
    assert not is_finite(descent)
    descent = rolled_back(descent)
    assert torch.equal(descent.image, good)
    torch.testing.assert_close(synthesised(descent.held, (WIDTH, HEIGHT)), good)
    assert (descent.memory, descent.averaged) == (None, 0)
    assert is_finite(further(descent, PYRAMID, 5))


def test_the_next_scale_has_a_pyramid_of_its_own_and_moments_begin_anew() -> None:
    descent = walked(PYRAMID, 10)

    def enlarge(image: Tensor) -> Tensor:
        return torch.nn.functional.interpolate(image, scale_factor=2, mode="bicubic")

    larger = enlarge(result(descent, PYRAMID)).clamp(0, 1)
    finer = carried(descent, larger, enlarge)
    assert torch.equal(finer.held, analysed(larger))
    before = finer.image.clone()
    # No gradient and no moment of an earlier scale: nothing moves.
    after = moved(finer, flat_ground(finer.image), PYRAMID)
    torch.testing.assert_close(after.image, before, rtol=0, atol=1e-6)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "gradient-descent"])
def test_a_pyramid_goes_on_from_its_tensors(optimizer: str) -> None:
    settings = PYRAMID.changed(optimizer=optimizer, step_size=0.01, lbfgs_history=2)
    descent = walked(settings, 5)
    copies = {name: tensor.clone() for name, tensor in descent.tensors().items()}
    again = descent_from(copies, descent.averaged)
    one, other = further(descent, settings, 5), further(again, settings, 5)
    assert torch.equal(one.held, other.held)
    assert torch.equal(result(one, settings), result(other, settings))


def test_tensors_of_another_size_or_parametrisation_do_not_fit() -> None:
    size = (WIDTH, HEIGHT)
    for settings in (FLOWING, PYRAMID):
        descent = walked(settings, 2)
        assert fits(descent, size, settings.canvas)
        assert not fits(descent, (HEIGHT, WIDTH), settings.canvas)
        assert not any(fits(descent, size, other) for other in Canvas if other != settings.canvas)
    assert not fits(replace(descent, held=descent.held[1:]), size, Canvas.PYRAMID)
    assert not fits(replace(descent, held=descent.held.double()), size, Canvas.PYRAMID)


def test_adams_first_step_is_the_learning_rate_and_the_last_the_decayed_one() -> None:
    """In equal ratios between."""
    settings = FLOWING.changed(learning_rate=0.02, learning_rate_decay=0.25)
    for done, length in ((0.0, 0.02), (0.5, 0.01), (1.0, 0.005)):
        start = torch.zeros_like(BOTTOM)
        descent = moved(beginning(start), bowl(start), settings, done=done)
        torch.testing.assert_close(
            descent.image, torch.full_like(start, length), atol=1e-5, rtol=0
        )  # fmt: skip
