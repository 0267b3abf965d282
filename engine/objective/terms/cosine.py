"""Matched features by their directions: patterns count, whatever their contrast."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.objective.statistics import TINY, mixed
from engine.objective.terms.matching import MatchedTarget
from engine.objective.terms.pooled import add_spread, mean_of
from engine.spec.tiles import Box


class CosineTerm:
    """weight * mean_p (1 - cos(A F_p - m, T_p - m)), both projected where projections are.

    A is the mean over as many positions as the target asks for, m that of the codebook's entries.
    Position weights count in the sum alone, not in the count.

    Args:
        layer: Whose features.
        target: T.
        weight: In front of the loss.
        projection: (K, C); None where features are compared as they are.
    """

    def __init__(
        self, layer: str, target: MatchedTarget, weight: float, projection: Tensor | None
    ) -> None:
        self.name = f"matched {layer}"
        self.layer = layer
        self.weight = weight
        self._target = target
        self._projection = projection
        wide = torch.promote_types(target.dtype, torch.float32)
        self._mean = target.entries.to(wide).mean(0).view(1, -1, 1, 1)
        self._share = weight / target.positions

    def add_gradient(
        self,
        features: Tensor,
        gradient: Tensor,
        where: Box,
        scale: float,
        weights: Tensor | None = None,
    ) -> Tensor:
        """Second pass: of f = A F - m beside t = T - m, (cos f/|f| - t/|t|) / |f|."""
        pooled = self._target.pooled
        found = self._seen(mean_of(features, pooled))
        aim = self._seen(self._target.at(where))
        length = found.norm(dim=1, keepdim=True) + TINY
        found, aim = found / length, aim / (aim.norm(dim=1, keepdim=True) + TINY)
        cosine = (found * aim).sum(1, keepdim=True)
        slope, loss = (found * cosine - aim) / length, 1 - cosine
        if weights is not None:
            counted = mean_of(weights, pooled).to(loss.dtype)
            slope, loss = slope * counted, loss * counted
        if self._projection is not None:
            slope = mixed(self._projection.T.to(slope.dtype), slope)
        add_spread(gradient, slope.to(gradient.dtype), pooled, self._share * scale)
        value: Tensor = self._share * loss.sum()
        return value

    def _seen(self, features: Tensor) -> Tensor:
        """Features (1, C, h, w) without their mean, in at least float32, as they are compared."""
        centred = features.to(self._mean.dtype) - self._mean
        return centred if self._projection is None else mixed(self._projection, centred)
