"""A job's pictures, network and device: what the objective at a scale is measured with."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

import torch

from engine.network.convolutions import Arithmetic
from engine.network.networks import Network
from engine.objective.objective import OrientedObjectives
from engine.objective.targets import Targets, encode_content, encode_style
from engine.objective.terms.content import ContentTarget
from engine.objective.terms.edges import EdgesTarget, measure_edges
from engine.run import devices
from engine.run.tensors import to_tensor
from engine.spec.computing import Computing
from engine.spec.heeding import Heed, heedless
from engine.spec.job import Job
from engine.spec.layers import MeasuredLayers
from engine.spec.pictures import PictureRef, Size
from engine.spec.plan import Plan
from engine.spec.scales import Scale
from engine.spec.settings import Settings
from engine.spec.tiles import Tiling
from engine.weights.checkpoints import NetworkWeights, read_weights


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

    def measure(
        self,
        scale: Scale,
        layers: MeasuredLayers,
        settings: Settings,
        shares: Sequence[float],
    ) -> Generator[str, None, OrientedObjectives]:
        """Measure the pictures at one scale.

        Args:
            scale: Of the canvas and the style images beside it.
            layers: What to build the network for and to measure; among them are those that the
                settings name.
            settings: What is asked, of these layers.
            shares: Each style image's in the blend.

        Yields:
            Which picture is next, in words, before it takes its time.

        Returns:
            The objective.
        """
        network, looks = self._network_for(layers), self._plan.orientations
        place = f"at {scale.canvas[0]} × {scale.canvas[1]} px"
        request = self._job.request
        contents: list[dict[str, ContentTarget] | None] = [None] * len(looks)
        edges: list[EdgesTarget | None] = [None] * len(looks)
        if request.content is not None:
            yield f"Measuring {request.content.name} {place}"
            image = self._tensor(request.content, scale.canvas)
            contents = [encode_content(network, look.of(image), layers.content) for look in looks]
            edges = [measure_edges(look.of(image), self._heed) for look in looks]
        styles = []
        for style, size in zip(request.styles, scale.styles, strict=True):
            yield f"Measuring {style.name} {place}"
            image = self._tensor(style, size)
            loss = settings.style_loss
            styles.append(
                [encode_style(network, look.of(image), layers.style, loss) for look in looks]
            )
        targets = [*map(Targets, contents, zip(*styles, strict=True), looks, edges)]
        return OrientedObjectives(network, targets, settings, shares)

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

    def _tensor(self, ref: PictureRef, size: Size) -> torch.Tensor:
        return to_tensor(self._job.picture(ref).pixels, size, self.device, heed=self._heed)
