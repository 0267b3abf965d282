"""Edges: where the photograph turns from light to dark; it keeps its drawing under any style."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.spec.heeding import Heed, heedless

_POOL = 4
"""Pixels to the side that are averaged first: strokes finer than these are none of its business."""

_BAND = 128
"""Rows of the pooled image that are worked on at once."""

_FLAT = 1e-6
"""The mean square of a Laplacian as small as a quarter of a grey level: of a picture without edges,
whose own would be divided by."""


@dataclass(frozen=True)
class EdgesTarget:
    """The photograph's edges.

    Attributes:
        laplacian: Of its pooled pixels, (1, 3, ceil(H / 4), ceil(W / 4)).
        square: The sum of its squares, a scalar that stays on the device; never quite 0.
    """

    laplacian: Tensor
    square: Tensor


class EdgesTerm:
    """weight * sum_p |D A x - D A c|^2 / sum_p |D A c|^2 for a pastiche x and a photograph c.

    A averages 4 x 4 pixels, fewer at the far borders of odd sizes. D is the Laplacian: the four
    neighbours less four times the middle; beyond the border lies what lies on it (Li, Xu, Nie and
    Chua 2017, "Laplacian-Steered Neural Style Transfer", eq. 3, made relative). Squares are summed
    over RGB. Position weights are averaged like the pixels, and count in the first sum alone.
    """

    name = "edges"

    def __init__(self, target: EdgesTarget, weight: float) -> None:
        self._target = target
        self._weight = weight

    def add_gradient(
        self,
        image: Tensor,
        gradient: Tensor,
        weights: Tensor | None = None,
        *,
        heed: Heed = heedless,
    ) -> Tensor:
        """2 A^T D (D A x - D A c), as D is its own transpose."""
        share = self._weight / self._target.square
        difference = _laplacian(_pooled(image, heed)).sub_(self._target.laplacian)
        counted = difference if weights is None else difference * _pooled(weights, heed)
        value: Tensor = share * (counted * difference).sum()
        _add_spread(gradient, _laplacian(counted).mul_(2 * share), heed)
        return value


def measure_edges(image: Tensor, heed: Heed = heedless) -> EdgesTarget:
    """The edges of a photograph (1, 3, H, W) at the canvas's own size."""
    found = _laplacian(_pooled(image, heed))
    return EdgesTarget(found, found.square().sum() + _FLAT * found.numel())


def _pooled(image: Tensor, heed: Heed) -> Tensor:
    """Means of 4 x 4 pixels, (1, C, ceil(H / 4), ceil(W / 4)); of fewer at the far borders."""
    height, width = (-(-side // _POOL) for side in image.shape[2:])
    pooled = image.new_empty((1, image.shape[1], height, width))
    for first in range(0, height, _BAND):
        heed()
        rows = image[:, :, first * _POOL : (first + _BAND) * _POOL]
        pooled[:, :, first : first + _BAND] = F.avg_pool2d(
            rows, _POOL, ceil_mode=True, count_include_pad=False
        )
    return pooled


def _add_spread(gradient: Tensor, pooled: Tensor, heed: Heed) -> None:
    """Add to a gradient (1, C, H, W) what that of its means asks of each pixel."""
    height, width = gradient.shape[2:]
    share = pooled / (_counts(height, pooled)[:, None] * _counts(width, pooled))
    for first in range(0, pooled.shape[2], _BAND):
        heed()
        into = gradient[:, :, first * _POOL : (first + _BAND) * _POOL]
        rows = share[:, :, first : first + _BAND].repeat_interleave(_POOL, 3)[..., :width]
        into.add_(rows.repeat_interleave(_POOL, 2)[:, :, : into.shape[2]])


def _counts(length: int, like: Tensor) -> Tensor:
    """How many pixels of a side each mean is of."""
    count = -(-length // _POOL)
    return (length - _POOL * torch.arange(count, device=like.device)).clamp_(max=_POOL).to(like)


def _laplacian(image: Tensor) -> Tensor:
    """The four neighbours less four times the middle of each position, (1, C, h, w)."""
    found = torch.zeros_like(image)
    for dim in (2, 3):
        pairs = image.shape[dim] - 1
        difference = image.diff(dim=dim)
        found.narrow(dim, 0, pairs).add_(difference)
        found.narrow(dim, 1, pairs).sub_(difference)
    return found
