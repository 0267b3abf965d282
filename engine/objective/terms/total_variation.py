"""Total variation: neighbouring pixels beside each other; it calms grain and speckle."""

from __future__ import annotations

from torch import Tensor

from engine.spec.heeding import Heed, heedless

_BAND = 512
"""Rows or columns measured at once: at 16k a difference of the whole image would take gigabytes."""


class TotalVariationTerm:
    """weight * mean squared difference of neighbours, across and down."""

    name = "smoothness"

    def __init__(self, weight: float) -> None:
        self._weight = weight

    def add_gradient(
        self,
        image: Tensor,
        gradient: Tensor,
        weights: Tensor | None = None,
        *,
        heed: Heed = heedless,
    ) -> Tensor:
        """Band by band; a pair of pixels counts by the mean of its two weights."""
        value = image.new_zeros(())
        for dim in (2, 3):
            pairs = image.shape[dim] - 1
            scale = self._weight / (image.numel() // image.shape[dim] * pairs)
            for first in range(0, pairs, _BAND):
                heed()
                count = min(_BAND, pairs - first)
                difference = image.narrow(dim, first, count + 1).diff(dim=dim)
                counted = difference
                if weights is not None:
                    ends = weights.narrow(dim, first, count), weights.narrow(dim, first + 1, count)
                    counted = difference * ((ends[0] + ends[1]) / 2)
                gradient.narrow(dim, first + 1, count).add_(counted, alpha=2 * scale)
                gradient.narrow(dim, first, count).sub_(counted, alpha=2 * scale)
                value += scale * difference.mul_(counted).sum()
        return value
