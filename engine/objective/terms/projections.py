"""Style by distributions: how features are spread along directions, beside the paintings'.

Along random directions it is the sliced Wasserstein distance (Heitz, Vanhoey, Chambon and Belcour
2021, "A Sliced Wasserstein Loss for Neural Texture Synthesis"; here the directions stay, so that a
step minimises what the one before did), along the channels the matching of their histograms
(Risser, Wilmot and Barnes 2017, "Stable and Controllable Neural Texture Synthesis").
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.objective.bins import UNIT, Aim, Bins, Counted, Extent, cells, count
from engine.objective.statistics import TINY, as_features, as_matrix, lies_as_matrix
from engine.spec.layers import place_of
from engine.spec.tiles import Box

_AT_ONCE = 1 << 21
"""Values that are looked at together: each takes tens of bytes meanwhile."""


def random_directions(layer: str, channels: int) -> Tensor:
    """Orthonormal directions in rows (C, C), float64: as many as channels, a layer's own."""
    stage, index = place_of(layer)
    generator = torch.Generator().manual_seed(100 * stage + index)
    drawn = torch.randn(channels, channels, generator=generator, dtype=torch.float64)
    orthonormal: Tensor = torch.linalg.qr(drawn)[0]
    return orthonormal.T.contiguous()


@dataclass(frozen=True)
class Directions:
    """Directions in which a layer's features are looked at.

    Attributes:
        layer: Whose features.
        projection: (K, C); None where features are compared as they are.
        turned: Whether they are random ones; else they are the channels that are compared.
    """

    layer: str
    projection: Tensor | None
    turned: bool

    def matrix(self, channels: int, like: Tensor) -> Tensor | None:
        """The directions (D, C) in the numbers of another tensor, at least float32.

        Args:
            channels: That are compared, D of them.
            like: Says where and in which numbers.

        Returns:
            None where they are the channels themselves.
        """
        found = self.projection
        if self.turned:
            turned = random_directions(self.layer, channels)
            found = turned if found is None else turned.to(found) @ found
        return None if found is None else found.to(like.device, _wide(like))

    def compared(self, features: Tensor) -> int:
        """How many channels of features (1, C, h, w) are compared."""
        return features.shape[1] if self.projection is None else len(self.projection)


def _wide(like: Tensor) -> torch.dtype:
    return torch.promote_types(like.dtype, torch.float32)


class _Scaled:
    """A layer's directions in units of bins: u = (v f - first) / width."""

    def __init__(self, directions: Directions, extent: Extent) -> None:
        width = extent.width
        matrix = directions.matrix(len(width), width)
        self._offset = (extent.first / width)[:, None]
        self._scale = 1 / width[:, None]
        self._matrix = None if matrix is None else matrix * self._scale

    def values(self, rows: Tensor) -> Tensor:
        """Of some positions' features (C, n), (D, n)."""
        seen = rows * self._scale if self._matrix is None else self._matrix @ rows
        return seen.sub_(self._offset).contiguous()

    def back(self, slopes: Tensor) -> Tensor:
        """What slopes (D, n) by the values ask of the features, (C, n)."""
        return slopes * self._scale if self._matrix is None else self._matrix.T @ slopes


