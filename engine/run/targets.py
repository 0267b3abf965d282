"""A job's pictures, network and device: what the objective at a scale is made from."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

import torch

from engine.network.networks import Network
from engine.objective.objective import (
    ContentTarget,
    Objective,
    Views,
    encode_content,
    encode_style,
)
from engine.objective.objective import (
    Targets as _T,
)
from engine.run import devices
from engine.run.tensors import to_tensor
from engine.spec.job import Job
from engine.spec.layers import MeasuredLayers
from engine.spec.pictures import Picture, Size
from engine.spec.plan import Plan
from engine.spec.scales import Scale
from engine.spec.settings import Settings
from engine.spec.tiles import Tiling
from engine.weights.checkpoints import read_weights


class Targets:
    """Owns the network and measures pictures with it.

    Args:
        job: Whose pictures.
        plan: Which network, where, in which numbers, and how it looks.
        file: With the network weights; read at once.

    Raises:
        InputError: The network file cannot be used.
    """

    def __init__(self, job: Job, plan: Plan, file: Path) -> None:
        self._job, self._plan = job, plan
        self._arithmetic = devices.arithmetic_of(plan)
        self._tiling = plan.tiling
        weights = read_weights(file, plan.network)
        self._weights = weights.tensors

        self.network_sha256 = weights.sha256
        self._network: Network | None = None
        self._built_for: frozenset[str] = frozenset()

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self._arithmetic.device

    @property
    def tiling(self) -> Tiling:
        """How images are cut; with another, the next objective has a network of its own."""
        return self._tiling

    @tiling.setter
    def tiling(self, tiling: Tiling) -> None:
        self._tiling = tiling
        self._network = None

    def measure(
        self, scale: Scale, measured: MeasuredLayers, settings: Settings, shares: Sequence[float]
    ) -> Generator[str, None, Views]:
        """Measure the pictures at one scale.

        Args:
            scale: Says how large.
            measured: The layers to measure, and to build the network for.
            settings: The weights, as a plan has applied them.
            shares: Each painting's in the blend.

        Yields:
            Which picture is next, in words, before it takes its time.

        Returns:
            The objective.
        """
        network, views = self._network_for(measured), self._plan.orientations
        place = f"at {scale.canvas[0]} × {scale.canvas[1]} px"
        request = self._job.request
        contents: list[dict[str, ContentTarget] | None] = [None] * len(views)
        if request.content is not None:
            yield f"Measuring {request.content.name} {place}"
            image = self._tensor(self._job.picture(request.content), scale.canvas)
            contents = [encode_content(network, turn.of(image), measured.content) for turn in views]
        styles = []
        for style, size in zip(request.styles, scale.styles, strict=True):
            yield f"Measuring {style.name} {place}"
            image = self._tensor(self._job.picture(style), size)
            styles.append([encode_style(network, turn.of(image), measured.style) for turn in views])
        targets = map(_T, contents, zip(*styles, strict=True), views)
        return Views([Objective(network, seen, settings, shares) for seen in targets])

    def release(self) -> None:
        """Let go of every tensor."""
        self._network = None
        self._weights = {}

    def _network_for(self, measured: MeasuredLayers) -> Network:
        """The network, built anew only when other layers are named."""
        layers = measured.all
        if self._network is None or self._network.layers != layers:
            settings = self._plan.settings
            self._network = Network(
                settings.network,
                self._weights,
                layers,
                self._arithmetic,
                settings.pooling,
                settings.padding,
                self._tiling,
            )
        return self._network

    def _tensor(self, picture: Picture, size: Size) -> torch.Tensor:
        return to_tensor(picture.pixels, size, self.device)
