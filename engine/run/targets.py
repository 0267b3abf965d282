"""A job's pictures, network and device: what the objective at a scale is made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch

from engine.network.convolutions import Arithmetic
from engine.network.networks import Network
from engine.objective.objective import (
    ContentTarget,
    Objective,
    Targets,
    Views,
    encode_content,
    encode_style,
)
from engine.run import devices
from engine.run.canvas import first_image, to_tensor
from engine.spec.job import Job, Picture
from engine.spec.layers import LayerWeight
from engine.spec.orientations import turns
from engine.spec.scales import Scale, Size
from engine.spec.settings import Settings
from engine.spec.tiles import Tiling
from engine.weights.checkpoints import read_weights


class Studio:
    """Owns the network and measures pictures with it.

    Args:
        job: Whose pictures, and whose network weights; they are read at once.
        tiling: How images are cut.

    Raises:
        InputError: The network file cannot be used.
        EngineError: The device is missing.
    """

    def __init__(self, job: Job, tiling: Tiling) -> None:
        self.arithmetic: Arithmetic = devices.choose_arithmetic(job.settings)
        self._job = job
        self._tiling = tiling
        self._weights = read_weights(job.network_weights, job.settings.network)
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
        settings: Settings,
        shares: Sequence[float],
        deliver: Callable[[Views], None],
    ) -> Iterator[str]:
        """Measure the pictures at one scale and deliver the objective.

        Yields:
            Which picture is next, in words, before it takes its time.
        """
        network, views = self._network_for(settings), turns(settings)
        place = f"at {scale.canvas[0]} × {scale.canvas[1]} px"
        contents: list[dict[str, ContentTarget] | None] = [None] * len(views)
        if self._job.content is not None:
            yield f"Measuring {self._job.content.name} {place}"
            image = self._tensor(self._job.content, scale.canvas)
            layers = _names(settings.content_layers)
            contents = [encode_content(network, turn.of(image), layers) for turn in views]
        styles = []
        for style, size in zip(self._job.styles, scale.styles, strict=True):
            yield f"Measuring {style.picture.name} {place}"
            image = self._tensor(style.picture, size)
            layers = _names(settings.style_layers)
            styles.append([encode_style(network, turn.of(image), layers) for turn in views])
        targets = map(Targets, contents, zip(*styles, strict=True), views)
        deliver(Views([Objective(network, seen, settings, shares) for seen in targets]))

    def first_image(self, scale: Scale) -> torch.Tensor:
        """What the canvas holds before the first step."""
        return first_image(self._job, scale, self.arithmetic.device)

    def release(self) -> None:
        """Let go of every tensor."""
        self._network = None
        self._weights = {}

    def _network_for(self, settings: Settings) -> Network:
        """The network, built anew only when other layers are named."""
        if self._network is None or self._network.layers != settings.layers:
            self._network = Network(
                settings.network,
                self._weights,
                settings.layers,
                self.arithmetic,
                settings.pooling,
                settings.padding,
                self._tiling,
            )
        return self._network

    def _tensor(self, picture: Picture, size: Size) -> torch.Tensor:
        return to_tensor(picture.pixels, size, self.arithmetic.device)


def _names(layers: Sequence[LayerWeight]) -> list[str]:
    return [layer for layer, _ in layers]
