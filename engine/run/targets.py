"""A job's pictures, network and device: what the objective at a scale is measured with."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.network.convolutions import Arithmetic
from engine.network.networks import Network
from engine.objective.objective import OrientedObjectives
from engine.objective.targets import (
    Taking,
    Targets,
    encode_content,
    encode_painting,
    find_matches,
)
from engine.objective.terms.colour_grain import ColourGrain, measure_colour_grain
from engine.objective.terms.content import ContentTarget
from engine.objective.terms.edges import EdgesTarget, measure_edges
from engine.objective.terms.matching import Codebook, MatchedTarget, joined, matched_targets
from engine.run import devices
from engine.run.optimizers import result
from engine.run.state import State
from engine.run.tensors import finest, to_tensor
from engine.spec.computing import Computing
from engine.spec.heeding import Heed, heedless
from engine.spec.job import Job
from engine.spec.layers import MeasuredLayers, matched_size
from engine.spec.matching import Turn, shared_entries, turns
from engine.spec.orientations import Orientation
from engine.spec.pictures import PictureRef, Size
from engine.spec.plan import Plan
from engine.spec.scales import Scale
from engine.spec.settings import Settings
from engine.spec.tiles import Tiling
from engine.weights.checkpoints import NetworkWeights, read_weights


@dataclass(frozen=True, eq=False)
class Measured:
    """What a scale's pictures ask.

    Attributes:
        objective: The sum of it.
        matches: The index map that was found, (h, w), int32; None where nothing is matched.
    """

    objective: OrientedObjectives
    matches: Tensor | None


class TargetMeasurer:
    """Owns the network and measures pictures with it.

    Args:
        job: Whose pictures.
        plan: Which network, where, in which numbers, and how it looks.
        file: With the network weights; read at once.
        heed: Called in the middle of all measuring and, by the network, of evaluations.

    Attributes:
        network_sha256: Of the file of network weights, as it was read.

    Raises:
        InputError: The network file cannot be used.
    """

    def __init__(self, job: Job, plan: Plan, file: Path, heed: Heed = heedless) -> None:
        self._job, self._plan, self._heed = job, plan, heed
        self._arithmetic: Arithmetic = devices.set_up(plan.computing)
        self._tiling = plan.tiling
        self._weights: NetworkWeights | None = read_weights(file, plan.network)
        self.network_sha256 = self._weights.sha256
        self._network: Network | None = None

    @property
    def device(self) -> torch.device:
        """Where the network computes."""
        return self._arithmetic.device

    def compute(self, computing: Computing, tiling: Tiling) -> None:
        """Measure from here on as numbers are computed and images cut now."""
        self._arithmetic, self._tiling = devices.set_up(computing), tiling
        self._network = None

    def measure_at(
        self, state: State, settings: Settings, shares: Sequence[float]
    ) -> Generator[str, None, Measured]:
        """Measure the pictures where a job stands; see `measure`."""
        canvas = result(state.begun, self._plan.settings) if state.measured.matched else None
        # At each scale less of the photograph: what the canvas shows of it is painted by then.
        times = max(state.scale - 1, int(state.step > 0))
        return self.measure(
            self._plan.scales[state.scale - 1],
            state.measured,
            settings,
            shares,
            canvas,
            drawn=1 - (1 - settings.match_canvas) ** times,
            enlarged=state.step == 0,
            matches=state.matches,
        )

    def measure(
        self,
        scale: Scale,
        layers: MeasuredLayers,
        settings: Settings,
        shares: Sequence[float],
        canvas: Tensor | None = None,
        *,
        drawn: float = 0.0,
        enlarged: bool = False,
        matches: Tensor | None = None,
    ) -> Generator[str, None, Measured]:
        """Measure the pictures at one scale.

        Args:
            scale: Of the canvas and the style images beside it.
            layers: What to build the network for and to measure; among them are those that the
                settings name.
            settings: What is asked, of these layers.
            shares: Each style image's in the blend.
            canvas: The pastiche so far, (1, 3, H, W); needed where there is no photograph.
            drawn: Its share in what is matched, beside the photograph's.
            enlarged: Whether it comes from a coarser scale, and lacks what is fine.
            matches: What was found for it before, not to be found again.

        Yields:
            Which picture is next, in words, before it takes its time.
        """
        network, looks = self._network_for(layers), self._plan.orientations
        place = f"at {scale.canvas[0]} × {scale.canvas[1]} px"
        request, photograph = self._job.request, None
        contents: list[dict[str, ContentTarget] | None] = [None] * len(looks)
        edges: list[EdgesTarget | None] = [None] * len(looks)
        if request.content is not None:
            yield f"Measuring {request.content.name} {place}"
            photograph = self._tensor(request.content, scale.canvas)
            contents = [
                encode_content(network, look.of(photograph), layers.content) for look in looks
            ]
            edges = [measure_edges(look.of(photograph), self._heed) for look in looks]
        styles: list[list[Mapping[str, Any]]] = []
        grains: list[ColourGrain] = []
        codebooks: list[list[Codebook]] = []
        takings = _takings(scale, layers, settings, shares)
        for style, size, taking in zip(request.styles, scale.styles, takings, strict=True):
            yield f"Measuring {style.name} {place}"
            image, loss = self._tensor(style, size), settings.style_loss
            grains.append(measure_colour_grain(image, self._heed))
            seen = [
                encode_painting(network, image, layers.style, loss, taking, look) for look in looks
            ]
            styles.append([measured for measured, _ in seen])
            codebooks.append([entries for _, entries in seen])
        matched: list[dict[str, MatchedTarget]] = [{} for _ in looks]
        if layers.matched:
            yield f"Matching {place}"
            books = [joined(parts) for parts in zip(*codebooks, strict=True)]
            if matches is None:
                query = _query(photograph, canvas, drawn, enlarged=enlarged)
                matches = find_matches(network, query, books[0], self._heed)
            matched = [
                self._matched(network, book, matches, scale, look)
                for book, look in zip(books, looks, strict=True)
            ]
        every = [tuple(grains)] * len(looks)
        targets = [*map(Targets, contents, zip(*styles, strict=True), looks, edges, every, matched)]
        return Measured(OrientedObjectives(network, targets, settings, shares), matches)

    def release(self) -> None:
        """Let go of every tensor."""
        self._network = None
        self._weights = None

    def _network_for(self, layers: MeasuredLayers) -> Network:
        """The network, built anew only for other layers."""
        if self._network is None or self._network.layers != layers.all:
            assert self._weights is not None, "what was released measures nothing"
            settings = self._plan.settings
            self._network = Network(
                settings.network,
                self._weights.tensors,
                layers.all,
                self._arithmetic,
                settings.pooling,
                settings.padding,
                self._tiling,
                self._heed,
            )
        return self._network

    def _matched(
        self, network: Network, book: Codebook, matches: Tensor, scale: Scale, look: Orientation
    ) -> dict[str, MatchedTarget]:
        """What the canvas is held against as it is seen in one orientation."""
        entries = len(next(iter(book.values())))
        # They may come from a file.
        index = look.of(matches.to(self.device).clamp(0, entries - 1)[None, None])[0, 0]
        width, height = scale.canvas
        size = (width, height) if look.quarters % 2 else (height, width)
        return matched_targets(book, index.contiguous(), size, network.projections)

    def _tensor(self, ref: PictureRef, size: Size) -> Tensor:
        return to_tensor(self._job.picture(ref).pixels, size, self.device, heed=self._heed)


def _takings(
    scale: Scale, layers: MeasuredLayers, settings: Settings, shares: Sequence[float]
) -> list[Taking]:
    """What the codebook takes of each painting."""
    if not layers.matched:
        return [Taking((), (Turn(),), 0, 0) for _ in scale.styles]
    ways, matched = turns(settings.match_turns), tuple(sorted(layers.matched))
    positions = [math.prod(matched_size(matched, size)) for size in scale.styles]
    counts = shared_entries(positions, shares, len(ways))
    return [Taking(matched, ways, count, number * len(ways)) for number, count in enumerate(counts)]


def _query(
    photograph: Tensor | None, canvas: Tensor | None, drawn: float, *, enlarged: bool
) -> Tensor:
    """What the paintings are searched for: the photograph with a share of the canvas."""
    if photograph is None:
        assert canvas is not None, "without a photograph the canvas itself is matched"
        return canvas.clamp(0, 1)
    if canvas is None or not drawn:
        return photograph
    seen = canvas + finest(photograph) if enlarged else canvas
    return photograph.lerp(seen.clamp(0, 1), drawn)
