"""What a job's pictures ask of the pastiche at one scale, whatever each will weigh."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from engine.network.networks import Network
from engine.objective.statistics import Statistics
from engine.objective.terms.content import ContentEncoder, ContentTarget
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
from engine.objective.terms.style import StyleEncoder
from engine.spec.heeding import Heed, heedless
from engine.spec.matching import Turn
from engine.spec.orientations import UPRIGHT, Orientation
from engine.spec.tiles import Box


@dataclass(frozen=True)
class Targets:
    """The pictures as they were measured.

    Attributes:
        content: Layer -> the content image's features; None without a content image.
        styles: For each style image, layer -> statistics.
        orientation: In which all were measured, and in which the pastiche is looked at.
        matched: Layer -> the paintings' features that were matched with each place.
    """

    content: Mapping[str, ContentTarget] | None
    styles: tuple[Mapping[str, Statistics], ...]
    orientation: Orientation = UPRIGHT
    matched: Mapping[str, MatchedTarget] = field(default_factory=dict)


def encode_content(
    network: Network, image: Tensor, layers: Collection[str]
) -> dict[str, ContentTarget]:
    """Measure a content image (1, 3, H, W) at the canvas's own size."""
    size = image.shape[2], image.shape[3]
    encoder = ContentEncoder(layers, size, network.projections, network.arithmetic.layout)
    show(network, image, encoder)
    return encoder.targets()


def encode_style(network: Network, image: Tensor, layers: Collection[str]) -> dict[str, Statistics]:
    """Measure a style image (1, 3, H, W) at its size relative to the canvas."""
    encoder = StyleEncoder(layers)
    show(network, image, encoder)
    return encoder.targets()


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
    taking: Taking,
    look: Orientation = UPRIGHT,
) -> tuple[dict[str, Statistics], Codebook]:
    """Measure a style image (1, 3, H, W), upright, as it is seen in one orientation.

    Returns:
        Its statistics, and what a codebook takes of it.
    """
    style, books = StyleEncoder(layers), []
    for number, turn in enumerate(taking.turns):
        held = turn.of(image)
        encoders: list[Encoder] = [style] if number == 0 else []
        if taking.layers:
            size = held.shape[2], held.shape[3]
            book = CodebookEncoder(taking.layers, size, taking.count, taking.seed + number, look)
            encoders.append(book)
            books.append(book)
        show(network, look.of(held), *encoders)
    return style.targets(), joined([book.entries() for book in books])


def find_matches(
    network: Network, image: Tensor, codebook: Codebook, heed: Heed = heedless
) -> Tensor:
    """For each place of an image (1, 3, H, W) the entry that is most like it.

    Returns:
        The index map (h, w), int32, at the matching stage of the codebook's layers.
    """
    hypercolumns = Hypercolumns(codebook, network.projections)
    query = QueryEncoder(hypercolumns, (image.shape[2], image.shape[3]))
    show(network, image, query)
    return nearest(query.hypercolumns(), hypercolumns.of_codebook(codebook), heed)


def show(network: Network, image: Tensor, *encoders: Encoder) -> None:
    """Take an image (1, 3, H, W) through the network once, and show it to whoever asked."""

    def visit(layer: str, features: Tensor, where: Box) -> None:
        for encoder in encoders:
            if layer in encoder.layers:
                encoder.look(layer, features, where)

    network.forward(image, visit, keep=False)
