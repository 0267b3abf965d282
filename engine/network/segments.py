"""How a network is divided for tiles: its blocks, and the segments a tile passes at a stretch.

The network walks by this and its costs are counted by it, so here is no torch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from engine.spec.choices import NetworkName
from engine.spec.layers import block_names
from engine.spec.tiles import Tile, Tiling, cut, whole


@dataclass(frozen=True)
class Block:
    """One convolution with its ReLU.

    Attributes:
        name: Stage and index, as in `3_1`.
        pooled: Whether its features are halved before the next block.
    """

    name: str
    pooled: bool

    @property
    def stage(self) -> int:
        """Counted from 1."""
        return int(self.name[0])

    @property
    def first(self) -> bool:
        """Whether it is the network's first, which sees pixels."""
        return self.name == "1_1"

    @property
    def conv(self) -> str:
        """The layer before the ReLU."""
        return f"conv{self.name}"

    @property
    def relu(self) -> str:
        """The layer behind it."""
        return f"relu{self.name}"


@dataclass(frozen=True)
class Segment:
    """Neighbouring blocks that a tile passes without stopping.

    Attributes:
        blocks: In order.
        margin: Positions of its input that its convolutions look beyond a tile.
        grid: Positions of its input that become one position of its output.
        pooled: Whether it ends with pooling.
    """

    blocks: tuple[Block, ...]
    margin: int
    grid: int
    pooled: bool

    def tiles(self, size: tuple[int, int], tiling: Tiling) -> Iterator[Tile]:
        """The tiles of an input of (height, width)."""
        if tiling.side is None or tiling.takes_whole(size):
            return iter([whole(size)])
        return cut(size, tiling.side, self.margin, self.grid)


def blocks_for(network: NetworkName, layers: Collection[str]) -> tuple[Block, ...]:
    """The blocks that layers need, in order; behind the last of them nothing is pooled."""
    names = block_names(network, layers)
    return tuple(
        Block(name, pooled=after is not None and after[0] != name[0])
        for name, after in zip(names, [*names[1:], None], strict=True)
    )


def segments_for(
    blocks: Sequence[Block], size: tuple[int, int], tiling: Tiling
) -> tuple[Segment, ...]:
    """The segments in which an image of (height, width) passes the blocks.

    One for what fits into one tile: then there is nothing to gain by stopping. Else, where features
    are widest, two stages pass without being stored between them.
    """
    if tiling.takes_whole(size):
        return (_segment(blocks),)
    groups = ([block for block in blocks if block.stage in stages] for stages in _STAGES)
    return tuple(_segment(group) for group in groups if group)


_STAGES = ((1, 2), (3,), (4,), (5,))


def _segment(blocks: Sequence[Block]) -> Segment:
    margin, grid = 0, 1
    for block in blocks:
        margin += grid
        grid *= 2 if block.pooled else 1
    # What a tile sees begins where the poolings inside the segment do.
    inside = grid // 2 if blocks[-1].pooled else grid
    return Segment(tuple(blocks), -(-margin // inside) * inside, grid, blocks[-1].pooled)
