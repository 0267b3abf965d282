"""What a term is: one weighted part of the objective, told to people by a name of its own.

There are two kinds that look at features, and each works at any size, tile by tile. *Additive*
terms are functions of sums over positions: they look in the first pass, and once the sums are
complete their slopes say what each position adds to the gradient in the second. *Position-local*
terms need nothing but the position itself, so they do all their work in the second pass. Terms on
pixels see the whole image at the end.

Wherever features are shown, position weights may be given with them: how much each position counts,
(1, 1, h, w), lying where the features lie. A term's value and gradient are linear in them, so what
two regions ask adds up to what their union asks. None stands for a weight of 1 everywhere.

Nothing in here may read a value from the device: evaluations are recorded and replayed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

from torch import Tensor

from engine.spec.heeding import Heed, heedless
from engine.spec.tiles import Box


class Sums(Protocol):
    """What adds up over positions: two parts' sums are those of both together."""

    def __add__(self, other: Self, /) -> Self:
        """The sums of both parts."""
        ...


_Sums = TypeVar("_Sums", bound=Sums)


class Slope(Protocol):
    """How an additive term changes with the features of its layer."""

    def add_gradient(
        self, features: Tensor, gradient: Tensor, where: Box, weights: Tensor | None = None
    ) -> None:
        """Add to a gradient what the term asks of these positions.

        Args:
            features: (1, C, h, w), as they were looked at.
            gradient: Alike; changed in place.
            where: In the layer.
            weights: Those the positions were looked at with.
        """
        ...


class AdditiveTerm(Protocol[_Sums]):
    """A function of sums over one layer's positions."""

    @property
    def weight(self) -> float:
        """In front of a loss without a unit."""
        ...

    @property
    def name(self) -> str:
        """As people are told it: `style relu1_1`."""
        ...

    @property
    def layer(self) -> str:
        """The layer it wants to be shown."""
        ...

    def look(self, features: Tensor, where: Box, weights: Tensor | None = None) -> _Sums:
        """First pass: what these features (1, C, h, w) contribute to the sums."""
        ...

    def close(self, sums: _Sums, scale: float) -> tuple[Tensor, Slope]:
        """The weighted value, a scalar, and the slope times a scale, from complete sums."""
        ...


class LocalTerm(Protocol):
    """A sum over one layer's positions, each of which is judged by itself."""

    @property
    def weight(self) -> float:
        """In front of a loss without a unit."""
        ...

    @property
    def name(self) -> str:
        """As people are told it: `content relu4_2`."""
        ...

    @property
    def layer(self) -> str:
        """The layer it wants to be shown."""
        ...

    def add_gradient(
        self,
        features: Tensor,
        gradient: Tensor,
        where: Box,
        scale: float,
        weights: Tensor | None = None,
    ) -> Tensor:
        """Second pass: add what the term asks of these positions, times a scale.

        Args:
            features: (1, C, h, w).
            gradient: Alike; changed in place.
            where: In the layer.
            scale: Of the gradient alone.
            weights: Of the positions.

        Returns:
            What these positions contribute to the weighted value, a scalar.
        """
        ...


class PixelTerm(Protocol):
    """A function of the image itself."""

    @property
    def name(self) -> str:
        """As people are told it: `smoothness`."""
        ...

    def add_gradient(
        self,
        image: Tensor,
        gradient: Tensor,
        weights: Tensor | None = None,
        *,
        heed: Heed = heedless,
    ) -> Tensor:
        """Add to the gradient of an image (1, 3, H, W) in place; returns the weighted value."""
        ...


@dataclass(frozen=True)
class Terms:
    """All that is asked of a picture, by kind; people are told them in this order."""

    local: tuple[LocalTerm, ...] = ()
    additive: tuple[AdditiveTerm[Any], ...] = ()
    pixel: tuple[PixelTerm, ...] = ()

    @property
    def features_weight(self) -> float:
        """Of all terms that look at features together."""
        local = sum(term.weight for term in self.local)
        return local + sum(term.weight for term in self.additive)

    @property
    def names(self) -> tuple[str, ...]:
        """Of all terms, in order."""
        return (
            *(term.name for term in self.local),
            *(term.name for term in self.additive),
            *(term.name for term in self.pixel),
        )


class Encoder(Protocol):
    """Makes a family's targets from a picture that passes the network once, tile by tile."""

    @property
    def layers(self) -> frozenset[str]:
        """The layers it wants to be shown."""
        ...

    def look(self, layer: str, features: Tensor, where: Box) -> None:
        """Take in one part of a layer; the features are gone afterwards."""
        ...
