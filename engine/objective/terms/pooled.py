"""Means over neighbouring positions, and how their gradient is shared among these."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def mean_of(features: Tensor, pooled: int) -> Tensor:
    """The mean of each `pooled` x `pooled` positions of (1, C, H, W), as it is for 1.

    What is left over at the bottom and at the right is in no mean.
    """
    return features if pooled == 1 else F.avg_pool2d(features, pooled)


def add_spread(gradient: Tensor, slope: Tensor, pooled: int, scale: float) -> None:
    """Add to a gradient (1, C, H, W), in place, the scaled slope (1, C, h, w) of such means."""
    if pooled == 1:
        gradient.add_(slope, alpha=scale)
        return
    height, width = slope.shape[2:]
    meant = gradient[..., : height * pooled, : width * pooled]
    # A view, however the gradient lies in memory.
    cells = meant.view(*meant.shape[:2], height, pooled, width, pooled)
    cells.add_(slope[:, :, :, None, :, None], alpha=scale / pooled**2)
