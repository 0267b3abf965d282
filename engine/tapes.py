"""What a forward pass leaves behind for the way back, and the way back through one tile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.pooling import Transpose
from engine.tiles import Box, Tile

if TYPE_CHECKING:
    from engine.networks import Segment

Visit = Callable[[str, Tensor, Box], None]
"""Look at features (1, C, h, w): the asked-for layer's name, and where in the layer they lie."""

AddGradient = Callable[[str, Tensor, Tensor, Box], None]
"""Add the loss's gradient: layer, features, what to add to, and where in the layer they lie."""


@dataclass(frozen=True)
class Tap:
    """Features of an asked-for layer, as far as a tile sees them."""

    layer: str
    features: Tensor
    tile: Tile


@dataclass(frozen=True)
class Record:
    """One operation of a forward pass: its transpose, and its features where asked for."""

    transpose: Transpose
    tap: Tap | None = None


@dataclass
class Passage:
    """One tile's way through one segment; without records it is walked again on the way back."""

    tile: Tile
    records: list[Record] | None


@dataclass
class Stretch:
    """A segment's input for the whole image, and the tiles' passages through the segment."""

    segment: Segment
    image: Tensor
    passages: list[Passage] = field(default_factory=list)


Tape = list[Stretch]
"""A forward pass in order, as `Network.vjp` walks it back."""


def note(records: list[Record] | None, transpose: Transpose, tap: Tap | None = None) -> None:
    """Note one operation, where there is a way back."""
    if records is not None:
        records.append(Record(transpose, tap))


def tapped(layer: str, features: Tensor, tile: Tile, visit: Visit | None) -> Tap:
    """Note an asked-for layer, and show what the tile owns of it."""
    tap = Tap(layer, features, tile)
    if visit is not None:
        visit(layer, tile.own(features), tile.inner)
    return tap


def cropped(flow: Tensor, tile: Tile, records: list[Record] | None) -> Tensor:
    """What the tile owns of its features; the margin's gradient is 0."""
    own, outer = tile.inner.within(tile.outer), tile.outer
    if (own.height, own.width) == (outer.height, outer.width):
        return flow
    borders = own.left, outer.width - own.right, own.top, outer.height - own.bottom
    note(records, lambda gradient: F.pad(gradient, borders))
    return own.of(flow)


def walk_back(records: list[Record], gradient: Tensor | None, add_gradient: AddGradient) -> Tensor:
    """Walk records back from the last, adding the losses' gradients; empties them."""
    while records:
        record = records.pop()
        if record.tap is not None:
            layer, features, tile = record.tap.layer, record.tap.features, record.tap.tile
            if gradient is None:
                gradient = torch.zeros_like(features)
            add_gradient(layer, tile.own(features), tile.own(gradient), tile.inner)
        if gradient is not None:
            gradient = record.transpose(gradient)
    assert gradient is not None, "the deepest block holds an asked-for layer"
    return gradient
