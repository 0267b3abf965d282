"""What a walk through the network and back costs in memory and arithmetic, and no torch.

Every number here stands for a tensor that `networks`, `pooling` or `backward` makes; tests count
those that are really alive. Sizes are (height, width).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from engine.network import pooling_costs, winograd
from engine.network.passages import BlockPassage, SegmentPassage, passages
from engine.network.segments import Block, blocks_for
from engine.spec.choices import NetworkName, Pooling
from engine.spec.layers import CHANNELS
from engine.spec.settings import Settings
from engine.spec.tiles import Tiling

Shown = Callable[[str, int, bool], float]
"""Bytes that whoever is shown a part of a layer takes meanwhile: the layer, the part's positions,
and whether its rows follow each other in memory."""


def _nothing(_layer: str, _positions: int, _in_rows: bool) -> float:
    return 0.0


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

    def weights_bytes(self, *, host: bool) -> int:
        """Network weights: ready for use, turned for the way back, and, on the host, as read."""
        after = [CHANNELS[self.network][block.stage - 1] for block in self._blocks]
        count = sum(9 * a * b for a, b in zip([3, *after], after, strict=False))
        return count * ((4 if host else 0) + 2 * self.item)

    def largest_features(self, size: tuple[int, int], tiling: Tiling) -> int:
        """Numbers in the largest features that a tile of an image has at any layer."""
        return max(
            step.seen * max(step.before, step.after)
            for segment in self._passages(size, tiling)
            for step in segment.one
        )

    def operations(self, size: tuple[int, int], tiling: Tiling) -> float:
        """Floating-point operations of all convolutions: there, back, and those done again."""
        total = 0
        for segment in self._passages(size, tiling):
            for step in segment.all:
                # What was not kept is computed once more, and so are the first block's features.
                again = step.block.first and step.block.relu in self.layers
                times = 3 if again or not segment.remembered else 2
                total += 18 * step.seen * step.before * step.after * times
        return float(total)

    def kept_bytes(self, size: tuple[int, int], tiling: Tiling) -> int:
        """What a forward pass leaves behind for the way back, the image left out."""
        return sum(
            segment.input * self.item + (self._kept_by(segment.all) if segment.remembered else 0)
            for segment in self._passages(size, tiling)
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
        for segment in self._passages(size, tiling):
            made_from, made = segment.input * self.item, segment.output * self.item
            held += made_from
            kept = self._kept_by(segment.all) if segment.remembered else 0
            of_others = kept - self._kept_by(segment.one) if segment.remembered else 0
            there = segment.collected * self.item + max(self._forward(segment, shown, keep=True))
            # Both of what was handed on and of what it was made from there is a gradient.
            back = made + max(self._backward(segment, shown))
            if not segment.lone:
                back += made_from
            peak = max(peak, held + of_others + max(there, back))
            held += kept
            workspace = max(workspace, self._workspace(segment))
        # The workspace is not given back in between.
        return peak + workspace

    def measuring_bytes(
        self, size: tuple[int, int], tiling: Tiling, shown: Shown = _nothing
    ) -> float:
        """The most at any moment of one walk with nothing kept; the image is left out."""
        return max(
            (segment.input + segment.collected) * self.item
            + max(self._forward(segment, shown, keep=False))
            + self._workspace(segment)
            for segment in self._passages(size, tiling)
        )

    @cached_property
    def _blocks(self) -> tuple[Block, ...]:
        return blocks_for(self.network, self.layers)

    def _passages(self, size: tuple[int, int], tiling: Tiling) -> Iterator[SegmentPassage]:
        return passages(self.network, self._blocks, size, tiling)

    def _asked(self, block: Block) -> tuple[bool, bool]:
        """Whether its convolution and whether its ReLU are asked for."""
        return block.conv in self.layers, block.relu in self.layers

    def _kept_by(self, steps: list[BlockPassage], *, again: bool = False) -> int:
        return sum(self._kept(step, again=again) for step in steps)

    def _kept(self, step: BlockPassage, *, again: bool) -> int:
        """What a block and its pooling keep; more, where it is walked again for the way back."""
        conv, relu = self._asked(step.block)
        features = step.seen * step.after * self.item
        kept = features if conv else 0
        if relu:
            # The first block's are had again from the pixels.
            kept += step.seen * 3 * self.item if step.block.first and not again else features
        elif not conv and not step.block.pooled:
            kept += step.seen * step.after  # a mask
        if step.block.pooled:
            kept += self._kept_for_pooling(step)
        return kept

    def _kept_for_pooling(self, step: BlockPassage) -> int:
        """What a pooling keeps, the features included where it needs them and nobody else does."""
        kept = self._kept_by_pooling(step)
        if pooling_costs.keeps_features(self.pooling) and not self._asked(step.block)[1]:
            kept += step.seen * step.after * self.item
        return kept

    def _kept_by_pooling(self, step: BlockPassage) -> int:
        rectify = not any(self._asked(step.block))
        kept = pooling_costs.kept_bytes(
            self.pooling, step.halved, step.pooled, self.item, rectify=rectify
        )
        return step.after * kept + pooling_costs.shared_bytes(self.pooling, step.pooled)

    def _forward(self, segment: SegmentPassage, shown: Shown, *, keep: bool) -> Iterator[float]:
        """What is alive of one tile at each moment of its way through a segment."""
        kept = 0.0
        for step in segment.one:
            conv, relu = self._asked(step.block)
            before, features = (step.seen * c * self.item for c in (step.before, step.after))
            kept += self._kept(step, again=False) if keep else 0
            flowing = 0 if keep and relu and not step.block.first else features
            if conv and not keep:
                flowing += features
            looking = self._looking(segment, step, shown)
            later = self._kept_for_pooling(step) if keep and step.block.pooled else 0
            yield kept - later + before + flowing + looking
            if step.block.pooled:
                if keep and pooling_costs.keeps_features(self.pooling):
                    flowing = 0
                taken = step.after * pooling_costs.forward_bytes(
                    self.pooling, step.halved, step.pooled, self.item
                )
                # Where nothing is recorded, what would be kept is there for a moment.
                yield kept + flowing + taken + (0 if keep else self._kept_by_pooling(step))

    def _backward(self, segment: SegmentPassage, shown: Shown) -> Iterator[float]:
        """What is alive of one tile at each moment of its way back; all it kept at first."""
        again = not segment.remembered
        kept = float(self._kept_by(segment.one, again=again))
        for step in reversed(segment.one):
            conv, relu = self._asked(step.block)
            features = step.seen * step.after * self.item
            if step.block.pooled:
                yield kept + step.after * pooling_costs.backward_bytes(
                    self.pooling, step.halved, step.pooled, self.item
                )
                if step.halved < step.seen:  # what the margin adds
                    left = kept - self._kept_for_pooling(step)
                    yield left + features + step.halved * step.after * self.item
            if conv or relu:
                computed = features if step.block.first and not again else 0
                yield kept + computed + features + self._looking(segment, step, shown)
            kept -= self._kept(step, again=again)
            linear = features if conv else 0
            yield kept + linear + step.seen * (step.before + step.after) * self.item
        if segment.one[0].block.first:  # the image's gradient, before and after a division
            yield 2 * segment.one[0].seen * 3 * max(4, self.item)

    def _looking(self, segment: SegmentPassage, step: BlockPassage, shown: Shown) -> float:
        names = (step.block.conv, step.block.relu)
        asked = [name for name in names if name in self.layers]
        return max((shown(name, step.own, segment.in_rows) for name in asked), default=0.0)

    def _workspace(self, segment: SegmentPassage) -> float:
        if not self.winograd:
            return 0.0
        return max(
            winograd.workspace_bytes(step.before, step.after, step.seen) for step in segment.one
        )
