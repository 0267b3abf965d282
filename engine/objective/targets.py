"""What a job's pictures ask of the pastiche at one scale, whatever each will weigh."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from engine.network.networks import Network
from engine.objective.styles import style_of
from engine.objective.terms.content import ContentEncoder, ContentTarget
from engine.objective.terms.edges import EdgesTarget
from engine.objective.terms.protocol import Encoder
from engine.spec.choices import StyleLoss
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
    """

    content: Mapping[str, ContentTarget] | None
    styles: tuple[Mapping[str, Any], ...]
    orientation: Orientation = UPRIGHT
    edges: EdgesTarget | None = None


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


def show(network: Network, image: Tensor, *encoders: Encoder) -> None:
    """Take an image (1, 3, H, W) through the network once, and show it to whoever asked."""

    def visit(layer: str, features: Tensor, where: Box) -> None:
        for encoder in encoders:
            if layer in encoder.layers:
                encoder.look(layer, features, where)

    network.forward(image, visit, keep=False)
