"""Content: the pastiche's features beside others, position by position.

They are those of the content image, or those of the painting that were matched with them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from engine.objective.statistics import TINY, Statistics, measure, mixed
from engine.objective.terms.pooled import add_spread, mean_of
from engine.objective.terms.ranges import power_of_two
from engine.spec.layers import features_size
from engine.spec.tiles import Box


class Target(Protocol):
    """What the features of one layer are held against."""

    @property
    def pooled(self) -> int:
        """Positions of the layer, across and down, over whose mean they are held against it."""
        ...

    @property
    def dtype(self) -> torch.dtype:
        """Of its numbers."""
        ...

    @property
    def square(self) -> float:
        """Sum of its squares over all positions, as the term sees it; never 0."""
        ...

    def size(self) -> float:
        """Root of its mean square, about; reads from the device."""
        ...

    def at(self, where: Box) -> Tensor:
        """What the part of the layer in a box is held against, (1, C, h, w), pooled."""
        ...


@dataclass(frozen=True)
class ContentTarget:
    """The content image's features at one layer (1, C, H, W), and the sum of their squares."""

    features: Tensor
    square: float

    @property
    def pooled(self) -> int:
        """Position by position."""
        return 1

    @property
    def dtype(self) -> torch.dtype:
        """Of the features."""
        return self.features.dtype

    def size(self) -> float:
        """Root of its mean square; reads from the device."""
        norm = torch.linalg.vector_norm(self.features, dtype=torch.float32)
        return float(norm / self.features.numel() ** 0.5)

    def at(self, where: Box) -> Tensor:
        """The features in a box."""
        return where.of(self.features)


class ContentEncoder:
    """Keeps a content image's features.

    Args:
        layers: Which.
        size: Height and width of the image, which is the canvas's own.
        projections: Layer -> (K, C): what of the features is compared, where it is not all.
        layout: How features lie in memory.
    """

    def __init__(
        self,
        layers: Collection[str],
        size: tuple[int, int],
        projections: Mapping[str, Tensor],
        layout: torch.memory_format,
    ) -> None:
        self.layers = frozenset(layers)
        self._size = size
        self._projections = projections
        self._layout = layout
        self._found: dict[str, Tensor] = {}
        self._sums: dict[str, Statistics] = {}

    def look(self, layer: str, features: Tensor, where: Box) -> None:
        """Take in one part of a layer."""
        if layer not in self._found:
            height, width = features_size(layer, self._size)
            room = features.new_empty((1, features.shape[1], height, width))
            self._found[layer] = room.contiguous(memory_format=self._layout)
        where.of(self._found[layer]).copy_(features)
        part, before = measure(features), self._sums.get(layer)
        self._sums[layer] = part if before is None else before + part

    def targets(self) -> dict[str, ContentTarget]:
        """What was kept, with its power; reads from the device."""
        return {
            layer: ContentTarget(features, _square(self._sums[layer], self._projections.get(layer)))
            for layer, features in self._found.items()
        }


def _square(sums: Statistics, projection: Tensor | None) -> float:
    """Sum of squares of features as the term sees them, never quite 0."""
    seen = sums.projected(projection)
    return float(seen.outer.diagonal().sum()) + TINY * float(seen.count) * len(seen.total)


class ContentTerm:
    """weight * sum_p |A F_p - T_p|^2 / sum_p |T_p|^2, both projected where projections are.

    A is the mean over as many positions as the target asks for. Position weights count in the first
    sum alone: a region is held against the whole picture's power, so that what regions cost adds
    up.

    Args:
        layer: Whose features.
        target: T; in float16, read from the device.
        weight: In front of the loss.
        projection: (K, C); None where features are compared as they are.
        kind: What the layer's name follows in the term's own.
    """

    def __init__(
        self,
        layer: str,
        target: Target,
        weight: float,
        projection: Tensor | None,
        kind: str = "content",
    ) -> None:
        self.name = f"{kind} {layer}"
        self.layer = layer
        self._target = target
        self.weight = weight
        self._share = weight / target.square
        self._unit = self._metric_unit = 1.0
        metric = None if projection is None else projection.T @ projection
        if target.dtype is torch.float16:
            self._unit = power_of_two(target.size() + TINY)
            if metric is not None:
                # No position can leave the range by what the metric makes of it.
                self._metric_unit = power_of_two(float(metric.abs().sum(1).max()) + TINY)
                metric = metric / self._metric_unit
        self._metric = None if metric is None else metric.to(target.dtype)

    def add_gradient(
        self,
        features: Tensor,
        gradient: Tensor,
        where: Box,
        scale: float,
        weights: Tensor | None = None,
    ) -> Tensor:
        """Second pass: 2 w (A F - T) at each position, shared among those it is the mean of."""
        wide = torch.promote_types(features.dtype, torch.float32)
        pooled = self._target.pooled
        difference = mean_of(features, pooled) - self._target.at(where)
        if self._unit != 1:
            difference.mul_(1 / self._unit)
        slope = difference if self._metric is None else mixed(self._metric, difference)
        if weights is not None:
            weights = mean_of(weights, pooled)
            slope = slope * weights.to(slope.dtype)
        if self._metric is None:
            if weights is not None:
                difference = difference * weights.to(difference.dtype).sqrt()
            square = torch.linalg.vector_norm(difference, dtype=wide).square()
        else:
            square = (slope * difference).sum(dtype=wide)
        share = self._share * self._unit * self._metric_unit
        add_spread(gradient, slope, pooled, 2 * share * scale)
        value: Tensor = share * self._unit * square
        return value
