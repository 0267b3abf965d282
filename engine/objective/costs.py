"""What the terms cost in memory and arithmetic, number for number beside `terms`; no torch.

A plan asks here for all of an evaluation: the terms say what they take while a layer is shown to
them, and the network adds what it holds meanwhile.
"""

from __future__ import annotations

from engine.network.costs import NetworkCosts
from engine.spec.choices import NetworkName
from engine.spec.layers import PROJECTIONS, channels_of, features_size
from engine.spec.orientations import orientations
from engine.spec.pictures import Size
from engine.spec.settings import Settings
from engine.spec.tiles import Tiling

_WIDENED = 1 << 16
"""Positions that statistics widen to float32 at a time."""


def evaluation_bytes(
    settings: Settings, item: int, size: Size, tiling: Tiling, *, winograd: bool
) -> float:
    """The most that one evaluation takes at any moment; image, gradient and targets left out.

    Args:
        settings: Network, pooling and layers are read from here.
        item: Bytes of a number inside the network.
        size: Width and height of the image.
        tiling: How it is cut.
        winograd: Whether convolutions are computed by NNPACK.
    """
    network = NetworkCosts.of(settings, item, winograd=winograd)

    def shown(layer: str, positions: int, in_rows: bool) -> float:
        return _shown_bytes(settings, item, layer, positions, in_rows=in_rows)

    return network.evaluation_bytes(size[::-1], tiling, shown) + _sums_bytes(settings, item)


def measuring_bytes(
    settings: Settings, item: int, size: Size, tiling: Tiling, *, winograd: bool
) -> float:
    """The most that measuring a style image takes at any moment, the image left out."""
    network = NetworkCosts.of(settings, item, winograd=winograd)

    def shown(layer: str, positions: int, in_rows: bool) -> float:
        return _look_bytes(settings, item, layer, positions, in_rows=in_rows)

    return network.measuring_bytes(size[::-1], tiling, shown) + _sums_bytes(settings, item)


def targets_bytes(settings: Settings, item: int, size: Size, styles: int) -> int:
    """Bytes of what is held of the pictures at a scale, in every orientation.

    Args:
        settings: Network, layers and orientations are read from here.
        item: Bytes of a number inside the network.
        size: Width and height of the canvas.
        styles: How many style images there are.
    """
    wide, total = max(4, item), 0
    for layer, _ in settings.content_layers:
        channels = channels_of(layer, settings.network)
        total += channels * _positions(layer, size) * item
        if _projected(settings, layer):  # the metric in which they are compared
            total += channels**2 * item
    for layer, _ in settings.style_layers:
        total += styles * _statistics_numbers(channels_of(layer, settings.network)) * wide
        total += _statistics_numbers(_compared(settings, layer)) * wide
    return total * len(orientations(settings))


def evaluation_operations(settings: Settings, size: Size, tiling: Tiling) -> float:
    """Floating-point operations of one evaluation whose number grows with the picture."""
    network = NetworkCosts.of(settings, 4, winograd=False)
    total = network.operations(size[::-1], tiling)
    for layer, _ in settings.style_layers:
        # Outer products in the first pass, a matrix times each position in the second.
        total += 4 * channels_of(layer, settings.network) ** 2 * _positions(layer, size)
    for layer, _ in settings.content_layers:
        channels = channels_of(layer, settings.network)
        mixing = 2 * channels if _projected(settings, layer) else 0
        total += (5 + mixing) * channels * _positions(layer, size)
    return total


def _positions(layer: str, size: Size) -> int:
    height, width = features_size(layer, size[::-1])
    return height * width


def _compared(settings: Settings, layer: str) -> int:
    """Channels of what the terms compare."""
    projected = _projected(settings, layer)
    return PROJECTIONS[layer] if projected else channels_of(layer, settings.network)


def _projected(settings: Settings, layer: str) -> bool:
    return settings.network is NetworkName.DRAFT and layer in PROJECTIONS


def _statistics_numbers(channels: int) -> int:
    """Of a sum of features and one of their outer products."""
    return channels * (channels + 1)


def _sums_bytes(settings: Settings, item: int) -> int:
    """Of what is summed, whose place the slopes take, and of the part that is just being added."""
    numbers = [
        _statistics_numbers(channels_of(layer, settings.network))
        for layer, _ in settings.style_layers
    ]
    return (sum(numbers) + 2 * max(numbers)) * max(4, item)


def _shown_bytes(
    settings: Settings, item: int, layer: str, positions: int, *, in_rows: bool
) -> float:
    """What the terms take while they look at a part of a layer or add to its gradient."""
    features = channels_of(layer, settings.network) * positions * item
    content = 0
    if layer in dict(settings.content_layers):
        content = features * (3 if _projected(settings, layer) else 1)
    return max(content, _look_bytes(settings, item, layer, positions, in_rows=in_rows))


def _look_bytes(
    settings: Settings, item: int, layer: str, positions: int, *, in_rows: bool
) -> float:
    """The same of the style's statistics alone."""
    if layer not in dict(settings.style_layers):
        return 0.0
    channels = channels_of(layer, settings.network)
    copied = 0 if in_rows else 2 * channels * positions * item
    widened = channels * min(positions, _WIDENED) * 4 if item < 4 else 0
    return float(max(copied, widened))
