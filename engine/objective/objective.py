"""The objective at an image: its value, its terms and its gradient, from features to pixels.

tape     = network.forward(image)           each layer is shown to every term that asked for it
sums    += term.look(features)              additive terms
value, slope = term.close(sums)
gradient = network.vjp(tape, ...)           each layer again: slopes and local terms add theirs
gradient += terms on pixels
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from engine.network.networks import Network
from engine.objective.composition import compose
from engine.objective.evaluation import Evaluation
from engine.objective.graphs import Reel, Replayed, side_by_side
from engine.objective.targets import Targets
from engine.objective.terms.protocol import AdditiveTerm, LocalTerm, Slope, Terms
from engine.objective.terms.ranges import power_of_two
from engine.spec.limits import LARGEST_RECORDED
from engine.spec.orientations import UPRIGHT, Orientation
from engine.spec.settings import Settings
from engine.spec.tiles import Box

_ROOM = 2.0**-8
"""Below the gradient of a loss near 1: against a flat painting, losses begin in the thousands."""


class Objective:
    """The sum of some terms in one orientation.

    Args:
        network: Built for at least the layers the terms want.
        terms: What is asked.
        orientation: In which the image is looked at.
    """

    def __init__(self, network: Network, terms: Terms, orientation: Orientation = UPRIGHT) -> None:
        self._network = network
        self._terms = terms
        self._orientation = orientation
        self._additive: dict[str, list[AdditiveTerm[Any]]] = defaultdict(list)
        self._local: dict[str, list[LocalTerm]] = defaultdict(list)
        for term in terms.additive:
            self._additive[term.layer].append(term)
        for local in terms.local:
            self._local[local.layer].append(local)
        self.term_names = terms.names

    def can_be_recorded(self, size: tuple[int, int]) -> bool:
        """Whether an evaluation of (height, width) is one short chain of kernels on a card."""
        network = self._network
        whole = network.tiling.takes_whole(size) and size[0] * size[1] <= LARGEST_RECORDED
        return network.arithmetic.recordings and whole

    def evaluate(self, image: Tensor) -> Evaluation:
        """Value, terms and gradient at an image (1, 3, H, W), sRGB in 0..1, on the device."""
        # Of a large image each pass over all of it takes long, too.
        heed = self._network.heed
        image = self._orientation.of(image)
        scale = self._scale(image)
        sums: dict[AdditiveTerm[Any], Any] = {}
        slopes: dict[AdditiveTerm[Any], Slope] = {}
        values = {name: image.new_zeros(()) for name in self.term_names}

        def look(layer: str, features: Tensor, where: Box) -> None:
            for term in self._additive[layer]:
                part = term.look(features, where)
                sums[term] = sums[term] + part if term in sums else part

        def add_gradient(layer: str, features: Tensor, gradient: Tensor, where: Box) -> None:
            for term in self._additive[layer]:
                slopes[term].add_gradient(features, gradient, where)
            for local in self._local[layer]:
                values[local.name] += local.add_gradient(features, gradient, where, scale)

        tape = self._network.forward(image, look)
        closing = (partial(term.close, sums.pop(term), scale) for term in self._terms.additive)
        for term, closed in zip(self._terms.additive, side_by_side(closing), strict=True):
            values[term.name], slopes[term] = closed
            heed()
        gradient = self._network.vjp(tape, add_gradient).div_(scale)
        for pixel in self._terms.pixel:
            values[pixel.name] = pixel.add_gradient(image, gradient, heed=heed)
        heed()
        # A slider may stand at 0 for a moment: then nothing is asked and the picture stays.
        terms = torch.stack([*values.values()] or [image.new_zeros(())])
        return Evaluation(terms.sum(), terms, self._orientation.back(gradient))

    def _scale(self, image: Tensor) -> float:
        """What gradients inside the network are multiplied by, a power of two.

        A mean's gradient at one position is too small for float16. That of a sum is not, whatever
        the losses weigh together.
        """
        if self._network.arithmetic.dtype is not torch.float16:
            return 1.0
        weight = self._terms.features_weight
        return power_of_two(_ROOM * image.numel() / weight) if weight else 1.0


class OrientedObjectives:
    """The same objective in one orientation and another, for one step after another.

    Args:
        network: Built for at least the measured layers.
        targets: Measured with it, the first upright, each in an orientation of its own.
        settings: The weights are read from here; its layers must be among those measured.
        shares: Each style image's in the blend.
    """

    def __init__(
        self,
        network: Network,
        targets: Sequence[Targets],
        settings: Settings,
        shares: Sequence[float],
    ) -> None:
        self._network = network
        self._targets = tuple(targets)
        products = network.arithmetic.products
        self._objectives = [
            Objective(
                network,
                compose(seen, settings, shares, network.projections, products=products),
                seen.orientation,
            )
            for seen in self._targets
        ]
        self.term_names = self._objectives[0].term_names
        reel = Reel()
        self._replayed = [Replayed(objective.evaluate, reel) for objective in self._objectives]

    @property
    def period(self) -> int:
        """After how many steps the first orientation comes again."""
        return len(self._targets)

    def retuned(self, settings: Settings, shares: Sequence[float]) -> OrientedObjectives:
        """The same targets under other weights; the layers must be among those measured."""
        return OrientedObjectives(self._network, self._targets, settings, shares)

    def evaluate(self, image: Tensor, step: int = 0) -> Evaluation:
        """Value, terms and gradient at an upright image, as it is looked at in a step.

        Raises:
            RecordingError: It was to be recorded, and the device cannot.
        """
        orientation = step % self.period
        objective = self._objectives[orientation]
        if objective.can_be_recorded((image.shape[2], image.shape[3])):
            return self._replayed[orientation](image)
        return objective.evaluate(image)
