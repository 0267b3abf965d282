"""VGG-19 and VGG-16 as a chain from pixels to named features, and the way back for gradients.

Only what the asked-for layers need is built. The backward pass is written out rather than left to
autograd: every operation has a one-line transpose, nothing is kept that the way back does not need,
and the gradients of the losses join in place at the layers they belong to.

A large image goes through tile by tile, one *segment* of the network after the other:

    forward, for each segment:   for each tile: see it with its margin, run the segment on it,
                                 show the asked-for layers, store what is pooled at its end
    backward, from the deepest:  for each tile: run the segment again (or remember it), add the
                                 losses' gradients at its layers, carry them to the segment's
                                 input, and add up where margins overlap

The margin has as many positions as the segment has convolutions, so every value and every gradient
is that of the whole image. Only what is pooled between segments is held for all of it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping

import torch
from torch import Tensor

from engine.network.backward import (
    AddGradient,
    Record,
    SegmentRecord,
    Tap,
    Tape,
    TileRecord,
    Visit,
    cropped,
    note,
    show,
    walk_back,
)
from engine.network.convolutions import Arithmetic, Convolution
from engine.network.pooling import Transpose, pool, stopping
from engine.network.segments import Block, Segment, blocks_for, segments_for
from engine.spec.choices import NetworkName, Padding, Pooling
from engine.spec.heeding import Heed, heedless
from engine.spec.tiles import WHOLE, Tile, Tiling

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""ImageNet's channel statistics, which torchvision's training subtracted and divided by."""


