"""What walks downhill, on a bowl whose bottom is known."""

from __future__ import annotations

import pytest
import torch

from engine.objective.evaluation import Evaluation
from engine.run.optimizers import Descent
from engine.spec.settings import DEFAULTS, Settings

BOTTOM = torch.linspace(0.1, 0.9, 3 * 6 * 8).view(1, 3, 6, 8)


def bowl(image: torch.Tensor) -> Evaluation:
    """Mean squared distance from the bottom."""
    difference = image - BOTTOM
    total = difference.square().mean()
    return Evaluation(total, total.view(1), 2 * difference / difference.numel())


def walk(settings: Settings, steps: int) -> Descent:
    descent = Descent(torch.zeros_like(BOTTOM), settings)
    for _ in range(steps):
        descent.step(bowl)
    return descent


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "gradient-descent"])
def test_every_optimiser_reaches_the_bottom(optimizer: str) -> None:
    settings = DEFAULTS.changed(
        optimizer=optimizer, step_size=0.1, learning_rate=0.05, averaging=0.8
    )
    found = walk(settings, 150).result()
    torch.testing.assert_close(found, BOTTOM, atol=0.02, rtol=0)


def test_gradient_descent_is_the_plain_formula() -> None:
    settings = DEFAULTS.changed(optimizer="gradient-descent", step_size=0.1)
    start = torch.full_like(BOTTOM, 0.4)
    descent = Descent(start, settings)
    descent.step(bowl)
    expected = start - 0.1 * start.numel() * bowl(start).gradient
    torch.testing.assert_close(descent.image, expected)


def test_a_step_is_the_same_at_every_size() -> None:
    def first_step(copies: int) -> torch.Tensor:
        def wide_bowl(image: torch.Tensor) -> Evaluation:
            difference = image - BOTTOM.repeat(1, 1, 1, copies)
            total = difference.square().mean()
            return Evaluation(total, total.view(1), 2 * difference / difference.numel())

        settings = DEFAULTS.changed(optimizer="gradient-descent", step_size=0.1)
        descent = Descent(torch.zeros_like(BOTTOM).repeat(1, 1, 1, copies), settings)
        descent.step(wide_bowl)
        return descent.image[..., :8]

    torch.testing.assert_close(first_step(1), first_step(4))


def test_adam_steps_by_the_learning_rate_and_stays_in_range() -> None:
    descent = Descent(torch.zeros_like(BOTTOM), DEFAULTS.changed(learning_rate=0.02))
    descent.step(bowl)
    torch.testing.assert_close(descent.image, torch.full_like(BOTTOM, 0.02), atol=1e-4, rtol=0)
    hill = Descent(torch.full_like(BOTTOM, 0.99), DEFAULTS.changed(learning_rate=0.5))
    hill.step(lambda image: Evaluation(image.sum(), image.sum().view(1), -torch.ones_like(image)))
    assert float(hill.image.max()) == 1


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "gradient-descent"])
def test_the_image_stays_in_range_throughout(optimizer: str) -> None:
    def pulled_outside(image: torch.Tensor) -> Evaluation:
        difference = image - (3 * BOTTOM - 1)
        total = difference.square().mean()
        return Evaluation(total, total.view(1), 2 * difference / difference.numel())

    settings = DEFAULTS.changed(
        optimizer=optimizer, step_size=0.1, learning_rate=0.05, averaging=0.8
    )
    descent = Descent(torch.full_like(BOTTOM, 0.5), settings)
    for _ in range(100):
        descent.step(pulled_outside)
        assert 0 <= float(descent.image.min()) <= float(descent.image.max()) <= 1
    wanted = (3 * BOTTOM - 1).clamp(0, 1)
    torch.testing.assert_close(descent.result(), wanted, atol=0.02, rtol=0)


def test_adam_follows_a_gradient_that_lies_otherwise_in_memory() -> None:
    def strided_bowl(image: torch.Tensor) -> Evaluation:
        plain = bowl(image)
        gradient = plain.gradient.contiguous(memory_format=torch.channels_last)
        return Evaluation(plain.total, plain.terms, gradient)

    start = torch.zeros_like(BOTTOM).contiguous(memory_format=torch.channels_last)
    one, other = Descent(start, DEFAULTS), Descent(torch.zeros_like(BOTTOM), DEFAULTS)
    for _ in range(20):
        one.step(strided_bowl)
        other.step(bowl)
    torch.testing.assert_close(one.image, other.image)


def test_the_result_is_the_unbiased_average_of_the_iterates() -> None:
    descent = Descent(torch.zeros_like(BOTTOM), DEFAULTS.changed(averaging=0.9))
    iterates = []
    for _ in range(3):
        descent.step(bowl)
        iterates.append(descent.image.clone())
    weights = [0.9**2, 0.9, 1.0]
    mean = sum(w * image for w, image in zip(weights, iterates, strict=True)) / sum(weights)
    torch.testing.assert_close(descent.result(), mean)


def test_moments_are_carried_to_the_next_scale_and_the_average_begins_anew() -> None:
    descent = walk(DEFAULTS, 30)

    def enlarge(image: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.interpolate(image, scale_factor=2, mode="bicubic")

    finer = descent.carried(enlarge(descent.result()), enlarge)
    assert finer.image.shape == (1, 3, 12, 16)
    torch.testing.assert_close(finer.result(), enlarge(descent.result()).clamp(0, 1))
    before = finer.image.clone()
    flat = torch.zeros_like(before)
    finer.step(lambda image: Evaluation(image.sum(), image.sum().view(1), flat))
    # With no gradient of its own, only a carried first moment moves the image.
    assert not torch.equal(finer.image, before)


def test_rolling_back_returns_to_the_last_good_image_and_forgets() -> None:
    descent = walk(DEFAULTS, 10)
    descent.mark_good()
    good = descent.image.clone()
    descent.step(bowl)
    descent.mark_good()
    bad = torch.full_like(good, float("nan"))
    descent.step(lambda image: Evaluation(bad.sum(), bad.sum().view(1), bad))
    assert not descent.is_finite()
    descent.roll_back()
    assert torch.equal(descent.image, good)
    for _ in range(5):
        descent.step(bowl)
    assert descent.is_finite()


def test_lbfgs_forgets_its_curvature_when_the_objective_changes() -> None:
    settings = DEFAULTS.changed(optimizer="lbfgs")
    kept, changed = walk(settings, 1), walk(settings, 1)
    changed.objective_changed()
    for descent in (kept, changed):
        descent.step(bowl)
    # Without a memory the first step is the short, careful one.
    assert not torch.equal(kept.image, changed.image)
