"""An image as a Laplacian pyramid: what an optimiser moves where one number is to move an area.

Each band is what an image has beyond its half, enlarged again; the last is the coarsest half itself
(Burt and Adelson 1983). Half an odd side is rounded up. All bands lie in one flat tensor, the
finest first, so that an optimiser moves them as it moves an image.

An image is enlarged by bilinear interpolation, by exactly two and cropped where a side is odd:

    fine[2i] = 3/4 coarse[i] + 1/4 coarse[i-1],    fine[2i+1] = 3/4 coarse[i] + 1/4 coarse[i+1]

with the border repeated. Its adjoint, which halves, is written out here: torch's own adds up in no
certain order on a card. Both go by slabs of rows, which stay in a processor's cache and leave
nothing large beside the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.spec.heeding import Heed, heedless
from engine.spec.pictures import Size

_COARSEST = 3
"""The coarsest band's short side is 2 to this power or more, up to twice that."""

_SLAB = 2**19
"""Values that are enlarged or halved at a time."""


def level_count(size: Size) -> int:
    """Bands of the pyramid of an image (width, height), the coarsest included; 1 or more."""
    return max(1, min(size).bit_length() - 1 - _COARSEST)


def coefficient_count(size: Size) -> int:
    """Numbers in the pyramid of an image (width, height): about 4/3 of the image's."""
    return sum(3 * height * width for height, width in _shapes(size))


@torch.no_grad()
def synthesised(flat: Tensor, size: Size, out: Tensor | None = None) -> Tensor:
    """The image of a pyramid, not clamped.

    Args:
        flat: All bands, (`coefficient_count(size)`,).
        size: Of the image, (width, height).
        out: An image (1, 3, H, W) that it is written to; a new one if None.
    """
    bands = _bands(flat, size)
    coarse = bands.pop()
    if not bands:
        return coarse.clone() if out is None else out.copy_(coarse)
    while bands:
        band = bands.pop()
        fine = torch.empty_like(band) if bands or out is None else out
        for slab in _slabs(band):
            torch.add(slab.fine(band), slab.enlarged(coarse), out=slab.fine(fine))
        coarse = fine
    return coarse


@torch.no_grad()
def analysed(image: Tensor, out: Tensor | None = None, heed: Heed = heedless) -> Tensor:
    """The pyramid whose image this is, to rounding.

    Args:
        image: (1, 3, H, W).
        out: A pyramid that it is written to; a new one if None.
        heed: Called in between.
    """
    flat, bands = _begun(image, out)
    for band, coarser in pairwise(bands):
        for slab in _slabs(band):
            heed()
            slab.coarse(coarser).copy_(slab.halved(band, repeating=True)).mul_(1 / 4)
        for slab in _slabs(band):
            heed()
            slab.fine(band).sub_(slab.enlarged(coarser))
    return flat


@torch.no_grad()
def pushed(gradient: Tensor, heed: Heed = heedless) -> Tensor:
    """The gradient with respect to a pyramid, from that with respect to its image (1, 3, H, W).

    The exact adjoint of `synthesised`.
    """
    flat, bands = _begun(gradient, None)
    for band, coarser in pairwise(bands):
        for slab in _slabs(band):
            heed()
            slab.coarse(coarser).copy_(slab.halved(band, repeating=False))
    return flat


def weigh(flat: Tensor, size: Size, factor: float) -> None:
    """Multiply each band in place by a factor to the power of how often it is enlarged.

    Powers of two round nothing, so their inverse takes it back exactly.
    """
    for level, band in enumerate(_bands(flat, size)[1:], start=1):
        band.mul_(factor**level)


def _begun(image: Tensor, out: Tensor | None) -> tuple[Tensor, list[Tensor]]:
    """A pyramid whose finest band is an image, and its bands."""
    size = (image.shape[3], image.shape[2])
    flat = image.new_empty(coefficient_count(size)) if out is None else out
    bands = _bands(flat, size)
    bands[0].copy_(image)
    return flat, bands


