"""What the terms are said to cost is what they cost: tensors and operations are counted."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from flowing import FLOWING
from live import LiveBytes
from torch.utils.flop_counter import FlopCounterMode

from engine.network.convolutions import Arithmetic
from engine.network.networks import Network
from engine.objective import costs
from engine.objective.objective import OrientedObjectives
from engine.objective.targets import (
    Taking,
    Targets,
    encode_content,
    encode_painting,
    encode_style,
    find_matches,
)
from engine.objective.terms.edges import measure_edges
from engine.objective.terms.matching import joined, matched_targets
from engine.spec.choices import NetworkName, StyleLoss
from engine.spec.layers import CHANNELS, measured_layers
from engine.spec.matching import turns
from engine.spec.orientations import orientations
from engine.spec.settings import Settings
from engine.spec.tiles import Tiling
from engine.weights.checkpoints import read_weights
from resources import DRAFT_NETWORK

pytestmark = pytest.mark.usefixtures("one_thread")

SIZE = (192, 128)
"""Width and height."""


def network_for(settings: Settings, tiling: Tiling, random_network: Path) -> Network:
    draft = settings.network is NetworkName.DRAFT
    path = DRAFT_NETWORK if draft else random_network
    return Network(
        settings.network,
        read_weights(path, settings.network).tensors,
        settings.layers,
        Arithmetic(torch.device("cpu"), torch.float32),
        settings.pooling,
        settings.padding,
        tiling,
    )


def targets_for(settings: Settings, network: Network, styles: int) -> list[Targets]:
    layers, looks = measured_layers(settings), orientations(settings)
    content, style = torch.rand(1, 3, SIZE[1], SIZE[0]), torch.rand(1, 3, 48, 48)
    taking = Taking(tuple(sorted(layers.matched)), turns(settings.match_turns), 144, 0)
    found, matches = [], None
    for look in looks:
        seen = [
            encode_painting(network, style, layers.style, settings.style_loss, taking, look)
            for _ in range(styles)
        ]
        matched = {}
        if layers.matched:
            book = joined([entries for _, entries in seen])
            if matches is None:
                matches = find_matches(network, content, book)
            index = look.of(matches.clone()[None, None])[0, 0]
            matched = matched_targets(book, index, look.of(content).shape[2:], network.projections)
        found.append(
            Targets(
                encode_content(network, look.of(content), layers.content),
                tuple(measured for measured, _ in seen),
                look,
                measure_edges(look.of(content)),
                matched=matched,
            )
        )
    return found


def matrices(settings: Settings) -> int:
    """Bytes of what does not grow with the picture and may be there when most is alive."""
    stages = [int(name[4]) for name, _ in settings.style_layers]
    channels = [CHANNELS[settings.network][stage - 1] for stage in stages]
    return 4 * sum(c * (c + 1) for c in [*channels, max(channels), max(channels)])


def distributions(settings: Settings) -> int:
    """Bytes of the widest layer's bins, so often as may be there when they are closed."""
    draft = settings.network is NetworkName.DRAFT
    return 11 * 8 * 512 * (96 if draft else 512)


USUAL = FLOWING.changed(network="vgg19")
DRAFT = FLOWING.on(NetworkName.DRAFT).changed(content_layers="conv4_2, relu2_1")
MATCHED = USUAL.changed(matched_weight=1, content_layers="relu4_1")
TURNED = DRAFT.changed(matched_weight=1, match_metric="cosine", match_turns="mirror")
BOTH = USUAL.changed(content_layers="relu3_1, relu2_1", style_layers="relu2_1, relu3_1, conv1_2")
ALL = {
    "usual": USUAL,
    "draft": DRAFT,
    "both": BOTH,
    "matched": MATCHED,
    "turned": TURNED,
}
BINNED = {
    f"{name} {loss}": settings.changed(style_loss=loss, keep_edges=1.0)
    for name, settings in (("usual", USUAL), ("draft", DRAFT))
    for loss in (StyleLoss.SLICED, StyleLoss.HISTOGRAM)
}


