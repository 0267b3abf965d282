"""What one evaluation costs in memory and arithmetic, counted from the network's shape.

Memory is that of the moment when most is alive; `engine.network.networks` says which
moments there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.plan.machine import Machine
from engine.spec.choices import NetworkName, Pooling
from engine.spec.layers import CHANNELS, block_names, channels_of, features_size
from engine.spec.orientations import orientations
from engine.spec.pictures import Size
from engine.spec.settings import Settings
from engine.spec.tiles import Tiling, segment_stages, shape

NARROW = 16
"""Up to this many channels on both sides the direct convolution outruns Winograd."""

_WINOGRAD_DEPTH = 146
"""Input channels that NNPACK transforms at a time, where the first cache holds 32 KiB."""


@dataclass
class _Walk:
    """What it costs to take an image through one segment of the network.

    Attributes:
        remembered: Whether the way back finds all it needs, for the whole image.
        overlap: How many times each position is computed, because tiles see beyond their own.
        kept: Bytes that the way back needs: of the whole image if remembered, else of one tile.
        busy: Bytes of the widest convolution's input and output, for one tile.
        workspace: Bytes that the widest convolution wants beside them.
        output: Bytes of what is handed on, for the whole image.
        operations: Floating-point operations of one walk, overlap left out.
    """

    remembered: bool
    overlap: float
    kept: float = 0.0
    busy: float = 0.0
    workspace: float = 0.0
    output: float = 0.0
    operations: float = 0.0


def evaluation_bytes(settings: Settings, machine: Machine, size: Size, tiling: Tiling) -> float:
    """Bytes one evaluation takes at its peak, the image and the network weights left out."""
    walks = list(_walks(settings, machine, size, tiling))
    held = peak = 0.0
    handed = 0.0
    for walk in walks:
        # Alive on the way back: all that was handed on up to here, the gradient of what this
        # segment handed on, and that of what it was handed.
        back = held + walk.kept + walk.busy + 2 * handed + walk.output
        peak = max(peak, back)
        held += (walk.kept if walk.remembered else 0.0) + handed
        handed = walk.output
    # The workspace is not given back in between.
    return peak + max(walk.workspace for walk in walks)


def measuring_bytes(settings: Settings, machine: Machine, size: Size, tiling: Tiling) -> float:
    """Bytes it takes to measure a painting of this size: one walk, nothing kept."""
    walks = list(_walks(settings, machine, size, tiling))
    return max(walk.busy + walk.output + walk.workspace for walk in walks)


def evaluation_operations(settings: Settings, size: Size, tiling: Tiling) -> float:
    """Floating-point operations of one evaluation: there, back, and again where nothing is kept."""
    return sum(
        walk.operations * walk.overlap * (2 if walk.remembered else 3)
        for walk in _walks(settings, None, size, tiling)
    )


def content_bytes(settings: Settings, machine: Machine, size: Size) -> float:
    """Bytes that the content image's features take, seen every way they are looked at."""
    total = 0
    for layer, _ in settings.content_layers:
        height, width = features_size(layer, (size[1], size[0]))
        total += channels_of(layer, settings.network) * height * width * machine.item
    return total * len(orientations(settings))


def weights_bytes(settings: Settings, machine: Machine) -> float:
    """Bytes of the network weights: as read, ready for use, and turned for the way back."""
    count = sum(9 * before * after for before, after, _ in _convolutions(settings))
    return count * (4 + 2 * machine.item)


def _convolutions(settings: Settings) -> Iterator[tuple[int, int, str]]:
    """Channels before and after each convolution the settings need, and its name (`3_1`)."""
    before = 3
    for block in block_names(settings.network, settings.layers):
        after = CHANNELS[settings.network][int(block[0]) - 1]
        yield before, after, block
        before = after


def _walks(
    settings: Settings, machine: Machine | None, size: Size, tiling: Tiling
) -> Iterator[_Walk]:
    convolutions = list(_convolutions(settings))
    deepest = int(convolutions[-1][2][0])
    lone = tiling.takes_whole((size[1], size[0]))
    groups = [tuple(range(1, deepest + 1))] if lone else segment_stages(deepest)
    item, winograd = (machine.item, machine.winograd) if machine else (4, False)
    for number, stages in enumerate(groups, start=1):
        width, height = (side >> stages[0] - 1 for side in size)
        inside = [row for row in convolutions if int(row[2][0]) in stages]
        margin = sum(2 ** (int(block[0]) - stages[0]) for _, _, block in inside)
        seen, overlap = _seen(width, height, margin, tiling.side)
        alone = tiling.takes_whole((height, width))
        walk = _Walk(alone or number > len(groups) - tiling.remembered, overlap)
        for before, after, block in inside:
            share = 0.25 ** (int(block[0]) - stages[0])
            pooled = block != convolutions[-1][2] and _ends_stage(block, convolutions)
            positions = width * height * overlap if walk.remembered else seen
            if block == "1_1" and walk.remembered and "conv1_1" not in settings.layers:
                walk.kept += positions * 3 * item  # the rest is computed again from its input
            else:
                walk.kept += share * positions * _kept(settings, block, after, item, pooled=pooled)
            walk.busy = max(walk.busy, share * seen * (before + after) * item)
            if winograd and before > 3 and max(before, after) > NARROW:
                # Squares of 8 x 8 stand for 6 x 6 of the result, and kernels become 8 x 8.
                squares, depth = share * seen / 36, min(before, _WINOGRAD_DEPTH)
                room = 4 * 64 * (squares * (depth + after) + depth * after)
                walk.workspace = max(walk.workspace, room)
            walk.operations += 18 * share * width * height * before * after
            if pooled:
                walk.output = share / 4 * width * height * after * item
        if lone:
            walk.output = 0.0
        yield walk


def _seen(width: int, height: int, margin: int, side: int | None) -> tuple[float, float]:
    """Positions that one tile sees, and how many times each of the image's is seen."""
    if side is None:
        return float(width * height), 1.0
    seen = overlap = 1.0
    for length, longest in zip((height, width), shape((height, width), side), strict=True):
        count = -(-length // longest)
        reach = min(length, length / count + 2 * margin)
        seen *= reach
        overlap *= (length + 2 * margin * (count - 1)) / length
    return seen, overlap


def _ends_stage(block: str, convolutions: list[tuple[int, int, str]]) -> bool:
    return block == [name for _, _, name in convolutions if name[0] == block[0]][-1]


def _kept(settings: Settings, block: str, channels: int, item: int, *, pooled: bool) -> float:
    """Bytes for each position that a block and the pooling after it keep for the way back."""
    named = settings.layers
    taps = len(named & {f"conv{block}", f"relu{block}"})
    kept = float(taps * channels * item)
    if not pooled:
        return kept if taps else kept + channels
    pooling = Pooling.AVERAGE if settings.network is NetworkName.DRAFT else settings.pooling
    match pooling:
        case Pooling.MAX:
            return kept + channels / 4 * (2 if taps else 3)
        case Pooling.AVERAGE:
            return kept if taps else kept + channels
        case Pooling.L2:
            return kept + channels * item * (1.25 if f"relu{block}" not in named else 0.25)
