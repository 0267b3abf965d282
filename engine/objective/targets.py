"""What a job's pictures ask of the pastiche at one scale, whatever each will weigh."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import Tensor

from engine.network.networks import Network
from engine.objective.styles import style_of
from engine.objective.terms.colour_grain import ColourGrain
from engine.objective.terms.content import ContentEncoder, ContentTarget
from engine.objective.terms.edges import EdgesTarget
from engine.objective.terms.matching import (
    Codebook,
    CodebookEncoder,
    Hypercolumns,
    MatchedTarget,
    QueryEncoder,
    joined,
    nearest,
)
from engine.objective.terms.protocol import Encoder
from engine.spec.choices import StyleLoss
from engine.spec.heeding import Heed, heedless
from engine.spec.layers import matched_size
from engine.spec.matching import Turn
from engine.spec.orientations import UPRIGHT, Orientation
from engine.spec.tiles import Box


@dataclass(frozen=True)
class Targets:
    """The pictures as they were measured.

    Attributes:
        content: Layer -> the content image's features; None without a content image.
        styles: For each style image, layer -> what the style loss measured there.
        orientation: In which all were measured, and in which the pastiche is looked at.
        edges: The content image's; None where it has no say in them.
        grains: Each style image's fine colour.
        matched: Layer -> the paintings' features that were matched with each place.
    """

    content: Mapping[str, ContentTarget] | None
    styles: tuple[Mapping[str, Any], ...]
    orientation: Orientation = UPRIGHT
    edges: EdgesTarget | None = None
    grains: tuple[ColourGrain, ...] = ()
    matched: Mapping[str, MatchedTarget] = field(default_factory=dict)


def encode_content(
    network: Network, image: Tensor, layers: Collection[str]
) -> dict[str, ContentTarget]:
    """Measure a content image (1, 3, H, W) at the canvas's own size."""
    size = image.shape[2], image.shape[3]
    encoder = ContentEncoder(layers, size, network.projections, network.arithmetic.layout)
    show(network, image, encoder)
    return encoder.targets()


def encode_style(
    network: Network,
    image: Tensor,
    layers: Collection[str],
    loss: StyleLoss = StyleLoss.WASSERSTEIN,
) -> Mapping[str, Any]:
    """Measure a style image (1, 3, H, W) at its size relative to the canvas, for a style loss.

    Those on statistics measure the same.
    """
    return style_of(loss).measure(partial(show, network, image), layers, network.projections)


@dataclass(frozen=True)
class Taking:
    """What a codebook takes of one painting.

    Attributes:
        layers: Whose features; none where nothing is matched.
        turns: The ways in which the painting is held, the first as it is.
        count: Of how many places, in each of these ways.
        seed: Says which places.
    """

    layers: Sequence[str]
    turns: Sequence[Turn]
    count: int
    seed: int


def encode_painting(
    network: Network,
    image: Tensor,
    layers: Collection[str],
    loss: StyleLoss,
    taking: Taking,
    look: Orientation = UPRIGHT,
) -> tuple[Mapping[str, Any], Codebook]:
    """Measure a style image (1, 3, H, W), upright, as it is seen in one orientation.

    Returns:
        What the style loss measured, and what a codebook takes.
    """
    held = [turn.of(image) for turn in taking.turns]
    books = [
        CodebookEncoder(
            taking.layers, (way.shape[2], way.shape[3]), taking.count, taking.seed + number, look
        )
        for number, way in enumerate(held)
        if taking.layers
    ]
    beside: list[Encoder] = [*books[:1]]

    def once(encoder: Encoder) -> None:
        """The painting as it is; the codebook looks at it together with who looks first."""
        show(network, look.of(image), encoder, *beside)
        beside.clear()

    measured = style_of(loss).measure(once, layers, network.projections)
    for way, book in zip(held[1:], books[1:], strict=True):
        show(network, look.of(way), book)
    return measured, joined([book.entries() for book in books])


def find_matches(
    network: Network, image: Tensor, codebook: Codebook, heed: Heed = heedless
) -> Tensor:
    """For each place of an image (1, 3, H, W) the entry that is most like it.

    Returns:
        The index map (h, w), int32, at the matching stage of the codebook's layers.
    """
    size = image.shape[2], image.shape[3]
    places = math.prod(matched_size(codebook, size))
    hypercolumns = Hypercolumns(codebook, network.projections, places)
    query = QueryEncoder(hypercolumns, size)
    show(network, image, query)
    return nearest(query.hypercolumns(), hypercolumns.entries, heed)


def show(network: Network, image: Tensor, *encoders: Encoder) -> None:
    """Take an image (1, 3, H, W) as far through the network as is asked, and show it on the way."""

    def visit(layer: str, features: Tensor, where: Box) -> None:
        for encoder in encoders:
            if layer in encoder.layers:
                encoder.look(layer, features, where)

    network.forward_to(image, visit, frozenset().union(*(each.layers for each in encoders)))
