"""L-BFGS that never asks the device for a number: torch's own waits for it at every stored pair.

The two-loop recursion of Nocedal (1980), one evaluation a step, a unit step after the first, as
`torch.optim.LBFGS` does it with `max_iter=1`; scalars stay tensors. A pair of no use is weighted
with 0, where torch leaves it out: it takes a place in the history, but asks the device nothing.

Nothing searches along the line, so two lengths stand guard. The first step is long enough to tell
curvature from rounding: one that is lost in rounding makes the second a leap out of the picture.
And no step is longer than one that the approximation can be trusted for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.spec.heeding import Heed, heedless

_LEAST_CURVATURE = 1e-10
"""A pair of a step and a change of gradient with less would spoil the approximation."""


@dataclass(frozen=True, eq=False)
class _Pair:
    """A step s, the change y of the gradient over it, and 1 / y.s, or 0 where that is no use."""

    step: Tensor
    change: Tensor
    weight: Tensor


@dataclass(frozen=True, eq=False)
class Curvature:
    """What is remembered between two steps.

    Attributes:
        before: The parameter before the last step, in its own shape.
        gradient: Where it was then, flat.
        scale: The length of an inverse Hessian that is a multiple of the identity, a scalar.
        pairs: The last steps, the latest at the end.
    """

    before: Tensor
    gradient: Tensor
    scale: Tensor
    pairs: tuple[_Pair, ...] = ()

    def tensors(self) -> dict[str, Tensor]:
        """All of it by names, as `curvature_from` reads it."""
        found = {"before": self.before, "gradient": self.gradient, "scale": self.scale}
        for number, pair in enumerate(self.pairs):
            found |= {
                f"step.{number}": pair.step,
                f"change.{number}": pair.change,
                f"weight.{number}": pair.weight,
            }
        return found


def curvature_from(tensors: Mapping[str, Tensor]) -> Curvature:
    """What `Curvature.tensors` wrote.

    Raises:
        KeyError: Something is missing.
    """
    count = sum(name.startswith("step.") for name in tensors)
    pairs = tuple(
        _Pair(tensors[f"step.{n}"], tensors[f"change.{n}"], tensors[f"weight.{n}"])
        for n in range(count)
    )
    return Curvature(tensors["before"], tensors["gradient"], tensors["scale"], pairs)


@torch.no_grad()
def lbfgs_step(
    image: Tensor,
    gradient: Tensor,
    memory: Curvature | None,
    *,
    history: int,
    first: float,
    longest: float,
    heed: Heed = heedless,
) -> Curvature:
    """Move an image downhill in place.

    It may be clamped between two steps: what is remembered of a step is how far it has come.

    Args:
        image: Any shape, contiguous.
        gradient: At the image; a new tensor at each step: it is kept, not copied.
        memory: From the step before, used up; None for the first.
        history: How many pairs are remembered.
        first: Root mean square of the first step.
        longest: Root mean square that no step exceeds.
        heed: Called between pairs; where it raises, image and memory are as they were.

    Returns:
        The memory for the next step.
    """
    gradient = gradient.flatten()
    if memory is None:
        # Finite even where nothing slopes.
        scale = first / _length(gradient)
        scale = scale.clamp_max(torch.finfo(scale.dtype).max)
        memory = Curvature(torch.empty_like(image), gradient, scale)
    else:
        memory = _remembering(memory, image, gradient, history)
    direction = _downhill(memory, heed)
    direction.mul_((longest / _length(direction)).clamp_max(1))
    memory.before.copy_(image)
    image.add_(direction.view_as(image))
    return memory


def _remembering(memory: Curvature, image: Tensor, gradient: Tensor, history: int) -> Curvature:
    step = image.sub(memory.before).flatten()
    change = gradient - memory.gradient
    curvature = change.dot(step)
    useful = curvature > _LEAST_CURVATURE
    weight = torch.where(useful, curvature.reciprocal(), 0)
    scale = torch.where(useful, curvature / change.dot(change), memory.scale)
    pairs = (*memory.pairs, _Pair(step, change, weight))[-history:]
    return Curvature(memory.before, gradient, scale, pairs)


def _downhill(memory: Curvature, heed: Heed) -> Tensor:
    """Minus the approximate inverse Hessian times the gradient."""
    direction = memory.gradient.neg()
    factors = []
    for pair in reversed(memory.pairs):
        heed()
        factor = pair.step.dot(direction) * pair.weight
        direction.addcmul_(pair.change, factor, value=-1)
        factors.append(factor)
    direction.mul_(memory.scale)
    for pair, factor in zip(memory.pairs, reversed(factors), strict=True):
        heed()
        direction.addcmul_(pair.step, factor - pair.change.dot(direction) * pair.weight)
    return direction


def _length(values: Tensor) -> Tensor:
    """Their root mean square."""
    return (values.dot(values) / len(values)).sqrt()