def _parts(positions: int, directions: int) -> Iterator[slice]:
    step = max(1, _AT_ONCE // directions)
    return (slice(begin, begin + step) for begin in range(0, positions, step))


def _counted(features: Tensor, scaled: _Scaled, directions: int, weights: Tensor | None) -> Counted:
    """The values of features (1, C, h, w) in bins."""
    matrix, wide = as_matrix(features), _wide(features)
    row = None if weights is None else as_matrix(weights).to(wide)
    parts = (
        count(scaled.values(matrix[:, part].to(wide)), None if row is None else row[:, part])
        for part in _parts(matrix.shape[1], directions)
    )
    first = next(parts)
    return sum(parts, first)


class ExtentEncoder:
    """Finds between which values a painting's features lie along directions."""

    def __init__(self, directions: Mapping[str, Directions]) -> None:
        self.layers = frozenset(directions)
        self._directions = directions
        self._matrices: dict[str, Tensor | None] = {}
        self._found: dict[str, Extent] = {}

    @torch.no_grad()
    def look(self, layer: str, features: Tensor, where: Box) -> None:
        """Take in one part of a layer."""
        compared = self._directions[layer].compared(features)
        if layer not in self._matrices:
            self._matrices[layer] = self._directions[layer].matrix(compared, features)
        matrix, rows = self._matrices[layer], as_matrix(features)
        for part in _parts(rows.shape[1], compared):
            wide = rows[:, part].to(_wide(rows))
            lowest, highest = torch.aminmax(wide if matrix is None else matrix @ wide, dim=1)
            found, before = Extent(lowest, highest), self._found.get(layer)
            self._found[layer] = found if before is None else before | found

    def targets(self) -> dict[str, Extent]:
        """Layer -> the whole image's."""
        return self._found


class BinsEncoder:
    """Counts a painting's features along directions, between values that are known."""

    def __init__(self, directions: Mapping[str, Directions], extents: Mapping[str, Extent]) -> None:
        self.layers = frozenset(directions)
        self._extents = extents
        self._scaled = {
            layer: _Scaled(directions[layer], extent) for layer, extent in extents.items()
        }
        self._found: dict[str, Tensor] = {}

    @torch.no_grad()
    def look(self, layer: str, features: Tensor, where: Box) -> None:
        """Take in one part of a layer."""
        directions = len(self._extents[layer].lowest)
        part = _counted(features, self._scaled[layer], directions, None).amounts
        before = self._found.get(layer)
        self._found[layer] = part if before is None else before + part

    def targets(self) -> dict[str, Bins]:
        """Layer -> the whole image's."""
        return {layer: Bins(self._extents[layer], found) for layer, found in self._found.items()}


class ProjectionsTerm:
    """weight * sum_d h_d^2 (W_d + beyond_d) / sum_d mean x_d^2, x the paintings along direction d.

    W_d and what lies beyond are those of `engine.objective.bins`, and h_d is the width of a bin. An
    empty picture costs the weight, like the losses on statistics.

    Args:
        layer: Whose features.
        paintings: Their bins along the directions.
        shares: Of the paintings.
        weight: In front of the loss.
        directions: In which all are looked at.
    """

    def __init__(
        self,
        layer: str,
        paintings: Sequence[Bins],
        shares: Sequence[float],
        weight: float,
        directions: Directions,
    ) -> None:
        self.name = f"style {layer}"
        self.layer = layer
        self.weight = weight
        self._aim = Aim(paintings, shares)
        self._squared_width = self._aim.width.square()
        self._scaled = _Scaled(directions, self._aim.extent)

    @torch.no_grad()
    def look(self, features: Tensor, where: Box, weights: Tensor | None = None) -> Counted:
        """First pass: these features in bins."""
        return _counted(features, self._scaled, len(self._squared_width), weights)

    @torch.no_grad()
    def close(self, sums: Counted, scale: float) -> tuple[Tensor, ProjectionsSlope]:
        """The value, and a slope for each cell between two bins."""
        device = sums.amounts.device
        value, slopes = self._aim.cost(sums.amounts)
        mass = sums.amounts[0].sum() / UNIT
        share = self.weight / (self._aim.power + TINY)
        beyond = sums.beyond.to(device).double() / mass
        total = share * (self._squared_width * (value + beyond)).sum()
        steepness = (scale * share / mass * self._squared_width)[:, None]
        like = sums.beyond
        return total.to(like), ProjectionsSlope(
            (steepness * slopes).to(like), (2 * steepness).to(like), self._scaled
        )


@dataclass(frozen=True)
class ProjectionsSlope:
    """How a term changes with the features through their bins.

    Attributes:
        slopes: For a value in each cell, (D, B + 1).
        outside: How much steeper it is for each bin beyond the ends, (D, 1).
        scaled: The directions.
    """

    slopes: Tensor
    outside: Tensor
    scaled: _Scaled

    @torch.no_grad()
    def add_gradient(
        self, features: Tensor, gradient: Tensor, where: Box, weights: Tensor | None = None
    ) -> None:
        """dL/dF_p = w_p sum_d v_d slope_d(v_d F_p)."""
        matrix, into = as_matrix(features), as_matrix(gradient)
        wide = self.slopes.dtype
        row = None if weights is None else as_matrix(weights).to(wide)
        for part in _parts(matrix.shape[1], len(self.slopes)):
            cell, over = cells(self.scaled.values(matrix[:, part].to(wide)))
            slope = self.slopes.gather(1, cell).addcmul_(over, self.outside)
            if row is not None:
                slope *= row[:, part]
            into[:, part] += self.scaled.back(slope).to(into.dtype)
        if not lies_as_matrix(gradient):  # a tile's own part of what it sees, copied
            gradient.copy_(as_features(into, gradient))


def directions_of(
    layers: Collection[str], projections: Mapping[str, Tensor], *, turned: bool
) -> dict[str, Directions]:
    """Layer -> the directions in which it is looked at."""
    return {layer: Directions(layer, projections.get(layer), turned=turned) for layer in layers}
