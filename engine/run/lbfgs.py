"""L-BFGS that never asks the device for a number: torch's own waits for it at every stored pair.

The two-loop recursion of Nocedal (1980), one evaluation a step, a unit step after the first, as
`torch.optim.LBFGS` does it with `max_iter=1`; scalars stay tensors. A pair of no use is weighted
with 0, where torch leaves it out: it takes a place in the history, but asks the device nothing.

Nothing searches along the line, so two lengths stand guard. The first step is long enough to tell
curvature from rounding: one that is lost in rounding makes the second a leap out of the picture.
And no step is longer than one that the approximation can be trusted for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

_LEAST_CURVATURE = 1e-10
"""A pair of a step and a change of gradient with less would spoil the approximation."""


@dataclass(frozen=True)
class _Pair:
    """A step s, the change y of the gradient over it, and 1 / y.s, or 0 where that is no use."""

    step: Tensor
    change: Tensor
    weight: Tensor


class LBFGS(torch.optim.Optimizer):
    """Limited-memory BFGS for a single parameter.

    The parameter may be clamped between two steps: what is remembered of a step is how far the
    parameter has come.

    Args:
        image: The parameter. Its gradient must be a new tensor at each step; it is kept, not
            copied.
        history: How many pairs are remembered.
        first: Root mean square of the first step.
        longest: Root mean square that no step exceeds.
    """

    def __init__(self, image: Tensor, history: int, first: float, longest: float) -> None:
        super().__init__([image], {})
        self._image = image
        self._pairs: deque[_Pair] = deque(maxlen=history)
        self._first, self._longest = first, longest
        self._gradient: Tensor | None = None
        self._before = self._scale = torch.empty(0)

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor]) -> Tensor:  # type: ignore[override]
        """Evaluate, then move the parameter; returns what the closure returned."""
        value = closure()
        assert self._image.grad is not None, "the closure sets the gradient"
        gradient = self._image.grad.flatten()
        if self._gradient is None:
            # Finite even where nothing slopes.
            scale = self._first / _length(gradient)
            self._scale = scale.clamp_max(torch.finfo(scale.dtype).max)
            self._before = self._image.clone()
        else:
            step = self._image.sub(self._before).flatten()
            self._remember(step, gradient - self._gradient)
            self._before.copy_(self._image)
        self._gradient = gradient
        direction = self._downhill(gradient)
        direction.mul_((self._longest / _length(direction)).clamp_max(1))
        self._image.add_(direction.view_as(self._image))
        return value

    def _remember(self, step: Tensor, change: Tensor) -> None:
        curvature = change.dot(step)
        useful = curvature > _LEAST_CURVATURE
        weight = torch.where(useful, curvature.reciprocal(), 0)
        self._scale = torch.where(useful, curvature / change.dot(change), self._scale)
        self._pairs.append(_Pair(step, change, weight))

    def _downhill(self, gradient: Tensor) -> Tensor:
        """Minus the approximate inverse Hessian times the gradient."""
        direction = gradient.neg()
        factors = []
        for pair in reversed(self._pairs):
            factor = pair.step.dot(direction) * pair.weight
            direction.addcmul_(pair.change, factor, value=-1)
            factors.append(factor)
        direction.mul_(self._scale)
        for pair, factor in zip(self._pairs, reversed(factors), strict=True):
            direction.addcmul_(pair.step, factor - pair.change.dot(direction) * pair.weight)
        return direction


def _length(values: Tensor) -> Tensor:
    """Their root mean square."""
    return (values.dot(values) / len(values)).sqrt()
