"""Style by statistics: moments of the pastiche's features beside those of the paintings'."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.objective.losses import StyleLossFunction
from engine.objective.statistics import (
    TINY,
    Statistics,
    as_features,
    as_matrix,
    lies_as_matrix,
    measure,
)
from engine.objective.terms.ranges import power_of_two
from engine.spec.tiles import Box

_SMALLER = 1 / 16
"""Of the target's power: leaves float16 as much room above a slope as below."""


class StyleEncoder:
    """Measures the statistics of a style image at some layers."""

    def __init__(self, layers: Collection[str]) -> None:
        self.layers = frozenset(layers)
        self._found: dict[str, Statistics] = {}

    def look(self, layer: str, features: Tensor, where: Box) -> None:
        """Take in one part of a layer."""
        part, before = measure(features), self._found.get(layer)
        self._found[layer] = part if before is None else before + part

    def targets(self) -> dict[str, Statistics]:
        """Layer -> the whole image's statistics."""
        return self._found


class StyleTerm:
    """weight * loss(statistics of the pastiche, target), for any loss on the statistics.

    Args:
        layer: Whose features.
        target: What their statistics are held against; read from the device.
        weight: In front of the loss.
        loss: On the statistics.
        projection: (K, C); None where features are compared as they are.
    """

    def __init__(
        self,
        layer: str,
        target: Statistics,
        weight: float,
        loss: StyleLossFunction,
        projection: Tensor | None,
    ) -> None:
        self.name = f"style {layer}"
        self.layer = layer
        self.weight = weight
        self._target = target.projected(projection)
        self._power = target.gram.diagonal().sum()
        self._known_unit: float | None = None
        self._loss = loss
        self._projection = projection

    def _unit(self) -> float:
        """Of the slope, for float16; read off the device once."""
        if self._known_unit is None:
            self._known_unit = power_of_two(float(self._power) + TINY) * _SMALLER
        return self._known_unit

    def look(self, features: Tensor, where: Box, weights: Tensor | None = None) -> Statistics:
        """First pass: statistics of these features."""
        return measure(features, weights)

    def close(self, sums: Statistics, scale: float) -> tuple[Tensor, StatisticsSlope]:
        """The value and its slope; autograd sees small tensors only."""
        total = sums.total.requires_grad_()
        outer = sums.outer.requires_grad_()
        with torch.enable_grad():
            seen = sums.projected(self._projection)
            value = self.weight * self._loss(seen, self._target)
            d_outer, d_total = torch.autograd.grad(value * scale, (outer, total), allow_unused=True)
        return value.detach(), StatisticsSlope(d_outer + d_outer.T, d_total, self._unit)


@dataclass(frozen=True)
class StatisticsSlope:
    """How a term changes with the features through their statistics.

    Attributes:
        outer: dO + dO^T (C, C), where O is the sum of the features' outer products.
        total: dm (C,), where m is their sum; None where that does not matter.
        unit: Says what to multiply `outer` by for float16, a power of two: a slope is as small as
            the target's power is large.
    """

    outer: Tensor
    total: Tensor | None
    unit: Callable[[], float]

    def add_gradient(
        self, features: Tensor, gradient: Tensor, where: Box, weights: Tensor | None = None
    ) -> None:
        """dL/dF_p = w_p ((dO + dO^T) F_p + dm)."""
        outer, unit = self.outer, 1.0
        if features.dtype is torch.float16:
            unit = self.unit()
            outer = outer * unit
        matrix = outer.to(features.dtype)
        if weights is not None:
            weights = weights.to(features.dtype)
        counted = features if weights is None else features * weights
        rows = as_matrix(gradient)
        rows.addmm_(matrix, as_matrix(counted), alpha=1 / unit)
        if not lies_as_matrix(gradient):  # a tile's own part of what it sees, copied
            gradient.copy_(as_features(rows, gradient))
        if self.total is not None:
            total = self.total.to(features.dtype).view(1, -1, 1, 1)
            gradient.add_(total if weights is None else total * weights)