def _shapes(size: Size) -> list[tuple[int, int]]:
    """(height, width) of each band, the finest first."""
    width, height = size
    return [(-(-height >> level), -(-width >> level)) for level in range(level_count(size))]


def _bands(flat: Tensor, size: Size) -> list[Tensor]:
    """The bands (1, 3, H, W) of a pyramid, the finest first; they share its memory."""
    shapes = _shapes(size)
    parts = torch.split(flat, [3 * height * width for height, width in shapes])
    return [part.view(1, 3, *shape) for part, shape in zip(parts, shapes, strict=True)]


@dataclass(frozen=True)
class _Slab:
    """Some rows of a coarse image, and the rows of the fine one that they are half of.

    A row is made of those around it, so one coarse row more is looked at on either side, and what
    that gives is left out.

    Attributes:
        top, bottom: Of the coarse rows.
        height, width: Of the whole fine image.
    """

    top: int
    bottom: int
    height: int
    width: int

    def fine(self, image: Tensor) -> Tensor:
        """Its rows of a fine image."""
        return image[:, :, 2 * self.top : 2 * self.bottom]

    def coarse(self, image: Tensor) -> Tensor:
        """Its rows of a coarse image."""
        return image[:, :, self.top : self.bottom]

    def enlarged(self, coarse: Tensor) -> Tensor:
        """A coarse image enlarged, the slab's fine rows of it."""
        around = coarse[:, :, self._above : self.bottom + 1]
        rows, columns = around.shape[2:]
        larger = F.interpolate(around, size=(2 * rows, 2 * columns), mode="bilinear")
        first = 2 * (self.top - self._above)
        count = min(2 * self.bottom, self.height) - 2 * self.top
        return larger[:, :, first : first + count, : self.width]

    def halved(self, fine: Tensor, *, repeating: bool) -> Tensor:
        """A fine image halved by the adjoint, the slab's coarse rows of it; see `_halved`."""
        around = fine[:, :, 2 * self._above : 2 * self.bottom + 2]
        first = self.top - self._above
        rows = _halved(around, 2, repeating)[:, :, first : first + self.bottom - self.top]
        return _halved(rows, 3, repeating)

    @property
    def _above(self) -> int:
        return max(0, self.top - 1)


def _slabs(fine: Tensor) -> Iterator[_Slab]:
    """All of a fine image (1, 3, H, W), from the top."""
    height, width = fine.shape[2:]
    rows, step = (height + 1) // 2, max(1, _SLAB // (6 * width))
    for top in range(0, rows, step):
        yield _Slab(top, min(top + step, rows), height, width)


def _halved(fine: Tensor, axis: int, repeating: bool) -> Tensor:
    """The adjoint of enlarging along one axis: twice a weighted mean of four.

    What was cropped off an odd side counts 0; or it repeats the last, so that the weights add up to
    two there as well.
    """
    even, odd = (_every_other(fine, axis, first) for first in (0, 1))
    count, complete = even.shape[axis], odd.shape[axis]
    half = even * 0.75
    half.narrow(axis, 0, complete).add_(odd, alpha=0.75)
    half.narrow(axis, 0, count - 1).add_(even.narrow(axis, 1, count - 1), alpha=0.25)
    half.narrow(axis, 1, count - 1).add_(odd.narrow(axis, 0, count - 1), alpha=0.25)
    half.select(axis, 0).add_(even.select(axis, 0), alpha=0.25)
    if complete == count:
        half.select(axis, -1).add_(odd.select(axis, -1), alpha=0.25)
    elif repeating:
        half.select(axis, -1).add_(even.select(axis, -1))
    return half


def _every_other(image: Tensor, axis: int, first: int) -> Tensor:
    return image[:, :, first::2] if axis == 2 else image[..., first::2]
