"""What the draft network overlooks, and what is done against it.

Whatever is minimised through a network finds what that network overlooks, and a small network
overlooks much. But what escapes it in a picture does not escape it in the same picture turned. So
at each step it is shown the canvas, and the pictures it is held against, in another orientation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.spec.choices import NetworkName, OptimizerName

if TYPE_CHECKING:
    from torch import Tensor

    from engine.spec.settings import Settings

_TURNED_GAIN, _UPRIGHT_GAIN = 1.32, 2.4
"""Factors on the content loss with the draft network, which sees a pastiche nearer to its content
than VGG-19 does: a little in all orientations together, by half in one alone."""

_MATCHED_GAIN, _BESIDE_MATCHED = 0.7, 0.5
"""Factors with the draft network on matched content, and on content beside it: to its eyes the
places of a painting are more alike, so that the paintings' statistics have to count for more."""


@dataclass(frozen=True)
class Orientation:
    """One way to look at pictures (N, C, H, W): turned to the left by so many quarters."""

    quarters: int

    def of(self, picture: Tensor) -> Tensor:
        """The picture as it is seen this way."""
        return self._turned(picture, self.quarters)

    def back(self, gradient: Tensor) -> Tensor:
        """What was seen this way, upright again."""
        return self._turned(gradient, -self.quarters)

    def _turned(self, picture: Tensor, quarters: int) -> Tensor:
        return picture.rot90(quarters, (2, 3)).contiguous() if quarters else picture


UPRIGHT = Orientation(0)
ORIENTATIONS = (UPRIGHT, Orientation(1), Orientation(2), Orientation(3))
"""All there are, the first upright."""


def orientations(settings: Settings) -> tuple[Orientation, ...]:
    """Those in which a job's pictures are looked at, one a step, in turn; the first is upright."""
    # L-BFGS learns from how the gradient changes, so what it minimises has to stand still.
    turned = settings.optimizer is not OptimizerName.LBFGS
    return ORIENTATIONS if settings.network is NetworkName.DRAFT and turned else (UPRIGHT,)


def content_gain(settings: Settings) -> float:
    """A factor on the content loss that makes up for what the network overlooks."""
    if settings.network is not NetworkName.DRAFT:
        return 1.0
    beside = _BESIDE_MATCHED if settings.matched_weight else 1.0
    return beside * (_TURNED_GAIN if len(orientations(settings)) > 1 else _UPRIGHT_GAIN)


def matched_gain(settings: Settings) -> float:
    """A factor on matched content that makes up for what the network overlooks."""
    return _MATCHED_GAIN if settings.network is NetworkName.DRAFT else 1.0
