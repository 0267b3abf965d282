"""Gradient descent with orthogonalised momentum, for the convolutions.

A convolution's gradient is nearly of low rank: a few directions take all of a plain step. Making
its singular values equal before the step moves all directions at the same pace (Jordan 2024,
"Muon"; step sizes matched to Adam's after Liu et al. 2025, "Muon is scalable for LLM training").
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

_MOMENTUM = 0.95
_POLYNOMIAL = (3.4445, -4.775, 2.0315)
"""Jordan's odd polynomial, which drives singular values near 1 in five applications."""


class Orthogonal(torch.optim.Optimizer):
    """Moves convolution kernels (C_out, C_in, H, W), taken as matrices (C_out, rest).

    Args:
        parameters: The kernels.
        boost: How many times further than Adam's at the same learning rate a step goes.
    """

    def __init__(self, parameters: Iterable[Tensor], boost: float) -> None:
        super().__init__(parameters, {"lr": 1e-3, "boost": boost})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                gradient = parameter.grad
                if gradient is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(gradient)
                momentum = state["momentum"].lerp_(gradient, 1 - _MOMENTUM)
                direction = orthogonalised(gradient.lerp(momentum, _MOMENTUM).flatten(1))
                size = group["boost"] * 0.2 * max(direction.shape) ** 0.5
                parameter.add_(direction.view_as(parameter), alpha=-group["lr"] * size)


def orthogonalised(matrix: Tensor) -> Tensor:
    """A matrix (R, C) with its singular vectors kept and its singular values all near 1."""
    a, b, c = _POLYNOMIAL
    tall = matrix.shape[0] > matrix.shape[1]
    flow = matrix.T if tall else matrix
    flow = flow / (flow.norm() + 1e-12)
    for _ in range(5):
        square = flow @ flow.T
        flow = a * flow + (b * square + c * square @ square) @ flow
    result: Tensor = flow.T if tall else flow
    return result
