"""The objective at an image: its value, its terms and its gradient, from features to pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.network.networks import Network
from engine.objective.graphs import Replayed
from engine.objective.losses import STYLE_LOSSES, TINY
from engine.objective.statistics import (
    Statistics,
    add_up,
    as_matrix,
    blend,
    lies_as_matrix,
    measure,
)
from engine.spec.layers import LayerWeight, features_size
from engine.spec.orientations import UPRIGHT, Orientation, content_gain
from engine.spec.settings import Settings
from engine.spec.tiles import Box

_BAND = 512
"""Rows or columns whose smoothness is measured at once."""


@dataclass(frozen=True)
class Evaluation:
    """The objective at one image, still on the device: reading a value waits for the device.

    Attributes:
        total: The sum of the terms, a scalar.
        terms: The weighted terms, shape (T,), in the order of `Objective.term_names`.
        gradient: dL/dx, shape (1, 3, H, W), float32 or float64.
    """

    total: Tensor
    terms: Tensor
    gradient: Tensor


@dataclass(frozen=True)
class ContentTarget:
    """The content image's features at one layer (1, C, H, W), and the sum of their squares."""

    features: Tensor
    square: float


@dataclass(frozen=True)
class Targets:
    """What the pictures ask of the pastiche at one scale.

    Attributes:
        content: Layer -> the content image's features; None without a content image.
        styles: For each style image, layer -> statistics.
        turn: How the pictures were turned when they were measured; the pastiche is turned alike.
    """

    content: Mapping[str, ContentTarget] | None
    styles: tuple[Mapping[str, Statistics], ...]
    turn: Orientation = UPRIGHT


def encode_content(
    network: Network, image: Tensor, layers: Sequence[str]
) -> dict[str, ContentTarget]:
    """Measure a content image (1, 3, H, W) at the canvas's own size."""
    found: dict[str, Tensor] = {}

    def visit(layer: str, features: Tensor, where: Box) -> None:
        if layer not in layers:
            return
        if layer not in found:
            height, width = features_size(layer, (image.shape[2], image.shape[3]))
            found[layer] = features.new_empty((1, features.shape[1], height, width)).contiguous(
                memory_format=network.arithmetic.layout
            )
        where.of(found[layer]).copy_(features)

    network.forward(image, visit, keep=False)
    return {
        layer: ContentTarget(features, _square(features, network.projections.get(layer)))
        for layer, features in found.items()
    }


def _square(features: Tensor, projection: Tensor | None) -> float:
    """Sum of squares of features (1, C, H, W) as the losses see them, never quite 0."""
    seen = measure(features).projected(projection)
    return float(seen.outer.diagonal().sum()) + TINY * seen.count * len(seen.total)


def encode_style(network: Network, image: Tensor, layers: Sequence[str]) -> dict[str, Statistics]:
    """Measure a style image (1, 3, H, W) at its size relative to the canvas."""
    found: dict[str, Statistics] = {}

    def visit(layer: str, features: Tensor, _where: Box) -> None:
        if layer in layers:
            add_up(found, layer, measure(features))

    network.forward(image, visit, keep=False)
    return found


class Objective:
    """content weight * content + style weight * style + smoothness * total variation, at one scale.

    Within content and style the layers' weights are relative to each other: naming more layers, or
    doubling all weights, does not change the balance between the terms.

    Args:
        network: Built for at least the layers the settings name.
        targets: Measured with the same network.
        settings: The weights are read from here.
        style_weights: Each style image's share in the blend.
    """

    def __init__(
        self,
        network: Network,
        targets: Targets,
        settings: Settings,
        style_weights: Sequence[float],
    ) -> None:
        self._network = network
        self._targets = targets
        self._style_loss = STYLE_LOSSES[settings.style_loss]
        self._content_targets = targets.content or {}
        content = 0.0
        if targets.content is not None:
            content = settings.content_weight * content_gain(settings)
        self._content = _relative(settings.content_layers, content)
        self._style = _relative(settings.style_layers, settings.effective_style_weight())
        self._blend = {
            layer: blend([style[layer] for style in targets.styles], style_weights).projected(
                network.projections.get(layer)
            )
            for layer in self._style
        }
        self._smoothness = settings.smoothness
        self.term_names = (
            *(f"content {layer}" for layer in self._content),
            *(f"style {layer}" for layer in self._style),
            *(("smoothness",) if self._smoothness else ()),
        )

    @property
    def can_be_recorded(self) -> bool:
        """Whether an evaluation is one chain of kernels on a graphics card, not many tiles'."""
        network = self._network
        return network.arithmetic.device.type == "cuda" and network.tiling.side is None

    def measures(self, settings: Settings) -> bool:
        """Whether all layers these settings name were measured for this objective."""
        content = {layer for layer, _ in settings.content_layers}
        style = {layer for layer, _ in settings.style_layers}
        has_content = self._targets.content is None or content <= self._content_targets.keys()
        return has_content and style <= self._targets.styles[0].keys()

    def retuned(self, settings: Settings, style_weights: Sequence[float]) -> Objective:
        """The same targets under other weights; the layers must be among those measured."""
        return Objective(self._network, self._targets, settings, style_weights)

    def evaluate(self, image: Tensor) -> Evaluation:
        """Value, terms and gradient at an image (1, 3, H, W), sRGB in 0..1, on the device."""
        image = self._targets.turn.of(image)
        found: dict[str, Statistics] = {}
        values: dict[str, Tensor] = {}
        content = {layer: image.new_zeros(()) for layer in self._content}
        # A mean's gradient at one position is too small for float16, its sum's is not.
        scale = image.numel() if self._network.arithmetic.dtype is torch.float16 else 1

        def look(layer: str, features: Tensor, _where: Box) -> None:
            if layer in self._style:
                add_up(found, layer, measure(features))

        def add_gradient(layer: str, features: Tensor, gradient: Tensor, where: Box) -> None:
            if layer in self._style:
                _add_style_gradient(features, slopes[layer], gradient)
            if layer in self._content:
                content[layer] += self._add_content_gradient(
                    layer, features, gradient, where, scale
                )

        tape = self._network.forward(image, look)
        slopes = {}
        for layer, statistics in found.items():
            values[f"style {layer}"], slopes[layer] = self._style_slope(layer, statistics, scale)
        gradient = self._network.vjp(tape, add_gradient).div_(scale)
        values |= {f"content {layer}": value for layer, value in content.items()}
        if self._smoothness:
            values["smoothness"] = _add_smoothness_gradient(image, self._smoothness, gradient)
        # A slider may stand at 0 for a moment: then nothing is asked and the picture stays.
        terms = torch.stack([values[name] for name in self.term_names] or [image.new_zeros(())])
        return Evaluation(terms.sum(), terms, self._targets.turn.back(gradient))

    def _style_slope(self, layer: str, found: Statistics, scale: float) -> tuple[Tensor, _Slope]:
        """A style term and its slope times a scale; autograd sees small tensors only."""
        total = found.total.requires_grad_()
        outer = found.outer.requires_grad_()
        with torch.enable_grad():
            seen = found.projected(self._network.projections.get(layer))
            value = self._style[layer] * self._style_loss(seen, self._blend[layer])
            d_outer, d_total = torch.autograd.grad(value * scale, (outer, total), allow_unused=True)
        return value.detach(), _Slope(d_outer + d_outer.T, d_total)

    def _add_content_gradient(
        self, layer: str, features: Tensor, gradient: Tensor, where: Box, scale: float
    ) -> Tensor:
        target = self._content_targets[layer]
        weight = self._content[layer] / target.square
        difference = features - where.of(target.features)
        wide = torch.promote_types(features.dtype, torch.float32)
        projection = self._network.projections.get(layer)
        if projection is None:
            slope = difference
            square = torch.linalg.vector_norm(difference, dtype=wide).square()
        else:
            metric = (projection.T @ projection).to(features.dtype)
            slope = _mixed(metric, difference)
            square = (slope * difference).sum(dtype=wide)
        gradient.add_(slope, alpha=2 * weight * scale)
        value: Tensor = weight * square
        return value


