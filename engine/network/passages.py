"""How many positions the tiles of an image see on their way through a network, for its costs."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from engine.network.segments import Block, Segment, segments_for
from engine.spec.choices import NetworkName
from engine.spec.layers import CHANNELS
from engine.spec.tiles import Tiling, borders


@dataclass(frozen=True)
class BlockPassage:
    """One block as one tile passes it, or all tiles together.

    Attributes:
        block: Which.
        before, after: Channels of its input and output.
        seen: Positions of its output.
        own: Those of them that the tiles answer for.
        halved: Those that its pooling reads: seen, or own where the segment ends.
        pooled: What comes out of it; 0 where there is no pooling.
    """

    block: Block
    before: int
    after: int
    seen: int
    own: int
    halved: int
    pooled: int


@dataclass(frozen=True)
class SegmentPassage:
    """A segment as the tiles of an image pass it.

    Attributes:
        one: The largest tile, block by block.
        all: All tiles together, block by block.
        remembered: Whether the way back finds all it needs.
        lone: Whether there is one tile only.
        in_rows: Whether what a tile owns is one piece of memory for each channel.
        input, output: Numbers that are handed from segment to segment, of the whole image; the
            image itself is left out.
    """

    one: list[BlockPassage]
    all: list[BlockPassage]
    remembered: bool
    lone: bool
    in_rows: bool
    input: int
    output: int

    @property
    def collected(self) -> int:
        """Numbers of room that tiles put their part of the output into; a lone one's is all."""
        return 0 if self.lone else self.output


def passages(
    network: NetworkName, blocks: Sequence[Block], size: tuple[int, int], tiling: Tiling
) -> Iterator[SegmentPassage]:
    """An image of (height, width) on its way through blocks, segment by segment."""
    after = [CHANNELS[network][block.stage - 1] for block in blocks]
    channels = dict(zip(blocks, itertools.pairwise([3, *after]), strict=True))
    segments = segments_for(blocks, size, tiling)
    handed = 0
    for number, segment in enumerate(segments, start=1):
        rows, columns = _lengths(segment, size, tiling)
        lone = rows.count == columns.count == 1
        size = size[0] // segment.grid, size[1] // segment.grid
        made = size[0] * size[1] * channels[segment.blocks[-1]][1] if segment.pooled else 0
        yield SegmentPassage(
            one=_through(segment, channels, rows, columns, _longest),
            all=_through(segment, channels, rows, columns, _together),
            remembered=lone or number > len(segments) - tiling.remembered,
            lone=lone,
            in_rows=columns.count == 1,
            input=handed,
            output=made,
        )
        handed = made


_Counted = list[tuple[int, int]]
"""Lengths, and how often each occurs: of hundreds of tiles only a few differ."""


@dataclass(frozen=True)
class _Lengths:
    """How far tiles reach along one side: what they own, and what they see."""

    inner: _Counted
    outer: _Counted

    @property
    def count(self) -> int:
        """Of tiles."""
        return sum(times for _, times in self.inner)


def _lengths(segment: Segment, size: tuple[int, int], tiling: Tiling) -> tuple[_Lengths, _Lengths]:
    """Rows and columns of the tiles; the tiles are all pairs of them."""
    if tiling.side is None or tiling.takes_whole(size):
        rows, columns = ([0, side] for side in size)
    else:
        rows, columns = borders(size, tiling.side, segment.grid)
    return _reach(rows, segment.margin), _reach(columns, segment.margin)


def _reach(borders: list[int], margin: int) -> _Lengths:
    inner: Counter[int] = Counter()
    outer: Counter[int] = Counter()
    for begin, end in itertools.pairwise(borders):
        inner[end - begin] += 1
        outer[min(borders[-1], end + margin) - max(0, begin - margin)] += 1
    return _Lengths(list(inner.items()), list(outer.items()))


def _longest(lengths: _Counted, poolings: int) -> int:
    return max(length >> poolings for length, _ in lengths)


def _together(lengths: _Counted, poolings: int) -> int:
    return sum((length >> poolings) * times for length, times in lengths)


def _through(
    segment: Segment,
    channels: dict[Block, tuple[int, int]],
    rows: _Lengths,
    columns: _Lengths,
    along: Callable[[_Counted, int], int],
) -> list[BlockPassage]:
    """The blocks as tiles pass them whose lengths, after so many poolings, are `along` a side."""
    found, poolings = [], 0
    seen = along(rows.outer, 0) * along(columns.outer, 0)
    own = along(rows.inner, 0) * along(columns.inner, 0)
    for block in segment.blocks:
        before, after = channels[block]
        if not block.pooled:
            found.append(BlockPassage(block, before, after, seen, own, seen, 0))
            continue
        poolings += 1
        halved = own if block is segment.blocks[-1] else seen
        reach, kept = (
            along(rows_of, poolings) * along(columns_of, poolings)
            for rows_of, columns_of in (
                (rows.outer, columns.outer),
                (rows.inner, columns.inner),
            )
        )
        pooled = kept if block is segment.blocks[-1] else reach
        found.append(BlockPassage(block, before, after, seen, own, halved, pooled))
        seen, own = reach, kept
    return found
