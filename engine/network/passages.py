"""How many positions the tiles of an image see on their way through a network, for its costs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
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
        lone = len(rows.inner) == len(columns.inner) == 1
        size = size[0] // segment.grid, size[1] // segment.grid
        made = size[0] * size[1] * channels[segment.blocks[-1]][1] if segment.pooled else 0
        yield SegmentPassage(
            one=_through(segment, channels, rows, columns, max),
            all=_through(segment, channels, rows, columns, sum),
            remembered=lone or number > len(segments) - tiling.remembered,
            lone=lone,
            in_rows=len(columns.inner) == 1,
            input=handed,
            output=made,
        )
        handed = made


@dataclass(frozen=True)
class _Lengths:
    """How far tiles reach along one side, one after another."""

    inner: list[int]
    outer: list[int]


def _lengths(segment: Segment, size: tuple[int, int], tiling: Tiling) -> tuple[_Lengths, _Lengths]:
    """Rows and columns of the tiles; the tiles are all pairs of them."""
    if tiling.side is None or tiling.takes_whole(size):
        rows, columns = ([0, side] for side in size)
    else:
        rows, columns = borders(size, tiling.side, segment.grid)
    return _reach(rows, segment.margin), _reach(columns, segment.margin)


def _reach(borders: list[int], margin: int) -> _Lengths:
    ends = list(itertools.pairwise(borders))
    inner = [end - begin for begin, end in ends]
    outer = [min(borders[-1], end + margin) - max(0, begin - margin) for begin, end in ends]
    return _Lengths(inner, outer)


def _through(
    segment: Segment,
    channels: dict[Block, tuple[int, int]],
    rows: _Lengths,
    columns: _Lengths,
    together: Callable[[Iterable[int]], int],
) -> list[BlockPassage]:
    def positions(heights: list[int], widths: list[int], poolings: int) -> int:
        return together(h >> poolings for h in heights) * together(w >> poolings for w in widths)

    found, poolings = [], 0
    for block in segment.blocks:
        seen = positions(rows.outer, columns.outer, poolings)
        own = positions(rows.inner, columns.inner, poolings)
        halved, pooled = seen, 0
        if block.pooled:
            poolings += 1
            reach = rows.outer, columns.outer
            if block is segment.blocks[-1]:
                halved, reach = own, (rows.inner, columns.inner)
            pooled = positions(*reach, poolings)
        found.append(BlockPassage(block, *channels[block], seen, own, halved, pooled))
    return found
