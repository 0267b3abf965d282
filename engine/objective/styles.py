"""What belongs to each style loss: how it measures a painting, and the term it makes of several."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from torch import Tensor

from engine.objective.bins import Bins
from engine.objective.losses import StyleLossFunction, style_loss
from engine.objective.statistics import Statistics, blend
from engine.objective.terms.projections import (
    BinsEncoder,
    Directions,
    ExtentEncoder,
    ProjectionsTerm,
    directions_of,
)
from engine.objective.terms.protocol import AdditiveTerm, Encoder
from engine.objective.terms.style import StyleEncoder, StyleTerm
from engine.spec.choices import StyleLoss

Show = Callable[[Encoder], None]
"""Takes a painting through the network once, and shows an encoder the layers it wants."""

_Target = TypeVar("_Target")


class Style(Protocol[_Target]):
    """A style loss, from paintings to terms."""

    def measure(
        self, show: Show, layers: Collection[str], projections: Mapping[str, Tensor]
    ) -> Mapping[str, _Target]:
        """Layer -> what a painting is there, as `term` wants it; shown as often as it takes."""
        ...

    def term(
        self,
        layer: str,
        paintings: Sequence[_Target],
        shares: Sequence[float],
        weight: float,
        projection: Tensor | None,
    ) -> AdditiveTerm[Any]:
        """The term that holds a layer against some paintings by their shares."""
        ...


def style_of(name: StyleLoss, *, products: bool = False) -> Style[Any]:
    """All that belongs to a style loss.

    Args:
        name: Which.
        products: Whether roots of matrices are by products; else by eigenvalues.
    """
    match name:
        case StyleLoss.SLICED:
            return _ByDistributions(turned=True)
        case StyleLoss.HISTOGRAM:
            return _ByDistributions(turned=False)
        case _:
            return _ByStatistics(style_loss(name, products=products))


@dataclass(frozen=True)
class _ByStatistics:
    """Moments of the features, compared by a loss."""

    loss: StyleLossFunction

    def measure(
        self, show: Show, layers: Collection[str], projections: Mapping[str, Tensor]
    ) -> dict[str, Statistics]:
        encoder = StyleEncoder(layers)
        show(encoder)
        return encoder.targets()

    def term(
        self,
        layer: str,
        paintings: Sequence[Statistics],
        shares: Sequence[float],
        weight: float,
        projection: Tensor | None,
    ) -> StyleTerm:
        return StyleTerm(layer, blend(paintings, shares), weight, self.loss, projection)


@dataclass(frozen=True)
class _ByDistributions:
    """Bins along directions, random ones or the channels."""

    turned: bool

    def measure(
        self, show: Show, layers: Collection[str], projections: Mapping[str, Tensor]
    ) -> dict[str, Bins]:
        directions = directions_of(layers, projections, turned=self.turned)
        extents = ExtentEncoder(directions)
        show(extents)
        # Where bins lie is only known when all of the painting has been seen.
        encoder = BinsEncoder(directions, extents.targets())
        show(encoder)
        return encoder.targets()

    def term(
        self,
        layer: str,
        paintings: Sequence[Bins],
        shares: Sequence[float],
        weight: float,
        projection: Tensor | None,
    ) -> ProjectionsTerm:
        directions = Directions(layer, projection, turned=self.turned)
        return ProjectionsTerm(layer, paintings, shares, weight, directions)
