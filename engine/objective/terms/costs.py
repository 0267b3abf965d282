"""What each term costs in memory and arithmetic, number for number beside its code; no torch.

A term on pixels costs next to nothing: it looks at bands when the network's features are gone. Only
what the edges are held against stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Protocol

from engine.spec.choices import StyleLoss
from engine.spec.layers import features_size, place_of
from engine.spec.pictures import Size

_WIDENED = 1 << 16
"""Positions that statistics widen to float32 at a time."""

_BINS = 512
"""Along each direction."""

_AT_ONCE = 1 << 21
"""Values that are looked at together to be counted in bins."""

_BINNING = 1000
"""Operations in whose time a value is counted in its bins and given its slope; it takes few, but
many numbers come and go."""


class TermCosts(Protocol):
    """The costs of a term that looks at the features of one layer.

    A number inside the network has `item` bytes. Positions are those of the whole layer for what is
    computed, of one part for what it takes to be shown that.
    """

    @property
    def layer(self) -> str:
        """The layer it wants to be shown."""
        ...

    def targets_bytes(self, canvas: Size, item: int, styles: Sequence[Size]) -> int:
        """What is held of the pictures in one orientation; sizes are (width, height)."""
        ...

    def sums_bytes(self, item: int) -> int:
        """What is summed in the first pass; the slope is as large and takes its place."""
        ...

    def closing_bytes(self, item: int) -> int:
        """The most it takes beside its sums to add to them, or to find the slope."""
        ...

    def shown_bytes(self, positions: int, item: int, *, in_rows: bool) -> int:
        """The most it takes at once for a part, in either pass.

        Args:
            positions: Of the part.
            item: Bytes of a number.
            in_rows: Whether the part's rows follow each other in memory.
        """
        ...

    def operations(self, positions: int) -> int:
        """Floating-point operations in both passes."""
        ...


@dataclass(frozen=True)
class ContentCosts:
    """Of `ContentTerm`.

    Attributes:
        layer: The layer it wants to be shown.
        channels: Of its features.
        projected: Whether they are compared in a metric.
    """

    layer: str
    channels: int
    projected: bool

    def targets_bytes(self, canvas: Size, item: int, styles: Sequence[Size]) -> int:
        """The features, and the metric."""
        metric = self.channels**2 if self.projected else 0
        return (self.channels * prod(features_size(self.layer, canvas)) + metric) * item

    def sums_bytes(self, item: int) -> int:
        """None."""
        return 0

    def closing_bytes(self, item: int) -> int:
        """None."""
        return 0

    def shown_bytes(self, positions: int, item: int, *, in_rows: bool) -> int:
        """The difference; in a metric also what it becomes, and that in another order."""
        return (3 if self.projected else 1) * self.channels * positions * item

    def operations(self, positions: int) -> int:
        """The difference, its square, their sum and twice for the gradient; the metric."""
        mixing = 2 * self.channels if self.projected else 0
        return (5 + mixing) * self.channels * positions


@dataclass(frozen=True)
class MatchedCosts:
    """Of a `ContentTerm` against matched features, or a `CosineTerm`.

    Attributes:
        layer: The layer it wants to be shown.
        channels: Of its features.
        projected: Whether they are compared in a metric.
        stage: At which places are matched.
        entries: Of the codebook.
        cosine: Whether directions are compared.
        has_map: Whether it is the one of several that the index map is counted with.
    """

    layer: str
    channels: int
    projected: bool
    stage: int
    entries: int
    cosine: bool
    has_map: bool

    def targets_bytes(self, canvas: Size, item: int, styles: Sequence[Size]) -> int:
        """The entries, the metric or what is compared, and the map."""
        metric = self.channels**2 if self.projected and not self.cosine else 0
        mean = 4 * self.channels if self.cosine else 0
        places = prod(side >> self.stage - 1 for side in canvas) if self.has_map else 0
        return (self.entries * self.channels + metric) * item + mean + 4 * places

    def sums_bytes(self, item: int) -> int:
        """None."""
        return 0

    def closing_bytes(self, item: int) -> int:
        """None."""
        return 0

    def shown_bytes(self, positions: int, item: int, *, in_rows: bool) -> int:
        """The mean, the entries, the difference and what it becomes; wide for directions."""
        behind = place_of(self.layer)[0] - self.stage
        cells = positions >> 2 * max(0, -behind)
        looked_up = 1 + (4**behind if behind > 0 else 0)
        numbers = max(looked_up, 3 if behind < 0 or self.projected else 2)
        taken = self.channels * cells * item * numbers
        if self.cosine:
            wide = max(4, item)
            taken = self.channels * cells * max(item * looked_up + wide, 6 * wide)
        return taken + 4 * (cells << 2 * max(0, behind))

    def operations(self, positions: int) -> int:
        """The mean, what a content term does where there are fewer positions, its spreading."""
        cells = positions >> 2 * max(0, self.stage - place_of(self.layer)[0])
        mixing = 2 * self.channels if self.projected else 0
        return self.channels * (2 * positions + (5 + mixing) * cells)


@dataclass(frozen=True)
class StyleCosts:
    """Of `StyleTerm`.

    Attributes:
        layer: The layer it wants to be shown.
        channels: Of its features.
        compared: Channels that are compared, after a projection.
    """

    layer: str
    channels: int
    compared: int

    def targets_bytes(self, canvas: Size, item: int, styles: Sequence[Size]) -> int:
        """Each style image's statistics, their blend, and its power."""
        blend = _numbers(self.compared) + 1
        return (len(styles) * _numbers(self.channels) + blend) * max(4, item)

    def sums_bytes(self, item: int) -> int:
        """Statistics."""
        return _numbers(self.channels) * max(4, item)

    def closing_bytes(self, item: int) -> int:
        """Statistics of the part that is being added."""
        return 2 * self.sums_bytes(item)

    def shown_bytes(self, positions: int, item: int, *, in_rows: bool) -> int:
        """Features in another order, the slope at each position; or some of them in float32."""
        copied = 0 if in_rows else 2 * self.channels * positions * item
        widened = self.channels * min(positions, _WIDENED) * 4 if item < 4 else 0
        return max(copied, widened)

    def operations(self, positions: int) -> int:
        """Outer products in the first pass, a matrix times each position in the second."""
        return 4 * self.channels**2 * positions


