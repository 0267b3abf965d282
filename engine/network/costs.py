"""What a walk through the network and back costs in memory and arithmetic, and no torch.

Every number here stands for a tensor that `networks`, `pooling` or `backward` makes; tests count
those that are really alive.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from engine.network import pooling_costs, winograd
from engine.network.segments import Block, Segment, blocks_for, segments_for
from engine.spec.choices import NetworkName, Pooling
from engine.spec.layers import CHANNELS
from engine.spec.settings import Settings
from engine.spec.tiles import Tiling, borders

Shown = Callable[[str, int, bool], float]
"""Bytes that whoever is shown a part of a layer takes meanwhile: the layer, the part's positions,
and whether its rows follow each other in memory."""

_IMAGE_ITEM = 4
"""Bytes of a number in the image and its gradient."""


def _nothing(_layer: str, _positions: int, _in_rows: bool) -> float:
    return 0.0


@dataclass(frozen=True)
class _Lengths:
    """How far tiles reach along one side, one after another."""

    inner: list[int]
    outer: list[int]


@dataclass(frozen=True)
class _Pass:
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
class _Way:
    """A segment as the tiles of an image pass it.

    Attributes:
        one: The largest tile, block by block.
        all: All tiles together, block by block.
        remembered: Whether the way back finds all it needs.
        lone: Whether there is one tile only.
        in_rows: Whether what a tile owns is one piece of memory for each channel.
        input, output: Bytes that are held of the whole image between the segments.
    """

    one: list[_Pass]
    all: list[_Pass]
    remembered: bool
    lone: bool
    in_rows: bool
    input: int
    output: int


@dataclass(frozen=True)
class NetworkCosts:
    """What it costs to take images through a network, built for some layers.

    Attributes:
        network: Which.
        pooling: How features are halved; None for the plain mean.
        layers: The layers asked for.
        item: Bytes of a number inside the network.
        winograd: Whether convolutions are computed by NNPACK.
    """

    network: NetworkName
    pooling: Pooling | None
    layers: frozenset[str]
    item: int
    winograd: bool

    @classmethod
    def of(cls, settings: Settings, item: int, *, winograd: bool) -> NetworkCosts:
        """The costs of the network that these settings ask for."""
        pooling = None if settings.network is NetworkName.DRAFT else settings.pooling
        return cls(settings.network, pooling, settings.layers, item, winograd)

    def weights_bytes(self) -> int:
        """Network weights: as read, ready for use, and turned for the way back."""
        count = sum(9 * before * after for before, after in self._channels.values())
        return count * (4 + 2 * self.item)

    def operations(self, size: tuple[int, int], tiling: Tiling) -> float:
        """Floating-point operations there, back, and again where nothing is kept."""
        return float(
            sum(
                18 * step.seen * step.before * step.after * (2 if way.remembered else 3)
                for way in self._ways(size, tiling)
                for step in way.all
            )
        )

    def kept_bytes(self, size: tuple[int, int], tiling: Tiling) -> int:
        """What a forward pass leaves behind for the way back, the image left out."""
        return sum(
            way.input + (self._kept_by(way.all) if way.remembered else 0)
            for way in self._ways(size, tiling)
        )

    def evaluation_bytes(
        self, size: tuple[int, int], tiling: Tiling, shown: Shown = _nothing
    ) -> float:
        """The most at any moment, there and back; the image and its gradient are left out.

        Args:
            size: Height and width of the image.
            tiling: How it is cut.
            shown: What those take who look at the layers.
        """
        peak = workspace = held = 0.0
        for way in self._ways(size, tiling):
            held += way.input
            kept = self._kept_by(way.all) if way.remembered else 0
            others = kept - self._kept_by(way.one) if way.remembered else 0
            # On the way back there are the gradients of what was handed on and of what it was
            # made from, where on the way there is only what is handed on.
            beside = way.output + (0 if way.lone or way.one[0].block.first else way.input)
            peak = max(
                peak,
                held + others + way.output + max(self._forward(way, shown, keep=True)),
                held + others + beside + max(self._backward(way, shown)),
            )
            held += kept
            workspace = max(workspace, self._workspace(way))
        # The workspace is not given back in between.
        return peak + workspace

    def measuring_bytes(
        self, size: tuple[int, int], tiling: Tiling, shown: Shown = _nothing
    ) -> float:
        """The most at any moment of one walk with nothing kept; the image is left out."""
        return max(
            way.input + way.output + max(self._forward(way, shown, keep=False))
            + self._workspace(way)
            for way in self._ways(size, tiling)
        )  # fmt: skip

    @cached_property
    def _blocks(self) -> tuple[Block, ...]:
        return blocks_for(self.network, self.layers)

    @cached_property
    def _channels(self) -> dict[Block, tuple[int, int]]:
        """Channels before and after each convolution."""
        after = [CHANNELS[self.network][block.stage - 1] for block in self._blocks]
        return dict(zip(self._blocks, zip([3, *after], after, strict=False), strict=True))

    def _ways(self, size: tuple[int, int], tiling: Tiling) -> Iterator[_Way]:
        segments = segments_for(self._blocks, size, tiling)
        handed = 0
        for number, segment in enumerate(segments, start=1):
            rows, columns = _lengths(segment, size, tiling)
            lone = len(rows.inner) == len(columns.inner) == 1
            output = tuple(side // segment.grid for side in size)
            made = 0
            if segment.pooled:
                made = output[0] * output[1] * self._channels[segment.blocks[-1]][1] * self.item
            yield _Way(
                one=self._passes(segment, rows, columns, max),
                all=self._passes(segment, rows, columns, sum),
                remembered=lone or number > len(segments) - tiling.remembered,
                lone=lone,
                in_rows=len(columns.inner) == 1,
                input=handed,
                output=made,
            )
            size, handed = (output[0], output[1]), made

    def _passes(
        self,
        segment: Segment,
        rows: _Lengths,
        columns: _Lengths,
        together: Callable[[Iterator[int]], int],
    ) -> list[_Pass]:
        def positions(heights: list[int], widths: list[int], level: int) -> int:
            return together(h >> level for h in heights) * together(w >> level for w in widths)

        passes, level = [], 0
        for block in segment.blocks:
            seen = positions(rows.outer, columns.outer, level)
            own = positions(rows.inner, columns.inner, level)
            ends = block is segment.blocks[-1]
            pooled = 0
            if block.pooled:
                level += 1
                reach = (rows.inner, columns.inner) if ends else (rows.outer, columns.outer)
                pooled = positions(*reach, level)
            before, after = self._channels[block]
            passes.append(_Pass(block, before, after, seen, own, own if ends else seen, pooled))
        return passes

    def _kept_by(self, passes: list[_Pass], *, again: bool = False) -> int:
        return sum(self._kept(step, again=again) for step in passes)

    def _kept(self, step: _Pass, *, again: bool) -> int:
        """What a block and its pooling keep; more, where it is walked again for the way back."""
        conv, relu = (name in self.layers for name in (step.block.conv, step.block.relu))
        features = step.seen * step.after * self.item
        kept = features if conv else 0
        if relu:
            # The first block's are had again from the pixels.
            kept += step.seen * 3 * self.item if step.block.first and not again else features
        elif not conv and not step.block.pooled:
            kept += step.seen * step.after  # a mask
        if step.block.pooled:
            rectify = not (conv or relu)
            kept += step.after * pooling_costs.kept_bytes(
                self.pooling, step.halved, step.pooled, self.item, rectify=rectify
            )
            kept += pooling_costs.shared_bytes(self.pooling, step.pooled)
            if pooling_costs.keeps_features(self.pooling) and not relu:
                kept += features
        return kept

    def _forward(self, way: _Way, shown: Shown, *, keep: bool) -> Iterator[float]:
        """What is alive of one tile at each moment of its way through a segment."""
        kept = 0.0
        for step in way.one:
            kept += self._kept(step, again=False) if keep else 0
            features = step.seen * step.after * self.item
            yield kept + step.seen * (step.before + step.after) * self.item
            for layer in self._named(step.block):
                yield kept + features + shown(layer, step.own, way.in_rows)
            if step.block.pooled:
                yield (
                    kept
                    + features
                    + step.after
                    * pooling_costs.forward_bytes(self.pooling, step.halved, step.pooled, self.item)
                )

    def _backward(self, way: _Way, shown: Shown) -> Iterator[float]:
        """What is alive of one tile at each moment of its way back; all it kept at first."""
        again = not way.remembered
        kept = float(self._kept_by(way.one, again=again))
        for step in reversed(way.one):
            features = step.seen * step.after * self.item
            if step.block.pooled:
                yield kept + step.after * pooling_costs.backward_bytes(
                    self.pooling, step.halved, step.pooled, self.item
                )
                if step.halved < step.seen:  # what the margin adds
                    yield kept + features + step.halved * step.after * self.item
            for layer in self._named(step.block):
                made = features if step.block.first and not again else 0
                yield kept + made + features + shown(layer, step.own, way.in_rows)
            mine = self._kept(step, again=again)
            linear = features if step.block.conv in self.layers else 0
            kept -= mine
            yield kept + linear + step.seen * (step.before + step.after) * self.item
        if way.one[0].block.first:  # the image's gradient, once more for the division
            yield 2 * way.one[0].seen * 3 * max(_IMAGE_ITEM, self.item)

    def _named(self, block: Block) -> list[str]:
        return [name for name in (block.conv, block.relu) if name in self.layers]

    def _workspace(self, way: _Way) -> float:
        if not self.winograd:
            return 0.0
        return max(winograd.workspace_bytes(step.before, step.after, step.seen) for step in way.one)


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
