"""Matched content against a plain float64 reference, and its promises as properties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import reference
import torch
from flowing import FLOWING
from torch import Tensor
from torch.nn import functional as F

from engine.network.convolutions import Arithmetic
from engine.network.networks import Network
from engine.objective.objective import OrientedObjectives
from engine.objective.targets import (
    Taking,
    Targets,
    encode_content,
    encode_painting,
    find_matches,
)
from engine.objective.terms.matching import CodebookEncoder, joined, matched_targets, nearest
from engine.spec.choices import MatchTurns, NetworkName
from engine.spec.layers import matched_size, measured_layers, place_of
from engine.spec.matching import MOST_ENTRIES, shared_entries, turns
from engine.spec.orientations import ORIENTATIONS, orientations
from engine.spec.settings import Settings
from engine.spec.tiles import WHOLE, Box, Tiling
from engine.weights.checkpoints import read_weights
from resources import DRAFT_NETWORK

pytestmark = pytest.mark.usefixtures("one_thread")

EXACT = Arithmetic(torch.device("cpu"), torch.float64)
LAYERS = "relu1_1, relu2_1:2, relu3_1, relu4_1:0.5"


@pytest.fixture(scope="module")
def weights(random_network: Path) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        name: 0.1 * torch.randn(tensor.shape, generator=generator) if "bias" in name else tensor
        for name, tensor in read_weights(random_network, NetworkName.VGG19).tensors.items()
    }


def image(seed: int, height: int = 51, width: int = 70) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 9, 9, generator=generator, dtype=torch.float64)
    fine = torch.rand(1, 3, height, width, generator=generator, dtype=torch.float64)
    return F.interpolate(coarse, size=(height, width), mode="bicubic").clamp(0, 1).lerp(fine, 0.3)


def objective_for(
    settings: Settings,
    weights: Mapping[str, Tensor],
    content: Tensor,
    styles: Sequence[Tensor],
    tiling: Tiling = WHOLE,
    arithmetic: Arithmetic = EXACT,
) -> OrientedObjectives:
    """All places of all paintings in the codebook, and the content image matched with them."""
    layers, looks = measured_layers(settings), orientations(settings)
    network = Network(
        settings.network,
        weights,
        layers.all,
        arithmetic,
        settings.pooling,
        settings.padding,
        tiling,
    )
    taken = tuple(sorted(layers.matched))
    ways = turns(settings.match_turns)
    found, matches = [], None
    for look in looks:
        seen = [
            encode_painting(
                network,
                style,
                layers.style,
                settings.style_loss,
                Taking(taken, ways, MOST_ENTRIES, 8 * number),
                look,
            )
            for number, style in enumerate(styles)
        ]
        book = joined([entries for _, entries in seen])
        matched = {}
        if book:
            matches = find_matches(network, content, book) if matches is None else matches
            index = look.of(matches[None, None])[0, 0].contiguous()
            size = look.of(content).shape[2:]
            matched = matched_targets(book, index, size, network.projections)
        found.append(
            Targets(
                encode_content(network, look.of(content), layers.content),
                tuple(statistics for statistics, _ in seen),
                look,
                matched=matched,
            )
        )
    return OrientedObjectives(network, found, settings, [1.0] * len(styles))


def cells(features: Tensor, layer: str, stage: int) -> Tensor:
    """Features (1, C, H, W) on the positions of a stage, (C, h, w) by the mean or by repeating."""
    behind = place_of(layer)[0] - stage
    if behind <= 0:
        return F.avg_pool2d(features, 2**-behind)[0] if behind else features[0]
    return features[0].repeat_interleave(2**behind, 1).repeat_interleave(2**behind, 2)


def hypercolumns(seen: Mapping[str, Tensor], layers: Sequence[str], stage: int, size) -> Tensor:
    """(D, h, w): the last position of a deeper layer stands for what is left over."""
    parts = []
    for layer in layers:
        part = cells(seen[layer], layer, stage) / seen[layer].shape[1]
        missing = size[0] - part.shape[1], size[1] - part.shape[2]
        parts.append(F.pad(part[None], (0, missing[1], 0, missing[0]), mode="replicate")[0])
    return torch.cat(parts)


def matched_reference(
    x: Tensor, content: Tensor, styles: Sequence[Tensor], settings: Settings, see
) -> Tensor:
    """The weighted matched terms at an image, found and summed the plain way."""
    layers = [layer for layer, _ in settings.matched_layers]
    stage = min(3, max(place_of(layer)[0] for layer in layers))
    at, aim = see(x), see(content)

    def size(picture: Tensor) -> tuple[int, ...]:
        return tuple(side >> stage - 1 for side in picture.shape[2:])

    queries = hypercolumns(aim, layers, stage, size(content)).flatten(1)
    entries = torch.cat(
        [hypercolumns(see(style), layers, stage, size(style)).flatten(1) for style in styles], 1
    )
    own = [cells_of(see(style), layers, stage, size(style)) for style in styles]
    queries = queries - queries.mean(1, keepdim=True)
    entries = entries - entries.mean(1, keepdim=True)
    similar = F.normalize(queries, dim=0).T @ F.normalize(entries, dim=0)
    index = similar.argmax(1).view(size(content))
    whole = sum(weight for _, weight in settings.matched_layers)
    total = x.new_zeros(())
    for layer, weight in settings.matched_layers:
        vectors = torch.cat([part[layer] for part in own], 1)
        target = vectors[:, index]
        behind = place_of(layer)[0] - stage
        found = at[layer][0]
        if behind <= 0:
            found = cells(at[layer], layer, stage)
        else:
            target = F.avg_pool2d(target[None], 2**behind)[0]
        if settings.match_metric == "cosine":
            mean = vectors.mean(1)[:, None, None]
            loss = (1 - F.cosine_similarity(found - mean, target - mean, dim=0)).mean()
        else:
            loss = (found - target).pow(2).mean() / target.pow(2).mean()
        total = total + settings.matched_weight * weight / whole * loss
    return total


def cells_of(seen: Mapping[str, Tensor], layers: Sequence[str], stage: int, size) -> dict:
    """Layer -> (C, N): what each position of the stage is held against."""
    found = {}
    for layer in layers:
        part = cells(seen[layer], layer, stage)
        missing = size[0] - part.shape[1], size[1] - part.shape[2]
        padded = F.pad(part[None], (0, missing[1], 0, missing[0]), mode="replicate")[0]
        found[layer] = padded.flatten(1)
    return found


CASES = {
    "max": {},
    "average": {"pooling": "average", "padding": "zeros"},
    "l2": {"pooling": "l2"},
    "cosine": {"match_metric": "cosine"},
    "deepest": {"matched_layers": "conv2_2, relu5_1"},
    "shallow": {"matched_layers": "relu1_2, relu2_1:3"},
    "pixels' own stage": {"matched_layers": "relu1_1"},
}


@pytest.mark.parametrize("case", CASES)
def test_value_and_gradient_are_those_of_the_formulas(
    case: str, weights: dict[str, Tensor]
) -> None:
    settings = FLOWING.changed(
        **{
            "network": "vgg19",
            "style_loss": "gram",
            "matched_weight": 3,
            "matched_layers": LAYERS,
            "content_layers": "relu4_1",
            "style_layers": "relu2_1",
            **CASES[case],
        }
    )
    x, content, styles = image(1), image(2), [image(3, 49, 35), image(4, 34, 66)]
    leaf = x.clone().requires_grad_()

    def see(picture: Tensor) -> dict:
        return reference.features(picture, weights, settings.pooling, settings.padding)

    total = matched_reference(leaf, content, styles, settings, see)
    (gradient,) = torch.autograd.grad(total, leaf)
    without = objective_for(settings.changed(matched_weight=0), weights, content, styles).evaluate(
        x
    )
    for tiling in (WHOLE, Tiling(16), Tiling(24, 2)):
        found = objective_for(settings, weights, content, styles, tiling).evaluate(x)
        value, asked = found.total - without.total, found.gradient - without.gradient
        torch.testing.assert_close(value, total.detach(), rtol=1e-10, atol=0)
        assert (asked - gradient).norm() / gradient.norm() < 1e-10, tiling


@pytest.mark.parametrize("metric", ["squared", "cosine"])
def test_the_draft_network_holds_what_it_matched_upright_against_the_turned_canvas(
    metric: str,
) -> None:
    weights = read_weights(DRAFT_NETWORK, NetworkName.DRAFT).tensors
    settings = FLOWING.on(NetworkName.DRAFT).changed(
        matched_weight=2, style_weight=0, content_weight=0, match_metric=metric
    )
    # Sides of which quarters remain nothing, so that a place stays the same place when turned.
    x, content, style = image(1, 48, 64), image(2, 48, 64), image(3, 64, 32)
    objective = objective_for(settings, weights, content, [style])
    found = objective.evaluate(x)
    leaf = x.clone().requires_grad_()

    def see(picture: Tensor) -> dict:
        return reference.draft_features(picture, weights, settings.padding)

    if metric == "squared":  # a cosine's mean is that of the features before they are projected
        total = 0.7 * matched_reference(leaf, content, [style], settings, see)
        (gradient,) = torch.autograd.grad(total, leaf)
        torch.testing.assert_close(found.total, total.detach(), rtol=1e-8, atol=0)
        assert (found.gradient - gradient).norm() / gradient.norm() < 1e-8
    flat = torch.full_like(style, 0.4)
    # Matched with itself place by place, nothing is asked of it, turned or not.
    itself = objective_for(settings, weights, style, [style])
    for step in range(4):
        assert float(itself.evaluate(style, step).total) < 1e-9
        assert float(itself.evaluate(flat, step).total) > 1e-3


def test_tiles_change_neither_matches_nor_targets(weights: dict[str, Tensor]) -> None:
    settings = FLOWING.changed(network="vgg19", matched_weight=1, style_loss="gram")
    pictures = [image(seed, 83, 101) for seed in (1, 2)]
    whole = objective_for(settings, weights, pictures[1], [image(3, 60, 77)])
    tiled = objective_for(settings, weights, pictures[1], [image(3, 60, 77)], Tiling(24))
    one, other = (objective.evaluate(pictures[0]) for objective in (whole, tiled))
    torch.testing.assert_close(one.terms, other.terms, rtol=1e-12, atol=0)
    torch.testing.assert_close(one.gradient, other.gradient, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("look", ORIENTATIONS, ids=str)
def test_an_entry_is_the_same_place_in_every_orientation(look) -> None:
    """Features that say where they are tell which places were taken."""
    height, width = 20, 28
    places = torch.arange(height * width, dtype=torch.float64).view(1, 1, height, width)
    upright, turned = (
        CodebookEncoder(["relu3_1"], (4 * height, 4 * width), 100, 7, each)
        for each in (ORIENTATIONS[0], look)
    )
    upright.look("relu3_1", places, Box(0, 0, height, width))
    seen = look.of(places)
    rows, columns = seen.shape[2:]
    half = rows // 2
    turned.look("relu3_1", seen[:, :, :half], Box(0, 0, half, columns))
    turned.look("relu3_1", seen[:, :, half:], Box(half, 0, rows, columns))
    assert torch.equal(upright.entries()["relu3_1"], turned.entries()["relu3_1"])
    assert len(set(upright.entries()["relu3_1"].flatten().tolist())) == 100


def test_the_nearest_entry_has_the_greatest_centred_cosine() -> None:
    generator = torch.Generator().manual_seed(0)
    queries = torch.randn(31, 47, 12, generator=generator, dtype=torch.float64) + 3
    entries = torch.randn(500, 12, generator=generator, dtype=torch.float64) - 1
    found = nearest(queries, entries)
    rows = queries.reshape(-1, 12) - queries.reshape(-1, 12).mean(0)
    book = entries - entries.mean(0)
    for place in range(0, len(rows), 97):
        cosines = [float(F.cosine_similarity(rows[place], entry, dim=0)) for entry in book]
        assert int(found.flatten()[place]) == cosines.index(max(cosines))


def test_each_painting_has_its_share_of_the_codebook() -> None:
    assert shared_entries([100, 50], [1, 1], 1) == [100, 50]
    large = shared_entries([10**6, 10**6, 10**6], [3, 1, 0], 1)
    assert large == [MOST_ENTRIES * 3 // 4, MOST_ENTRIES // 4, 0]
    assert sum(shared_entries([10**6], [1], 8)) * 8 <= MOST_ENTRIES


def test_a_mirrored_painting_is_matched_where_it_was_asked_for(weights: dict[str, Tensor]) -> None:
    settings = FLOWING.changed(
        network="vgg19", matched_weight=1, style_weight=0, content_weight=0, style_loss="gram"
    )
    style = image(3, 64, 80)
    mirrored = style.flip(3)
    upright = objective_for(settings, weights, mirrored, [style]).evaluate(mirrored)
    for chosen in (MatchTurns.MIRROR, MatchTurns.ALL):
        turned = settings.changed(match_turns=chosen)
        found = objective_for(turned, weights, mirrored, [style]).evaluate(mirrored)
        assert float(found.total) < 1e-9 < float(upright.total)


def test_an_index_map_covers_the_canvas() -> None:
    assert matched_size(["relu1_1", "relu4_1"], (101, 66)) == (25, 16)
    assert matched_size(["relu2_1"], (101, 66)) == (50, 33)
