"""Where the tiles of an image lie: what each owns, and what it must see to know its own part."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import BeforeValidator

from engine.spec.limits import LONGEST_SIDE

if TYPE_CHECKING:
    from torch import Tensor

SMALLEST_TILE = 16
"""Positions to the side; below this a tile is mostly halo."""


def _parse_tile(value: object) -> str:
    text = str(value).strip().lower()
    if text in ("auto", "none"):
        return text
    if not (text.isascii() and text.isdigit() and SMALLEST_TILE <= int(text[:6]) <= LONGEST_SIDE):
        raise ValueError("no such tile")
    return str(int(text))


TileSide = Annotated[str, BeforeValidator(_parse_tile)]
"""A tile's side as a person asks for it: `auto`, `none`, or pixels."""


@dataclass(frozen=True)
class Tiling:
    """How an image is cut on its way through a network.

    Attributes:
        side: Of a square tile, in positions of each segment's input; a band has as many of them.
            None for the whole image at once.
        remembered: The last so many segments keep what the way back needs, as the whole image
            would; the others are walked again.
    """

    side: int | None = None
    remembered: int = 0

    def takes_whole(self, size: tuple[int, int]) -> bool:
        """Whether an image of (height, width) is one tile."""
        return self.side is None or all(
            length <= longest for length, longest in zip(size, shape(size, self.side), strict=True)
        )

    def is_smaller_than(self, other: Tiling) -> bool:
        """Whether it takes less memory: smaller tiles, or of as large ones less remembered."""
        if other.side is None or self.side is None:
            return self.side is not None
        return (self.side, self.remembered) < (other.side, other.remembered)

    def __str__(self) -> str:
        return "whole" if self.side is None else f"tiles of {self.side} px"


WHOLE = Tiling()


class Box(NamedTuple):
    """A rectangle of positions; bottom and right lie outside."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """Rows of positions."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns of positions."""
        return self.right - self.left

    def of(self, image: Tensor) -> Tensor:
        """The part of an image (1, C, H, W) in this box, as a view; all of it without a copy."""
        if tuple(image.shape[2:]) == (self.height, self.width):
            return image
        return image[..., self.top : self.bottom, self.left : self.right]

    def within(self, other: Box) -> Box:
        """This box as seen from the other's corner."""
        return Box(
            self.top - other.top,
            self.left - other.left,
            self.bottom - other.top,
            self.right - other.left,
        )

    def grown(self, margin: int, size: tuple[int, int]) -> Box:
        """This box with a margin, as far as an image of (height, width) reaches."""
        height, width = size
        return Box(
            max(0, self.top - margin),
            max(0, self.left - margin),
            min(height, self.bottom + margin),
            min(width, self.right + margin),
        )

    def shrunk(self, factor: int) -> Box:
        """The positions that poolings make of this box; its corner lies on multiples of these."""
        return Box(*(side // factor for side in self))


@dataclass(frozen=True)
class Tile:
    """One tile on its way through the network.

    Attributes:
        inner: The positions it answers for; those of all tiles together are the whole image.
        outer: The positions it sees; what lies beyond `inner` is there for the convolutions.
    """

    inner: Box
    outer: Box

    def own(self, seen: Tensor) -> Tensor:
        """Of what this tile sees (1, C, h, w), the part it answers for, as a view."""
        return self.inner.within(self.outer).of(seen)

    def halved(self) -> Tile:
        """The same tile after pooling."""
        return Tile(self.inner.shrunk(2), self.outer.shrunk(2))


def whole(size: tuple[int, int]) -> Tile:
    """The one tile that is all of an image of (height, width)."""
    box = Box(0, 0, *size)
    return Tile(box, box)


def shape(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Height and width of the largest tile of an image of (height, width).

    A square; in a narrow image a band of as many positions from its left to its right, whose
    features are one piece of memory for each channel: nothing that looks at them copies them.
    """
    width = size[1]
    return (side, side) if width > 2 * side else (side * side // width, width)


def cut(size: tuple[int, int], side: int, margin: int, grid: int) -> Iterator[Tile]:
    """Tiles of about `side` positions that together are an image of (height, width).

    Args:
        size: Height and width of the image.
        side: At least `SMALLEST_TILE`; no tile is longer than `shape` says by more than a grid.
        margin: How many positions beyond its own a tile sees.
        grid: Corners of what tiles own lie on multiples of this, so that pooling does not
            straddle them.
    """
    rows, columns = borders(size, side, grid)
    for top, bottom in itertools.pairwise(rows):
        for left, right in itertools.pairwise(columns):
            inner = Box(top, left, bottom, right)
            yield Tile(inner, inner.grown(margin, size))


def borders(size: tuple[int, int], side: int, grid: int) -> tuple[list[int], list[int]]:
    """Where the rows and where the columns of tiles begin, and where the last ones end."""
    rows, columns = (_borders(*sides, grid) for sides in zip(size, shape(size, side), strict=True))
    return rows, columns


def _borders(length: int, side: int, grid: int) -> list[int]:
    """Where tiles begin and end along one side: all about equally long."""
    count = -(-length // side)
    inside = (round(length * number / count / grid) * grid for number in range(1, count))
    return [0, *inside, length]