class Network:
    """A pretrained network up to the deepest layer asked for, normalisation inside.

    Args:
        name: Which network.
        weights: `conv1_1.weight` (C_out, C_in, 3, 3), `conv1_1.bias` (C_out,), ...
        layers: The layers whose features are wanted.
        arithmetic: Where and in which numbers.
        pooling: How VGG's features are halved; the draft network's are always averaged.
        padding: What lies beyond the border for conv1_1.
        tiling: How images are cut; the features and gradients are the same for each.
        heed: Called before each block on the way there, and each operation on the way back.

    Attributes:
        projections: Layer -> (K, C), at least float32: what of the features the losses are to
            compare; layers that are compared as they are have none.
    """

    def __init__(
        self,
        name: NetworkName,
        weights: Mapping[str, Tensor],
        layers: Collection[str],
        arithmetic: Arithmetic,
        pooling: Pooling = Pooling.MAX,
        padding: Padding = Padding.ZEROS,
        tiling: Tiling = WHOLE,
        heed: Heed = heedless,
    ) -> None:
        self._name = name
        self.arithmetic = arithmetic
        self.heed = heed
        self.layers = frozenset(layers)
        self.tiling = tiling
        # The draft network was trained with another pooling than the VGG networks.
        self._pooling = None if name is NetworkName.DRAFT else pooling
        self._padding = padding
        wide = torch.promote_types(arithmetic.dtype, torch.float32)
        self._blocks = blocks_for(name, layers)
        self._convolutions = {
            block.name: Convolution(
                weights[f"{block.conv}.weight"], weights[f"{block.conv}.bias"], arithmetic
            )
            for block in self._blocks
        }
        self.projections = {
            layer: weights[key].to(arithmetic.device, wide)
            for layer in self.layers
            if (key := f"relu{layer[4:]}.projection") in weights
        }
        self._mean, self._std = (
            torch.tensor(values, dtype=wide).view(1, 3, 1, 1).to(arithmetic.device)
            for values in (MEAN, STD)
        )

    @torch.no_grad()
    def forward(self, image: Tensor, visit: Visit) -> Tape:
        """Compute the features of an sRGB image and show each asked-for layer to `visit`.

        Args:
            image: (1, 3, H, W) in 0..1, H and W at least 16, on the arithmetic's device.
            visit: Called with each part of each layer once. Must not change the features.

        Returns:
            What `vjp` needs.
        """
        tape: Tape = []
        segments = segments_for(self._blocks, (image.shape[2], image.shape[3]), self.tiling)
        for number, segment in enumerate(segments, start=1):
            record = SegmentRecord(segment, image)
            remembers = number > len(segments) - self.tiling.remembered
            image = self._segment_forward(record, visit, remembers=remembers, keep=True)
            tape.append(record)
        return tape

    @torch.no_grad()
    def forward_to(self, image: Tensor, visit: Visit, layers: Collection[str]) -> None:
        """Show features as `forward` does, to the deepest of some layers, and keep nothing.

        Args:
            image: As for `forward`.
            visit: As for `forward`; the features are gone after the call.
            layers: Some of those asked for.
        """
        if not layers:
            return
        blocks = blocks_for(self._name, layers)
        for segment in segments_for(blocks, (image.shape[2], image.shape[3]), self.tiling):
            record = SegmentRecord(segment, image)
            image = self._segment_forward(record, visit, remembers=False, keep=False)

    @torch.no_grad()
    def vjp(self, tape: Tape, add_gradient: AddGradient) -> Tensor:
        """The image's gradient, given that of each asked-for layer.

        Args:
            tape: From `forward`; emptied on the way, so that memory falls as it goes.
            add_gradient: Called once for each part of each asked-for layer, from the deepest on.

        Returns:
            dL/dx, shape (1, 3, H, W), at least float32, for the image as `forward` was given it.
        """
        gradient: Tensor | None = None
        while tape:
            gradient = self._segment_back(tape.pop(), gradient, add_gradient)
        assert gradient is not None, "the deepest block holds an asked-for layer"
        return gradient

    def _segment_forward(
        self, record: SegmentRecord, visit: Visit, *, remembers: bool, keep: bool
    ) -> Tensor:
        """Take all tiles through a segment; what comes out is the next one's input."""
        segment, image = record.segment, record.image
        tiles = list(segment.tiles((image.shape[2], image.shape[3]), self.tiling))
        output: Tensor | None = None
        for tile in tiles:
            # A lone tile's records take no more memory than the tile did.
            remembered = keep and (remembers or len(tiles) == 1)
            operations: list[Record] | None = [] if remembered else None
            flow = self._walk(segment, tile.outer.of(image), tile, operations, visit)
            if keep:
                record.tiles.append(TileRecord(tile, operations))
            if len(tiles) == 1:
                return flow
            if segment.pooled:
                if output is None:
                    output = self._empty(flow, image, segment)
                tile.inner.shrunk(segment.grid).of(output).copy_(flow)
            del flow  # or it would live through the next tile
        return image if output is None else output

    def _empty(self, flow: Tensor, image: Tensor, segment: Segment) -> Tensor:
        """Room for a segment's whole output, of the same kind as one tile's."""
        height, width = (side // segment.grid for side in image.shape[2:])
        shape = (1, flow.shape[1], height, width)
        return torch.empty(
            shape, dtype=flow.dtype, device=flow.device, memory_format=self.arithmetic.layout
        )

    def _segment_back(
        self, record: SegmentRecord, gradient: Tensor | None, add_gradient: AddGradient
    ) -> Tensor:
        """Carry a gradient from a segment's output back to its input, tile by tile."""
        segment, image = record.segment, record.image
        lone = len(record.tiles) == 1
        total: Tensor | None = None
        while record.tiles:
            tile_record = record.tiles.pop()
            tile, operations = tile_record.tile, tile_record.operations
            if operations is None:
                operations = []
                self._walk(segment, tile.outer.of(image), tile, operations, None)
            part = gradient
            if gradient is not None and not lone:
                part = tile.inner.shrunk(segment.grid).of(gradient)
            part = walk_back(operations, part, add_gradient, self.heed)
            if lone:
                return part
            if total is None:
                total = torch.zeros_like(image, dtype=part.dtype)
            tile.outer.of(total).add_(part)
            del part
        assert total is not None, "every image has a tile"
        return total

    def _walk(
        self,
        segment: Segment,
        flow: Tensor,
        tile: Tile,
        records: list[Record] | None,
        visit: Visit | None,
    ) -> Tensor:
        """Run a segment on what a tile sees; where it ends by pooling, only the tile's own is."""
        if segment.blocks[0].first:
            flow = (flow - self._mean) / self._std
            note(records, self._unnormalise)
        flow = self.arithmetic.tensor(flow)
        for block in segment.blocks:
            self.heed()
            flow = self._convolve(flow, block, tile, records, visit)
            if not block.pooled:
                continue
            if block is segment.blocks[-1]:
                flow = cropped(flow, tile, records)
            # With features of their own the ReLU's transpose has been noted already.
            rectify = not self.layers & {block.conv, block.relu}
            flow, transpose = pool(flow, self._pooling, block.stage, rectify=rectify)
            note(records, transpose)
            del transpose  # what it holds need not outlive this where nothing is recorded
            tile = tile.halved()
        return flow

    def _convolve(
        self,
        flow: Tensor,
        block: Block,
        tile: Tile,
        records: list[Record] | None,
        visit: Visit | None,
    ) -> Tensor:
        """One convolution and its ReLU, of which only what the way back needs is noted.

        Where features are asked for, these say where the ReLU let through; else before pooling the
        pooling knows it, and elsewhere a mask, a quarter the size of the features, is enough.
        """
        conv, relu = block.conv, block.relu
        forward, back = self._ways(block)
        source = flow
        if conv in self.layers:
            linear = forward(flow)
            show(visit, conv, linear, tile)
            note(records, lambda gradient, _: back(gradient), Tap(conv, tile, linear))
            flow = torch.relu(linear)
        else:
            note(records, back)
            flow = self._rectified(source, block)
        if relu in self.layers:
            show(visit, relu, flow, tile)
            features: Tensor | Callable[[], Tensor] = flow
            if block.first and visit is not None:
                # Half of all that would be kept, and from three channels quickly had again.
                features = functools.partial(self._rectified, source, block)
            note(records, _stop_below_zero, Tap(relu, tile, features))
        elif conv in self.layers:
            note(records, functools.partial(_stop_below_zero, features=linear))
        elif not block.pooled and records is not None:
            note(records, stopping(flow))
        return flow

    def _ways(self, block: Block) -> tuple[Transpose, Transpose]:
        """A block's convolution and its transpose, as the padding wants them."""
        convolution = self._convolutions[block.name]
        if block.first and self._padding is Padding.REPLICATE:
            return convolution.forward_replicated, convolution.transpose_replicated
        return convolution.forward, convolution.transpose

    def _rectified(self, flow: Tensor, block: Block) -> Tensor:
        """A block's convolution and ReLU in one go."""
        convolution = self._convolutions[block.name]
        if block.first and self._padding is Padding.REPLICATE:
            return convolution.forward_replicated_relu(flow)
        return convolution.forward_relu(flow)

    def _unnormalise(self, gradient: Tensor) -> Tensor:
        return gradient.to(torch.promote_types(gradient.dtype, torch.float32)) / self._std


def _stop_below_zero(gradient: Tensor, features: Tensor) -> Tensor:
    torch.ops.aten.threshold_backward.grad_input(gradient, features, 0, grad_input=gradient)
    return gradient