@dataclass(frozen=True)
class ProjectionsCosts:
    """Of `ProjectionsTerm`.

    Attributes:
        layer: The layer it wants to be shown.
        channels: Of its features.
        compared: Channels that are compared, and so directions.
        mixed: Whether directions are more than channels, and so a matrix.
    """

    layer: str
    channels: int
    compared: int
    mixed: bool

    def targets_bytes(self, canvas: Size, item: int, styles: Sequence[Size]) -> int:
        """Each style image's bins and extent, what it costs to move there, and the directions."""
        number, paintings = max(4, item), len(styles)
        extents = (paintings + (paintings > 1)) * 2 * number
        aim = 8 * (2 * (_BINS + 1) + 3)
        scaled = (2 + (self.channels if self.mixed else 0)) * number
        each = paintings * _BINS * 8 + extents + aim + scaled
        return self.compared * each + 8 * (_BINS + 1)

    def sums_bytes(self, item: int) -> int:
        """Whole numbers of 8 bytes in bins, and what lies beyond."""
        return self.compared * (_BINS * 8 + max(4, item))

    def closing_bytes(self, item: int) -> int:
        """Distributions so far, where they are moved to, and sums of that, in float64."""
        return 11 * self.compared * _BINS * 8

    def shown_bytes(self, positions: int, item: int, *, in_rows: bool) -> int:
        """Features in another order; some values, where they lie, how far in, and their slopes."""
        copied = 0 if in_rows else 2 * self.channels * positions * item
        values = self.compared * min(positions, max(1, _AT_ONCE // self.compared))
        return copied + values * (3 * 8 + 4 * max(4, item))

    def operations(self, positions: int) -> int:
        """Products with the directions in both passes and back, and the bins."""
        mixing = 6 * self.channels if self.mixed else 0
        return (mixing + _BINNING) * self.compared * positions


def style_costs(
    loss: StyleLoss, layer: str, channels: int, compared: int | None
) -> StyleCosts | ProjectionsCosts:
    """The costs of a style loss's term; `compared` channels where there is a projection."""
    match loss:
        case StyleLoss.SLICED | StyleLoss.HISTOGRAM:
            mixed = loss is StyleLoss.SLICED or compared is not None
            return ProjectionsCosts(layer, channels, compared or channels, mixed)
        case _:
            return StyleCosts(layer, channels, compared or channels)


def edges_bytes(size: Size) -> int:
    """What `EdgesTerm` holds of the photograph in one orientation, in float32."""
    width, height = (-(-side // 4) for side in size)
    return 4 * (3 * width * height + 1)


def _numbers(channels: int) -> int:
    """Of a sum of features and a sum of outer products."""
    return channels * (channels + 1)
