"""From settings and targets to terms: what is asked, and how much each part of it counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from engine.objective.styles import style_of
from engine.objective.targets import Targets
from engine.objective.terms.colour_grain import ColourGrainTerm, blended
from engine.objective.terms.content import ContentTerm
from engine.objective.terms.cosine import CosineTerm
from engine.objective.terms.edges import EdgesTerm
from engine.objective.terms.matching import MatchedTarget
from engine.objective.terms.protocol import LocalTerm, PixelTerm, Terms
from engine.objective.terms.total_variation import TotalVariationTerm
from engine.spec.choices import MatchMetric
from engine.spec.layers import LayerWeight
from engine.spec.orientations import content_gain, matched_gain
from engine.spec.settings import Settings


def compose(
    targets: Targets,
    settings: Settings,
    shares: Sequence[float],
    projections: Mapping[str, Tensor],
    *,
    products: bool,
) -> Terms:
    """Matched + content + style + TV + edges + fine colour, each times its weight.

    Of content and style these are the effective weights, between which style strength decides.

    Within each of the three the layers' weights are relative to each other: naming more layers, or
    doubling all weights, does not change the balance between the terms.

    Args:
        targets: Of all the layers that the settings name.
        settings: The weights are read from here.
        shares: Each style image's in the blend.
        projections: Of the network the targets were measured with.
        products: Whether roots of matrices are by products; else by eigenvalues.
    """
    content_weight = 0.0
    if targets.content is not None:
        content_weight = settings.effective_content_weight() * content_gain(settings)
    local: list[LocalTerm] = [
        ContentTerm(layer, (targets.content or {})[layer], weight, projections.get(layer))
        for layer, weight in _relative(settings.content_layers, content_weight)
    ]
    local += [
        _matched(layer, targets.matched[layer], weight, projections.get(layer), settings)
        for layer, weight in _relative(
            settings.matched_layers, settings.matched_weight * matched_gain(settings)
        )
    ]
    style = style_of(settings.style_loss, products=products)
    additive = [
        style.term(
            layer,
            [painting[layer] for painting in targets.styles],
            shares,
            weight,
            projections.get(layer),
        )
        for layer, weight in _relative(settings.style_layers, settings.effective_style_weight())
    ]
    pixel: list[PixelTerm] = []
    if settings.smoothness:
        pixel.append(TotalVariationTerm(settings.smoothness))
    if settings.keep_edges and targets.edges is not None:
        pixel.append(EdgesTerm(targets.edges, settings.keep_edges))
    if settings.clean_colours and targets.grains:
        grain = blended(targets.grains, shares)
        pixel.append(ColourGrainTerm(grain, settings.clean_colours))
    return Terms(tuple(local), tuple(additive), tuple(pixel))


def _matched(
    layer: str,
    target: MatchedTarget,
    weight: float,
    projection: Tensor | None,
    settings: Settings,
) -> LocalTerm:
    """A layer's features beside the matched ones, by the metric that is asked for."""
    match settings.match_metric:
        case MatchMetric.SQUARED:
            return ContentTerm(layer, target, weight, projection, kind="matched")
        case MatchMetric.COSINE:
            return CosineTerm(layer, target, weight, projection)


def _relative(layers: Sequence[LayerWeight], weight: float) -> list[tuple[str, float]]:
    """Each layer's part of a term's weight; layers and terms without weight are left out."""
    whole = sum(layer.weight for layer in layers)
    return [(layer, weight * share / whole) for layer, share in layers if share > 0 and weight > 0]