class Views:
    """The same objective with the pictures turned one way and another, for one step after another.

    Args:
        objectives: The first of them upright.
    """

    def __init__(self, objectives: Sequence[Objective]) -> None:
        self._objectives = tuple(objectives)
        self._evaluations = [
            Replayed(view.evaluate) if view.can_be_recorded else view.evaluate
            for view in objectives
        ]
        self.term_names = objectives[0].term_names

    @property
    def sides(self) -> int:
        """After how many steps the first view comes again."""
        return len(self._objectives)

    def measures(self, settings: Settings) -> bool:
        """Whether all layers these settings name were measured."""
        return self._objectives[0].measures(settings)

    def retuned(self, settings: Settings, style_weights: Sequence[float]) -> Views:
        """The same targets under other weights; the layers must be among those measured."""
        return Views([view.retuned(settings, style_weights) for view in self._objectives])

    def evaluate(self, image: Tensor, step: int = 0) -> Evaluation:
        """Value, terms and gradient at an upright image, as they are seen at a step."""
        return self._evaluations[step % self.sides](image)


@dataclass(frozen=True)
class _Slope:
    """How a style term changes with the features: dO + dO^T (C, C), and dm (C,) or none.

    O is the sum of outer products of the features, m their sum.
    """

    outer: Tensor
    total: Tensor | None


def _mixed(matrix: Tensor, features: Tensor) -> Tensor:
    """A matrix (D, C) times each position's features (1, C, H, W)."""
    return torch.einsum("dc,nchw->ndhw", matrix, features)


def _add_style_gradient(features: Tensor, slope: _Slope, gradient: Tensor) -> None:
    """dL/dF = (dO + dO^T) F + dm 1^T."""
    matrix = slope.outer.to(features.dtype)
    if lies_as_matrix(gradient):
        as_matrix(gradient).addmm_(matrix, as_matrix(features))
    else:  # a tile's own part of what it sees
        gradient.add_(_mixed(matrix, features))
    if slope.total is not None:
        gradient.add_(slope.total.to(features.dtype).view(1, -1, 1, 1))


def _add_smoothness_gradient(image: Tensor, weight: float, gradient: Tensor) -> Tensor:
    """Weighted mean squared difference of neighbours, across and down, and its gradient.

    Band by band: at 16k a difference of the whole image would take gigabytes.
    """
    value = image.new_zeros(())
    for dim in (2, 3):
        pairs = image.shape[dim] - 1
        scale = weight / (image.numel() // image.shape[dim] * pairs)
        for first in range(0, pairs, _BAND):
            count = min(_BAND, pairs - first)
            difference = image.narrow(dim, first, count + 1).diff(dim=dim)
            gradient.narrow(dim, first + 1, count).add_(difference, alpha=2 * scale)
            gradient.narrow(dim, first, count).sub_(difference, alpha=2 * scale)
            value += scale * difference.square_().sum()
    return value


def _relative(layers: Sequence[LayerWeight], weight: float) -> dict[str, float]:
    """Each layer's part of a term's weight; layers and terms without weight are left out."""
    whole = sum(layer.weight for layer in layers)
    return {layer: weight * share / whole for layer, share in layers if share > 0 and weight > 0}
