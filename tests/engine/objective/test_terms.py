"""Terms under position weights: regions add up to the whole, and a weight of 1 changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from engine.objective.losses import style_loss
from engine.objective.statistics import Statistics, measure
from engine.objective.styles import style_of
from engine.objective.terms.content import ContentEncoder, ContentTerm
from engine.objective.terms.protocol import AdditiveTerm, Encoder
from engine.objective.terms.style import StyleTerm
from engine.objective.terms.total_variation import TotalVariationTerm
from engine.spec.choices import StyleLoss
from engine.spec.tiles import Box

LAYER, CHANNELS, SIZE = "relu1_1", 5, (12, 14)
WHOLE = Box(0, 0, *SIZE)
ON_STATISTICS = (StyleLoss.GRAM, StyleLoss.GRAM_MEAN_STD, StyleLoss.WASSERSTEIN)
PARTS = (Box(0, 0, 4, 14), Box(4, 0, 12, 5), Box(4, 5, 12, 14))
"""A band, whose rows follow each other in memory, and squares."""
DTYPES = [torch.float64, torch.float32, torch.bfloat16]
LAYOUTS = [torch.contiguous_format, torch.channels_last]


def drawn(seed: int, channels: int = CHANNELS, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, channels, *SIZE, generator=generator, dtype=torch.float64).to(dtype)


def content_term(
    projected: bool,
    dtype: torch.dtype = torch.float64,
    layout: torch.memory_format = torch.contiguous_format,
) -> ContentTerm:
    projection = torch.rand(3, CHANNELS, dtype=torch.promote_types(dtype, torch.float32))
    projections = {LAYER: projection} if projected else {}
    encoder = ContentEncoder([LAYER], SIZE, projections, layout)
    encoder.look(LAYER, drawn(9, dtype=dtype), WHOLE)
    return ContentTerm(LAYER, encoder.targets()[LAYER], 3.0, projections.get(LAYER))


def style_term(loss: StyleLoss, dtype: torch.dtype = torch.float64) -> AdditiveTerm[Any]:
    def show(encoder: Encoder) -> None:
        encoder.look(LAYER, drawn(8, dtype=dtype), WHOLE)

    style = style_of(loss)
    return style.term(LAYER, [style.measure(show, [LAYER], {})[LAYER]], [1.0], 2.0, None)


Evaluated = tuple[Tensor, Tensor]
"""Value and gradient."""

Term = Callable[[Tensor, Tensor | None], Evaluated]
"""A term at features (1, C, H, W) under weights (1, 1, H, W), looked at part by part."""


def of_content(projected: bool, dtype: torch.dtype = torch.float64) -> Term:
    term = content_term(projected, dtype)

    def at(features: Tensor, weights: Tensor | None) -> Evaluated:
        gradient, value = torch.zeros_like(features), 0.0
        for part in PARTS:
            seen = None if weights is None else part.of(weights)
            shown, into = part.of(features), part.of(gradient)
            value = value + term.add_gradient(shown, into, part, 7.0, seen)
        return torch.as_tensor(value), gradient / 7

    return at


def of_style(loss: StyleLoss, dtype: torch.dtype = torch.float64) -> Term:
    term = style_term(loss, dtype)

    def at(features: Tensor, weights: Tensor | None) -> Evaluated:
        gradient = torch.zeros_like(features)
        crops = [None if weights is None else part.of(weights) for part in PARTS]
        looks = zip(PARTS, crops, strict=True)
        first, *others = (term.look(part.of(features), part, crop) for part, crop in looks)
        value, slope = term.close(sum(others, first), 7.0)
        for part, crop in zip(PARTS, crops, strict=True):
            slope.add_gradient(part.of(features), part.of(gradient), part, crop)
        return value, gradient / 7

    return at


def of_smoothness(image: Tensor, weights: Tensor | None) -> Evaluated:
    gradient = torch.zeros_like(image)
    return TotalVariationTerm(2.0).add_gradient(image, gradient, weights), gradient


LOCAL = {"content": of_content(False), "projected content": of_content(True)}
LINEAR: dict[str, Term] = {**LOCAL, "smoothness": of_smoothness}
TERMS: dict[str, Term] = {**LINEAR, **{loss.value: of_style(loss) for loss in StyleLoss}}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_statistics_of_complementary_masks_add_up_to_those_of_the_whole(
    dtype: torch.dtype, layout: torch.memory_format
) -> None:
    features = drawn(1, dtype=dtype).contiguous(memory_format=layout)
    mask = drawn(2, 1)
    both, whole = measure(features, mask) + measure(features, 1 - mask), measure(features)
    for name in ("count", "total", "outer"):
        found, wanted = (torch.as_tensor(getattr(it, name)).double() for it in (both, whole))
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=0)


def test_a_position_with_the_weight_3_counts_as_three() -> None:
    features, weights = drawn(1), torch.ones(1, 1, *SIZE, dtype=torch.float64)
    weights[..., 4, 5] = 3
    thrice = torch.cat([features.flatten(2), *[features[..., 4, 5:6]] * 2], 2)
    found, wanted = measure(features, weights), measure(thrice[..., None])
    assert float(found.count) == wanted.count
    torch.testing.assert_close(found.total, wanted.total)
    torch.testing.assert_close(found.outer, wanted.outer)


@pytest.mark.parametrize("name", LINEAR)
def test_value_and_gradient_of_complementary_masks_add_up_to_the_whole(name: str) -> None:
    term, features = LINEAR[name], drawn(1)
    mask = drawn(2, 1)
    whole, *parts = (term(features, weights) for weights in (None, mask, 1 - mask))
    for found, wanted in zip(map(sum, zip(*parts, strict=True)), whole, strict=True):
        torch.testing.assert_close(found, wanted)
    assert not torch.allclose(parts[0][1], whole[1])


@pytest.mark.parametrize("loss", StyleLoss)
def test_a_slope_adds_to_complementary_masks_what_it_adds_to_the_whole(loss: StyleLoss) -> None:
    term, features, mask = style_term(loss), drawn(1), drawn(2, 1)
    _, slope = term.close(term.look(features, WHOLE), 1.0)
    whole, both = torch.zeros_like(features), torch.zeros_like(features)
    slope.add_gradient(features, whole, WHOLE)
    for weights in (mask, 1 - mask):
        slope.add_gradient(features, both, WHOLE, weights)
    torch.testing.assert_close(both, whole)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_weight_of_1_everywhere_changes_no_bit(
    dtype: torch.dtype, layout: torch.memory_format
) -> None:
    features = drawn(1, dtype=dtype).contiguous(memory_format=layout)
    ones = torch.ones(1, 1, *SIZE, dtype=torch.promote_types(dtype, torch.float32))
    terms = {
        **{f"content {projected}": of_content(projected, dtype) for projected in (False, True)},
        **{loss.value: of_style(loss, dtype) for loss in StyleLoss},
        "smoothness": of_smoothness,
    }
    for name, term in terms.items():
        image = drawn(3, 3, ones.dtype) if name == "smoothness" else features
        plain, weighted = term(image, None), term(image, ones)
        assert torch.equal(plain[0], weighted[0]), name
        assert torch.equal(plain[1], weighted[1]), name


@pytest.mark.parametrize("loss", ON_STATISTICS)
def test_weighted_style_is_the_loss_of_weighted_moments_and_so_is_its_gradient(
    loss: StyleLoss,
) -> None:
    features, weights = drawn(1).requires_grad_(), drawn(2, 1)
    rows, row = features.flatten(2)[0], weights.flatten(2)[0]
    moments = Statistics(row.sum(), (row * rows).sum(1), (row * rows) @ rows.T)
    target = measure(drawn(8))
    value = 2.0 * style_loss(loss)(moments, target)
    (gradient,) = torch.autograd.grad(value, features)
    found = TERMS[loss.value](features.detach(), weights)
    torch.testing.assert_close(found[0], value.detach())
    torch.testing.assert_close(found[1], gradient)


@pytest.mark.parametrize("name", LINEAR)
def test_weighted_values_have_the_gradient_that_is_given(name: str) -> None:
    """By central differences, so that neither stands on the other."""
    term, at, weights = LINEAR[name], drawn(1), drawn(2, 1)
    direction, step = drawn(5) - 0.5, 1e-4
    ahead, behind = (term(at + sign * step * direction, weights)[0] for sign in (1, -1))
    slope = (term(at, weights)[1] * direction).sum()
    torch.testing.assert_close((ahead - behind) / (2 * step), slope, rtol=1e-6, atol=0)


def test_content_is_held_against_the_power_of_its_own_target() -> None:
    features, target = drawn(1), drawn(9)
    expected = 3.0 * (features - target).square().mean() / target.square().mean()
    torch.testing.assert_close(LOCAL["content"](features, None)[0], expected)


def test_total_variation_is_the_mean_square_of_differences_across_and_down() -> None:
    image = drawn(4, 3)
    expected = 2.0 * sum(image.diff(dim=dim).square().mean() for dim in (2, 3))
    torch.testing.assert_close(of_smoothness(image, None)[0], expected)


def test_a_loss_that_reads_half_of_a_symmetric_matrix_has_its_whole_gradient() -> None:
    features = drawn(1).requires_grad_()
    term = StyleTerm(LAYER, measure(drawn(8)), 2.0, lambda found, _: found.gram[0, 3] ** 2, None)
    rows = features.flatten(2)[0]
    value = 2.0 * ((rows[0] * rows[3]).mean()) ** 2
    (wanted,) = torch.autograd.grad(value, features)
    gradient = torch.zeros_like(wanted)
    found, slope = term.close(term.look(features.detach(), WHOLE), 1.0)
    slope.add_gradient(features.detach(), gradient, WHOLE)
    torch.testing.assert_close(found, value.detach())
    torch.testing.assert_close(gradient, wanted)


class Relaid(TorchDispatchMode):
    """Counts the copies that lie in another order than what they are copies of."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        copies = {"aten::clone": args[:1], "aten::copy_": args[1:2], "aten::_to_copy": args[:1]}
        for given in copies.get(func.name().split(".")[0], ()):
            long = [dim for dim, length in enumerate(given.shape) if length > 1]
            found, wanted = (sorted(long, key=it.stride) for it in (result, given))
            self.count += found != wanted
        return result


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_an_image_is_taken_as_it_lies(part: Box, layout: torch.memory_format) -> None:
    features, into = (drawn(seed).contiguous(memory_format=layout) for seed in (1, 2))
    style, content = style_term(StyleLoss.GRAM), content_term(True, layout=layout)
    shown, gradient = part.of(features), part.of(into)
    wanted = gradient.clone()
    with Relaid() as relaid:
        sums = style.look(shown, part)
    _, slope = style.close(sums, 1.0)
    with relaid:
        slope.add_gradient(shown, gradient, part)
        content.add_gradient(shown, gradient, part, 1.0)
    assert relaid.count == 0
    alone = [torch.zeros_like(wanted, memory_format=torch.contiguous_format) for _ in range(2)]
    plain = shown.contiguous()
    slope.add_gradient(plain, alone[0], part)
    content.add_gradient(plain, alone[1], part, 1.0)
    torch.testing.assert_close(gradient, wanted + sum(alone))
