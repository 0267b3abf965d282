"""Distributions along directions beside a plain reference, which moves every grain by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest
import torch
from flowing import FLOWING
from painted import painting, sample
from torch import Tensor

from engine.network.convolutions import Arithmetic
from engine.network.networks import Network
from engine.network.random_weights import random_weights
from engine.objective.bins import Aim, Bins, Extent, count
from engine.objective.evaluation import Evaluation
from engine.objective.objective import OrientedObjectives
from engine.objective.styles import style_of
from engine.objective.targets import Targets, encode_content, encode_style
from engine.objective.terms.protocol import AdditiveTerm, Encoder
from engine.run.optimizers import beginning, moved, result
from engine.spec.choices import NetworkName, StyleLoss
from engine.spec.layers import measured_layers
from engine.spec.orientations import orientations
from engine.spec.settings import Settings
from engine.spec.tiles import Box, Tiling
from engine.weights.checkpoints import read_weights
from resources import DRAFT_NETWORK

pytestmark = pytest.mark.usefixtures("one_thread")

LAYER, CHANNELS, SIZE = "relu2_1", 4, (7, 9)
LOSSES = [StyleLoss.SLICED, StyleLoss.HISTOGRAM]
BINS, MARGIN = 512, 64


def drawn(seed: int, channels: int = CHANNELS, spread: float = 1.0) -> Tensor:
    """Like features behind a ReLU: many zeros, and a tail."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(1, channels, *SIZE, generator=generator, dtype=torch.float64)
    return spread * values.sub(0.3).relu() ** 2


def directions(loss: StyleLoss, layer: str, projection: Tensor | None, channels: int) -> Tensor:
    """(D, C): the columns that QR makes of noise seeded by the layer; or the channels."""
    compared = channels if projection is None else len(projection)
    found = torch.eye(compared, dtype=torch.float64)
    if loss is StyleLoss.SLICED:
        stage, index = (int(part) for part in layer[4:].split("_"))
        generator = torch.Generator().manual_seed(100 * stage + index)
        noise = torch.randn(compared, compared, generator=generator, dtype=torch.float64)
        found = torch.linalg.qr(noise)[0].T
    return found if projection is None else found @ projection.double()


Grains = list[tuple[Tensor, float]]
"""Values along one direction, and what each counts."""


def hats(places: Tensor) -> Tensor:
    """How much of each of some places (P,) each bin has, (P, B): 1 at its centre, 0 at the next."""
    inside = places.clamp(0, BINS - 1)
    return (1 - (inside[:, None] - torch.arange(BINS)).abs()).clamp_min(0)


def grid(lowest: Tensor, highest: Tensor) -> tuple[Tensor, Tensor]:
    """The first centre and the distance of two."""
    size = torch.maximum(lowest.abs(), highest.abs())
    width = torch.maximum(highest - lowest, 1e-3 * size) + 1e-12
    width = width / (BINS - 1 - 2 * MARGIN)
    return (lowest + highest) / 2 - (BINS - 1) / 2 * width, width


def moving(levels: Tensor, target: Tensor) -> Tensor:
    """The integral of (P^-1 - Q^-1)^2 over pieces on which P^-1 stands still and Q^-1 is straight.

    Args:
        levels: Of P up to each bin, (B,); P has its mass in the centres.
        target: What Q has in each bin, (B,), spread evenly from half a bin before to half behind.
    """
    reached = target.cumsum(0)
    ends = torch.cat([levels, reached]).sort().values.clamp(0, 1)
    begins = torch.cat([ends.new_zeros(1), ends[:-1]])
    middle = ((begins + ends) / 2).detach()
    place = torch.searchsorted(levels.detach(), middle).clamp(max=BINS - 1).double()
    bin_ = torch.searchsorted(reached, middle).clamp(max=BINS - 1)
    before = reached[bin_] - target[bin_]

    def off(level: Tensor) -> Tensor:
        return place - (bin_ - 0.5 + (level - before) / target[bin_].clamp_min(1e-300))

    first, last = off(begins), off(ends)
    real = ends - begins > 1e-14
    pieces = (ends - begins) * (first.square() + first * last + last.square()) / 3
    return torch.where(real, pieces, 0.0).sum()


