"""What walks downhill, on a bowl whose bottom is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from flowing import FLOWING

from engine.objective.evaluation import Evaluation
from engine.run.optimizers import (
    Descent,
    beginning,
    carried,
    descent_from,
    for_changed_objective,
    is_finite,
    marked_good,
    moved,
    result,
    rolled_back,
)
from engine.spec.settings import Settings

BOTTOM = torch.linspace(0.1, 0.9, 3 * 6 * 8).view(1, 3, 6, 8)


def bowl(image: torch.Tensor) -> Evaluation:
    """Mean squared distance from the bottom."""
    difference = image - BOTTOM
    total = difference.square().mean()
    return Evaluation(total, total.view(1), 2 * difference / difference.numel())


Landscape = Callable[[torch.Tensor], Evaluation]


def walk(settings: Settings, steps: int, landscape: Landscape = bowl) -> Descent:
    return further(beginning(torch.zeros_like(BOTTOM)), settings, steps, landscape)


def further(
    descent: Descent, settings: Settings, steps: int = 1, landscape: Landscape = bowl
) -> Descent:
    for _ in range(steps):
        descent = moved(descent, landscape(descent.image), settings)
    return descent


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "gradient-descent"])
def test_every_optimiser_reaches_the_bottom(optimizer: str) -> None:
    settings = FLOWING.changed(
        optimizer=optimizer, step_size=0.1, learning_rate=0.05, averaging=0.8
    )
    found = result(walk(settings, 150), settings)
    torch.testing.assert_close(found, BOTTOM, atol=0.02, rtol=0)


def test_gradient_descent_is_the_plain_formula() -> None:
    settings = FLOWING.changed(optimizer="gradient-descent", step_size=0.1)
    start = torch.full_like(BOTTOM, 0.4)
    descent = further(beginning(start), settings)
    expected = start - 0.1 * start.numel() * bowl(start).gradient
    torch.testing.assert_close(descent.image, expected)


def test_a_step_is_the_same_at_every_size() -> None:
    def first_step(copies: int) -> torch.Tensor:
        def wide_bowl(image: torch.Tensor) -> Evaluation:
            difference = image - BOTTOM.repeat(1, 1, 1, copies)
            total = difference.square().mean()
            return Evaluation(total, total.view(1), 2 * difference / difference.numel())

        settings = FLOWING.changed(optimizer="gradient-descent", step_size=0.1)
        wide = beginning(torch.zeros_like(BOTTOM).repeat(1, 1, 1, copies))
        return further(wide, settings, landscape=wide_bowl).image[..., :8]

    torch.testing.assert_close(first_step(1), first_step(4))


def test_adam_steps_by_the_learning_rate_and_stays_in_range() -> None:
    descent = walk(FLOWING.changed(learning_rate=0.02), 1)
    torch.testing.assert_close(descent.image, torch.full_like(BOTTOM, 0.02), atol=1e-4, rtol=0)
    hill = further(
        beginning(torch.full_like(BOTTOM, 0.99)),
        FLOWING.changed(learning_rate=0.5),
        landscape=lambda x: Evaluation(x.sum(), x.sum().view(1), -torch.ones_like(x)),
    )
    assert float(hill.image.max()) == 1


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "gradient-descent"])
def test_the_image_stays_in_range_throughout(optimizer: str) -> None:
    def pulled_outside(image: torch.Tensor) -> Evaluation:
        difference = image - (3 * BOTTOM - 1)
        total = difference.square().mean()
        return Evaluation(total, total.view(1), 2 * difference / difference.numel())

    settings = FLOWING.changed(
        optimizer=optimizer, step_size=0.1, learning_rate=0.05, averaging=0.8
    )
    descent = beginning(torch.full_like(BOTTOM, 0.5))
    for _ in range(100):
        descent = further(descent, settings, landscape=pulled_outside)
        assert 0 <= float(descent.image.min()) <= float(descent.image.max()) <= 1
    wanted = (3 * BOTTOM - 1).clamp(0, 1)
    torch.testing.assert_close(result(descent, settings), wanted, atol=0.02, rtol=0)


def test_adam_follows_a_gradient_that_lies_otherwise_in_memory() -> None:
    def strided_bowl(image: torch.Tensor) -> Evaluation:
        plain = bowl(image)
        gradient = plain.gradient.contiguous(memory_format=torch.channels_last)
        return Evaluation(plain.total, plain.terms, gradient)

    start = torch.zeros_like(BOTTOM).contiguous(memory_format=torch.channels_last)
    one, other = further(beginning(start), FLOWING, 20, strided_bowl), walk(FLOWING, 20)
    torch.testing.assert_close(one.image, other.image)


def test_the_result_is_the_unbiased_average_of_the_iterates() -> None:
    settings = FLOWING.changed(averaging=0.9)
    descent, iterates = beginning(torch.zeros_like(BOTTOM)), []
    for _ in range(3):
        descent = further(descent, settings)
        iterates.append(descent.image.clone())
    weights = [0.9**2, 0.9, 1.0]
    mean = sum(w * image for w, image in zip(weights, iterates, strict=True)) / sum(weights)
    torch.testing.assert_close(result(descent, settings), mean)


def test_moments_are_carried_to_the_next_scale_and_the_average_begins_anew() -> None:
    descent = walk(FLOWING, 30)

    def enlarge(image: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.interpolate(image, scale_factor=2, mode="bicubic")

    coarse = result(descent, FLOWING)
    finer = carried(descent, enlarge(coarse), enlarge)
    assert finer.image.shape == (1, 3, 12, 16)
    torch.testing.assert_close(result(finer, FLOWING), enlarge(coarse).clamp(0, 1))
    before = finer.image.clone()
    flat = torch.zeros_like(before)
    finer = further(finer, FLOWING, landscape=lambda x: Evaluation(x.sum(), x.sum().view(1), flat))
    # With no gradient of its own, only a carried first moment moves the image.
    assert not torch.equal(finer.image, before)


def test_rolling_back_returns_to_the_last_good_image_and_forgets() -> None:
    descent = marked_good(walk(FLOWING, 10))
    good = descent.image.clone()
    descent = marked_good(further(descent, FLOWING))
    bad = torch.full_like(good, float("nan"))
    descent = further(descent, FLOWING, landscape=lambda _: Evaluation(bad.sum(), bad, bad))
    assert not is_finite(descent)
    descent = rolled_back(descent)
    assert torch.equal(descent.image, good)
    assert descent.memory is None
    assert descent.averaged == 0
    assert is_finite(further(descent, FLOWING, 5))


def test_lbfgs_forgets_its_curvature_when_the_objective_changes() -> None:
    settings = FLOWING.changed(optimizer="lbfgs")
    kept = further(walk(settings, 1), settings)
    changed = further(for_changed_objective(walk(settings, 1)), settings)
    # Without a memory the first step is the short, careful one.
    assert not torch.equal(kept.image, changed.image)


def test_adam_keeps_its_moments_when_the_objective_changes() -> None:
    kept, changed = walk(FLOWING, 3), for_changed_objective(walk(FLOWING, 3))
    assert torch.equal(further(kept, FLOWING).image, further(changed, FLOWING).image)


@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_adam_takes_the_steps_of_torchs_own(averaging: float) -> None:
    settings = FLOWING.changed(learning_rate=0.05, averaging=averaging)
    ours = walk(settings, 20)
    theirs = torch.zeros_like(BOTTOM)
    optimizer = torch.optim.Adam([theirs], lr=0.05, betas=(0.9, 0.99), eps=1e-8)
    for _ in range(20):
        theirs.grad = bowl(theirs).gradient * theirs.numel()
        optimizer.step()
        theirs.clamp_(0, 1)
    torch.testing.assert_close(ours.image, theirs)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "gradient-descent"])
def test_a_descent_goes_on_from_its_tensors(optimizer: str) -> None:
    settings = FLOWING.changed(optimizer=optimizer, step_size=0.1, lbfgs_history=2)
    descent = walk(settings, 5)
    copies = {name: tensor.clone() for name, tensor in descent.tensors().items()}
    again = descent_from(copies, descent.averaged)
    one, other = further(descent, settings, 5), further(again, settings, 5)
    assert torch.equal(one.image, other.image)
    assert torch.equal(result(one, settings), result(other, settings))
