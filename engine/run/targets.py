"""A job's pictures, network and device: what the objective at a scale is measured with."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import torch

from engine.network.convolutions import Arithmetic
from engine.network.networks import Network
from engine.objective.objective import OrientedObjectives
from engine.objective.targets import Targets, encode_content, encode_style
from engine.objective.terms.content import ContentTarget
from engine.run import devices
from engine.run.canvas import first_image, to_tensor
from engine.spec.job import Job, Picture
from engine.spec.layers import MeasuredLayers
from engine.spec.orientations import orientations
from engine.spec.scales import Scale, Size
from engine.spec.settings import Settings
from engine.spec.tiles import Tiling
from engine.weights.checkpoints import NetworkWeights, read_weights


class TargetMeasurer:
    """Owns the network and measures pictures with it.

    Args:
        job: Whose pictures, and whose network weights; they are read at once.
        tiling: How images are cut.

    Attributes:
        arithmetic: Where the network computes, and in which numbers.
        network_sha256: Of the file of network weights, as it was read.

    Raises:
        InputError: The network file cannot be used.
        EngineError: The device is missing.
    """

    def __init__(self, job: Job, tiling: Tiling) -> None:
        self.arithmetic: Arithmetic = devices.choose_arithmetic(job.settings)
        self._job = job
        self._tiling = tiling
        self._weights: NetworkWeights | None = read_weights(
            job.network_weights, job.settings.network
        )
        self.network_sha256 = self._weights.sha256
        self._network: Network | None = None

    @property
    def tiling(self) -> Tiling:
        """How images are cut; with another, the next objective has a network of its own."""
        return self._tiling

    @tiling.setter
    def tiling(self, tiling: Tiling) -> None:
        self._tiling = tiling
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
        network, looks = self._network_for(layers, settings), orientations(settings)
        place = f"at {scale.canvas[0]} × {scale.canvas[1]} px"
        contents: list[dict[str, ContentTarget] | None] = [None] * len(looks)
        if self._job.content is not None:
            yield f"Measuring {self._job.content.name} {place}"
            image = self._tensor(self._job.content, scale.canvas)
            contents = [encode_content(network, look.of(image), layers.content) for look in looks]
        styles = []
        for style, size in zip(self._job.styles, scale.styles, strict=True):
            yield f"Measuring {style.picture.name} {place}"
            image = self._tensor(style.picture, size)
            styles.append([encode_style(network, look.of(image), layers.style) for look in looks])
        targets = [*map(Targets, contents, zip(*styles, strict=True), looks)]
        return OrientedObjectives(network, targets, settings, shares)

    def first_image(self, scale: Scale) -> torch.Tensor:
        """What the canvas holds before the first step."""
        return first_image(self._job, scale, self.arithmetic.device)

    def release(self) -> None:
        """Let go of every tensor."""
        self._network = None
        self._weights = None

    def _network_for(self, layers: MeasuredLayers, settings: Settings) -> Network:
        """The network, built anew only for other layers."""
        if self._network is None or self._network.layers != layers.all:
            assert self._weights is not None, "what was released measures nothing"
            self._network = Network(
                settings.network,
                self._weights.tensors,
                layers.all,
                self.arithmetic,
                settings.pooling,
                settings.padding,
                self._tiling,
            )
        return self._network

    def _tensor(self, picture: Picture, size: Size) -> torch.Tensor:
        return to_tensor(picture.pixels, size, self.arithmetic.device)