def reference(
    features: Tensor,
    paintings: Sequence[Tensor],
    shares: Sequence[float],
    along: Tensor,
    weights: Tensor | None = None,
) -> Tensor:
    """The loss of features (1, C, h, w), by autograd."""
    row = torch.ones(features[0, 0].numel()) if weights is None else weights.flatten()
    seen = along @ features.flatten(2)[0]
    targets = [along @ painting.flatten(2)[0] for painting in paintings]
    cost, power = features.new_zeros(()), 0.0
    for number in range(len(along)):
        pairs = [(t[number], s / sum(shares)) for t, s in zip(targets, shares, strict=True) if s]
        first, width = grid(
            torch.stack([t.min() for t, _ in pairs]).min(),
            torch.stack([t.max() for t, _ in pairs]).max(),
        )
        aim = torch.zeros(BINS, dtype=torch.float64)
        for target, share in pairs:
            # A painting is counted in bins of its own before these are counted in the mixture's.
            own_first, own_width = grid(target.min(), target.max())
            own = hats((target - own_first) / own_width).mean(0)
            centres = own_first + torch.arange(BINS) * own_width
            aim += share * (own @ hats((centres - first) / width))
        places = (seen[number] - first) / width
        found = (row[:, None] * hats(places)).sum(0) / row.sum()
        over = (places - places.clamp(0, BINS - 1)).abs()
        beyond = (row * (over.square() + 2 * MARGIN * over)).sum() / row.sum()
        cost = cost + width**2 * (moving(found.cumsum(0), aim) - 1 / 12 + beyond)
        power += float((aim * (first + torch.arange(BINS) * width).square()).sum())
    return cost / power


def term_of(
    loss: StyleLoss,
    paintings: Sequence[Tensor],
    shares: Sequence[float] = (1.0,),
    projection: Tensor | None = None,
) -> AdditiveTerm:
    style = style_of(loss)
    projections = {} if projection is None else {LAYER: projection}
    found = []
    for painting_ in paintings:

        def show(encoder: Encoder, seen: Tensor = painting_) -> None:
            for part in PARTS:
                encoder.look(LAYER, part.of(seen), part)

        found.append(style.measure(show, [LAYER], projections)[LAYER])
    return style.term(LAYER, found, shares, 2.0, projection)


WHOLE = (Box(0, 0, *SIZE),)
PARTS = (Box(0, 0, 3, 9), Box(3, 0, 7, 4), Box(3, 4, 7, 9))


def evaluated(
    term: AdditiveTerm,
    features: Tensor,
    weights: Tensor | None = None,
    parts: Sequence[Box] = WHOLE,
) -> tuple[Tensor, Tensor]:
    gradient = torch.zeros_like(features)
    crops = [None if weights is None else part.of(weights) for part in parts]
    looks = [
        term.look(part.of(features), part, crop) for part, crop in zip(parts, crops, strict=True)
    ]
    value, slope = term.close(sum(looks[1:], looks[0]), 7.0)
    for part, crop in zip(parts, crops, strict=True):
        slope.add_gradient(part.of(features), part.of(gradient), part, crop)
    return value, gradient / 7


