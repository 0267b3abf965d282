"""What an evaluation costs: what the terms take, and what the network holds meanwhile; no torch.

Plans ask here. Sizes are (width, height), as everywhere outside the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from engine.network.costs import NetworkCosts, Shown
from engine.objective.terms.costs import (
    ContentCosts,
    MatchedCosts,
    TermCosts,
    edges_bytes,
    style_costs,
)
from engine.spec.choices import MatchMetric, NetworkName
from engine.spec.layers import (
    PROJECTIONS,
    channels_of,
    features_size,
    matched_size,
    matching_stage,
    measured_layers,
    place_of,
)
from engine.spec.matching import DIRECTIONS, FEW, MOST_ENTRIES, QUERIES_AT_ONCE, turns
from engine.spec.orientations import orientations
from engine.spec.pictures import Size
from engine.spec.settings import Settings
from engine.spec.tiles import Tiling

_QUERY_IMAGES = 4
"""Float32 images at once while the photograph is mixed with the canvas."""


def evaluation_bytes(
    settings: Settings, item: int, size: Size, tiling: Tiling, *, winograd: bool
) -> float:
    """The most that one evaluation takes at any moment; image, gradient and targets left out.

    Args:
        settings: Network, pooling and layers are read from here.
        item: Bytes of a number inside the network.
        size: Of the image.
        tiling: How it is cut.
        winograd: Whether convolutions are computed by NNPACK.
    """
    terms = list(_terms(settings))
    network = NetworkCosts.of(settings, item, winograd=winograd)

    return network.evaluation_bytes(size[::-1], tiling, _shown(terms, item)) + _sums_bytes(
        terms, item
    )


def measuring_bytes(
    settings: Settings, item: int, size: Size, tiling: Tiling, *, winograd: bool
) -> float:
    """The most that measuring a style image takes at any moment, the image left out."""
    terms = [term for term in _terms(settings) if term.sums_bytes(item)]
    network = NetworkCosts.of(settings, item, winograd=winograd)

    return network.measuring_bytes(size[::-1], tiling, _shown(terms, item)) + _sums_bytes(
        terms, item
    )


def matching_bytes(
    settings: Settings,
    item: int,
    size: Size,
    styles: Sequence[Size],
    tiling: Tiling,
    *,
    winograd: bool,
) -> float:
    """The most that finding matches for the canvas takes at any moment; 0 where there are none.

    The codebook is left out; what is searched for is in: the photograph, and what it is mixed with.
    """
    layers = measured_layers(settings).matched
    if not layers:
        return 0.0
    compared = [
        _compared(settings, layer) or channels_of(layer, settings.network) for layer in layers
    ]
    width, wide = sum(compared), max(4, item)
    entries, places = _entries(settings, styles), prod(matched_size(layers, size))
    few = width <= DIRECTIONS or max(entries, places) <= FEW
    directions = width if few else DIRECTIONS
    mixing = directions * sum(channels_of(layer, settings.network) for layer in layers)
    held = wide * (mixing + places * directions) + 12 * _QUERY_IMAGES * prod(size)
    network = NetworkCosts.of(settings, item, winograd=winograd)

    def shown(layer: str, positions: int, in_rows: bool) -> float:
        if layer not in layers:
            return 0.0
        places = positions >> 2 * max(0, matching_stage(layers) - place_of(layer)[0])
        return places * (channels_of(layer, settings.network) * (item + wide) + directions * wide)

    walking = network.measuring_bytes(size[::-1], tiling, shown)
    # All hypercolumns of the entries in all their directions, layer by layer and in a row.
    finding = wide * entries * 2 * width
    comparing = wide * (entries * (3 * directions + min(places, QUERIES_AT_ONCE)) + directions)
    return max(finding + wide * width * 3 * width, held + max(walking, comparing))


def targets_bytes(settings: Settings, item: int, size: Size, styles: Sequence[Size]) -> int:
    """Bytes of what is held of the pictures at a scale, in every orientation.

    Args:
        settings: Network, layers and orientations are read from here.
        item: Bytes of a number inside the network.
        size: Of the canvas.
        styles: Those of the style images.
    """
    held = sum(term.targets_bytes(size, item, styles) for term in _terms(settings, styles))
    return (held + edges_bytes(size)) * len(orientations(settings))


def evaluation_operations(settings: Settings, size: Size, tiling: Tiling) -> float:
    """Floating-point operations of one evaluation whose number grows with the picture."""
    network = NetworkCosts.of(settings, 4, winograd=False)
    terms = sum(term.operations(_positions(term.layer, size)) for term in _terms(settings))
    return network.operations(size[::-1], tiling) + terms


def _terms(settings: Settings, styles: Sequence[Size] = ()) -> Iterator[TermCosts]:
    """The costs of the terms that settings ask for, as `composition` makes them.

    Args:
        settings: The layers are read from here.
        styles: Sizes of the style images, where it matters how much is held of them.
    """
    for layer, _ in settings.content_layers:
        channels = channels_of(layer, settings.network)
        yield ContentCosts(layer, channels, _compared(settings, layer) is not None)
    matched = measured_layers(settings).matched
    for number, layer in enumerate(sorted(matched)):
        yield MatchedCosts(
            layer,
            channels_of(layer, settings.network),
            _compared(settings, layer) is not None,
            matching_stage(matched),
            _entries(settings, styles),
            settings.match_metric is MatchMetric.COSINE,
            has_map=number == 0,
        )
    for layer, _ in settings.style_layers:
        channels = channels_of(layer, settings.network)
        yield style_costs(settings.style_loss, layer, channels, _compared(settings, layer))


def _entries(settings: Settings, styles: Sequence[Size]) -> int:
    """Of the codebook, at most: how paintings share it is not known here."""
    ways = len(turns(settings.match_turns))
    matched = measured_layers(settings).matched
    places = (ways * prod(matched_size(matched, size)) for size in styles)
    return min(MOST_ENTRIES + ways, sum(places))


def _shown(terms: list[TermCosts], item: int) -> Shown:
    """What these terms take while a part of a layer is shown to them, one after another."""

    def shown(layer: str, positions: int, in_rows: bool) -> float:
        asked = [term for term in terms if term.layer == layer]
        taken = (term.shown_bytes(positions, item, in_rows=in_rows) for term in asked)
        return max(taken, default=0)

    return shown


def _compared(settings: Settings, layer: str) -> int | None:
    """Channels of a layer's projection, where it has one; a convolution has its ReLU's."""
    draft = settings.network is NetworkName.DRAFT
    return PROJECTIONS.get(f"relu{layer[4:]}") if draft else None


def _positions(layer: str, size: Size) -> int:
    height, width = features_size(layer, size[::-1])
    return height * width


def _sums_bytes(terms: list[TermCosts], item: int) -> int:
    """Of all that is summed, and of the term that just adds to its sums or closes them."""
    summed = sum(term.sums_bytes(item) for term in terms)
    return summed + max(term.closing_bytes(item) for term in terms)
