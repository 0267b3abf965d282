"""Adam (Kingma and Ba 2015), as one kernel where the device has it, and what it remembers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim.adam import adam

from engine.spec.heeding import Heed

_BETAS = (0.9, 0.99)
"""Adam's decays; the short second one lets the step follow a loss that falls by orders."""

_EPSILON = 1e-8
"""Keeps Adam from dividing by 0."""

_FUSED = ("cpu", "cuda")
"""Devices on which Adam's step is one kernel."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Adam's memory: running means of the gradient and of its square, and of how many steps."""

    steps: Tensor
    first: Tensor
    second: Tensor

    def tensors(self) -> dict[str, Tensor]:
        """All of it by names."""
        return {"steps": self.steps, "first": self.first, "second": self.second}


def no_moments(values: Tensor, heed: Heed) -> Moments:
    """The memory before the first step."""
    steps = torch.zeros((), dtype=torch.float32, device=counting_place(values.device))
    first = torch.zeros_like(values)
    heed()
    second = torch.zeros_like(values)
    heed()
    return Moments(steps, first, second)


def counting_place(device: torch.device) -> torch.device:
    """Where Adam counts its steps: a fused kernel on the device, else the host, which reads it."""
    return device if device.type in _FUSED else torch.device("cpu")


def adam_step(values: Tensor, gradient: Tensor, moments: Moments, rate: float) -> None:
    """Move values downhill in place, and the moments with them (algorithm 1)."""
    adam(
        [values],
        [gradient],
        [moments.first],
        [moments.second],
        [],
        [moments.steps],
        foreach=False,
        fused=values.device.type in _FUSED,
        amsgrad=False,
        beta1=_BETAS[0],
        beta2=_BETAS[1],
        lr=rate,
        weight_decay=0.0,
        eps=_EPSILON,
        maximize=False,
    )
