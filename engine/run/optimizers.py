"""What walks downhill: the optimisers behind one step, and what each keeps of its memory.

The optimisers see N times the objective, with N values in the image. The losses are means over
positions, so one pixel's gradient shrinks as the canvas grows; N times it does not, and step sizes
and thresholds mean the same at every size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch._dynamo  # the first optimiser made would load it, seconds into a job
from torch import Tensor

from engine.objective.evaluation import Evaluation
from engine.run.lbfgs import LBFGS
from engine.spec.choices import OptimizerName
from engine.spec.settings import Settings

Resize = Callable[[Tensor], Tensor]
"""An image (1, 3, H, W) at the next scale's size, by bicubic interpolation."""


@dataclass(frozen=True)
class _Traits:
    """What sets the optimisers apart beyond their update rule.

    Attributes:
        averaged: The result is the running average of the iterates.
        outlives_objective: Its memory stays sound when the weights of the objective change.
    """

    averaged: bool
    outlives_objective: bool


_TRAITS = {
    OptimizerName.ADAM: _Traits(averaged=True, outlives_objective=True),
    OptimizerName.LBFGS: _Traits(averaged=False, outlives_objective=False),
    OptimizerName.GRADIENT_DESCENT: _Traits(averaged=False, outlives_objective=True),
}

_BETAS = (0.9, 0.99)
"""Adam's decays; the short second one lets the step follow a loss that falls by orders."""

_FIRST_STEP, _LONGEST_STEP = 0.01, 0.1
"""Of L-BFGS: root mean square over the image's values, which lie in 0..1."""


class Descent:
    """An image on its way downhill at one scale.

    Args:
        image: The start, (1, 3, H, W), float32; copied.
        settings: Which optimiser and its constants.
    """

    def __init__(self, image: Tensor, settings: Settings) -> None:
        self._settings = settings
        self._traits = _TRAITS[settings.optimizer]
        # Image and gradient lie alike in memory: Adam's fused kernel walks both as they lie.
        self.image = image.clone(memory_format=torch.contiguous_format)
        self._average = torch.zeros_like(self.image)
        self._averaged_steps = 0
        self._good = self.image.clone()
        self._candidate = self.image.clone()
        self._optimizer = self._new_optimizer()

    @torch.no_grad()
    def step(self, evaluate: Callable[[Tensor], Evaluation]) -> Evaluation:
        """Evaluate the objective where the image is, and move it one step downhill.

        The evaluation's gradient is used up.
        """
        seen: list[Evaluation] = []

        def closure() -> Tensor:
            evaluation = evaluate(self.image)
            values = self.image.numel()
            # In place: another image's worth of memory would be held through the step.
            self.image.grad = evaluation.gradient.mul_(values).contiguous()
            seen.append(evaluation)
            return evaluation.total * values

        self._optimizer.step(closure)  # type: ignore[arg-type]
        self.image.clamp_(0, 1)
        if self._traits.averaged and self._settings.averaging > 0:
            self._average.lerp_(self.image, 1 - self._settings.averaging)
            self._averaged_steps += 1
        return seen[0]

    @torch.no_grad()
    def result(self) -> Tensor:
        """The pastiche so far, (1, 3, H, W) in 0..1: the iterates' average, or the last one."""
        if not self._averaged_steps:
            return self.image.clamp(0, 1)
        # The average started from nothing; this takes the missing weight out again.
        return self._average / (1 - self._settings.averaging**self._averaged_steps)

    def is_finite(self) -> bool:
        """Whether the image holds numbers only; waits for the device."""
        return bool(self.image.sum().isfinite())

    def mark_good(self) -> None:
        """Say that the objective was finite up to here.

        The image itself has not been evaluated yet; what vouches for it is the next mark.
        """
        self._good.copy_(self._candidate)
        self._candidate.copy_(self.image)

    def roll_back(self) -> None:
        """Return to the last good image with an empty memory."""
        self.image.copy_(self._good)
        self._candidate.copy_(self._good)
        self._average.zero_()
        self._averaged_steps = 0
        self._optimizer = self._new_optimizer()

    def objective_changed(self) -> None:
        """Drop the memory if it belongs to the old objective; curvature does."""
        if not self._traits.outlives_objective:
            self._optimizer = self._new_optimizer()

    @torch.no_grad()
    def carried(self, image: Tensor, resize: Resize) -> Descent:
        """A descent from `image` at the next scale, with this one's moments where they hold."""
        finer = Descent(image, self._settings)
        state = self._optimizer.state.get(self.image, {})
        if "exp_avg" in state:
            finer._optimizer.state[finer.image] = {
                "step": state["step"].clone(),
                "exp_avg": resize(state["exp_avg"]).contiguous(),
                # Bicubic overshoots; a second moment cannot be below 0.
                "exp_avg_sq": resize(state["exp_avg_sq"]).clamp_min_(0).contiguous(),
            }
        return finer

    def _new_optimizer(self) -> torch.optim.Optimizer:
        settings = self._settings
        match settings.optimizer:
            case OptimizerName.ADAM:
                fused = self.image.device.type in ("cpu", "cuda")
                return torch.optim.Adam(
                    [self.image], lr=settings.learning_rate, betas=_BETAS, fused=fused
                )
            case OptimizerName.LBFGS:
                return LBFGS(self.image, settings.lbfgs_history, _FIRST_STEP, _LONGEST_STEP)
            case OptimizerName.GRADIENT_DESCENT:
                return torch.optim.SGD([self.image], lr=settings.step_size)
