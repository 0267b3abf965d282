"""What a forward pass leaves behind for the way back, and the way back through one tile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.network.segments import Segment
from engine.spec.heeding import Heed
from engine.spec.tiles import Box, Tile

Visit = Callable[[str, Tensor, Box], None]
"""Look at features (1, C, h, w): the asked-for layer's name, and where in the layer they lie."""

AddGradient = Callable[[str, Tensor, Tensor, Box], None]
"""Add the loss's gradient: layer, features, what to add to, and where in the layer they lie."""


@dataclass(frozen=True)
class Tap:
    """Features of an asked-for layer, as far as a tile sees them.

    Attributes:
        layer: Its name.
        tile: Which tile, in the layer's positions.
        features: Kept from the way there, or a way to have them again.
    """

    layer: str
    tile: Tile
    features: Tensor | Callable[[], Tensor]


@dataclass(frozen=True)
class Record:
    """One operation of a forward pass.

    Attributes:
        transpose: Of the operation; given the features too where these are asked for.
        tap: The operation's result, where it is asked for.
    """

    transpose: Callable[..., Tensor]
    tap: Tap | None = None


@dataclass
class TileRecord:
    """One tile's way through one segment; without operations it is walked again on the way back."""

    tile: Tile
    operations: list[Record] | None


@dataclass
class SegmentRecord:
    """A segment's input for the whole image, and the tiles' ways through the segment."""

    segment: Segment
    image: Tensor
    tiles: list[TileRecord] = field(default_factory=list)


Tape = list[SegmentRecord]
"""A forward pass in order, as `Network.vjp` walks it back."""


def note(
    records: list[Record] | None, transpose: Callable[..., Tensor], tap: Tap | None = None
) -> None:
    """Note one operation, where there is a way back."""
    if records is not None:
        records.append(Record(transpose, tap))


def show(visit: Visit | None, layer: str, features: Tensor, tile: Tile) -> None:
    """Show what the tile owns of an asked-for layer."""
    if visit is not None:
        visit(layer, tile.own(features), tile.inner)


def cropped(flow: Tensor, tile: Tile, records: list[Record] | None) -> Tensor:
    """What the tile owns of its features; the margin's gradient is 0."""
    own, outer = tile.inner.within(tile.outer), tile.outer
    if (own.height, own.width) == (outer.height, outer.width):
        return flow
    borders = own.left, outer.width - own.right, own.top, outer.height - own.bottom
    note(records, lambda gradient: F.pad(gradient, borders))
    return own.of(flow)


def walk_back(
    records: list[Record], gradient: Tensor | None, add_gradient: AddGradient, heed: Heed
) -> Tensor:
    """Walk records back from the last, adding the losses' gradients; empties them."""
    while records:
        heed()
        record = records.pop()
        if record.tap is None:
            if gradient is not None:
                gradient = record.transpose(gradient)
            continue
        tap = record.tap
        features = tap.features if isinstance(tap.features, Tensor) else tap.features()
        if gradient is None:
            gradient = torch.zeros_like(features)
        add_gradient(tap.layer, tap.tile.own(features), tap.tile.own(gradient), tap.tile.inner)
        gradient = record.transpose(gradient, features)
        # Held on to, they would live through the next operations, which need most memory.
        del record, tap, features
    assert gradient is not None, "the deepest block holds an asked-for layer"
    return gradient
