"""What a job's pictures ask of the pastiche at one scale, whatever each will weigh."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from torch import Tensor

from engine.network.networks import Network
from engine.objective.statistics import Statistics
from engine.objective.terms.content import ContentEncoder, ContentTarget
from engine.objective.terms.protocol import Encoder
from engine.objective.terms.style import StyleEncoder
from engine.spec.orientations import UPRIGHT, Orientation
from engine.spec.tiles import Box


@dataclass(frozen=True)
class Targets:
    """The pictures as they were measured.

    Attributes:
        content: Layer -> the content image's features; None without a content image.
        styles: For each style image, layer -> statistics.
        orientation: In which all were measured, and in which the pastiche is looked at.
    """

    content: Mapping[str, ContentTarget] | None
    styles: tuple[Mapping[str, Statistics], ...]
    orientation: Orientation = UPRIGHT


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


def show(network: Network, image: Tensor, *encoders: Encoder) -> None:
    """Take an image (1, 3, H, W) through the network once, and show it to whoever asked."""

    def visit(layer: str, features: Tensor, where: Box) -> None:
        for encoder in encoders:
            if layer in encoder.layers:
                encoder.look(layer, features, where)

    network.forward(image, visit, keep=False)
