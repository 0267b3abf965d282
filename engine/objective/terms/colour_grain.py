"""Fine colour: no more of it in the pastiche than the paintings have.

Features are told by what is large in them, so specks of colour as small as pixels cost next to
nothing there, and the smaller the network the more of them it overlooks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.spec.heeding import Heed, heedless

_LUMA = (0.299, 0.587, 0.114)
"""Of R, G and B in the luminance Y of coded values (ITU-R BT.601)."""

_BLUR = (1, 4, 6, 4, 1)
"""Weights along each axis of the blur that fine details are what it takes away."""

_REACH = len(_BLUR) // 2

_BAND = 512
"""Rows that are worked on at once."""

_LEAST = (1 / 255) ** 2
"""Mean square of what nobody sees: a painting of no colour counts as if it had so much."""


@dataclass(frozen=True)
class ColourGrain:
    """How much fine colour pictures have.

    Attributes:
        square: Mean square of the details of both differences of colour, a scalar that stays on
            the device.
    """

    square: Tensor


class ColourGrainTerm:
    """weight * max(0, s / t - 1)^2 for the fine colour s of the pastiche and t of the paintings.

    Both are root mean squares over R - Y and B - Y less themselves blurred by (1 4 6 4 1) / 16 both
    ways, in all positions that the blur fits around. With position weights they are weighted means;
    as for an additive term, what regions ask does not add up to what their union asks.

    Args:
        target: Of the paintings.
        weight: In front of the loss.
    """

    name = "fine colour"

    def __init__(self, target: ColourGrain, weight: float) -> None:
        self._aim = target.square.clamp_min(_LEAST).sqrt()
        self._weight = weight

    def add_gradient(
        self,
        image: Tensor,
        gradient: Tensor,
        weights: Tensor | None = None,
        *,
        heed: Heed = heedless,
    ) -> Tensor:
        """2 w (s / t - 1) / (t s) K^T K x over the count, where s is above t; band by band."""
        inner = None if weights is None else _inner(weights)
        count = 2 * (_inner(image).numel() / 3 if inner is None else inner.sum())
        square = _sum(image, inner, heed) / count
        found = square.sqrt()
        beyond = (found / self._aim - 1).clamp_min(0)
        factor = 2 * self._weight * beyond / (self._aim * found.clamp_min(self._aim) * count)
        for top, bottom in _bands(image.shape[2] - 2 * _REACH):
            heed()
            details = _details(image[:, :, top : bottom + 2 * _REACH])
            if inner is not None:
                details = details * inner[:, :, top:bottom]
            gradient[:, :, top : bottom + 2 * _REACH].add_(_adjoint(details) * factor)
        value: Tensor = self._weight * beyond.square()
        return value


def measure_colour_grain(image: Tensor, heed: Heed = heedless) -> ColourGrain:
    """How much fine colour an image (1, 3, H, W) has, H and W at least 5."""
    return ColourGrain(_sum(image, None, heed) / (2 * _inner(image).numel() / 3))


def blended(parts: Sequence[ColourGrain], shares: Sequence[float]) -> ColourGrain:
    """That of several pictures by their shares."""
    whole = sum(shares)
    squares = [part.square * (share / whole) for part, share in zip(parts, shares, strict=True)]
    return ColourGrain(torch.stack(squares).sum())


def _sum(image: Tensor, inner: Tensor | None, heed: Heed) -> Tensor:
    """The sum of squares of all details, each by its weight."""
    total = image.new_zeros(())
    for top, bottom in _bands(image.shape[2] - 2 * _REACH):
        heed()
        squares = _details(image[:, :, top : bottom + 2 * _REACH]).square()
        total += squares.sum() if inner is None else (squares * inner[:, :, top:bottom]).sum()
    return total


def _bands(rows: int) -> Iterator[tuple[int, int]]:
    for top in range(0, rows, _BAND):
        yield top, min(top + _BAND, rows)


def _inner(image: Tensor) -> Tensor:
    """The positions that the blur fits around."""
    return image[:, :, _REACH:-_REACH, _REACH:-_REACH]


def _details(image: Tensor) -> Tensor:
    """Those of R - Y and B - Y of (1, 3, h, w), where the blur fits: (1, 2, h - 4, w - 4)."""
    luminance = torch.zeros_like(image[:, :1])
    for number, share in enumerate(_LUMA):
        luminance.add_(image[:, number : number + 1], alpha=share)
    colour = image[:, 0::2] - luminance
    return _inner(colour) - _blurred(colour)


def _adjoint(details: Tensor) -> Tensor:
    """What details (1, 2, h, w) ask of the pixels around them, (1, 3, h + 4, w + 4)."""
    # The blur is its own mirror image.
    around = F.pad(details, (2 * _REACH,) * 4)
    spread = _inner(around) - _blurred(around)
    both = spread.sum(1)
    asked = torch.stack([-share * both for share in _LUMA], 1)
    asked[:, 0::2] += spread
    return asked


def _blurred(image: Tensor) -> Tensor:
    """(1, C, h, w) blurred where the blur fits, (1, C, h - 4, w - 4)."""
    for axis in (2, 3):
        length = image.shape[axis] - 2 * _REACH
        parts = [image.narrow(axis, first, length) for first in range(len(_BLUR))]
        image = parts[0] + parts[4]
        image.add_(parts[1] + parts[3], alpha=_BLUR[1]).add_(parts[2], alpha=_BLUR[2])
        image.div_(sum(_BLUR))
    return image
