"""Fine colour against a plain float64 reference, and what it does to a picture."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.objective.terms.colour_grain import (
    ColourGrain,
    ColourGrainTerm,
    blended,
    measure_colour_grain,
)

WEIGHT = 3.0


def image(seed: int, height: int = 37, width: int = 52) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, 3, height, width, generator=generator, dtype=torch.float64)


def mean_square(picture: Tensor, weights: Tensor | None = None) -> Tensor:
    """Of the fine details of both differences of colour, in plain words."""
    luma = picture.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    luminance = (picture * luma).sum(1, keepdim=True)
    colour = torch.cat([picture[:, :1] - luminance, picture[:, 2:] - luminance], 1)
    taps = picture.new_tensor([1, 4, 6, 4, 1]) / 16
    kernel = -torch.outer(taps, taps)
    kernel[2, 2] += 1
    details = F.conv2d(colour, kernel.expand(2, 1, 5, 5), groups=2)
    if weights is None:
        return details.square().mean()
    counted = weights[:, :, 2:-2, 2:-2].expand_as(details)
    return (counted * details.square()).sum() / counted.sum()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("size", [(37, 52), (5, 5), (48, 6)])
def test_value_and_gradient_are_those_of_the_formula(
    size: tuple[int, int], weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.objective.terms.colour_grain._BAND", 16)
    x, painting = image(1, *size), 0.5 + 0.1 * image(2)
    weights = image(3, *size)[:, :1] if weighted else None
    gradient = torch.ones_like(x)
    term = ColourGrainTerm(measure_colour_grain(painting), WEIGHT)
    value = term.add_gradient(x, gradient, weights)
    leaf = x.clone().requires_grad_()
    beyond = (mean_square(leaf, weights) / mean_square(painting)).sqrt() - 1
    total = WEIGHT * beyond.clamp_min(0).square()
    (expected,) = torch.autograd.grad(total, leaf)
    assert float(total) > 1
    torch.testing.assert_close(value, total.detach(), rtol=1e-12, atol=0)
    torch.testing.assert_close(gradient - 1, expected, rtol=1e-10, atol=1e-12)


def test_a_picture_with_no_more_than_the_painting_is_left_alone() -> None:
    painting, gradient = image(1), torch.zeros(1, 3, 37, 52, dtype=torch.float64)
    term = ColourGrainTerm(measure_colour_grain(painting), WEIGHT)
    for calm in (0.5 + 0.9 * (painting - 0.5), painting.mean(1, keepdim=True).expand_as(painting)):
        assert float(term.add_gradient(calm, gradient)) == 0
        assert not gradient.any()


def test_a_painting_without_colour_allows_what_nobody_sees() -> None:
    grey = image(1).mean(1, keepdim=True).expand(-1, 3, -1, -1)
    term = ColourGrainTerm(measure_colour_grain(grey), WEIGHT)
    faint = grey + (image(2) - 0.5) / 255
    assert float(term.add_gradient(faint, torch.zeros_like(faint))) == 0
    plain = grey + (image(2) - 0.5) / 16
    assert float(term.add_gradient(plain, torch.zeros_like(plain))) > WEIGHT


def test_paintings_are_blended_by_their_shares() -> None:
    parts = [ColourGrain(torch.tensor(square)) for square in (0.04, 0.01)]
    assert float(blended(parts, [2, 1]).square) == pytest.approx(0.03)
    assert float(blended(parts, [0, 5]).square) == pytest.approx(0.01)
