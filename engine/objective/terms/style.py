"""Style by statistics: moments of the pastiche's features beside those of the paintings'."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.objective.losses import StyleLossFunction
from engine.objective.statistics import Statistics, as_matrix, lies_as_matrix, measure, mixed
from engine.spec.tiles import Box


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
        target: What their statistics are held against, projected where projections are.
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
        self._target = target
        self._weight = weight
        self._loss = loss
        self._projection = projection

    def look(self, features: Tensor, where: Box, weights: Tensor | None = None) -> Statistics:
        """First pass: statistics of these features."""
        return measure(features, weights)

    def close(self, sums: Statistics, scale: float) -> tuple[Tensor, StatisticsSlope]:
        """The value and its slope; autograd sees small tensors only."""
        total = sums.total.requires_grad_()
        outer = sums.outer.requires_grad_()
        with torch.enable_grad():
            seen = sums.projected(self._projection)
            value = self._weight * self._loss(seen, self._target)
            d_outer, d_total = torch.autograd.grad(value * scale, (outer, total), allow_unused=True)
        return value.detach(), StatisticsSlope(d_outer + d_outer.T, d_total)


@dataclass(frozen=True)
class StatisticsSlope:
    """How a term changes with the features through their statistics.

    Attributes:
        outer: dO + dO^T (C, C), where O is the sum of the features' outer products.
        total: dm (C,), where m is their sum; None where that does not matter.
    """

    outer: Tensor
    total: Tensor | None

    def add_gradient(
        self, features: Tensor, gradient: Tensor, where: Box, weights: Tensor | None = None
    ) -> None:
        """dL/dF_p = w_p ((dO + dO^T) F_p + dm)."""
        matrix = self.outer.to(features.dtype)
        if weights is not None:
            weights = weights.to(features.dtype)
        if lies_as_matrix(gradient):
            counted = features if weights is None else features * weights
            as_matrix(gradient).addmm_(matrix, as_matrix(counted))
        else:  # a tile's own part of what it sees
            slope = mixed(matrix, features)
            gradient.add_(slope if weights is None else slope * weights)
        if self.total is not None:
            total = self.total.to(features.dtype).view(1, -1, 1, 1)
            gradient.add_(total if weights is None else total * weights)
