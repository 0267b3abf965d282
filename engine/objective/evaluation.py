"""What evaluating the objective yields, for optimisers and for whoever records evaluations."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Evaluation:
    """The objective at one image, still on the device: reading a value waits for the device.

    Attributes:
        total: The sum of the terms, a scalar.
        terms: The weighted terms, shape (T,), in the order of `Objective.term_names`.
        gradient: dL/dx, shape (1, 3, H, W), float32 or float64.
    """

    total: Tensor
    terms: Tensor
    gradient: Tensor