@pytest.mark.parametrize("settings", [*ALL.values(), *BINNED.values()], ids=[*ALL, *BINNED])
def test_targets_take_to_the_byte_what_they_are_said_to_take(
    settings: Settings, random_network: Path
) -> None:
    network = network_for(settings, Tiling(), random_network)
    with LiveBytes() as live:
        targets = targets_for(settings, network, styles=2)
        objective = OrientedObjectives(network, targets, settings, [1.0, 1.0])
        assert live.now == costs.targets_bytes(settings, 4, SIZE, styles=[(48, 48)] * 2)
        del objective, targets


@pytest.mark.parametrize("tiling", [Tiling(), Tiling(32, 4), Tiling(32)], ids=str)
@pytest.mark.parametrize("settings", ALL.values(), ids=[*ALL])
def test_an_evaluation_takes_what_it_is_said_to_take(
    settings: Settings, tiling: Tiling, random_network: Path
) -> None:
    settings = settings.changed(style_loss="gram")
    network = network_for(settings, tiling, random_network)
    objective = OrientedObjectives(
        network, targets_for(settings, network, styles=1), settings, [1.0]
    )
    image = torch.rand(1, 3, SIZE[1], SIZE[0])
    with LiveBytes() as live:
        objective.evaluate(image)
    said = costs.evaluation_bytes(settings, 4, SIZE, tiling, winograd=False)
    gradient = 0 if tiling.side is None else image.nbytes
    assert 0.95 * (live.peak - gradient) < said < 1.05 * live.peak + matrices(settings)


@pytest.mark.parametrize("tiling", [Tiling(), Tiling(32, 4), Tiling(32)], ids=str)
@pytest.mark.parametrize("settings", BINNED.values(), ids=BINNED)
def test_distributions_take_what_they_are_said_to_take(
    settings: Settings, tiling: Tiling, random_network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("engine.objective.terms.projections", "engine.objective.terms.costs"):
        monkeypatch.setattr(f"{module}._AT_ONCE", 1 << 17)
    network = network_for(settings, tiling, random_network)
    objective = OrientedObjectives(
        network, targets_for(settings, network, styles=1), settings, [1.0]
    )
    image = torch.rand(1, 3, SIZE[1], SIZE[0])
    with LiveBytes() as live:
        objective.evaluate(image)
    said = costs.evaluation_bytes(settings, 4, SIZE, tiling, winograd=False)
    gradient = 0 if tiling.side is None else image.nbytes
    assert 0.95 * (live.peak - gradient) < said < 1.4 * live.peak + distributions(settings)
    with LiveBytes() as live:
        encode_style(network, image, measured_layers(settings).style, settings.style_loss)
    said = costs.measuring_bytes(settings, 4, SIZE, tiling, winograd=False)
    assert 0.95 * live.peak <= said <= 1.4 * live.peak + distributions(settings)


@pytest.mark.parametrize("tiling", [Tiling(), Tiling(32)], ids=str)
def test_measuring_a_painting_takes_what_it_is_said_to_take(
    tiling: Tiling, random_network: Path
) -> None:
    network = network_for(USUAL, tiling, random_network)
    image = torch.rand(1, 3, SIZE[1], SIZE[0])
    with LiveBytes() as live:
        encode_style(network, image, measured_layers(USUAL).style)
    said = costs.measuring_bytes(USUAL, 4, SIZE, tiling, winograd=False)
    assert live.peak <= said <= live.peak + matrices(USUAL)


@pytest.mark.parametrize("tiling", [Tiling(), Tiling(24)], ids=str)
def test_every_operation_that_grows_with_the_picture_is_counted(
    tiling: Tiling, random_network: Path
) -> None:
    # Without content, whose differences are no products, and without projections.
    settings = USUAL.changed(style_loss="gram", content_layers="", padding="zeros")
    network = network_for(settings, tiling, random_network)
    objective = OrientedObjectives(
        network, targets_for(settings, network, styles=1), settings, [1.0]
    )
    image = torch.rand(1, 3, 57, 77)
    # The counter does not know a product that is added in place.
    products = {torch.ops.aten.addmm_: lambda _to, one, other, **_: 2 * other[1] * math.prod(one)}
    with FlopCounterMode(display=False, custom_mapping=products) as counter:
        objective.evaluate(image)
    assert counter.get_total_flops() == costs.evaluation_operations(settings, (77, 57), tiling)