CASES: dict[str, Callable[[], dict]] = {
    "one painting": lambda: {"paintings": [drawn(8)], "shares": [1.0]},
    "three paintings": lambda: {
        "paintings": [drawn(8), drawn(9, spread=1.7), drawn(10, spread=9.0)],
        "shares": [0.5, 2.0, 0.0],
    },
    "far beyond": lambda: {"paintings": [0.1 * drawn(8) - 5], "shares": [1.0]},
    "weighted": lambda: {
        "paintings": [drawn(8)],
        "shares": [1.0],
        "weights": (8 * drawn(3, 1) + 1).round() / 8,  # that counting in units rounds nothing of
    },
    "projected": lambda: {
        "paintings": [drawn(8)],
        "shares": [1.0],
        "projection": torch.randn(
            3, CHANNELS, generator=torch.Generator().manual_seed(4), dtype=torch.float64
        ),
    },
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("case", CASES)
def test_value_and_gradient_are_those_of_the_formula(case: str, loss: StyleLoss) -> None:
    given = CASES[case]()
    weights, projection = given.get("weights"), given.get("projection")
    features = drawn(1, spread=1.3).requires_grad_()
    along = directions(loss, LAYER, projection, CHANNELS)
    wanted = 2.0 * reference(features, given["paintings"], given["shares"], along, weights)
    (gradient,) = torch.autograd.grad(wanted, features)
    term = term_of(loss, given["paintings"], given["shares"], projection)
    for parts in (WHOLE, PARTS):
        found = evaluated(term, features.detach(), weights, parts)
        torch.testing.assert_close(found[0], wanted.detach(), rtol=1e-10, atol=0)
        moving_ = features.detach() > 0  # where a ReLU lets nothing through, either side is right
        error = ((found[1] - gradient) * moving_).norm() / gradient.norm()
        assert float(error) < 1e-10


@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_is_that_of_central_differences(loss: StyleLoss) -> None:
    """Over steps so small that next to no value comes into another bin."""
    term, at, direction = term_of(loss, [drawn(8)]), drawn(1, spread=1.3), drawn(5)
    ahead, behind = (evaluated(term, at + sign * 1e-6 * direction)[0] for sign in (1, -1))
    # A zero is on the border between what comes before and behind: it only moves upwards.
    slope = (evaluated(term, at + 1e-6 * direction)[1] * direction).sum()
    slope = (slope + (evaluated(term, at - 1e-6 * direction)[1] * direction).sum()) / 2
    torch.testing.assert_close((ahead - behind) / 2e-6, slope, rtol=1e-3, atol=0)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_painting_itself_costs_nothing_and_is_left_alone(loss: StyleLoss) -> None:
    value, gradient = evaluated(term_of(loss, [drawn(8)]), drawn(8))
    assert abs(float(value)) < 1e-12
    assert float(gradient.abs().max()) < 1e-6  # where a bin holds next to nothing
    # Wherever in the picture its features lie.
    value, _ = evaluated(term_of(loss, [drawn(8)]), drawn(8).flip(2, 3))
    assert abs(float(value)) < 1e-12


def test_an_empty_picture_is_about_one_target_away() -> None:
    for loss in LOSSES:
        value, _ = evaluated(term_of(loss, [drawn(8)]), torch.zeros(1, CHANNELS, *SIZE).double())
        assert float(value) == pytest.approx(2.0, rel=0.02)


@pytest.mark.parametrize("loss", LOSSES)
def test_it_has_no_unit(loss: StyleLoss) -> None:
    plain = evaluated(term_of(loss, [drawn(8)]), drawn(1))[0]
    scaled = evaluated(term_of(loss, [1000 * drawn(8)]), 1000 * drawn(1))[0]
    torch.testing.assert_close(plain, scaled)


def test_along_one_direction_it_is_the_distance_of_sorted_values() -> None:
    """The squared Wasserstein distance proper, but for the width of a bin."""
    found, aim = (drawn(seed)[0].flatten(1) for seed in (1, 8))
    expected = 2.0 * (found.sort(1).values - aim.sort(1).values).square().sum() / aim.square().sum()
    value, _ = evaluated(term_of(StyleLoss.HISTOGRAM, [drawn(8)]), drawn(1))
    assert float(value) == pytest.approx(float(expected), rel=0.03)


@pytest.mark.parametrize("far", [2.0, 30.0, 1e4])
def test_what_lies_beyond_the_bins_is_pulled_back(far: float) -> None:
    aim, box = torch.linspace(-1, 1, 64).double().view(1, 1, 8, 8), Box(0, 0, 8, 8)
    for side in (-1, 1):
        features = aim.clone()
        features[..., 3, 4] = side * far
        for loss in LOSSES:
            style = style_of(loss)
            bins = style.measure(lambda encoder: encoder.look("relu1_1", aim, box), ["relu1_1"], {})
            term = style.term("relu1_1", [bins["relu1_1"]], [1.0], 1.0, None)
            _, gradient = evaluated(term, features, None, [box])
            # 2 (f - T f) over N times the target's power, T f being the highest of the target.
            wanted = 2 * (side * far - side) / aim.square().sum()
            torch.testing.assert_close(gradient[0, 0, 3, 4], wanted, rtol=0.02, atol=0)


@pytest.mark.parametrize("loss", LOSSES)
def test_what_breaks_is_seen_in_the_value(loss: StyleLoss) -> None:
    """No place in the bins can be told of what is no number; the loop looks at the total."""
    features = drawn(1)
    features[0, 1, 2, 3] = torch.nan
    value, _ = evaluated(term_of(loss, [drawn(8)]), features)
    assert bool(value.isnan())


def test_counts_are_to_the_bit_the_same_in_any_order_and_in_any_parts() -> None:
    generator = torch.Generator().manual_seed(0)
    values = 600 * torch.rand(3, 1000, generator=generator) - 50
    order = torch.randperm(1000, generator=generator)
    whole = count(values).amounts
    assert torch.equal(count(values[:, order]).amounts, whole)
    assert torch.equal((count(values[:, :300]) + count(values[:, 300:])).amounts, whole)


def test_complementary_masks_count_together_what_the_whole_counts() -> None:
    generator = torch.Generator().manual_seed(0)
    values = 600 * torch.rand(3, 1000, generator=generator, dtype=torch.float64) - 50
    mask = torch.rand(1, 1000, generator=generator, dtype=torch.float64)
    both, whole = count(values, mask) + count(values, 1 - mask), count(values)
    assert int((both.amounts - whole.amounts).abs().max()) < 100  # of 2^34 for each
    torch.testing.assert_close(both.beyond, whole.beyond)


def test_a_painting_in_the_bins_of_another_keeps_its_mean() -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.rand(2, 1000, generator=generator, dtype=torch.float64)
    one, other = (Extent(*torch.aminmax(it, dim=1)) for it in (values, 3 * values))
    places = (values - one.first[:, None]) / one.width[:, None]
    bins = Bins(one, count(places).amounts)
    wide = (3 * values - other.first[:, None]) / other.width[:, None]
    aim = Aim([bins, Bins(other, count(wide).amounts)], [1.0, 3.0])
    centres = aim.extent.first[:, None] + torch.arange(BINS) * aim.width[:, None]
    reached = aim._reached.diff(dim=1)
    mean = values.mean(1)
    torch.testing.assert_close((reached * centres).sum(1), (mean + 3 * 3 * mean) / 4)


def build(
    settings: Settings,
    weights: Mapping[str, Tensor],
    tiling: Tiling,
    size: tuple[int, int],
    dtype: torch.dtype = torch.float64,
    turned: int = 0,
) -> Evaluation:
    def picture(seed: int, height: int, width: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.rand(1, 3, height, width, generator=generator, dtype=torch.float64)
        return drawn.to(torch.promote_types(dtype, torch.float32))

    layers = measured_layers(settings)
    network = Network(
        settings.network, weights, layers.all, Arithmetic(torch.device("cpu"), dtype),
        settings.pooling, settings.padding, tiling,
    )  # fmt: skip
    look = orientations(settings)[turned]
    styles = [picture(2, 70, 90), picture(3, 64, 33)]
    targets = Targets(
        encode_content(network, look.of(picture(1, *size)), layers.content),
        tuple(
            encode_style(network, look.of(style), layers.style, settings.style_loss)
            for style in styles
        ),
        look,
    )
    objective = OrientedObjectives(network, [targets], settings, [1.0, 2.0])
    return objective.evaluate(picture(4, *size))


@pytest.fixture(scope="module")
def shallow() -> dict[str, Tensor]:
    return random_weights(NetworkName.VGG19, ["relu3_1"])


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("pooling", ["max", "average", "l2"])
@pytest.mark.parametrize("size", [(70, 94), (33, 16)])
def test_tiles_change_neither_value_nor_gradient(
    pooling: str, loss: StyleLoss, size: tuple[int, int], shallow: dict[str, Tensor]
) -> None:
    settings = FLOWING.changed(
        network="vgg19", pooling=pooling, style_loss=loss,
        style_layers="relu1_1, conv2_1, relu3_1", content_layers="relu2_1",
    )  # fmt: skip
    whole = build(settings, shallow, Tiling(), size)
    for tiling in (Tiling(16), Tiling(24, 2)):
        tiled = build(settings, shallow, tiling, size)
        torch.testing.assert_close(tiled.terms, whole.terms, rtol=1e-9, atol=0)
        assert (tiled.gradient - whole.gradient).norm() / whole.gradient.norm() < 1e-7


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("turned", range(4))
def test_the_draft_network_compares_what_its_projections_show(loss: StyleLoss, turned: int) -> None:
    """In every orientation, against features had from the network itself."""
    weights = dict(read_weights(DRAFT_NETWORK, NetworkName.DRAFT).tensors)
    settings = FLOWING.on(NetworkName.DRAFT).changed(
        style_loss=loss, style_layers="relu1_1, relu3_1:2", content_weight=0.0
    )
    size = (37, 50)
    found = build(settings, weights, Tiling(), size, turned=turned)

    def seen(seed: int, height: int, width: int) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        image = torch.rand(1, 3, height, width, generator=generator, dtype=torch.float64)
        features: dict[str, Tensor] = {}
        network = Network(
            settings.network, weights, settings.layers,
            Arithmetic(torch.device("cpu"), torch.float64), settings.pooling, settings.padding,
        )  # fmt: skip
        network.forward(
            image.rot90(turned, (2, 3)),
            lambda layer, shown, _: features.update({layer: shown.clone()}),
        )
        return features

    at, *paintings = seen(4, *size), seen(2, 70, 90), seen(3, 64, 33)
    for number, (layer, weight) in enumerate((("relu1_1", 10 / 3), ("relu3_1", 20 / 3))):
        projection = weights[f"{layer}.projection"]
        along = directions(loss, layer, projection, at[layer].shape[1])
        wanted = weight * reference(
            at[layer], [painting_[layer] for painting_ in paintings], [1.0, 2.0], along
        )
        torch.testing.assert_close(found.terms[number], wanted, rtol=1e-8, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_short_numbers_give_nearly_the_same(dtype: torch.dtype) -> None:
    weights = dict(read_weights(DRAFT_NETWORK, NetworkName.DRAFT).tensors)
    for loss in LOSSES:
        settings = FLOWING.on(NetworkName.DRAFT).changed(style_loss=loss)
        exact, short = (
            build(settings, weights, Tiling(), (48, 48), kind) for kind in (torch.float64, dtype)
        )
        error = (short.gradient.double() - exact.gradient).norm() / exact.gradient.norm()
        assert float(error) < (0.25 if dtype is torch.bfloat16 else 1e-3)
        assert short.terms.dtype is torch.float32


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", ["sample", "flat", "two colours"])
def test_steps_go_downhill(loss: StyleLoss, kind: str) -> None:
    weights = dict(read_weights(DRAFT_NETWORK, NetworkName.DRAFT).tensors)
    settings = FLOWING.on(NetworkName.DRAFT).changed(style_loss=loss, averaging=0.5)
    style = sample("painting", 48) if kind == "sample" else painting(kind, 48)
    layers = measured_layers(settings)
    network = Network(
        settings.network, weights, layers.all, Arithmetic(torch.device("cpu"), torch.float32)
    )
    targets = Targets(None, (encode_style(network, style, layers.style, loss),))
    objective = OrientedObjectives(network, [targets], settings, [1.0])
    descent = beginning(sample("photograph", 48))
    first = objective.evaluate(descent.image)
    for _ in range(30):
        descent = moved(descent, objective.evaluate(descent.image), settings)
    last = objective.evaluate(result(descent, settings))
    assert float(last.total) < 0.3 * float(first.total)
